"""The files of tar archives as nodes: of one archive, or of the layers of a container image, one put upon the other.

The tree holds where everything lies; contents stay in the archive. Layers are put together as an engine unpacks them:
what a layer names replaces what was there, folders are kept, and its marks delete what lower layers have. A name that
leads out of the root is not followed, and said.

References:
    https://github.com/opencontainers/image-spec/blob/main/layer.md ("Applying Changesets", "Whiteouts")
"""

import errno
from collections.abc import Iterator
from typing import BinaryIO

from phaseout.host.filesystem.files import Entry, EntryKind, Stat
from phaseout.host.filesystem.node import Node, NotRegularError
from phaseout.host.filesystem.resolve import DEPTH, LINKS
from phaseout.host.images.stored import NodeBytes, Stored
from phaseout.model.quoting import quoted
from phaseout.parsers.images.tar import MEMBERS, BrokenTarError, Member, members

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_OF_AUFS = ".wh..wh."  # what aufs keeps for itself
_LONGEST = 255  # bytes of a name


class TreeNode(Node):
    """A file, folder or link of an archive.

    Attributes:
        children: of a folder.
        layer: the number of the layer that it comes from.
    """

    __slots__ = ("_member", "_stored", "children", "layer")

    in_image = True

    def __init__(self, kind: EntryKind, layer: int, member: Member, stored: Stored | None = None) -> None:
        self.kind = kind
        self.layer = layer
        self.children: dict[str, TreeNode] = {}
        self._member = member
        self._stored = stored

    def find(self, name: str) -> "TreeNode":
        """What lies in this folder under a name."""
        if self.kind != "dir":
            raise NotADirectoryError(errno.ENOTDIR, "not a folder")
        found = self.children.get(name)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "no such file")
        return found

    def entries(self) -> Iterator[Entry]:
        """The entries of this folder."""
        if self.kind != "dir":
            raise NotADirectoryError(errno.ENOTDIR, "not a folder")
        return iter([Entry(name, node.kind) for name, node in self.children.items()])

    def stat(self) -> Stat:
        """Size, time, owner and so on."""
        member = self._member
        return Stat(self.kind, member.size, member.mtime, member.uid, member.mode, member.device)

    def target(self) -> str:
        """Where this link points."""
        if self.kind != "link":
            raise OSError(errno.EINVAL, "not a link")
        return self._member.target

    def read(self, size: int, offset: int = 0) -> bytes:
        """At most `size` bytes of this file."""
        if self._stored is None:
            raise NotRegularError(self.what())
        member = self._member
        size = max(0, min(size, member.size - offset))
        if member.parts:
            return self._sparse(offset, size)
        data = self._stored.read(member.offset + offset, size)
        if len(data) < size:
            raise OSError(errno.EIO, "the archive ends within it")
        return data

    def open(self) -> BinaryIO:
        """This file, to be read in chunks."""
        return NodeBytes(self).stream()

    def what(self) -> str:
        """What it is if it is no regular file."""
        return f"a {self._member.kind}" if self.kind == "other" else super().what()

    def again(self, layer: int) -> "TreeNode":
        """The same under a further name."""
        found = TreeNode(self.kind, layer, self._member, self._stored)
        found.children = self.children
        return found

    def _sparse(self, offset: int, size: int) -> bytes:
        assert self._stored is not None
        member = self._member
        data = bytearray(size)
        place = member.offset
        for start, length in member.parts:
            begin, end = max(start, offset), min(start + length, offset + size)
            if begin < end:
                data[begin - offset : end - offset] = self._stored.read(place + begin - start, end - begin)
            place += length
        return bytes(data)


class MergedTree:
    """The root that archives make together.

    Attributes:
        root: of the files.
        broken: what could not be taken, each in words.
    """

    def __init__(self) -> None:
        self.root = _folder(0)
        self.broken: list[str] = []
        self._layer = 0
        self._count = 0
        self._pruned: set[TreeNode] = set()  # folders that have nothing of lower layers
        self._known: tuple[str, TreeNode] | None = None  # the last folder, where the next file nearly always lies

    def add(self, archive: Stored, *, marks: bool) -> None:
        """Puts an archive upon what is there.

        Args:
            archive: a tar archive.
            marks: whether names that begin with `.wh.` delete what lower layers have.
        """
        self._layer += 1
        self._known = None
        self._pruned.clear()
        try:
            for member in members(archive.read, archive.size):
                self._count += 1
                if self._count > MEMBERS:
                    raise BrokenTarError(f"more than {MEMBERS} members in all")  # noqa: TRY301
                try:
                    self._take(member, archive, marks=marks)
                except OSError as error:
                    self.broken.append(f"{quoted(member.name, 200)}: {error.strerror}")
        except (BrokenTarError, OSError) as error:
            self.broken.append(str(error.strerror if isinstance(error, OSError) else error))

    def _take(self, member: Member, archive: Stored, *, marks: bool) -> None:
        folder, _, name = member.name.rstrip("/").rpartition("/")
        if name in ("", "."):
            if member.kind == "dir" and not folder.strip("./"):
                self.root._member = member  # noqa: SLF001
                return
            folder, _, name = folder.rstrip("/.").rpartition("/")
        if name == ".." or not name or "\0" in member.name or "\0" in member.target:
            raise OSError(errno.EINVAL, "no name that a file can have")
        if len(name.encode("utf-8", "surrogateescape")) > _LONGEST:
            raise OSError(errno.EINVAL, "a name that is too long")
        if marks and name.startswith(_WHITEOUT):
            self._delete(folder, name)
            return
        here = self._parent(folder)
        there = here.children.get(name)
        if member.kind == "dir":
            if there is not None and there.kind == "dir":
                there._member, there.layer = member, self._layer  # noqa: SLF001
                return
            here.children[name] = TreeNode("dir", self._layer, member)
        elif member.kind == "hard link":
            path = member.target
            above, _, last = path.rstrip("/").rpartition("/")
            original = self._parent(above, make=False).children.get(last)
            if original is None or original.kind == "dir":
                raise OSError(errno.ENOENT, f"a further name of {quoted(path, 200)}, which is not there")
            here.children[name] = original.again(self._layer)
        else:
            kind: EntryKind = member.kind if member.kind in ("file", "link") else "other"
            here.children[name] = TreeNode(kind, self._layer, member, archive if kind == "file" else None)
        if there is not None:
            self._known = None

    def _delete(self, folder: str, name: str) -> None:
        """What a mark says: that a name is gone, or everything in a folder, as far as it comes from lower layers."""
        here = self._parent(folder)
        if name == _OPAQUE:
            self._prune(here)
        elif not name.startswith(_OF_AUFS):
            gone = name.removeprefix(_WHITEOUT)
            there = here.children.get(gone)
            if there is not None and self._is_lower(there):
                del here.children[gone]
        self._known = None

    def _is_lower(self, node: TreeNode) -> bool:
        """Whether nothing of a file or folder comes from this layer; what does stays."""
        if node.kind == "dir":
            self._prune(node)
        return node.layer < self._layer and not (node.kind == "dir" and node.children)

    def _prune(self, folder: TreeNode) -> None:
        """Takes what lower layers have out of a folder; once is enough, since lower layers add nothing any more."""
        pending, found = [folder], []
        while pending:
            here = pending.pop()
            if here in self._pruned:
                continue
            self._pruned.add(here)
            found.append(here)
            pending += [node for node in here.children.values() if node.kind == "dir"]
        for here in reversed(found):  # the deepest first
            for name, node in list(here.children.items()):
                if node.layer < self._layer and not (node.kind == "dir" and node.children):
                    del here.children[name]

    def _parent(self, path: str, *, make: bool = True) -> TreeNode:
        """The folder at a path, links on the way followed within the root; folders that no archive names are made.

        Raises:
            OSError: there is no such folder, and none can be made.
        """
        if self._known is not None and self._known[0] == path:
            return self._known[1]
        above = [self.root]
        pending = path.split("/")[::-1]
        if ".." in pending:
            raise OSError(errno.EINVAL, "a name that leads out of the archive")
        links = 0
        while pending:
            name = pending.pop()
            if name in ("", "."):
                continue
            if name == "..":  # of a link: there is nothing above the root
                above = above[:-1] or above
                continue
            there = above[-1].children.get(name)
            if there is None and make:
                there = above[-1].children[name] = _folder(self._layer)
            if there is not None and there.kind == "link":
                links += 1
                target = there.target()
                above = [self.root] if target.startswith("/") else above
                pending += target.split("/")[::-1]
                if links > LINKS:
                    raise OSError(errno.ELOOP, "too many symbolic links")
            elif there is None or there.kind != "dir":
                raise OSError(errno.ENOTDIR, f"{quoted(name, 200)} is no folder")
            else:
                above.append(there)
            if len(above) + len(pending) > DEPTH:
                raise OSError(errno.ELOOP, f"more than {DEPTH} levels of folders")
        self._known = path, above[-1]
        return above[-1]


def _folder(layer: int) -> TreeNode:
    return TreeNode("dir", layer, Member("", "dir", 0, 0, mode=0o755, uid=0))
