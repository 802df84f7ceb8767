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
import stat
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping

from scanner.host import Host
from scanner.host.files import Files, _LeftAloneError
from scanner.host.processes import Process
from scanner.host.users import User
from scanner.model import HostInfo
from scanner.parsers.property_list import mapping, text

_VERSION = "/System/Library/CoreServices/SystemVersion.plist"
_NAMES = "/Library/Preferences/SystemConfiguration/preferences.plist"
_USERS = "/var/db/dslocal/nodes/Default/users"
_PROBE = "/Library/Application Support/com.apple.TCC/TCC.db"
_DATA = "/System/Volumes/Data"
_FIRMLINKS = (
    *("/AppleInternal", "/Applications", "/Library", "/Users", "/Volumes", "/cores", "/opt", "/pkg", "/private"),
    *("/System/Library/Caches", "/System/Library/Assets", "/System/Library/AssetsV2", "/System/Library/Speech"),
    *("/System/Library/PreinstalledAssets", "/System/Library/PreinstalledAssetsV2"),
    *("/System/Library/CoreServices/CoreTypes.bundle/Contents/Library", "/usr/libexec/cups", "/usr/local"),
    "/usr/share/snmp",
)
_PRIVATE = frozenset(("etc", "tmp", "var"))  # links into /private that a data volume alone does not have
_DATALESS = 0x40000000
_IN_THE_CLOUD = "kept in the cloud: left alone"
_GUARDED = "guarded by macOS: not opened"
_FOLDERS = 2000  # whose names are remembered
# Reading any of these asks the user on the screen, unless the reader has Full Disk Access.
_PERSONAL = re.compile(
    r"(?:/System/Volumes/Data)?/Users/[^/]+"
    r"/(Desktop|Documents|Downloads|\.Trash|Library/(Containers|Group Containers|Mail|Messages|Safari))",
    re.IGNORECASE,
)
_CLOUD = re.compile(r"(?:/System/Volumes/Data)?/Users/[^/]+/Library/(Mobile Documents|CloudStorage)", re.IGNORECASE)
_NETWORK = frozenset(("afpfs", "autofs", "cifs", "ftp", "nfs", "smbfs", "webdav"))
_NO_HOME = frozenset(("", "/", "/dev/null", "/var/empty"))
_NO_USERS = frozenset(("Shared", "Guest", "Deleted Users"))


class MacFiles(Files):
    """Read-only view of the files of a macOS target.

    Args:
        root: folder that is the root of the target; `/` for the live machine.
        left_alone: mount point in the target → file system type, for mounts that are not stepped into.
        guarded: whether macOS asks the user before it lets anybody look into the personal folders.
    """

    def __init__(self, root: str = "/", left_alone: Mapping[str, str] | None = None, *, guarded: bool = False) -> None:
        super().__init__(root, left_alone)
        self._guarded = guarded
        self._spellings: dict[str, dict[str, str]] = {}
        self._firmlinks: tuple[str, ...] = ()
        if self._root and os.path.isdir(self._root + _DATA):
            data = self._root + _DATA
            self._firmlinks = tuple(link for link in _FIRMLINKS if os.path.lexists(data + link))

    def real(self, path: str) -> str | None:
        """The path of the target with all links and firmlinks resolved; `None` where it leads nowhere."""
        found = super().real(path)
        if found is None or not found.startswith(_DATA + "/"):
            return found
        plain = found[len(_DATA) :]
        return plain if any(plain == link or plain.startswith(link + "/") for link in _FIRMLINKS) else found

    def link(self, path: str) -> str | None:
        """Where a symbolic link points, as written; `None` where there is no link."""
        head, _, name = path.rstrip("/").rpartition("/")
        try:
            there, found = self._entry(super()._canonical(head), name)
            return os.readlink(self._root + self._on_disk(there)) if stat.S_ISLNK(found.st_mode) else None
        except OSError as error:
            self._report(path, error)
            return None

    def _canonical(self, path: str) -> str:
        return self._on_disk(super()._canonical(path))

    def _on_disk(self, path: str) -> str:
        """Below the root where it is on the machine that this runs on."""
        for link in self._firmlinks:
            if path.startswith(link) and path[len(link) : len(link) + 1] in ("", "/"):
                return _DATA + path
        return path

    def _entry(self, here: str, name: str) -> tuple[str, os.stat_result]:
        there = f"{here}/{name}"
        self._check_alone(there)
        try:
            found = os.lstat(self._root + self._on_disk(there))
        except FileNotFoundError:
            if not self._root:  # the system itself has looked for other spellings
                raise
            spelled = self._spelled(here).get(_folded(name))
            if spelled is None and (here or name.lower() not in _PRIVATE):
                raise
            there = f"{here}/{spelled}" if spelled else f"/private/{name.lower()}"
            self._check_alone(there)
            found = os.lstat(self._root + self._on_disk(there))
        if getattr(found, "st_flags", 0) & _DATALESS:
            raise _LeftAloneError(errno.EXDEV, _IN_THE_CLOUD, there)
        return there, found

    def _check_alone(self, there: str) -> None:
        if there in self._left_alone:
            raise _LeftAloneError(errno.EXDEV, f"{self._left_alone[there]} mount, left alone", there)
        if not self._root:
            if self._guarded and _PERSONAL.fullmatch(there):
                raise _LeftAloneError(errno.EXDEV, _GUARDED, there)
            if _CLOUD.fullmatch(there):
                raise _LeftAloneError(errno.EXDEV, _IN_THE_CLOUD, there)

    def _spelled(self, folder: str) -> dict[str, str]:
        """Folded name → name of everything in a folder."""
        found = self._spellings.get(folder)
        if found is None:
            if len(self._spellings) >= _FOLDERS:
                self._spellings.clear()
            try:
                names = os.listdir(self._root + self._on_disk(folder) or "/")
            except OSError:
                names = []  # that the name is not there is all that can be said
            found = self._spellings[folder] = {_folded(name): name for name in sorted(names, reverse=True)}
        return found

    def _report(self, path: str, error: OSError) -> None:
        if error.errno == errno.EPERM and not self._root:  # root may be refused as well
            error = _LeftAloneError(errno.EPERM, _GUARDED, path)
        super()._report(path, error)


def live_macos(processes: Callable[[tuple[User, ...]], Iterator[Process]]) -> Host:
    """The Mac that this runs on.

    Args:
        processes: gives the running ones, with the names of these users.
    """
    import platform as machine

    left_alone = _mounts()
    files = MacFiles("/", left_alone, guarded=not _full_disk_access())
    name, version = _system(files)
    users = macos_users(files, live=True)
    info = HostInfo(
        name=machine.node(),
        platform="macos",
        os=name,
        os_version=version,
        arch=machine.machine(),
        left_alone=tuple(f"{point} ({kind})" for point, kind in sorted(left_alone.items())),
    )
    return Host(info, files, users, processes=lambda: processes(users))


def offline_macos(root: str, left_alone: Mapping[str, str]) -> Host:
    """The Mac whose disk is in a folder.

    Args:
        root: the folder.
        left_alone: mount point below `root` → file system type.
    """
    inside = {point: kind for point, kind in left_alone.items() if point != _DATA}  # given with the root itself
    files = MacFiles(root, inside)
    name, version = _system(files)
    info = HostInfo(
        name=_computer_name(files) or os.path.basename(root) or root,
        platform="macos",
        os=name,
        os_version=version,
        root=root,
        left_alone=tuple(f"{point} ({kind})" for point, kind in sorted(inside.items())),
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


def _folded(name: str) -> str:
    return name.lower() if name.isascii() else unicodedata.normalize("NFD", name.casefold())


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
