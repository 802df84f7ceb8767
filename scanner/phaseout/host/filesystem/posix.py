"""The file system of a Linux target, and of any other that distinguishes all spellings of a name."""

import errno
from collections.abc import Callable, Mapping

from phaseout.host.filesystem.local import local_root
from phaseout.host.filesystem.node import Node
from phaseout.host.filesystem.resolve import Layout, Place
from phaseout.host.filesystem.stored_files import StoredFiles


class PosixFiles(StoredFiles):
    """Read-only view of the files of a Linux target.

    Args:
        root: folder that is the root of the target, see `Folder`; `/` for the live machine.
        skipped_mounts: mount point in the target → file system type, for mounts that are skipped.
        kernel_devices: device numbers of the file systems of the kernel itself; see `phaseout.host.mounts`.
        bound: path in the target → what gives the folder that is mounted there while the target runs.
    """

    def __init__(
        self,
        root: str | Node = "/",
        skipped_mounts: Mapping[str, str] | None = None,
        kernel_devices: frozenset[int] = frozenset(),
        bound: Mapping[str, Callable[[], Node]] | None = None,
    ) -> None:
        super().__init__(PosixLayout(lambda: local_root(root, skipped_mounts, kernel_devices), bound))


class PosixLayout(Layout):
    """Names as they are, and one node for each place."""

    def __init__(self, root: Callable[[], Node], bound: Mapping[str, Callable[[], Node]] | None = None) -> None:
        self._open_root = root
        self._root: Place | None = None
        self._bound = dict(bound or {})

    def normal(self, path: str) -> str:
        """The path with a slash at its start and none at its end."""
        if path.isascii() and path[:1] == "/" and path[-1] != "/" and "\0" not in path:  # nearly every path
            return path
        return normal_path(path)

    def root(self, path: str) -> Place:
        """The root, opened when it is first asked for."""
        del path  # there is only one
        if self._root is None:
            self._root = Place("", (self._open_root(),))
        return self._root

    def below(self, folder: Place, name: str) -> Place:
        """What lies in a folder under a name."""
        path = f"{folder.path}/{name}"
        bound = self._bound.get(path) if self._bound else None
        node = bound() if bound is not None else folder.nodes[0].find(name)
        return tuple.__new__(Place, (path, (node,)))  # of every path, and `Place(…)` takes twice as long


def normal_path(path: str) -> str:
    """A path of POSIX with a slash at its start and none at its end.

    Raises:
        FileNotFoundError: it has a character that no name can have.
    """
    if "\0" in path or not (path.isascii() or _encodable(path)):
        raise FileNotFoundError(errno.ENOENT, "no such name can exist")
    path = path.rstrip("/")
    return path if path.startswith("/") or not path else f"/{path}"


def _encodable(path: str) -> bool:
    try:
        path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True
