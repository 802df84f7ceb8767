"""The file system of a macOS target.

An offline disk is the system volume with the data volume below it (`/System/Volumes/Data`), as both are mounted on a
Mac, or the data volume alone, or a disk of the time before they were two. Names are found as macOS finds them, whatever
their letter case and their composition.

References:
    hier(7) and `/usr/share/firmlinks` of macOS; Apple Platform Security, "Controlling app access to files in macOS"
    (the guarded folders).
"""

import errno
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping

from phaseout.host.filesystem.files import Entry
from phaseout.host.filesystem.folding import Folding
from phaseout.host.filesystem.local import local_root
from phaseout.host.filesystem.node import CLOUD, Node, SkippedError
from phaseout.host.filesystem.posix import PosixLayout
from phaseout.host.filesystem.resolve import Layout, Place
from phaseout.host.filesystem.stored_files import StoredFiles

DATA = "/System/Volumes/Data"
_FIRMLINKS = (
    *("/AppleInternal", "/Applications", "/Library", "/Users", "/Volumes", "/cores", "/opt", "/pkg", "/private"),
    *("/System/Library/Caches", "/System/Library/Assets", "/System/Library/AssetsV2", "/System/Library/Speech"),
    *("/System/Library/PreinstalledAssets", "/System/Library/PreinstalledAssetsV2"),
    *("/System/Library/CoreServices/CoreTypes.bundle/Contents/Library", "/usr/libexec/cups", "/usr/local"),
    "/usr/share/snmp",
)
_PRIVATE = frozenset(("etc", "tmp", "var"))  # links into /private that a data volume alone does not have
_GUARDED = "guarded by macOS: not opened"
# Reading any of these asks the user on the screen, unless the reader has Full Disk Access.
_PERSONAL = re.compile(
    r"(?:/System/Volumes/Data)?/Users/[^/]+"
    r"/(Desktop|Documents|Downloads|\.Trash|Library/(Containers|Group Containers|Mail|Messages|Safari))",
    re.IGNORECASE,
)
_CLOUD = re.compile(r"(?:/System/Volumes/Data)?/Users/[^/]+/Library/(Mobile Documents|CloudStorage)", re.IGNORECASE)


class MacFiles(StoredFiles):
    """Read-only view of the files of a macOS target.

    Args:
        root: folder that is the root of the target, see `Folder`; `/` for the live machine.
        skipped_mounts: mount point in the target → file system type, for mounts that are skipped.
        guarded: whether macOS asks the user before it lets a program read the personal folders.
        live: whether this is the machine itself; by default that with the root `/`.
        data: the folder of the data volume, where it does not lie in the root.
    """

    def __init__(
        self,
        root: str | Node = "/",
        skipped_mounts: Mapping[str, str] | None = None,
        *,
        guarded: bool = False,
        live: bool | None = None,
        data: str | Node = "",
    ) -> None:
        def opened() -> Node:
            return local_root(root, skipped_mounts)

        live = root == "/" if live is None else live
        layout: Layout = _LiveLayout(opened, guarded=guarded) if live else _OfflineLayout(opened, data)
        super().__init__(layout)


class _MacLayout(PosixLayout):
    """What is the same on a live Mac and on its disk elsewhere."""

    def shown(self, path: str) -> str:
        """The path of a place as sources see it: without the data volume where a firmlink leads to it."""
        if path.startswith(DATA + "/"):
            plain = path[len(DATA) :]
            if any(plain == link or plain.startswith(link + "/") for link in _FIRMLINKS):
                return plain
        return path or "/"


class _LiveLayout(_MacLayout):
    """The running system finds names itself, and guards the personal folders."""

    def __init__(self, root: Callable[[], Node], *, guarded: bool) -> None:
        super().__init__(root)
        self._guarded = guarded

    def below(self, folder: Place, name: str) -> Place:
        """What lies in a folder under a name, unless reading it would ask the user or fetch from the cloud."""
        path = f"{folder.path}/{name}"
        if self._guarded and _PERSONAL.fullmatch(path):
            raise SkippedError(_GUARDED, "guarded")
        if _CLOUD.fullmatch(path):
            raise SkippedError(CLOUD, "cloud")
        return super().below(folder, name)

    def explained(self, error: OSError, path: str) -> OSError:
        """Even root may be refused, and then the system guards the place."""
        return SkippedError(_GUARDED, "guarded", path) if error.errno == errno.EPERM else error


class _OfflineLayout(_MacLayout):
    """Names are found as macOS would find them, and firmlinks lead to the data volume."""

    def __init__(self, root: Callable[[], Node], data: str | Node = "") -> None:
        super().__init__(root, {DATA: lambda: local_root(data)} if data else None)
        self._folding = Folding(_folded)
        self._firmlinks: dict[str, tuple[str, Node]] | None = None

    def below(self, folder: Place, name: str) -> Place:
        """What lies in a folder under a name, however it is spelled."""
        firmlinks = self._data() if self._firmlinks is None else self._firmlinks
        firm = firmlinks.get(_folded(f"{folder.path}/{name}")) if firmlinks else None
        if firm is not None:
            return Place(firm[0], (firm[1],))
        if self._bound and f"{folder.path}/{name}" in self._bound:
            return super().below(folder, name)
        try:
            spelled, nodes = self._folding.find(folder, name)
        except FileNotFoundError:
            if folder.path or name.lower() not in _PRIVATE:
                raise
            private = self.below(folder, "private")
            spelled, nodes = self._folding.find(private, name)
            return Place(f"{private.path}/{spelled}", nodes)
        return Place(f"{folder.path}/{spelled}", nodes)

    def entries(self, place: Place) -> Iterator[Entry]:
        """The entries of a folder."""
        return self._folding.entries(place)

    def _data(self) -> dict[str, tuple[str, Node]]:
        """Folded path of a firmlink → its path, and what lies there on the data volume."""
        self._firmlinks = {}
        for link in _FIRMLINKS:
            node = self._bound[DATA]() if self._bound else self.root("").nodes[0]
            try:
                for name in (link if self._bound else DATA + link).split("/")[1:]:
                    node = node.find(name)
            except OSError:
                continue
            self._firmlinks[_folded(link)] = link, node
        return self._firmlinks


def _folded(name: str) -> str:
    return name.lower() if name.isascii() else unicodedata.normalize("NFD", name.casefold())
