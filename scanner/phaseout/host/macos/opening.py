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
from phaseout.host.filesystem.macos import DATA, MacFiles
from phaseout.host.processes.process import Process
from phaseout.host.users import User
from phaseout.model.nouns import HostInfo
from phaseout.parsers.encodings.property_list import mapping, text

_VERSION = "/System/Library/CoreServices/SystemVersion.plist"
_NAMES = "/Library/Preferences/SystemConfiguration/preferences.plist"
_USERS = "/var/db/dslocal/nodes/Default/users"
_PROBE = "/Library/Application Support/com.apple.TCC/TCC.db"
_NETWORK = frozenset(("afpfs", "autofs", "cifs", "ftp", "nfs", "smbfs", "webdav"))
_NO_HOME = frozenset(("", "/", "/dev/null", "/var/empty"))
_NO_USERS = frozenset(("Shared", "Guest", "Deleted Users"))


def live_macos(processes: Callable[[tuple[User, ...]], Iterator[Process]]) -> Host:
    """The Mac that this runs on.

    Args:
        processes: gives the running ones, with the names of these users.
    """
    import platform as machine

    skipped_mounts = _mounts()
    files = MacFiles("/", skipped_mounts, guarded=not _full_disk_access())
    name, version = _system(files)
    users = macos_users(files, live=True)
    info = HostInfo(
        name=machine.node(),
        platform="macos",
        os=name,
        os_version=version,
        arch=machine.machine(),
        skipped_mounts=tuple(f"{point} ({kind})" for point, kind in sorted(skipped_mounts.items())),
    )
    return Host(info, files, users, processes=lambda: processes(users))


def offline_macos(root: str, skipped_mounts: Mapping[str, str]) -> Host:
    """The Mac whose disk is in a folder.

    Args:
        root: the folder.
        skipped_mounts: mount point below `root` → file system type.
    """
    inside = {point: kind for point, kind in skipped_mounts.items() if point != DATA}  # given with the root itself
    files = MacFiles(root, inside)
    name, version = _system(files)
    info = HostInfo(
        name=_computer_name(files) or os.path.basename(root) or root,
        platform="macos",
        os=name,
        os_version=version,
        root=root,
        skipped_mounts=tuple(f"{point} ({kind})" for point, kind in sorted(inside.items())),
    )
    return Host(info, files, macos_users(files))


def macos_users(files: Files, *, live: bool = False) -> tuple[User, ...]:
    """The people of the local directory, and the owners of further folders in `/Users` (accounts of a network)."""
    found: list[User] = []
    for entry in files.list(_USERS):
        if entry.name.endswith(".plist") and not entry.name.startswith("_"):  # services of macOS itself
            record = mapping(files.read(f"{_USERS}/{entry.name}", 4 << 20) or b"") or {}
            uid, home = _first(record, "uid"), _first(record, "home").rstrip("/")
            name = _first(record, "name") or entry.name.removesuffix(".plist")
            number = int(uid) if re.fullmatch(r"-?\d{1,10}", uid) else -1
            found.append(User(name, number, "" if home in _NO_HOME else home))
    homes = {user.home.casefold() for user in found}
    for entry in files.list("/Users"):
        home = f"/Users/{entry.name}"
        if entry.kind != "dir" or entry.name in _NO_USERS or entry.name.startswith(".") or home.casefold() in homes:
            continue
        owner = files.stat(home) if live else None  # what a copy says of owners is not to be relied on
        found.append(User(entry.name, owner.uid if owner else -1, home))
    if not any(user.name == "root" for user in found):
        found.append(User("root", 0, "/var/root"))
    return tuple(found)


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
    """Whether the guarded folders may be read: nothing but the list of those who may is asked, and nobody is."""
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
