"""A folder that may be the root of a target, wherever it lies: on this machine, or in an image."""

import os
from typing import NamedTuple

from phaseout.host.filesystem.files import Entry
from phaseout.host.filesystem.node import Node


class Folder(NamedTuple):
    """Where the files of a target begin.

    Attributes:
        name: what reports call it: its path, behind that of the image where it lies in one.
        place: its path on this machine, or the folder itself.
    """

    name: str
    place: str | Node

    def below(self, path: str) -> "Folder":
        """A folder in it, by a path without links such as `/deploy/1`.

        Raises:
            OSError: an image has no such folder.
        """
        if isinstance(self.place, str):
            place = os.path.join(self.place, *path.split("/"))
            return Folder(place, place)
        node = self.place
        for name in path.split("/"):
            node = node.find(name) if name else node
        return Folder(f"{self.name}:{path}", node)

    def entries(self, path: str = "/") -> list[Entry]:
        """The entries of a folder in it, sorted by name; none where there is no such folder, or only through a link."""
        try:
            below = self.below(path)
            if isinstance(below.place, Node):
                return sorted(below.place.entries())
            if path != "/" and os.path.realpath(below.place) != os.path.join(os.path.realpath(self.local), path[1:]):
                return []
            with os.scandir(below.place) as found:
                return sorted(Entry(one.name, "dir" if one.is_dir(follow_symlinks=False) else "other") for one in found)
        except OSError:
            return []

    @property
    def local(self) -> str:
        """Its path on this machine; empty in an image."""
        return self.place if isinstance(self.place, str) else ""
