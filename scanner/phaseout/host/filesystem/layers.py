"""The files of a container or image, put together of the layers that lie in folders of its host.

Nothing is mounted: a name is looked up in the uppermost layer first, as overlayfs does, and what an upper layer deleted
is gone.

References:
    https://docs.kernel.org/filesystems/overlayfs.html (whiteouts and opaque directories);
    https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts (`.wh.` files, which fuse-overlayfs keeps)
"""

import errno
from collections.abc import Iterable, Iterator

from phaseout.host import Host
from phaseout.host.filesystem.files import Entry
from phaseout.host.filesystem.node import Node
from phaseout.host.filesystem.posix import PosixLayout
from phaseout.host.filesystem.resolve import Place
from phaseout.host.filesystem.stored_files import StoredFiles
from phaseout.host.users import posix_users
from phaseout.model.nouns import HostInfo

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_ATTRIBUTES = ("trusted.overlay.opaque", "user.overlay.opaque")  # the second is that of rootless containers


def layered_host(host: Host, layers: Iterable[str], name: str) -> Host | None:
    """A Linux host whose root is made of folders of the host, the uppermost first; `None` if none of them is there."""
    folders = tuple(layers)
    files = host.files.layered(folders)
    if files is None:
        return None
    return Host(HostInfo(name=name, platform="linux", root=folders[0]), files, posix_users(files))


class LayeredFiles(StoredFiles):
    """Read-only view of the files of several layers.

    Args:
        layers: the folders, the uppermost first.
    """

    def __init__(self, layers: tuple[Node, ...]) -> None:
        super().__init__(_LayersLayout(layers))


class _LayersLayout(PosixLayout):
    """A folder is the folders of its name in all layers."""

    def __init__(self, layers: tuple[Node, ...]) -> None:
        super().__init__(lambda: layers[0])
        self._root = Place("", layers)

    def below(self, folder: Place, name: str) -> Place:
        """What a folder has under a name."""
        found: list[Node] = []
        for layer in folder.nodes:
            try:
                node = layer.find(name)
            except (FileNotFoundError, NotADirectoryError):
                if _is_there(layer, _WHITEOUT + name):
                    break
                continue
            if _deleted(node):
                break
            if node.kind != "dir":
                found = found or [node]  # else a folder above hides the file
                break
            found.append(node)
            if _opaque(node):
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
                if entry.name.startswith(_WHITEOUT):
                    hidden.append(entry.name.removeprefix(_WHITEOUT))
                elif entry.name not in seen:
                    seen.add(entry.name)
                    if entry.kind != "other" or not _deleted(layer.find(entry.name)):
                        yield entry
            seen.update(hidden)


def _is_there(folder: Node, name: str) -> bool:
    try:
        folder.find(name)
    except OSError:
        return False
    return True


def _deleted(node: Node) -> bool:
    """Whether this is the mark of overlayfs for a name that is gone."""
    return node.kind == "other" and node.what() == "a device" and node.stat().device == 0


def _opaque(folder: Node) -> bool:
    """Whether the layers below a folder are hidden by it."""
    return _is_there(folder, _OPAQUE) or any(folder.attribute(name) == b"y" for name in _ATTRIBUTES)
