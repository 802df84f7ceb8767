"""The file system of the target, as sources see it: one protocol, whatever holds the files.

Every path is a path of the target (`/var/lib/dpkg/status`), whether the target is the live machine, a folder or the
layers of a container image. Links are followed as in a chroot: absolute ones restart at the root, and `..` stops there.
Only regular files are opened, nothing is read past a limit, and mounts that may hang are skipped. What cannot be read
becomes a `Problem` in `Files.problems` and reads as absent.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple

from phaseout.model.nouns import Problem

if TYPE_CHECKING:
    import sqlite3

MIB = 1 << 20

EntryKind = Literal["file", "dir", "link", "other"]
Problems = list[Problem]
# What marks a deleted name in a layer depends on what puts the layers together: nothing, overlayfs, overlayfs in the
# user namespace of a rootless engine (mount option `userxattr`), fuse-overlayfs, or aufs.
Marks = Literal["", "overlay", "overlay userxattr", "fuse-overlayfs", "aufs"]


class Entry(NamedTuple):
    """A name in a folder. The kind is the entry's own: a link is a link, wherever it leads."""

    name: str
    kind: EntryKind


class Stat(NamedTuple):
    """What a path leads to.

    Attributes:
        kind: file, folder, link or something else.
        size: in bytes.
        mtime: time of the last modification, in seconds since 1970.
        uid: number of the owner.
        mode: permission bits.
        device: number of the device that a device file stands for.
        links: how many names the file has on its volume; 0 where that is not known. Only a running Windows says it.
    """

    kind: EntryKind
    size: int
    mtime: float
    uid: int
    mode: int
    device: int = -1
    links: int = 0


class Files(ABC):
    """Read-only view of a target's files.

    The abstract methods are the protocol; the others only use those. An observer wraps any `Files` by overriding the
    abstract ones, and sees everything.

    Attributes:
        problems: what could not be read; the worker moves it into the run of the source that asked.
        separator: what stands between two names of a path.
    """

    separator = "/"

    def __init__(self, problems: Problems | None = None) -> None:
        self.problems: Problems = [] if problems is None else problems

    @abstractmethod
    def read(self, path: str, limit: int = 16 * MIB) -> bytes | None:
        """The content of a regular file; `None` where there is none, or where a problem says why not."""

    @abstractmethod
    def part(self, path: str, offset: int, size: int) -> bytes | None:
        """At most `size` bytes from `offset` on of a regular file of any length; none behind its end."""

    @abstractmethod
    def small(self, path: str, limit: int) -> bytes | None:
        """The content of a regular file of at most `limit` bytes; `None` for a larger one, which is no problem."""

    @abstractmethod
    def open(self, path: str, limit: int = 1024 * MIB) -> BinaryIO | None:
        """A regular file to be read in chunks and closed by the caller; `None` as in `read`."""

    @abstractmethod
    def database(self, path: str, limit: int = 1024 * MIB) -> AbstractContextManager["sqlite3.Connection | None"]:
        """An SQLite database, of which nothing is changed and beside which nothing is written; `None` as in `read`.

        What is only in its write-ahead log is read, too. SQLite's errors within the context become problems.
        """

    @abstractmethod
    def list(self, path: str) -> tuple[Entry, ...]:
        """The entries of a folder, sorted by name; none where there is no such folder."""

    @abstractmethod
    def stat(self, path: str) -> Stat | None:
        """What the path leads to, links followed; `None` where that is nothing."""

    @abstractmethod
    def gone(self, path: str) -> bool:
        """Whether the path surely leads nowhere. False where that is unknown: no permission, a skipped mount."""

    @abstractmethod
    def link(self, path: str) -> str | None:
        """Where a symbolic link points, as written; `None` where there is no link."""

    @abstractmethod
    def real(self, path: str) -> str | None:
        """The path of the target with all links resolved; `None` where it leads nowhere."""

    @abstractmethod
    def layered(self, folders: Sequence[str], marks: Marks = "") -> "Files | None":
        """The files of a root that is made of folders of this target, the uppermost first.

        `marks` says which marks hide what lies in lower folders; see `phaseout.host.filesystem.layers`. `None` where
        none of the folders is there.
        """

    @abstractmethod
    def placed(self, folder: str, at: str) -> "Files | None":
        """The files of a root in which there is one folder of this target, at the path `at`; `None` without it.

        See `phaseout.host.filesystem.placed`.
        """

    @abstractmethod
    def drive(self, folder: str) -> "Files | None":
        r"""The files of a folder that is drive `C:` of a Windows, such as that of Wine; `None` without one."""

    @abstractmethod
    def report_changes(self, since: float) -> None:
        """Records what a user may have changed while it was read: something may have been moved away for that time.

        Asked when a source ends, it concerns what was read since the last call.

        Args:
            since: when the scan began, in seconds since 1970.
        """

    def text(self, path: str, limit: int = 4 * MIB) -> str | None:
        """The content of a text file as UTF-8; invalid bytes are written in hexadecimal."""
        data = self.read(path, limit)
        return None if data is None else data.decode("utf-8", "backslashreplace")

    def small_files(self, folder: str, names: Iterable[str], limit: int) -> Iterator[bytes | None]:
        """For each of some names that a folder was listed with, what `small` gives: for folders of a thousand files."""
        for name in names:
            yield self.small(f"{folder}{self.separator}{name}", limit)

    def head(self, path: str, size: int) -> bytes | None:
        """The first `size` bytes of a regular file of any length."""
        return self.part(path, 0, size)

    def is_file(self, path: str) -> bool:
        """Whether the path leads to a regular file."""
        found = self.stat(path)
        return found is not None and found.kind == "file"

    def is_dir(self, path: str) -> bool:
        """Whether the path leads to a folder. A FIFO, socket or device in the place of one is a problem."""
        found = self.stat(path)
        if found is not None and found.kind == "other" and self.link(path) is None:
            self.list(path)  # says so
        return found is not None and found.kind == "dir"

    def exists(self, path: str) -> bool:
        """Whether the path leads to anything."""
        return self.stat(path) is not None

    def list_files(self, path: str) -> Iterator[Entry]:
        """The entries of a folder without the folders, and without links that lead to one."""
        for entry in self.list(path):
            below = f"{path}{self.separator}{entry.name}"
            if entry.kind != "dir" and not (entry.kind == "link" and self.is_dir(below)):
                yield entry

    def walk(self, top: str, depth: int, limit: int = 10_000) -> Iterator[tuple[str, tuple[Entry, ...]]]:
        """Folders below `top` with their entries, `depth` levels of them, links not followed.

        Folders that lie deeper are a problem. Ends with one after `limit` entries.
        """
        pending = [(top.rstrip(self.separator), depth)]
        seen = 0
        complete = True
        while pending:
            folder, left = pending.pop()
            entries = self.list(folder or self.separator)
            seen += len(entries)
            yield folder or self.separator, entries
            if seen > limit:
                self.problems.append(
                    Problem(printable(top), f"more than {limit} entries below: the rest was not read", "limit")
                )
                return
            folders = [f"{folder}{self.separator}{entry.name}" for entry in reversed(entries) if entry.kind == "dir"]
            if left > 1:
                pending += [(below, left - 1) for below in folders]
            elif folders and complete:
                complete = False
                why = f"more than {depth} levels of folders: this one and others so deep were not read"
                self.problems.append(Problem(printable(folders[-1]), why, "limit"))


def printable(path: str) -> str:
    """A path for a report: bytes of names that are not UTF-8 are written in hexadecimal."""
    try:
        return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return ascii(path)
