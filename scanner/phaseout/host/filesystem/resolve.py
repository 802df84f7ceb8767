"""The one walk of links: from a path of the target to the nodes that it leads to.

Links are followed as in a chroot. How a path is written, how a name is looked up in a folder and where a link leads is
the layout's business: `posix`, `windows`, `macos` and `layers` each have one.

References:
    path_resolution(7).
"""

import errno
import time
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host.filesystem.files import Entry
from phaseout.host.filesystem.node import Node, SkippedError, VanishedError

LINKS = 40  # as the kernel's own limit
DEPTH = 512
_FOLDERS = 20_000  # that are remembered
_NAMES = 200_000  # of listed folders that are remembered
NO_FOLDER = "neither a file nor a folder: what should lie below it was not seen"
_LONGEST = 3600  # seconds; no scan takes longer
_TEMPORARY = ("/tmp/", "/var/tmp/", "/dev/shm/", "/private/tmp/", "/private/var/tmp/", "/private/var/folders/")  # noqa: S108


class Place(NamedTuple):
    """Where a path leads once all links are followed.

    Attributes:
        path: the path without links, spelled as stored; no separator at its end.
        nodes: what lies there: several for a folder with layers, or whose name is there in several spellings.
    """

    path: str
    nodes: tuple[Node, ...]


class Layout(ABC):
    """How the paths of a system are written, and its names looked up. Raises `OSError` as `Node` does.

    Attributes:
        separator: what stands between two names.
    """

    separator = "/"

    @abstractmethod
    def normal(self, path: str) -> str:
        """A path as given by a source in the form that is walked: absolute, no separator at its end."""

    @abstractmethod
    def root(self, path: str) -> Place:
        """The place of a path that has no separator: the root itself, or a drive."""

    @abstractmethod
    def below(self, folder: Place, name: str) -> Place:
        """What lies in a folder under a name; a link is not followed."""

    def entries(self, place: Place) -> Iterator[Entry]:
        """The entries of a folder."""
        return place.nodes[0].entries()

    def follow(self, folder: Place, target: str) -> tuple[Place, list[str]]:
        """Where a link that lies in `folder` starts, and the names from there."""
        return (self.root("") if target.startswith("/") else folder), target.split("/")

    def is_temporary(self, path: str) -> bool:
        """Whether what lies there comes and goes by its nature, so that nobody hides anything by that."""
        return f"{path}/".startswith(_TEMPORARY)

    def shown(self, path: str) -> str:
        """The path of a place as reports and sources see it."""
        return path or "/"

    def explained(self, error: OSError, path: str) -> OSError:  # noqa: ARG002  (only some systems know better)
        """The error, or a better one: some systems have reasons of their own to refuse."""
        return error


class _Listing(NamedTuple):
    """The entries of a folder, and what the folder was then."""

    stamps: tuple[tuple[object, ...], ...]
    entries: tuple[Entry, ...]


class Resolver:
    """Finds places, and remembers folders on the way and their listings.

    A folder is remembered by what it is, not by its path: the nodes notice if another one has taken its place. What
    would be found differently had a user moved something away is relied on; `changed` tells whether one may have. So
    an absent folder is looked up only once, but for those of the kernel. Of what is asked for in a folder for temporary
    files that is not said, since programs change it all the time.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._separator = layout.separator
        self._folders: dict[str, Place] = {}
        self._absent: dict[str, Place] = {}  # path of a folder → the one in which its name is missing
        self._listed: dict[str, _Listing] = {}
        self._names = 0
        self._relied_on: dict[str, Place] = {}
        self._moved: dict[str, tuple[float, Place]] = {}  # path → when what was found was moved there, and the place
        self._recent = time.time() - _LONGEST
        self._lasting = True  # whether what is asked for is not temporary

    def place(self, path: str) -> Place:
        """Where a path leads, all links followed."""
        path = self._layout.normal(path)
        self._lasting = not self._layout.is_temporary(path)
        head, separator, name = path.rpartition(self._separator)
        if not separator:
            return self._folder(path)
        if path in self._absent:
            self._missing_still(path, name)
        folder = self._folders.get(head)
        return self._found(folder if folder is not None and folder.nodes[0].kind == "dir" else self._folder(head), name)

    def entry(self, path: str) -> Place:
        """The same, but a link at the very end is not followed."""
        path = self._layout.normal(path)
        head, separator, name = path.rpartition(self._separator)
        if not separator or name in ("", ".", ".."):
            return self.place(path)
        self._lasting = not self._layout.is_temporary(path)
        return self.below(self._folder(head), name)

    def below(self, here: Place, name: str) -> Place:
        """What lies in a folder under a name; a link is not followed."""
        try:
            there = self._layout.below(here, name)
        except (FileNotFoundError, NotADirectoryError):
            self.rely_on(here)
            if self._is_listed(here, name):
                raise VanishedError from None
            raise
        except SkippedError as error:
            error.where = error.where or self._layout.shown(f"{here.path}{self._separator}{error.name or name}")
            raise
        moved = there.nodes[0].moved
        if (
            self._lasting and moved > self._recent and there.nodes[0].kind != "file"
        ):  # perhaps into the place of another
            known = self._moved.get(here.path)
            if known is None or known[0] < moved:
                self._moved[here.path] = moved, here
        return there

    def listed(self, place: Place) -> tuple[Entry, ...] | None:
        """The entries of a folder that were remembered; `None` if it has changed since.

        Raises:
            VanishedError: another folder has taken its place.
        """
        known = self._listed.get(place.path)
        if known is None:
            return None
        stamps = _stamps(place)
        if known.stamps == stamps:
            return known.entries
        if [stamp[:2] for stamp in known.stamps] != [stamp[:2] for stamp in stamps]:
            raise VanishedError("another folder has taken its place since it was listed")
        return None

    def remember(self, place: Place, entries: tuple[Entry, ...]) -> None:
        """Remembers the entries of a folder: all sources list the same homes, and none of the names may vanish."""
        if self._names > _NAMES:
            self._listed.clear()
            self._names = 0
        self._listed[place.path] = _Listing(_stamps(place), entries)
        self._names += len(entries) + 1

    def rely_on(self, place: Place) -> None:
        """Notes a folder that must not have changed."""
        if self._lasting:
            self._relied_on[place.path] = place

    def rely_on_content(self, place: Place) -> None:
        """Notes a file whose content must not have changed before it was found."""
        if self._lasting and place.nodes[0].moved > self._recent:
            self._moved[place.path] = place.nodes[0].moved, place

    def changed(self, since: float) -> Iterator[str]:
        """The paths of what was relied on since the last call, and what a user may have changed since a time."""
        relied_on, self._relied_on = self._relied_on, {}
        moved, self._moved = self._moved, {}
        relied_on.update((path, place) for path, (when, place) in moved.items() if when > since)
        for path, place in relied_on.items():
            if any(node.changed(since) for node in place.nodes):
                yield self._layout.shown(path)

    def forget(self) -> None:
        """Forgets all folders, so that what has taken the place of a vanished one is found."""
        self._folders.clear()
        self._absent.clear()
        self._listed.clear()

    def _folder(self, path: str) -> Place:
        """A folder on the way to others; of a path that starts like an earlier one, only the rest is looked up."""
        missing: list[tuple[str, str]] = []
        while (found := self._folders.get(path)) is None:
            head, separator, name = path.rpartition(self._separator)
            if not separator:
                found = self._folders[path] = self._layout.root(path)
                break
            if path in self._absent:
                self._missing_still(path, name)
            missing.append((path, name))
            path = head
        if len(self._folders) + len(self._absent) > _FOLDERS:
            self._folders.clear()
            self._absent.clear()
        for path, name in reversed(missing):
            found = self._folders[path] = self._found(found, name, path)
        if found.nodes[0].kind == "other" and found.path.casefold() == path.casefold():  # no link led there
            raise SkippedError(NO_FOLDER, "not_regular", self._layout.shown(path))
        return found

    def _found(self, folder: Place, name: str, path: str = "") -> Place:
        """Where a name in a folder leads. If a path is given and nothing is there, that is remembered."""
        if name in ("", ".", ".."):
            return self._walk(folder, [name])
        try:
            there = self.below(folder, name)
        except FileNotFoundError as error:
            if path and type(error) is FileNotFoundError and not folder.nodes[0].of_kernel:
                self._absent[path] = folder
            raise
        kind = there.nodes[0].kind
        if kind == "link":
            return self._walk(folder, [name], there)
        return self._again(there) if kind == "dir" else there

    def _missing_still(self, path: str, name: str) -> None:
        """Raises what `below` raised when it missed the last name of a path, unless the name was listed since then."""
        folder = self._absent[path]
        if self._is_listed(folder, name):
            del self._absent[path]
            return
        self.rely_on(folder)
        raise FileNotFoundError(errno.ENOENT, "it was looked up before")

    def _walk(self, here: Place, pending: list[str], there: Place | None = None) -> Place:
        """Where names lead from a folder, the last one first.

        Args:
            here: the folder.
            pending: the names.
            there: what lies under the first of them, if that is known.
        """
        links = 0
        while pending:
            name = pending.pop()
            if name in ("", "."):
                continue
            if name == "..":
                above, separator, _ = here.path.rpartition(self._separator)
                here = self._folder(above) if separator else here  # there is nothing above the root
                continue
            on_the_way = self._folders.get(f"{here.path}{self._separator}{name}") if pending else None
            if on_the_way is not None:
                here = on_the_way
                continue
            if there is None:
                there = self.below(here, name)
            if there.nodes[0].kind != "link":
                here = self._again(there) if there.nodes[0].kind == "dir" else there
                if pending and here.nodes[0].kind == "dir":
                    self._folders[here.path] = here
                there = None
                continue
            self.rely_on(here)
            links += 1
            if links > LINKS or len(pending) > DEPTH:
                raise OSError(errno.ELOOP, "too many symbolic links")
            here, names = self._layout.follow(here, there.nodes[0].target())
            pending += reversed(names)
            there = None
        return here

    def _again(self, folder: Place) -> Place:
        """A folder as it was found before, if it is still the same one: that one is open already."""
        known = self._folders.get(folder.path)
        if known is None:
            return folder
        return known if _identities(known) == _identities(folder) else folder

    def _is_listed(self, folder: Place, name: str) -> bool:
        """Whether a name was among the entries of a folder when that was listed."""
        listed = self._listed.get(folder.path)
        if listed is None:
            return False
        at = bisect_left(listed.entries, (name,))
        return at < len(listed.entries) and listed.entries[at][0] == name


def _identities(place: Place) -> list[tuple[object, ...]]:
    return [node.identity() for node in place.nodes]


def _stamps(place: Place) -> tuple[tuple[object, ...], ...]:
    return tuple([node.stamp() for node in place.nodes])
