"""Opens a macOS host: the running one, or the folder that holds its disk.

An offline disk is the system volume with the data volume below it (`/System/Volumes/Data`), as both are mounted on a
Mac, or the data volume alone, or a disk of the time before they were two. Names are found as macOS finds them, whatever
their letter case and their composition.

References:
    hier(7) and `/usr/share/firmlinks` of macOS; <sys/stat.h> (SF_DATALESS); dscl(1) and the records of users in
    `/var/db/dslocal`; Apple Platform Security, "Controlling app access to files in macOS" (the guarded folders).
"""

import errno
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping

from phaseout.host import Host
from phaseout.host.filesystem.files import Files
from phaseout.host.filesystem.folder import Folder
from phaseout.host.filesystem.macos import DATA, MacFiles
from phaseout.host.filesystem.node import Node
from phaseout.host.processes.process import Process
from phaseout.host.users import User
from phaseout.model.nouns import HostInfo, Problem
from phaseout.parsers.encodings.property_list import mapping, text

_VERSION = "/System/Library/CoreServices/SystemVersion.plist"
_NAMES = "/Library/Preferences/SystemConfiguration/preferences.plist"
_USERS = "/var/db/dslocal/nodes/Default/users"
_PROBE = "/Library/Application Support/com.apple.TCC/TCC.db"
_NETWORK = frozenset(("afpfs", "autofs", "cifs", "ftp", "nfs", "smbfs", "webdav"))
_NO_HOME = frozenset(("", "/", "/dev/null", "/var/empty"))
_DELETED_USERS = "/Users/Deleted Users"
_TEMPLATES = ("/Library/User Template", "/System/Library/User Template")  # what every new user gets
_NO_USERS = frozenset(("Shared", "Deleted Users"))
_FIRST_PERSON = 501
_NAMED = 20  # missing homes; the report needs no more
_VOLUME = "mount the volume that holds it, or scan the machine that does"
_NO_ACCOUNT = "if the account is no longer needed, delete it in System Settings > Users & Groups"


def live_macos(
    processes: Callable[[tuple[User, ...]], Iterator[Process | Problem]],
    *,
    deep: bool = False,
    modules: Callable[[int], frozenset[str] | None] | None = None,
) -> Host:
    """The Mac that this runs on.

    Args:
        processes: gives the running ones, with the names of these users.
        deep: see `Host`.
        modules: see `Host`.
    """
    import platform as machine

    skipped_mounts = _mounts()
    files = MacFiles("/", skipped_mounts, guarded=not _full_disk_access())
    name, version = _system(files)
    users = macos_users(files, live=True)
    files.problems += missing_homes(files)
    info = HostInfo(
        name=machine.node(),
        platform="macos",
        os=name,
        os_version=version,
        arch=machine.machine(),
        skipped_mounts=tuple(f"{point} ({kind})" for point, kind in sorted(skipped_mounts.items())),
    )
    return Host(info, files, users, processes=lambda: processes(users), deep=deep, modules=modules)


def offline_macos(
    root: Folder, skipped_mounts: Mapping[str, str], data: str | Node = "", *, deep: bool = False
) -> Host:
    """The Mac whose disk is in a folder.

    Args:
        root: the folder.
        skipped_mounts: mount point below `root` → file system type.
        data: the folder of the data volume, where it does not lie in the root.
        deep: see `Host`.
    """
    inside = {point: kind for point, kind in skipped_mounts.items() if point != DATA}  # given with the root itself
    files = MacFiles(root.place, inside, data=data)
    name, version = _system(files)
    info = HostInfo(
        name=_computer_name(files) or os.path.basename(root.name) or root.name,
        platform="macos",
        os=name,
        os_version=version,
        root=root.name,
        skipped_mounts=tuple(f"{point} ({kind})" for point, kind in sorted(inside.items())),
    )
    users = macos_users(files)
    files.problems += missing_homes(files)
    return Host(info, files, users, deep=deep)


def macos_users(files: Files, *, live: bool = False) -> tuple[User, ...]:
    """The people of the local directory, and the owners of further folders in `/Users` (accounts of a network).

    What every new user gets counts as a home, too. No further home is there twice, whatever links lead to it.
    """
    found = list(_records(files))
    met = {_real(files, user.home) for user in found if user.home}
    for home in _further_homes(files):
        if _real(files, home) not in met:
            met.add(_real(files, home))
            owner = files.stat(home) if live else None  # what a copy says of owners is not to be relied on
            found.append(User(home.rpartition("/")[2], owner.uid if owner else -1, home))
    if not any(user.name == "root" for user in found):
        found.append(User("root", 0, "/var/root"))
    return tuple(found)


def missing_homes(files: Files) -> Iterator[Problem]:
    """A problem for every home of a person that the local directory promises and that is not here."""
    people = [user for user in _records(files) if user.uid >= _FIRST_PERSON and user.home]
    absent = [user for user in people if files.gone(user.home)]
    for user in absent[:_NAMED]:
        yield Problem(user.home, f"the home of {user.name} is missing", "missing", remedy=f"{_VOLUME}; {_NO_ACCOUNT}")
    if len(absent) > _NAMED:
        yield Problem(_USERS, f"{len(absent) - _NAMED} further homes are missing", "missing", remedy=_VOLUME)
    if not any(entry.name.endswith(".plist") for entry in files.list(_USERS)):
        why = "names no account: the data volume is not here, or not whole"
        yield Problem(_USERS, why, "missing", remedy=f"mount the data volume at {DATA}, then scan again")


def _records(files: Files) -> Iterator[User]:
    """The accounts of the local directory, without those of macOS's own services."""
    for entry in files.list(_USERS):
        if entry.name.endswith(".plist") and not entry.name.startswith("_"):
            record = mapping(files.read(f"{_USERS}/{entry.name}", 4 << 20) or b"") or {}
            uid, home = _first(record, "uid"), _first(record, "home").rstrip("/")
            name = _first(record, "name") or entry.name.removesuffix(".plist")
            number = int(uid) if re.fullmatch(r"-?\d{1,10}", uid) else -1
            yield User(name, number, "" if home in _NO_HOME else home)


def _further_homes(files: Files) -> Iterator[str]:
    """Folders that lie where homes lie, and links to some; a link that leads nowhere is a home that is missing."""
    for top in ("/Users", _DELETED_USERS):
        for entry in files.list(top):
            home = f"{top}/{entry.name}"
            if entry.kind not in {"dir", "link"} or entry.name in _NO_USERS or entry.name.startswith("."):
                continue
            if entry.kind == "dir" or files.is_dir(home):
                yield home
            elif files.gone(home):
                why = f"a link to {files.link(home)}, which is not here"
                files.problems.append(Problem(home, why, "missing", remedy=_VOLUME))
    for top in _TEMPLATES:
        for entry in files.list(top):
            if entry.kind == "dir":
                yield f"{top}/{entry.name}"


def _real(files: Files, home: str) -> str:
    return (files.real(home) or home).casefold()


def _first(record: Mapping[str, object], key: str) -> str:
    """The first of the values that a directory has for an attribute."""
    values = record.get(key)
    return text(values[0]) if isinstance(values, list) and values else ""


def _system(files: Files) -> tuple[str, str]:
    """Name and version of the system."""
    values = mapping(files.read(_VERSION, 1 << 16) or b"") or {}
    return text(values.get("ProductName")) or "macOS", text(values.get("ProductVersion"))


def _computer_name(files: Files) -> str:
    found: object = mapping(files.read(_NAMES, 4 << 20) or b"")
    for key in ("System", "System", "ComputerName"):
        found = found.get(key) if isinstance(found, dict) else None
    return text(found)


def _full_disk_access() -> bool:
    """Whether the guarded folders may be read. Opening the list of permissions shows that without asking the user."""
    try:
        os.close(os.open(_PROBE, os.O_RDONLY))
    except OSError as error:
        return error.errno == errno.ENOENT
    return True


def _mounts() -> dict[str, str]:
    """Mount point → file system type of everything that may hang or fetch."""
    if sys.platform != "darwin":
        return {}
    import psutil

    return {
        part.mountpoint: part.fstype
        for part in psutil.disk_partitions(all=True)
        if part.mountpoint != "/" and (part.fstype in _NETWORK or "fuse" in part.fstype)
    }
