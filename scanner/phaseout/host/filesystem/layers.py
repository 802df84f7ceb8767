"""The files of a container or image, put together of the layers that lie in folders of its host.

Nothing is mounted: a name is looked up in the uppermost layer first, as overlayfs does, and what an upper layer deleted
is gone. Only the marks that the storage driver itself takes for deletions count: a container may make any file, and
what is no mark to its driver hides nothing from it.

References:
    https://docs.kernel.org/filesystems/overlayfs.html (whiteouts, opaque directories, redirect_dir, userxattr);
    https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts; fuse-overlayfs(1);
    https://aufs.sourceforge.net/aufs.html (whiteouts)
"""

import errno
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.filesystem.files import Entry, Marks
from phaseout.host.filesystem.node import Node, SkippedError
from phaseout.host.filesystem.posix import PosixLayout
from phaseout.host.filesystem.resolve import Place
from phaseout.host.filesystem.stored_files import StoredFiles
from phaseout.host.users import posix_users
from phaseout.model.nouns import HostInfo

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"


class _Driver(NamedTuple):
    """What marks deletions: devices with the number 0, files whose name starts with `.wh.`, attributes of folders."""

    devices: bool = False
    files: bool = False
    prefixes: tuple[str, ...] = ()  # of the attributes


_DRIVERS: dict[Marks, _Driver] = {
    "": _Driver(),
    "overlay": _Driver(devices=True, prefixes=("trusted.overlay.",)),
    "overlay userxattr": _Driver(devices=True, prefixes=("user.overlay.",)),
    "fuse-overlayfs": _Driver(
        devices=True, files=True, prefixes=("trusted.overlay.", "user.overlay.", "user.fuseoverlayfs.")
    ),
    "aufs": _Driver(files=True),
}


def layered_host(host: Host, layers: Iterable[str], name: str, marks: Marks = "") -> Host | None:
    """A Linux host whose root is made of folders of the host, the uppermost first; `None` if none of them is there.

    Args:
        host: where the folders lie.
        layers: the folders.
        name: of the new host.
        marks: which marks hide what lies in lower folders.
    """
    folders = tuple(layers)
    files = host.files.layered(folders, marks)
    if files is None:
        return None
    return Host(HostInfo(name=name, platform="linux", root=folders[0]), files, posix_users(files))


class LayeredFiles(StoredFiles):
    """Read-only view of the files of several layers.

    Args:
        layers: the folders, the uppermost first.
        marks: which marks hide what lies in lower layers.
    """

    def __init__(self, layers: tuple[Node, ...], marks: Marks = "") -> None:
        super().__init__(_LayersLayout(layers, _DRIVERS[marks]))


class _LayersLayout(PosixLayout):
    """A folder is the folders of its name in all layers."""

    def __init__(self, layers: tuple[Node, ...], driver: _Driver) -> None:
        super().__init__(lambda: layers[0])
        self._root = Place("", layers)
        self._driver = driver

    def below(self, folder: Place, name: str) -> Place:
        """What a folder has under a name."""
        found: list[Node] = []
        for layer in folder.nodes:
            if found and self._renamed(found[-1]):
                raise SkippedError("not read: overlayfs has moved this folder of a lower layer", "unsupported")
            try:
                node = layer.find(name)
            except (FileNotFoundError, NotADirectoryError):
                if self._driver.files and _is_there(layer, _WHITEOUT + name):
                    break
                continue
            if self._deleted(node):
                break
            if node.kind != "dir":
                found = found or [node]  # else a folder above hides the file
                break
            found.append(node)
            if self._opaque(node):
                break
        if not found:
            raise FileNotFoundError(errno.ENOENT, "no such file")
        return Place(f"{folder.path}/{name}", tuple(found))

    def entries(self, place: Place) -> Iterator[Entry]:
        """The entries of a folder in all layers, without those that an upper layer deleted."""
        seen: set[str] = set()
        for layer in place.nodes:
            hidden: list[str] = []
            for entry in layer.entries():
                if self._driver.files and entry.name.startswith(_WHITEOUT):
                    hidden.append(entry.name.removeprefix(_WHITEOUT))
                elif entry.name not in seen:
                    seen.add(entry.name)
                    if entry.kind != "other" or not self._deleted(layer.find(entry.name)):
                        yield entry
            seen.update(hidden)

    def _deleted(self, node: Node) -> bool:
        """Whether this is the mark of overlayfs for a name that is gone."""
        return self._driver.devices and node.kind == "other" and node.what() == "a device" and not node.stat().device

    def _opaque(self, folder: Node) -> bool:
        """Whether the layers below a folder are hidden by it."""
        if self._driver.files and _is_there(folder, _OPAQUE):
            return True
        return any(folder.attribute(f"{prefix}opaque") == b"y" for prefix in self._driver.prefixes)

    def _renamed(self, folder: Node) -> bool:
        """Whether the layers below have this folder under another name."""
        return any(folder.attribute(f"{prefix}redirect") for prefix in self._driver.prefixes)


def _is_there(folder: Node, name: str) -> bool:
    try:
        folder.find(name)
    except OSError:
        return False
    return True
