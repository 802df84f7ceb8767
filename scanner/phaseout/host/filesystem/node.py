"""What holds the files of a target: a tree of nodes. A disk has one kind of node, an image or archive another.

`phaseout.host.filesystem.resolve` finds the node of a path. To read files out of something new, derive a node that can
list a folder, find a name, and read a link and a file; no source needs to know.
"""

import errno
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import BinaryIO

from phaseout.host.filesystem.files import Entry, EntryKind, Stat
from phaseout.model.nouns import Cause

CLOUD = "kept in the cloud: skipped"
_OTHERS: dict[EntryKind, str] = {"dir": "a folder", "link": "a link"}


class SkippedError(OSError):
    """The path leads to something that is skipped on purpose, such as a network mount.

    Args:
        why: for the report.
        cause: the cause of the problem.
        where: the path in the target; the resolver fills it in where the node does not know it.
        hides: whether it may be software of this machine; what lies on a server that the path names is not.
    """

    def __init__(self, why: str, cause: Cause, where: str = "", *, hides: bool = True) -> None:
        super().__init__(errno.EXDEV, why)
        self.cause = cause
        self.hides = hides
        self.where = where
        self.name = ""  # the last name of it as it is stored, if it is not the one that was asked for


class AbsentVolumeError(FileNotFoundError):
    r"""The path leads to a drive or volume that the machine has and this root does not show.

    Args:
        volume: the drive (`D:\`); empty for a volume without a letter.
    """

    def __init__(self, volume: str) -> None:
        super().__init__(errno.ENOENT, "this volume is not in the root that is scanned, though paths lead to it")
        self.volume = volume


class VanishedError(OSError):
    """A name that was there before is gone, or something else has taken its place."""

    def __init__(self, why: str = "it was there before, and is gone or replaced") -> None:
        super().__init__(errno.ESTALE, why)


class ReplacedError(VanishedError):
    """A file was replaced between being found and being opened: worth a second try."""


class NotRegularError(OSError):
    """Not a regular file, and therefore not opened."""

    def __init__(self, what: str) -> None:
        super().__init__(errno.EINVAL, f"not a regular file but {what}")


class Node(ABC):
    """One file, folder or link. Every method raises `OSError` where it cannot do what it should.

    Attributes:
        kind: what it is itself; a link is not followed.
        moved: when it was moved here or changed last, as far as known when it was found; in seconds since 1970.
        of_kernel: whether it lies in a file system of the kernel itself, such as `/proc`.
        in_image: whether it has no path on this machine, at which another program could open it.
    """

    __slots__ = ("kind",)

    kind: EntryKind
    moved: float = 0.0
    in_image: bool = False

    @property
    def of_kernel(self) -> bool:
        """Whether it lies in a file system of the kernel itself, such as `/proc`."""
        return False

    @property
    def size(self) -> int:
        """In bytes."""
        return self.stat().size

    def stamp(self) -> tuple[object, ...]:
        """What tells this file or folder, in its present state, from any other: its identity in two values first."""
        return ()

    def identity(self) -> tuple[object, ...]:
        """What tells this file or folder from any other, whatever its state."""
        return self.stamp()[:2]

    def changed(self, since: float) -> bool:  # noqa: ARG002  (what is never written cannot change)
        """Whether a user may have changed it, or put it in the place of another, since a time in seconds since 1970.

        What only the administrator can write, and what is ordinary (`/tmp`, files of the kernel), does not count.
        """
        return False

    @abstractmethod
    def find(self, name: str) -> "Node":
        """What lies in this folder under a name, spelled exactly so."""

    @abstractmethod
    def entries(self) -> Iterator[Entry]:
        """The entries of this folder, in any order."""

    @abstractmethod
    def stat(self) -> Stat:
        """Size, time, owner and so on."""

    @abstractmethod
    def target(self) -> str:
        """Where this link points, as written."""

    @abstractmethod
    def read(self, size: int, offset: int = 0) -> bytes:
        """At most `size` bytes of this regular file from `offset` on."""

    @abstractmethod
    def open(self) -> BinaryIO:
        """This regular file, to be read in chunks."""

    def attribute(self, name: str) -> bytes:  # noqa: ARG002  (most file systems have none)
        """An extended attribute; empty where there is none."""
        return b""

    def fixed(self) -> str | None:
        """Its path on the machine that this runs on, if only the administrator could put something else there."""
        return None

    def what(self) -> str:
        """What it is, in words, if it is no regular file."""
        return _OTHERS.get(self.kind, "something else")
