r"""The disk of the Windows machine that this runs on: nodes are found by path, as Windows has no open folders for it.

Paths start with `\\?\`, so that Windows takes every name as it is.

References:
    Microsoft, "Naming Files, Paths, and Namespaces", "Reparse Points", "Cloud Files API" (FILE_ATTRIBUTE_RECALL_…).
"""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from typing import BinaryIO

from phaseout.host.filesystem.files import Entry, EntryKind, Stat
from phaseout.host.filesystem.node import CLOUD, Node, NotRegularError, ReplacedError, SkippedError

assert sys.platform == "win32"

_IN_THE_CLOUD = 0x00040000 | 0x00400000  # FILE_ATTRIBUTE_RECALL_ON_OPEN, …_ON_DATA_ACCESS: reading would fetch it


class WindowsNode(Node):
    r"""One name on the disk.

    Args:
        path: the whole path, from `\\?\` on.
    """

    __slots__ = ("_path", "_status")

    def __init__(self, path: str) -> None:
        self._path = path
        self._status = os.lstat(path)
        mode = self._status.st_mode
        self.kind = _kind(self._status)
        if self.kind == "link" and "Volume{" in os.readlink(path):  # a mounted volume is a folder like any other
            self.kind = "dir" if stat.S_ISDIR(mode) else "other"

    def find(self, name: str) -> "WindowsNode":
        """What lies in this folder under a name, in any letter case."""
        if self.kind != "dir":
            raise NotADirectoryError(errno.ENOTDIR, "not a folder")
        if "\\" in name or "/" in name or ":" in name:
            raise FileNotFoundError(errno.ENOENT, "no such name can exist")
        return WindowsNode(self._path.rstrip("\\") + "\\" + name)

    def entries(self) -> Iterator[Entry]:
        """The entries of this folder."""
        with os.scandir(self._path) as found:
            for entry in found:
                yield Entry(entry.name, _kind(entry.stat(follow_symlinks=False)))

    def stat(self) -> Stat:
        """Size, time, owner and so on."""
        status = self._status
        mode = stat.S_IMODE(status.st_mode)
        return Stat(self.kind, status.st_size, status.st_mtime, status.st_uid, mode, links=status.st_nlink)

    def target(self) -> str:
        """Where this symbolic link or junction points."""
        return os.readlink(self._path)

    def read(self, size: int, offset: int = 0) -> bytes:
        """At most `size` bytes of this file."""
        handle = self._opened()
        try:
            if offset:
                os.lseek(handle, offset, os.SEEK_SET)
            chunks = [os.read(handle, min(size, max(self._status.st_size - offset + 1, 1 << 16)))]
            while chunks[-1] and (size := size - len(chunks[-1])) > 0:
                chunks.append(os.read(handle, min(size, 1 << 20)))
        finally:
            os.close(handle)
        return b"".join(chunks)

    def open(self) -> BinaryIO:
        """This file, to be read in chunks."""
        return os.fdopen(self._opened(), "rb")

    def stamp(self) -> tuple[object, ...]:
        """Volume and number of the file, and when it was changed last."""
        return self._status.st_dev, self._status.st_ino, self._status.st_mtime_ns

    def fixed(self) -> str:
        """Its path on this machine: Windows has nothing that acts or hangs when it is opened in place of a file."""
        return self._path

    def _opened(self) -> int:
        if self._status.st_file_attributes & _IN_THE_CLOUD:
            raise SkippedError(CLOUD, "cloud")
        if not stat.S_ISREG(self._status.st_mode):
            raise NotRegularError(self.what())
        handle = os.open(self._path, os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT)
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or (found.st_ino, found.st_dev) != (
            self._status.st_ino,
            self._status.st_dev,
        ):
            os.close(handle)
            raise ReplacedError
        return handle


def _kind(status: os.stat_result) -> EntryKind:
    """A junction is a link, though Python does not count it among the symbolic ones."""
    if stat.S_ISLNK(status.st_mode) or status.st_reparse_tag == stat.IO_REPARSE_TAG_MOUNT_POINT:
        return "link"
    if stat.S_ISDIR(status.st_mode):
        return "dir"
    return "file" if stat.S_ISREG(status.st_mode) else "other"
