r"""What the registry of a Windows promises and the disk does not show: folders, drives, and folders of users elsewhere.

A root may be one drive of several, or a copy of a part of one. Where the registry names a drive or folder in which
programs and profiles lie, and nothing is there, software is hidden.

References:
    Microsoft, "Recognized Environment Variables", "KNOWNFOLDERID"; "Folder Redirection" (`User Shell Folders`);
    "MountedDevices": a fixed disk has 12 bytes (signature and offset) or `DMIO:ID:` and a GUID, any other the name of
    its device.
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.host.users import User
from phaseout.model.nouns import Problem
from phaseout.sources.kit.shell_folders import KEPT, SHELL_FOLDERS, moved
from phaseout.sources.kit.windows_programs import READS as ENVIRONMENT

_MOUNTED = r"HKLM\SYSTEM\MountedDevices"
_LETTER = "\\DosDevices\\"
# Values that move the folders in which programs lie and keep their profiles, and where these usually are.
_MOVED = (("AppData", r"AppData\Roaming"), ("Local AppData", r"AppData\Local"))
_FOLDERS = ("programfiles", "programfiles(x86)", "programdata")
READS = (
    *(_MOUNTED, rf"HKU\*\{SHELL_FOLDERS}", ENVIRONMENT),
    *(
        "C:\\Program Files\\",
        "C:\\Program Files (x86)\\",
        "C:\\ProgramData\\",
        "~\\AppData\\Roaming\\",
        "~\\AppData\\Local\\",
    ),
)
_SERVER = "scan the server that holds it"
_ALL_VOLUMES = "scan a folder that holds all volumes of the machine, each named like its letter: C, D, …"


def promised_places(host: Host) -> Iterator[Problem]:
    """A problem for everything that is promised and not here, and for folders of users that no source reads."""
    if host.registry is None:
        return
    if not host.live:
        yield from _drives(host)
    for name in _FOLDERS:
        path = host.variables.get(name, "")
        if path and host.files.gone(path):
            yield Problem(path, "not there, though this Windows keeps its programs in it", "missing")
    for user in host.users:
        if user.home and user.sid:
            yield from _moved(host, user)


def _drives(host: Host) -> Iterator[Problem]:
    """A problem for every drive of a fixed disk that is not in the root."""
    mounted = host.registry.key(_MOUNTED) if host.registry is not None else None
    for name, value in mounted.values().items() if mounted is not None else ():
        if not name.startswith(_LETTER) or not isinstance(value, bytes):
            continue
        drive = name[len(_LETTER) :].upper() + "\\"
        if (len(value) == 12 or value.startswith(b"DMIO:ID:")) and len(drive) == 3 and host.files.gone(drive):
            why = "a drive of this machine that is not in the root that is scanned"
            yield Problem(drive, why, "missing", remedy=_ALL_VOLUMES)


def _moved(host: Host, user: User) -> Iterator[Problem]:
    """A problem for every folder of a user that was moved to where no source looks."""
    for name, usual in _MOVED:
        path = moved(host, user, name, usual)
        home = rf"{user.home}\{usual}"
        is_unused = host.files.gone(path) and not host.files.gone(path[:3])
        if not path or is_unused:
            continue
        real = None if path.startswith("\\\\") or host.files.gone(path) else host.files.real(path)
        if real is None or real.lower() != (host.files.real(home) or "").lower():
            why = f"here are the programs' files of {user.name}, and not in {home}: phaseout does not read them"
            yield Problem(path, why, "unsupported", remedy=f"make {home} a junction to it, and scan again")
    for name, usual in KEPT:  # where they lie on a drive, they are read
        path = moved(host, user, name, usual)
        if path.startswith("\\\\"):  # what a user keeps on a server is not on this machine
            why = f"{usual} of {user.name} lies on a server: phaseout does not read it"
            yield Problem(path, why, "mount", hides=False, remedy=_SERVER)
