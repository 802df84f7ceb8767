r"""The file system of a Windows target: `C:\Program Files\…`, on the machine itself or in a folder that holds one.

In a folder on a file system that tells `Windows` from `WINDOWS`, names are found as Windows would find them. As for
other targets, links do not lead out of the root, only regular files are read, and network drives, network paths and
files that are kept in the cloud are skipped.

References:
    Microsoft, "Naming Files, Paths, and Namespaces", "Reparse Points".
"""

import errno
import re
import sys
from abc import abstractmethod
from collections.abc import Iterator, Mapping

from phaseout.host.filesystem.files import Entry
from phaseout.host.filesystem.folder import Folder
from phaseout.host.filesystem.folding import Folding
from phaseout.host.filesystem.local import local_root
from phaseout.host.filesystem.node import CLOUD, AbsentVolumeError, Node, SkippedError
from phaseout.host.filesystem.resolve import Layout, Place
from phaseout.host.filesystem.stored_files import StoredFiles

SYSTEM_FOLDERS = ("Windows", "WINNT")
_PREFIX = re.compile(r"\\\\[?.]\\|\\\?\?\\")  # \\?\, \\.\ and \??\: the kernel's ways to start a path
_DRIVE = re.compile(r"([A-Za-z]):(?:\\|$)")
_IMPOSSIBLE = re.compile(r'[\x00-\x1f<>"|?*:\ud800-\udfff]')
_TEMPORARY = re.compile(
    r"[A-Z]:\\(?:(?:Windows|Users\\[^\\]+\\AppData\\Local|Documents and Settings\\[^\\]+\\Local Settings)\\)?"
    r"Te?mp(?:\\|$)",
    re.IGNORECASE,
)
_NORMAL = re.compile(r"[A-Z]:(?:\\(?!\.{1,2}(?:\\|$))[^\x00-\x1f<>\"|?*:/\\\ud800-\udfff]{1,255})*")
# What ntfs-3g shows in place of what it cannot follow: files that Windows compressed (WOF), deduplicated or keeps in
# the cloud. They are there, whatever the link says.
_REPARSE_POINT = re.compile(r"unsupported reparse (?:point|tag (?:0x)?(?P<tag>[0-9A-Fa-f]{1,16}))", re.IGNORECASE)
_KEPT_IN_THE_CLOUD = re.compile(r"9000[0-9a-f]01a", re.IGNORECASE)
_LONGEST = 255  # characters of a name
_VOLUME_BY_NUMBER = re.compile(r"(?:^|\\)Volume\{[0-9A-Fa-f-]+\}(?:\\|$)")  # mounted in a folder, without a letter
_FLOPPIES = ("A:", "B:")
_VOLUME = re.compile(r"([A-Za-z])(?::|%3A|%3a)?")


class WindowsFiles(StoredFiles):
    r"""Read-only view of the files of a Windows target.

    Args:
        root: folder that holds the drives; empty for the live machine.
        drives: letter → folder below `root` that is this drive (empty: the root itself), or the drive itself where it
            lies elsewhere; `None` for the live machine, where drives are those of the machine.
        skipped_mounts: for the live machine drive (`Z:`) → why, else mount point below `root` → file system type.
    """

    def __init__(
        self,
        root: str | Node,
        drives: Mapping[str, str | Node] | None = None,
        skipped_mounts: Mapping[str, str] | None = None,
    ) -> None:
        layout = _LiveLayout(skipped_mounts or {}) if drives is None else _OfflineLayout(root, drives, skipped_mounts)
        super().__init__(layout)


class DriveFiles(StoredFiles):
    """Read-only view of the files of drive `C:` that lies in a folder of another target.

    Args:
        node: the folder.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(_OneDrive(node))


class WindowsLayout(Layout):
    """Paths with a drive letter, from which `..` is taken out before anything is looked up."""

    separator = "\\"

    def __init__(self) -> None:
        self._drives: dict[str, Place] = {}

    def normal(self, path: str) -> str:
        r"""The path in the form `C:\Users\ada`, with `..` taken out.

        Raises:
            FileNotFoundError: it is no absolute path, or has a name that cannot exist.
            SkippedError: it leads into the network.
        """
        if _NORMAL.fullmatch(path):
            return path
        path = _PREFIX.sub("", path.replace("/", "\\"), count=1)
        if path.startswith("\\\\") or path.upper().startswith("UNC\\"):
            raise SkippedError("a network path, skipped", "mount", path, hides=False)
        if not _DRIVE.match(path) or _IMPOSSIBLE.search(path, 2):
            raise FileNotFoundError(errno.ENOENT, "no such name can exist")
        names: list[str] = []
        for name in _names(path[2:]):
            if len(name) > _LONGEST:
                raise FileNotFoundError(errno.ENOENT, "no such name can exist")
            if name != "..":
                names.append(name)
            elif names:
                names.pop()
        return "\\".join((f"{path[0].upper()}:", *names))

    def root(self, path: str) -> Place:
        """A drive, opened when it is first asked for."""
        if path not in self._drives:
            self._drives[path] = Place(path, (self._drive(path),))
        return self._drives[path]

    def below(self, folder: Place, name: str) -> Place:
        r"""What lies in a folder under a name.

        Windows drops blanks and dots at the end of a name unless the path starts with `\\?\`: both names may exist.
        """
        try:
            return self._found(folder, name)
        except FileNotFoundError:
            kept = name.rstrip(". ")
            if kept == name:
                raise
            return self._found(folder, kept) if kept else folder

    def follow(self, folder: Place, target: str) -> tuple[Place, list[str]]:
        """Where a link starts, and the names from there."""
        if found := _REPARSE_POINT.match(target):
            raise _not_followed(found["tag"])
        target = _PREFIX.sub("", target.replace("/", "\\"), count=1)
        if _VOLUME_BY_NUMBER.search(target):
            raise AbsentVolumeError("")
        if target.startswith("\\\\") or target.upper().startswith("UNC\\"):
            raise SkippedError("a link into the network, skipped", "mount")
        if _DRIVE.match(target):
            return self.root(f"{target[0].upper()}:"), _names(target[2:])
        return (self.root(folder.path[:2]) if target.startswith("\\") else folder), _names(target)

    def is_temporary(self, path: str) -> bool:
        """Whether what lies there comes and goes by its nature."""
        return bool(_TEMPORARY.match(path))

    def shown(self, path: str) -> str:
        """The path of a place as reports and sources see it."""
        return path if "\\" in path else f"{path}\\"

    @abstractmethod
    def _found(self, folder: Place, name: str) -> Place:
        """What lies in a folder under just this name."""

    @abstractmethod
    def _drive(self, drive: str) -> Node:
        """The root of a drive (`C:`)."""


class _LiveLayout(WindowsLayout):
    """Drives are those of this machine, and Windows itself ignores letter case."""

    def __init__(self, skipped: Mapping[str, str]) -> None:
        super().__init__()
        self._skipped = dict(skipped)

    def _found(self, folder: Place, name: str) -> Place:
        return Place(f"{folder.path}\\{name}", (folder.nodes[0].find(name),))

    def _drive(self, drive: str) -> Node:
        if drive in self._skipped:
            kind = self._skipped[drive]
            raise SkippedError(f"{kind} drive, skipped", "mount", f"{drive}\\", hides=kind != "network")
        if sys.platform != "win32":
            raise FileNotFoundError(errno.ENOENT, "only Windows has drives of its own")
        return local_root(f"{drive}\\")


class _OfflineLayout(WindowsLayout):
    """Every drive is a folder below the root, whose names are found as Windows would find them."""

    def __init__(self, root: str | Node, drives: Mapping[str, str | Node], skipped: Mapping[str, str] | None) -> None:
        super().__init__()
        self._root = root.rstrip("/\\") if isinstance(root, str) else root
        self._folders = dict(drives)
        self._skipped = dict(skipped or {})
        self._folding = Folding(str.lower)

    def _found(self, folder: Place, name: str) -> Place:
        spelled, nodes = self._folding.find(folder, name)
        return Place(f"{folder.path}\\{spelled}", nodes)

    def entries(self, place: Place) -> Iterator[Entry]:
        """The entries of a folder."""
        return self._folding.entries(place)

    def follow(self, folder: Place, target: str) -> tuple[Place, list[str]]:
        """Where a link starts; ntfs-3g puts its own mount point before the targets of junctions."""
        if isinstance(self._root, str) and self._root and target.startswith(self._root + "/"):
            return self.root(folder.path[:2]), _names(target[len(self._root) :])
        return super().follow(folder, target)

    def _drive(self, drive: str) -> Node:
        if drive[:1] not in self._folders:
            if drive in _FLOPPIES:
                raise FileNotFoundError(errno.ENOENT, "a floppy disk")
            raise AbsentVolumeError(f"{drive}\\")
        folder = self._folders[drive[:1]]
        if isinstance(folder, Node):
            return folder
        node = local_root(self._root, self._skipped)
        for name in folder.split("/"):
            node = node.find(name) if name else node
        return node


class _OneDrive(_OfflineLayout):
    """The one drive is a node."""

    def __init__(self, node: Node) -> None:
        super().__init__("", {}, None)
        self._node = node

    def _drive(self, drive: str) -> Node:
        if drive != "C:":
            raise FileNotFoundError(errno.ENOENT, f"there is no drive {drive}")
        return self._node


def drives_in(root: Folder) -> dict[str, str]:
    """Letter → folder below `root`, where the empty one is `root` itself."""
    entries = root.entries()
    if any(entry.name.lower() in ("windows", "winnt") for entry in entries):
        return {"C": ""}
    found = {
        match[1].upper(): f"/{entry.name}"
        for entry in entries
        if entry.kind == "dir" and (match := _VOLUME.fullmatch(entry.name))
    }
    return found or {"C": ""}


def is_windows(root: Folder) -> bool:
    """Whether a folder holds a Windows system volume, or is one."""
    drives = drives_in(root)
    files = WindowsFiles(root.place, drives)
    return any(
        files.exists(f"{drive}:\\{folder}\\System32\\{mark}")
        for drive in drives
        for folder in SYSTEM_FOLDERS
        for mark in ("config", "ntdll.dll", "kernel32.dll")
    )


def _names(path: str) -> list[str]:
    return [name for name in path.replace("/", "\\").split("\\") if name not in ("", ".")]


def _not_followed(tag: str | None) -> SkippedError:
    if tag and _KEPT_IN_THE_CLOUD.fullmatch(tag.lstrip("0")):
        return SkippedError(CLOUD, "cloud")
    shown = f"reparse tag 0x{int(tag, 16):08X}" if tag else "reparse point"
    return SkippedError(f"not readable through this mount: unsupported {shown}", "unsupported")
