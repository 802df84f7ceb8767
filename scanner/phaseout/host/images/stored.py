"""Bytes that can be read at any place: a file of this machine, a part of one, a file within an image."""

import errno
import io
import os
import stat
import sys
from abc import ABC, abstractmethod
from typing import Any, BinaryIO

from phaseout.host.filesystem.node import Node, NotRegularError

_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_BUFFER = 1 << 16


class Stored(ABC):
    """Bytes that can be read at any place.

    Attributes:
        size: their number.
    """

    size: int

    @abstractmethod
    def read(self, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset` on, fewer only at the end.

        Raises:
            OSError: they cannot be read.
        """

    def stream(self) -> BinaryIO:
        """The same as a file that is read in chunks."""
        return io.BufferedReader(_Stream(self), _BUFFER)


class FileBytes(Stored):
    """A regular file of this machine, or a disk.

    Args:
        path: of the file.

    Raises:
        OSError: it cannot be opened, or is something else.
    """

    def __init__(self, path: str) -> None:
        mode = os.stat(path).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
            raise NotRegularError("a folder" if stat.S_ISDIR(mode) else "something else")
        self.path = path
        self._file = open(path, "rb", buffering=0, opener=_opened)  # noqa: SIM115
        self.size = self._file.seek(0, os.SEEK_END)

    def read(self, offset: int, size: int) -> bytes:
        """At most so many bytes."""
        if sys.platform != "win32":
            return os.pread(self._file.fileno(), size, offset) if size > 0 else b""
        self._file.seek(offset)
        return self._file.read(size)

    def __del__(self) -> None:
        """Closes the file."""
        if hasattr(self, "_file"):
            self._file.close()


def _opened(path: str, _flags: int) -> int:
    return os.open(path, _READ)


class Part(Stored):
    """A part of something stored."""

    def __init__(self, whole: Stored, offset: int, size: int) -> None:
        self._whole = whole
        self._offset = offset
        self.size = max(0, min(size, whole.size - offset))

    def read(self, offset: int, size: int) -> bytes:
        """At most so many bytes."""
        return self._whole.read(self._offset + offset, max(0, min(size, self.size - offset)))


class NodeBytes(Stored):
    """The content of a file, on this machine or in an image."""

    def __init__(self, node: Node) -> None:
        if node.kind != "file":
            raise NotRegularError(node.what())
        self._node = node
        self.size = node.stat().size

    def read(self, offset: int, size: int) -> bytes:
        """At most so many bytes."""
        return self._node.read(size, offset) if size > 0 else b""


class _Stream(io.RawIOBase):
    """Reads one chunk after the other."""

    def __init__(self, stored: Stored) -> None:
        super().__init__()
        self._stored = stored
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._stored.size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, "a place before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = self._stored.read(self._at, len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
