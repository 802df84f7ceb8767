r"""The profiles of a Windows machine: those of ProfileList, those that only lie on disk, and those of the system.

ProfileList forgets users whose folder stays, and names others whose folder or hive is not here: on a drive that was
not mounted, or in a disk that is attached when they log on. Each of these hives is named as missing.

References:
    Microsoft, "User Profiles Tools" (ProfileList), "Mandatory user profiles" (`NTUSER.MAN`), "Customize the default
    user profile", "Well-known SIDs"; "FSLogix configuration settings reference" (`Enabled`, `VHDLocations`,
    `CCDLocations`); "Remote Desktop Services: User Profile Disks"; policy CSP ADMX_UserProfiles (`DeleteRoamingCache`).
    Citrix, "Profile Management policies" (`DeleteCachedProfilesOnLogoff`, `PathToUserStore`).
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from phaseout.host.filesystem.files import Files
from phaseout.host.registry.base import Key, Mounts, Registry
from phaseout.host.registry.hives import open_hive
from phaseout.host.users import User
from phaseout.model.nouns import Problem
from phaseout.parsers.windows.image_path import absolute

PROFILE_LIST = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
_SYSTEM = "S-1-5-18"
_ACCOUNTS = {_SYSTEM: "SYSTEM", "S-1-5-19": "LOCAL SERVICE", "S-1-5-20": "NETWORK SERVICE"}
_HIVES = ("NTUSER.DAT", "NTUSER.MAN")  # the second is that of a mandatory profile
_CLASSES = (
    r"AppData\Local\Microsoft\Windows\UsrClass.dat",
    r"Local Settings\Application Data\Microsoft\Windows\UsrClass.dat",
)
_NAMED = 50  # missing hives; the report needs no more
_SET_ASIDE = ".bak"  # ends the name of a profile's key while its user has a temporary one
# Key, value that switches it on, value that says where the profiles are, and what it does.
_ELSEWHERE = (
    (
        r"HKLM\SOFTWARE\FSLogix\Profiles",
        "Enabled",
        ("VHDLocations", "CCDLocations"),
        "FSLogix keeps the profiles of users who are not logged on in disks of their own",
    ),
    (
        r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\ClusterSettings",
        "UvhdEnabled",
        ("UvhdShareUrl",),
        "user profile disks hold the profiles of users who are not logged on",
    ),
    (
        r"HKLM\SOFTWARE\Policies\Citrix\UserProfileManager",
        "DeleteCachedProfilesOnLogoff",
        ("PathToUserStore",),
        "Citrix deletes profiles at log-off and keeps them elsewhere",
    ),
    (
        r"HKLM\SOFTWARE\Policies\Microsoft\Windows\System",
        "DeleteRoamingCache",
        (),
        "roaming profiles are deleted at log-off and kept elsewhere",
    ),
    (
        r"HKLM\SOFTWARE\Policies\Microsoft\Windows\System",
        "MachineProfilePath",
        ("MachineProfilePath",),
        "roaming profiles are kept elsewhere, and come from there at log-on",
    ),
)
_PACKAGES = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore"
# Folders beside the profiles that are not profiles: another name of `C:\ProgramData`, and what all users share.
_NO_PROFILES = frozenset(("all users", "public"))
_ATTACHED = "scan while the user is logged on, or scan the disk that holds the profile"
_SERVER = "scan the server that holds it"
_DELETED = "if the profile was deleted, delete it in the system's list of user profiles, too"


class Profile(NamedTuple):
    """A profile folder, and whether ProfileList names it.

    `user.sid` is the name of its hive below `HKU`: the SID, or the folder where no SID is known.
    """

    user: User
    listed: bool


def profiles(registry: Registry, files: Files, variables: Mapping[str, str]) -> tuple[Profile, ...]:
    """Every profile of the machine, each folder once."""
    found = [Profile(user, listed=True) for user in _listed(registry, variables)]
    known = {profile.user.sid.upper() for profile in found}
    windows = variables.get("systemroot", r"C:\Windows")
    homes = (
        *((_SYSTEM, rf"{windows}\System32\config\systemprofile"), ("", rf"{windows}\SysWOW64\config\systemprofile")),
        *(("S-1-5-19", rf"{windows}\ServiceProfiles\LocalService"),),
        *(("S-1-5-20", rf"{windows}\ServiceProfiles\NetworkService"),),
    )
    for sid, home in homes:
        if sid not in known and (sid or files.is_dir(home)):
            found.append(Profile(User(_ACCOUNTS[sid or _SYSTEM], -1, home, sid), listed=False))
    met = {_real(files, profile.user.home) for profile in found if profile.user.home}
    for folder in _folders(registry, files, variables):
        real = _real(files, folder)
        if real not in met:
            met.add(real)
            sid = folder.replace("\\", "/") if _hives(files, folder) else ""
            found.append(Profile(User(folder.rpartition("\\")[2], -1, folder, sid), listed=False))
    return tuple(found)


def mount_profiles(people: Mounts, found: tuple[Profile, ...], files: Files, registry: Registry) -> tuple[User, ...]:
    """Puts the hives of all profiles that are not there yet below `HKU`, and returns their users.

    One who has both hives, that of an ordinary and that of a mandatory profile, is there twice.
    """
    users: list[User] = []
    for user, _ in found:
        users.append(user)
        if not user.home or not user.sid:
            continue
        first, *others = _hives(files, user.home) or _HIVES[:1]
        people.mount(user.sid, _opener(files, rf"{user.home}\{first}", rf"HKU\{user.sid}", registry))
        for file in others:
            sid = f"{user.home}/{file}".replace("\\", "/")
            people.mount(sid, _opener(files, rf"{user.home}\{file}", rf"HKU\{sid}", registry))
            users.append(User(user.name, -1, user.home, sid))
        name = f"{user.sid}_Classes"
        people.mount(name, partial(_first_hive, files, [rf"{user.home}\{file}" for file in _CLASSES], name, registry))
    return tuple(users)


def missing_hives(people: Mounts, found: tuple[Profile, ...], files: Files) -> Iterator[Problem]:
    """A problem for every profile of ProfileList whose hive is neither loaded nor on disk.

    Args:
        people: `HKU` with the hives that are loaded.
        found: all profiles.
        files: the drives.
    """
    set_aside = {
        user.sid.lower().removesuffix(_SET_ASIDE) for user, _ in found if user.sid.lower().endswith(_SET_ASIDE)
    }
    count = 0
    for user, listed in found:
        sid = user.sid.lower()
        if not listed or user.sid in _ACCOUNTS or people.has(user.sid):
            continue
        if _on_server(files, user.home):
            yield Problem(user.home, f"the profile of {user.name} lies on a server", "mount", remedy=_SERVER)
            continue
        if _hives(files, user.home):
            continue
        if sid in set_aside and files.gone(user.home):
            continue  # a temporary profile, which Windows deletes at log-off
        count += 1
        if count > _NAMED:
            yield Problem(PROFILE_LIST, "further profiles have no hive here", "missing", remedy=_ATTACHED)
            return
        yield _missing(user, files)


def missing_classes(people: Mounts, found: tuple[Profile, ...], registry: Registry, files: Files) -> Iterator[Problem]:
    r"""A problem for every user who has logged on and whose hive of classes is neither loaded nor on disk.

    It says which app packages the user has. A profile that was only prepared has none yet: that a user has logged on
    shows in the folder that holds the hive, and in the list of the packages of all users.
    """
    for user, listed in found:
        if not listed or user.sid in _ACCOUNTS or people.has(f"{user.sid}_Classes") or not _hives(files, user.home):
            continue
        if user.home.startswith("\\\\"):  # all of the profile is named already
            continue
        places = [rf"{user.home}\{file}" for file in _CLASSES]
        used = any(files.is_dir(place.rpartition("\\")[0]) for place in places)
        used = used or registry.key(rf"{_PACKAGES}\{user.sid}") is not None
        if used and all(map(files.gone, places)):
            why = f"the hive of {user.name}'s classes is missing: it says which apps they have"
            yield Problem(places[0], why, "missing", remedy=_ATTACHED)


def kept_elsewhere(registry: Registry) -> Iterator[Problem]:
    """A problem for every setting by which the profiles of users who are not logged on are not on this machine."""
    for path, switch, places, what in _ELSEWHERE:
        key = registry.key(path)
        if key is not None and (key.number(switch) or key.text(switch).startswith("\\\\")):
            where = ", ".join(filter(None, map(key.text, places)))
            # Of a roaming profile, what it has now is here, and is read.
            hides = switch != "MachineProfilePath"
            yield Problem(path, f"{what}: {where}" if where else what, "unsupported", hides=hides, remedy=_ATTACHED)
    listed = registry.key(PROFILE_LIST)
    for key in listed.subkeys() if listed is not None else ():
        share = key.text("CentralProfile")
        if share.startswith("\\\\"):
            why = "a roaming profile: what is here was read, and what it has at its next log-on comes from there"
            yield Problem(share, why, "mount", hides=False, remedy=_SERVER)


def _missing(user: User, files: Files) -> Problem:
    if not user.home:
        return Problem(
            rf"{PROFILE_LIST}\{user.sid}", "names no folder: this profile was not seen", "missing", remedy=_DELETED
        )
    hive = rf"{user.home}\{_HIVES[0]}"
    if not files.gone(user.home):
        return Problem(
            hive, f"the hive of {user.name} is missing, though ProfileList names it", "missing", remedy=_ATTACHED
        )
    if not files.list(user.home[:3]):
        why = f"drive {user.home[:2]} with the profile of {user.name} is not here"
        return Problem(hive, why, "missing", remedy=f"scan drive {user.home[:2]} together with this one")
    why = f"the profile of {user.name} is missing, though ProfileList names it"
    return Problem(hive, why, "missing", remedy=f"{_ATTACHED}; {_DELETED}")


def _listed(registry: Registry, variables: Mapping[str, str]) -> Iterator[User]:
    """Everybody in ProfileList, by the name of the profile folder: to ask for an account's may go over the network."""
    found = registry.key(PROFILE_LIST)
    for profile in found.subkeys() if found is not None else ():
        home = absolute(profile.text("ProfileImagePath"), variables)
        name = _ACCOUNTS.get(profile.name) or home.rpartition("\\")[2] or profile.name
        yield User(name, -1, home, profile.name)


def _folders(registry: Registry, files: Files, variables: Mapping[str, str]) -> Iterator[str]:
    """The folders that lie where profiles lie."""
    drive = variables.get("systemdrive", "C:")
    found = registry.key(PROFILE_LIST)
    named = absolute(found.text("ProfilesDirectory"), variables) if found is not None else ""
    default = absolute(found.text("Default"), variables) if found is not None else ""
    windows = variables.get("systemroot", r"C:\Windows")
    tops = (named, rf"{drive}\Users", rf"{drive}\Documents and Settings", rf"{windows}\ServiceProfiles")
    met: set[str] = set()
    for top in filter(None, tops):
        real = _real(files, top)
        if real in met:
            continue
        met.add(real)
        for entry in files.list(top):
            folder = rf"{top}\{entry.name}"
            if entry.name.lower() not in _NO_PROFILES and entry.kind in {"dir", "link"} and files.is_dir(folder):
                yield folder
    if default and files.is_dir(default):
        yield default


def _on_server(files: Files, folder: str) -> bool:
    """Whether a folder is one of a server, or on a drive that stands for one and is skipped."""
    drive = folder[:3]
    return folder.startswith("\\\\") or bool(drive and not files.gone(drive) and files.stat(drive) is None)


def _real(files: Files, folder: str) -> str:
    return (files.real(folder) or folder).lower()


def _hives(files: Files, home: str) -> tuple[str, ...]:
    """The hives in a profile folder: that of a mandatory profile first, since Windows prefers it."""
    return tuple(name for name in reversed(_HIVES) if home and not files.gone(rf"{home}\{name}"))


def _opener(files: Files, file: str, path: str, registry: Registry) -> Callable[[], Key | None]:
    return partial(open_hive, files, file, path, registry.problems)


def _first_hive(files: Files, candidates: list[str], name: str, registry: Registry) -> Key | None:
    for file in candidates:
        if not files.gone(file):
            return open_hive(files, file, rf"HKU\{name}", registry.problems)
    return None
