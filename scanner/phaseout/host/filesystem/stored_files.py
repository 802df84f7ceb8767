"""`Files` of any layout: resolves paths, reads nodes within limits, and turns errors into problems."""

import errno
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from phaseout.host.filesystem.files import MIB, Entry, Files, Marks, Stat, printable
from phaseout.host.filesystem.node import (
    AbsentVolumeError,
    Node,
    NotRegularError,
    ReplacedError,
    SkippedError,
    VanishedError,
)
from phaseout.host.filesystem.resolve import NO_FOLDER, Layout, Place, Resolver
from phaseout.model.nouns import Cause, Problem

if TYPE_CHECKING:
    import sqlite3

_ENTRIES = 100_000
_SMALL = 16 << 10  # bytes of a file whose content is remembered
_HELD = 4 * MIB  # of all of them
_ABSENT = frozenset((errno.ENOENT, errno.ENOTDIR))
_KERNEL = ("/proc/", "/sys/", "/dev/")
_ALL_VOLUMES = "scan a folder that holds all volumes of the machine, each named like its letter: C, D, …"
_TRIES = 3  # to open a file that is replaced again and again
_IN_MEMORY = 64 * MIB  # a larger database is read where it lies
_OF_IMAGE = 256 * MIB  # of an image, all are read into memory
_CAUSES: dict[int, Cause] = {errno.EFBIG: "limit", errno.ELOOP: "limit", errno.ENAMETOOLONG: "unsupported"}
_T = TypeVar("_T")


class StoredFiles(Files):
    """Read-only view of files that are held by nodes."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.separator = layout.separator
        self._layout = layout
        self._resolver = Resolver(layout)
        self._contents: dict[tuple[object, ...], bytes] = {}  # of small files: several sources read units and settings
        self._held = 0  # bytes of these

    def read(self, path: str, limit: int = 16 * MIB) -> bytes | None:
        """The content of a regular file; `None` where there is none, or where a problem says why not."""

        def content(node: Node) -> bytes:
            _check_size(node, limit)
            return self._content(node, limit)

        return self._of_file(path, content)

    def part(self, path: str, offset: int, size: int) -> bytes | None:
        """At most `size` bytes from `offset` on of a regular file of any length; none behind its end."""

        def content(node: Node) -> bytes:
            if node.size <= _SMALL and not node.of_kernel:  # others may read the whole of it
                return self._content(node, _SMALL)[offset : offset + size]
            return node.read(size, offset)

        return self._of_file(path, content)

    def small(self, path: str, limit: int) -> bytes | None:
        """The content of a regular file of at most `limit` bytes; `None` for a larger one, which is no problem."""
        return self._of_file(path, lambda node: self._content(node, limit) if node.size <= limit else None)

    def small_files(self, folder: str, names: Iterable[str], limit: int) -> Iterator[bytes | None]:
        """For each of some names that a folder was listed with, what `small` gives; the folder is looked up once."""
        try:
            place = self._place(folder)
        except OSError:
            yield from super().small_files(folder, names, limit)
            return
        for name in names:
            path = f"{folder}{self.separator}{name}"
            try:
                found = self._resolver.below(place, name)
                node = found.nodes[0]
                if node.kind == "file" and len(found.nodes) == 1:
                    self._checked(path, found, node)
                    yield self._content(node, limit) if node.size <= limit else None
                    continue
            except OSError:  # it is tried again there, and reported
                pass
            yield self.small(path, limit)

    def open(self, path: str, limit: int = 1024 * MIB) -> BinaryIO | None:
        """A regular file to be read in chunks and closed by the caller; `None` as in `read`."""

        def opened(node: Node) -> BinaryIO:
            _check_size(node, limit)
            return node.open()

        return self._of_file(path, opened)

    @contextmanager
    def database(self, path: str, limit: int = 1024 * MIB) -> "Iterator[sqlite3.Connection | None]":
        """An SQLite database, of which nothing is changed and beside which nothing is written; `None` as in `read`.

        What is only in its write-ahead log is read from there. A change that was not finished, and the log of a
        database that is too large to be copied, are problems. So are SQLite's errors within the context. Queries end
        after 200 million steps of SQLite's virtual machine (about ten seconds).

        References:
            https://www.sqlite.org/c3ref/deserialize.html, https://www.sqlite.org/uri.html (mode, immutable),
            https://www.sqlite.org/c3ref/progress_handler.html
        """
        import sqlite3

        log = self._log(path)
        try:
            connection = self._of_file(path, lambda node: _connection(node, limit, log))
        except sqlite3.Error as error:
            self._database_problem(path, error)
            connection = None
        if connection is None:
            yield None
            return
        steps = iter(range(200))
        connection.set_progress_handler(lambda: next(steps, None) is None, 1_000_000)
        connection.execute("PRAGMA query_only = 1")
        try:
            yield connection
        except sqlite3.Error as error:
            self._database_problem(path, error)
        finally:
            connection.close()

    def list(self, path: str) -> tuple[Entry, ...]:
        """The entries of a folder, sorted by name; none where there is no such folder."""
        entries: list[Entry] = []
        try:
            place = self._place(path)
            self._resolver.rely_on(place)
            known = self._listed(path, place)
            if known is not None:
                return known
            self._check_kernel(path, place.nodes[0])
            if place.nodes[0].kind == "other":
                raise SkippedError(NO_FOLDER, "not_regular")
            found = self._layout.entries(place)
            entries.extend(islice(found, _ENTRIES))  # keeps what came before an error
            if len(entries) == _ENTRIES and next(found, None) is not None:
                why = f"more than {_ENTRIES} entries: the rest was not listed"
                self.problems.append(Problem(printable(path), why, "limit"))
        except OSError as error:
            self._report(path, error)
            return tuple(sorted(entries))
        entries.sort()
        listed = tuple(entries)
        self._resolver.remember(place, listed)
        return listed

    def stat(self, path: str) -> Stat | None:
        """What the path leads to, links followed; `None` where that is nothing."""
        try:
            return self._place(path).nodes[0].stat()
        except OSError as error:
            self._report(path, error)
            return None

    def gone(self, path: str) -> bool:
        """Whether the path surely leads nowhere. False where that is unknown: no permission, a skipped mount."""
        try:
            self._resolver.place(path)
        except OSError as error:
            return error.errno in _ABSENT
        return False

    def link(self, path: str) -> str | None:
        """Where a symbolic link points, as written; `None` where there is no link."""
        try:
            node = self._resolver.entry(path).nodes[0]
            return node.target() if node.kind == "link" else None
        except OSError as error:
            self._report(path, error)
            return None

    def real(self, path: str) -> str | None:
        """The path of the target with all links resolved; `None` where it leads nowhere."""
        try:
            return self._layout.shown(self._place(path).path)
        except OSError as error:
            self._report(path, error)
            return None

    def layered(self, folders: Sequence[str], marks: Marks = "") -> "Files | None":
        """The files of a root that is made of folders of this target, the uppermost first."""
        from phaseout.host.filesystem.layers import LayeredFiles

        layers: list[Node] = []
        for folder in folders:
            try:
                layers += self._resolver.place(folder).nodes
            except OSError as error:
                self._report(folder, error)
        return LayeredFiles(tuple(layers), marks) if layers else None

    def placed(self, folder: str, at: str) -> "Files | None":
        """The files of a root in which there is one folder of this target, at the path `at`."""
        from phaseout.host.filesystem.placed import PlacedFiles

        try:
            place = self._resolver.place(folder)
        except OSError as error:
            self._report(folder, error)
            return None
        return PlacedFiles(place, at, self._layout) if place.nodes[0].kind == "dir" else None

    def drive(self, folder: str) -> "Files | None":
        """The files of a folder that is drive `C:` of a Windows."""
        from phaseout.host.filesystem.windows import DriveFiles

        try:
            return DriveFiles(self._resolver.place(folder).nodes[0])
        except OSError as error:
            self._report(folder, error)
            return None

    def report_changes(self, since: float) -> None:
        """Records what a user may have changed since a time while it was read: something may have been moved away."""
        for path in self._resolver.changed(since):
            self.problems.append(Problem(printable(path), "changed while it was read", "vanished"))

    def _content(self, node: Node, limit: int) -> bytes:
        stamp = node.stamp()
        known = self._contents.get(stamp)
        if known is not None:
            return known
        data = node.read(limit + 1)
        if len(data) > limit:  # it grew while it was read, or is a file of /proc, which has no size
            raise _too_large(limit)
        if stamp and len(data) <= _SMALL and len(data) == node.size and not node.of_kernel:
            self._remember(stamp, data)
        return data

    def _remember(self, stamp: tuple[object, ...], data: bytes) -> None:
        while self._held > _HELD:  # the oldest first
            self._held -= len(self._contents.pop(next(iter(self._contents))))
        self._contents[stamp] = data
        self._held += len(data)

    def _place(self, path: str) -> Place:
        """Where a path leads; of a folder that another one has replaced, a problem and what is there now."""
        try:
            return self._resolver.place(path)
        except VanishedError as error:
            self._report(path, error)
            return self._resolver.place(path)

    def _listed(self, path: str, place: Place) -> tuple[Entry, ...] | None:
        try:
            return self._resolver.listed(place)
        except VanishedError as error:
            self._report(path, error)
            return None

    def _of_file(self, path: str, action: Callable[[Node], _T]) -> _T | None:
        """What an action gives for the regular file at a path; `None` with a problem where it gives nothing."""
        try:
            for _ in range(_TRIES - 1):
                try:
                    return action(self._file(path))
                except ReplacedError:  # as editors do when they save
                    continue
            return action(self._file(path))
        except OSError as error:
            self._report(path, error)
            return None

    def _file(self, path: str) -> Node:
        place = self._place(path)
        node = place.nodes[0] if len(place.nodes) == 1 else self._one_file(path, place)
        if node.kind != "file":
            raise NotRegularError(node.what())
        self._checked(path, place, node)
        return node

    def _checked(self, path: str, place: Place, node: Node) -> None:
        """Notes that the content of a file is relied on, and refuses files of the kernel."""
        self._resolver.rely_on_content(place)
        self._check_kernel(path, node)

    def _one_file(self, path: str, place: Place) -> Node:
        """The file among what has one name in several spellings; of several files, the others are a problem."""
        found = [node for node in place.nodes if node.kind == "file"]
        if len(found) > 1:
            why = "there in several spellings, which are one name to this system: only one of them was read"
            problem = Problem(printable(path), why, "unsupported")
            if problem not in self.problems[-50:]:
                self.problems.append(problem)
        return found[0] if found else place.nodes[0]

    def _check_kernel(self, path: str, node: Node) -> None:
        """Refuses files of the kernel behind links: a user may have made the link, and reading some has effects."""
        if node.of_kernel and not f"{path}/".startswith(_KERNEL):
            raise NotRegularError("a file of the kernel behind a link")

    def _report(self, path: str, error: OSError) -> None:
        if error.errno in _ABSENT and not isinstance(error, AbsentVolumeError):
            return
        error = self._layout.explained(error, path)
        where = path
        cause: Cause = "error"
        remedy = ""
        why = error.strerror or str(error)
        hides = True
        if isinstance(error, SkippedError):
            cause, where, hides = error.cause, error.where or path, error.hides
        elif isinstance(error, PermissionError):
            cause, why = "permission", "permission denied"
        elif isinstance(error, NotRegularError):
            cause = "not_regular"
        elif isinstance(error, AbsentVolumeError):
            cause, where, remedy = "missing", error.volume or path, _ALL_VOLUMES
        elif isinstance(error, VanishedError):
            cause = "vanished"
            self._resolver.forget()
        elif error.errno in _CAUSES:
            cause = _CAUSES[error.errno]
        if cause == "vanished" and self._layout.is_temporary(self._layout.normal(path)):
            hides = False  # what came and went there is no longer on the host
        problem = Problem(printable(where), why, cause, hides=hides, remedy=remedy)
        if problem not in self.problems[-50:]:
            self.problems.append(problem)

    def _log(self, path: str) -> bytes:
        """The write-ahead log of a database; an unfinished change, which the file holds in part, is a problem."""
        from phaseout.parsers.encodings.sqlite_log import JOURNAL

        if self.part(f"{path}-journal", 0, len(JOURNAL)) == JOURNAL:
            why = "in the middle of a change: what is in its journal was not read"
            self.problems.append(Problem(printable(path), why, "damaged", remedy="scan again"))
        return self.read(f"{path}-wal", _IN_MEMORY) or b""

    def _database_problem(self, path: str, error: "sqlite3.Error") -> None:
        cause: Cause = "limit" if getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT" else "damaged"
        self.problems.append(Problem(printable(path), f"{type(error).__name__}: {error}", cause))


def _check_size(node: Node, limit: int) -> None:
    if node.size > limit:
        raise _too_large(limit)


def _too_large(limit: int, where: str = "") -> OSError:
    size = f"{limit // MIB} MiB" if limit >= MIB else f"{limit} bytes"
    return OSError(errno.EFBIG, f"larger than {size}{where}: not read")


def _connection(node: Node, limit: int, log: bytes) -> "sqlite3.Connection":
    """A connection to a copy in memory, which nobody can change or swap; a large database is opened where it lies.

    SQLite opens files by path only, and resolves links such as `/proc/self/fd/3` itself. So a large one must lie where
    users cannot put a FIFO or a device in its place.
    """
    import sqlite3

    from phaseout.parsers.encodings.sqlite_log import is_behind, with_log

    _check_size(node, limit)
    if node.in_image and node.size > _OF_IMAGE:
        raise _too_large(_OF_IMAGE, ", in an image")
    if not node.in_image and node.size > _IN_MEMORY:
        from urllib.parse import quote

        if is_behind(log):
            raise OSError(errno.EFBIG, "too large to be read with its write-ahead log, which holds the last changes")

        path = node.fixed()
        if path is None:
            raise _too_large(_IN_MEMORY, ", in a place that users can change")
        node.open().close()  # that it is a regular file is checked here
        name = quote(path.encode("utf-8", "surrogateescape"))
        return sqlite3.connect(f"file:{name}?mode=ro&immutable=1", uri=True)
    content = node.read(limit + 1)
    if len(content) > limit:
        raise _too_large(limit)
    try:
        data = bytearray(with_log(content, log, limit))
    except ValueError as error:
        raise OSError(errno.EIO, str(error)) from None
    data[18:20] = data[18:20].replace(b"\2", b"\1")  # a copy in memory cannot have a write-ahead log
    connection = sqlite3.connect(":memory:")
    if data:
        connection.deserialize(bytes(data))
    return connection
