"""A folder at the path where programs usually have it: the root around it has nothing else.

A browser whose profiles were moved to `/data/web` has there what it usually has in `~/.config/chromium`. With the
folder in that place, the source that knows browsers reads it, and knows nothing of the move.
"""

import errno
from collections.abc import Iterator
from typing import BinaryIO

from phaseout.host.filesystem.files import Entry, Stat
from phaseout.host.filesystem.node import Node
from phaseout.host.filesystem.posix import PosixLayout
from phaseout.host.filesystem.resolve import Layout, Place
from phaseout.host.filesystem.stored_files import StoredFiles


class PlacedFiles(StoredFiles):
    """Read-only view of one folder in an otherwise empty root.

    Args:
        folder: what the folder is where it lies.
        at: its path in the view.
        outer: of the files that the folder lies in: links that lead out of it are followed there.
    """

    def __init__(self, folder: Place, at: str, outer: Layout) -> None:
        super().__init__(_PlacedLayout(folder, at, outer))
        self._at = at

    def gone(self, path: str) -> bool:
        """Whether a path surely leads nowhere; of what lies outside of the folder, that is not known."""
        return f"{path}/".startswith(f"{self._at}/") and super().gone(path)


class _PlacedLayout(PosixLayout):
    def __init__(self, folder: Place, at: str, outer: Layout) -> None:
        super().__init__(lambda: _Way(at.split("/")[1:], folder.nodes[0]))
        self._at = at
        self._from = folder.path
        self._outer = outer

    def follow(self, folder: Place, target: str) -> tuple[Place, list[str]]:
        """Where a link starts, and the names from there: the folder itself may be named by either path."""
        if not target.startswith("/"):
            return folder, target.split("/")
        for top in (self._at, self._from):
            if f"{target}/".startswith(f"{top}/"):
                return self.root(""), [*self._at.split("/"), *target[len(top) :].split("/")]
        return self._outer.root(""), target.split("/")


class _Way(Node):
    """A folder on the way to the one that is placed. It has one name."""

    __slots__ = ("_names", "_node")

    def __init__(self, names: list[str], node: Node) -> None:
        self.kind = "dir"
        self._names = names
        self._node = node

    def find(self, name: str) -> Node:
        if name != self._names[0]:
            raise FileNotFoundError(errno.ENOENT, "no such file")
        return _Way(self._names[1:], self._node) if len(self._names) > 1 else self._node

    def entries(self) -> Iterator[Entry]:
        yield Entry(self._names[0], "dir")

    def stat(self) -> Stat:
        return self._node.stat()

    def target(self) -> str:
        raise OSError(errno.EINVAL, "not a link")

    def read(self, size: int, offset: int = 0) -> bytes:
        raise OSError(errno.EISDIR, f"no file to read {size} bytes from {offset} on")

    def open(self) -> BinaryIO:
        raise OSError(errno.EISDIR, "no file")
