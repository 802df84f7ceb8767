r"""The file system of a Windows target: `C:\Program Files\…`, on the machine itself or in a folder that holds one.

In a folder on a file system that tells `Windows` from `WINDOWS`, names are found as Windows would find them. What holds
for other targets holds here: links do not lead out of the root, only regular files are read, and network drives,
network paths and files that are kept in the cloud are left alone.

References:
    Microsoft, "Naming Files, Paths, and Namespaces", "Reparse Points", "Cloud Files API" (FILE_ATTRIBUTE_RECALL_…).
"""

import errno
import os
import re
import stat
import sys
from collections.abc import Mapping
from typing import NamedTuple

from phaseout.host.filesystem.files import _DEPTH, _LINKS, Files, SkippedError

_PREFIX = re.compile(r"\\\\[?.]\\|\\\?\?\\")  # \\?\, \\.\ and \??\: the kernel's ways to begin a path
_DRIVE = re.compile(r"([A-Za-z]):(?:\\|$)")
_IMPOSSIBLE = re.compile(r'[\x00-\x1f<>"|?*:]')
_LONGEST = 255  # letters of a name
_FOLDERS = 2000  # whose names are remembered
# What ntfs-3g shows in place of what it cannot follow: files that Windows compressed (WOF), deduplicated or keeps in
# the cloud. They are there, whatever the link says.
_REPARSE_POINT = re.compile(r"unsupported reparse (?:point|tag (?:0x)?(?P<tag>[0-9A-Fa-f]{1,16}))", re.IGNORECASE)
_KEPT_IN_THE_CLOUD = re.compile(r"9000[0-9a-f]01a", re.IGNORECASE)
_VOLUME = re.compile(r"([A-Za-z])(?::|%3A|%3a)?")
SYSTEM_FOLDERS = ("Windows", "WINNT")


class _Place(NamedTuple):
    """A folder or file without links: its drive, and the names below as they are spelled on disk."""

    drive: str
    names: tuple[str, ...] = ()


class WindowsFiles(Files):
    r"""Read-only view of the files of a Windows target.

    Args:
        root: folder that holds the drives; empty for the live machine.
        drives: letter → folder below `root` that is this drive (empty: the root itself); `None` for the live machine,
            where every drive is what it is.
        skipped_mounts: for the live machine drive letter → why, else mount point below `root` → file system type.
    """

    _separator = "\\"

    def __init__(
        self, root: str, drives: Mapping[str, str] | None = None, skipped_mounts: Mapping[str, str] | None = None
    ) -> None:
        super().__init__("", skipped_mounts)
        self._root = "\\\\?\\" if drives is None else root.rstrip("/\\")
        self._drives = None if drives is None else dict(drives)
        self._parents: dict[str, _Place] = {}
        self._spellings: dict[str, dict[str, str]] = {}

    def real(self, path: str) -> str | None:
        """The path of the target with all links resolved and spelled as on disk; `None` where it leads nowhere."""
        try:
            place = self._place(path)
        except OSError as error:
            self._report(path, error)
            return None
        return f"{place.drive}:\\" + "\\".join(place.names)

    def link(self, path: str) -> str | None:
        """Where a symbolic link or junction points, as written; `None` where there is no link."""
        try:
            drive, names = _split(path)
            parent = self._walk_to(_Place(drive), names[:-1])
            if not names:
                return None
            there = self._below(parent, names[-1])
            if there.names[-1] == names[-1] and not os.path.lexists(self._root + self._local(there)):
                there = self._below(parent, names[-1].rstrip(". "))
            return os.readlink(self._root + self._local(there))
        except OSError as error:
            if error.errno != errno.EINVAL:
                self._report(path, error)
            return None

    def _canonical(self, path: str) -> str:
        return self._local(self._place(path))

    def _place(self, path: str) -> _Place:
        drive, names = _split(path)
        if not names:
            return self._walk_to(_Place(drive), [])
        head = f"{drive}\\" + "\\".join(names[:-1])
        parent = self._parents.get(head)
        if parent is None:
            parent = self._parents[head] = self._walk_to(_Place(drive), names[:-1])
        return self._walk_to(parent, names[-1:])

    def _walk_to(self, start: _Place, names: list[str]) -> _Place:
        pending = names[::-1]
        here = start
        links = 0
        self._check_alone(here)
        while pending:
            name = pending.pop()
            if name == "..":
                here = _Place(here.drive, here.names[:-1])
                continue
            there, target = self._step(here, name)
            if target is None:
                here = there
                continue
            links += 1
            if links > _LINKS or len(pending) > _DEPTH:
                raise OSError(errno.ELOOP, "too many symbolic links")
            here, below = self._follow(here, target)
            pending += below[::-1]
        return here

    def _step(self, here: _Place, name: str) -> tuple[_Place, str | None]:
        r"""What lies in a folder under a name, and where that leads if it is a link.

        Windows drops blanks and dots at the end of a name unless the path begins with `\\?\`: both names may exist.
        """
        try:
            return self._found(here, name)
        except FileNotFoundError:
            kept = name.rstrip(". ")
            if kept == name:
                raise
            return self._found(here, kept) if kept else (here, None)

    def _found(self, here: _Place, name: str) -> tuple[_Place, str | None]:
        there = _Place(here.drive, (*here.names, name))
        self._check_alone(there)
        try:
            return there, _link_target(self._root + self._local(there))
        except FileNotFoundError:  # or it is spelled in another way; asking that first would double the time
            there = self._below(here, name)
            if there.names[-1] == name:
                raise
        self._check_alone(there)
        return there, _link_target(self._root + self._local(there))

    def _follow(self, here: _Place, target: str) -> tuple[_Place, list[str]]:
        """Where a link that lies in a folder begins, and the names from there."""
        if found := _REPARSE_POINT.match(target):
            raise SkippedError(errno.EXDEV, _not_followed(found["tag"]))
        if self._root and target.startswith(self._root + "/"):  # ntfs-3g puts its own mount point before junctions
            return _Place(here.drive), _names(target[len(self._root) :])
        target = _PREFIX.sub("", target.replace("/", "\\"), count=1)
        if target.startswith("\\\\") or target.upper().startswith("UNC\\"):
            raise SkippedError(errno.EXDEV, "a link into the network, left alone")
        if _DRIVE.match(target):
            return _Place(target[0].upper()), _names(target[2:])
        return (_Place(here.drive) if target.startswith("\\") else here), _names(target)

    def _below(self, here: _Place, name: str) -> _Place:
        if self._drives is not None and not os.path.lexists(f"{self._root}{self._local(here)}/{name}"):
            name = self._spelled(self._local(here)).get(name.lower(), name)
        return _Place(here.drive, (*here.names, name))

    def _spelled(self, folder: str) -> dict[str, str]:
        """Folded name → name of everything in a folder."""
        found = self._spellings.get(folder)
        if found is None:
            if len(self._spellings) >= _FOLDERS:
                self._spellings.clear()
            try:
                found = {name.lower(): name for name in sorted(os.listdir(self._root + folder), reverse=True)}
            except OSError:
                found = {}  # the next step tells why
            self._spellings[folder] = found
        return found

    def _check_alone(self, place: _Place) -> None:
        if not self._skipped_mounts:
            return
        key = place.drive + ":" if self._drives is None else self._local(place)
        if key in self._skipped_mounts:
            shown = f"{place.drive}:\\" + "\\".join(place.names)
            raise SkippedError(errno.EXDEV, f"{self._skipped_mounts[key]} mount, left alone", shown)

    def _local(self, place: _Place) -> str:
        """The path below the root on the machine that this runs on."""
        if self._drives is None:
            return f"{place.drive}:\\" + "\\".join(place.names)
        base = self._drives.get(place.drive)
        if base is None:
            raise OSError(errno.ENOENT, f"there is no drive {place.drive}:")
        return "/".join((base, *place.names)) or "/"


def is_windows(root: str) -> bool:
    """Whether a folder holds a Windows system volume, or is one."""
    drives = drives_in(root)
    files = WindowsFiles(root, drives)
    return any(
        files.exists(f"{drive}:\\{folder}\\System32\\{mark}")
        for drive in drives
        for folder in SYSTEM_FOLDERS
        for mark in ("config", "ntdll.dll", "kernel32.dll")
    )


def drives_in(root: str) -> dict[str, str]:
    """Letter → folder below `root`, where the empty one is `root` itself."""
    try:
        names = sorted(os.listdir(root))
    except OSError:
        return {"C": ""}
    if any(name.lower() in ("windows", "winnt") for name in names):
        return {"C": ""}
    found = {
        match[1].upper(): f"/{name}"
        for name in names
        if (match := _VOLUME.fullmatch(name)) and os.path.isdir(os.path.join(root, name))
        if not os.path.islink(os.path.join(root, name))
    }
    return found or {"C": ""}


def _split(path: str) -> tuple[str, list[str]]:
    r"""Drive letter and names of an absolute path; `ENOENT` where Windows knows none of that form."""
    path = path.replace("/", "\\")
    path = _PREFIX.sub("", path, count=1)
    if path.startswith("\\\\") or path.upper().startswith("UNC\\"):
        raise SkippedError(errno.EXDEV, "a network path, left alone", path)
    if not _DRIVE.match(path) or _IMPOSSIBLE.search(path, 2):
        raise OSError(errno.ENOENT, "no such name can exist")
    names: list[str] = []
    for name in _names(path[2:]):  # Windows takes `..` out before it looks at the disk
        if len(name) > _LONGEST:
            raise OSError(errno.ENOENT, "no such name can exist")
        if name != "..":
            names.append(name)
        elif names:
            names.pop()
    return path[0].upper(), names


def _names(path: str) -> list[str]:
    return [name for name in path.replace("/", "\\").split("\\") if name not in ("", ".")]


def _not_followed(tag: str | None) -> str:
    if tag and _KEPT_IN_THE_CLOUD.fullmatch(tag.lstrip("0")):
        return "kept in the cloud: skipped"
    shown = f"reparse tag 0x{int(tag, 16):08X}" if tag else "reparse point"
    return f"not readable through this mount: unsupported {shown}"


def _link_target(local: str) -> str | None:
    """Where a symbolic link or junction points; `None` for everything else, mounted volumes among them."""
    found = os.lstat(local)
    if stat.S_ISLNK(found.st_mode):
        return os.readlink(local)
    if sys.platform == "win32":
        from phaseout.host.filesystem.files import is_junction

        if is_junction(found):
            target = os.readlink(local)
            return None if "Volume{" in target else target
    return None
