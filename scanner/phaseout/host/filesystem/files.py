"""The file system of the target, read with limits and without harm.

Every path is a path of the target (`/var/lib/dpkg/status`), whether the target is the live machine or a folder that
holds one. Links are followed as chroot would: absolute ones restart at the root, `..` stops there. Only regular files
are opened, nothing is read past a limit, and mounts that may hang are not stepped into. What cannot be read becomes
a `Problem` in `Files.problems` and reads as absent.

References:
    path_resolution(7), open(2) (O_NONBLOCK keeps a FIFO from hanging, O_NOATIME leaves no trace).
"""

import errno
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple

from phaseout.model.nouns import Problem

if TYPE_CHECKING:
    import sqlite3

MIB = 1 << 20
_LINKS = 40  # as the kernel's own limit
_DEPTH = 512
_ENTRIES = 100_000
_REMEMBERED = 256  # entries of a folder that is listed once for all sources: homes, /opt, /usr/lib
_FOLDERS = 2_000  # that are remembered so
_ABSENT = frozenset((errno.ENOENT, errno.ENOTDIR))
_KINDS: dict[int, str] = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}
_QUIET = getattr(os, "O_NOATIME", 0)
_IN_THE_CLOUD = 0x00040000 | 0x00400000  # FILE_ATTRIBUTE_RECALL_ON_OPEN, …_ON_DATA_ACCESS: reading would fetch it
_OPEN = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
)

EntryKind = Literal["file", "dir", "link", "other"]


class Entry(NamedTuple):
    """A name in a folder. The kind is the entry's own: a link is a link, wherever it leads."""

    name: str
    kind: EntryKind


class Stat(NamedTuple):
    """What a path leads to: size in bytes, modification time in seconds since 1970, owner, permission bits."""

    kind: EntryKind
    size: int
    mtime: float
    uid: int
    mode: int


class SkippedError(OSError):
    """The path leads into a mount that is not stepped into."""


class Files:
    """Read-only view of a target's files.

    Args:
        root: folder that is the root of the target; `/` for the live machine.
        skipped_mounts: mount point in the target → file system type, for mounts that are not stepped into.
    """

    _separator = "/"

    def __init__(self, root: str = "/", skipped_mounts: Mapping[str, str] | None = None) -> None:
        self.problems: list[Problem] = []
        self._root = root.rstrip("/")
        self._skipped_mounts = dict(skipped_mounts or {})
        self._folders: dict[str, str] = {"": ""}
        self._listed: dict[str, tuple[Entry, ...]] = {}

    def read(self, path: str, limit: int = 16 * MIB) -> bytes | None:
        """The content of a regular file; `None` where there is none, or where a problem says why not."""
        try:
            handle = self._open(path, limit)
        except OSError as error:
            self._report(path, error)
            return None
        try:
            parts: list[bytes] = []
            size = 0
            step = max(os.fstat(handle).st_size + 1, 1 << 16)  # in one piece: joining doubles the time
            while part := os.read(handle, step):
                parts.append(part)
                size += len(part)
                if size > limit:  # grew while being read, or a file of /proc without a size
                    self._report(path, OSError(errno.EFBIG, _too_large(limit)))
                    return None
        except OSError as error:
            self._report(path, error)
            return None
        finally:
            os.close(handle)
        return b"".join(parts)

    def text(self, path: str, limit: int = 4 * MIB) -> str | None:
        """The content of a text file as UTF-8; bytes that are not are spelled out in hexadecimal."""
        data = self.read(path, limit)
        return None if data is None else data.decode("utf-8", "backslashreplace")

    def head(self, path: str, size: int) -> bytes | None:
        """The first `size` bytes of a regular file of any length."""
        return self.part(path, 0, size)

    def part(self, path: str, offset: int, size: int) -> bytes | None:
        """At most `size` bytes from `offset` on of a regular file of any length; none behind its end."""
        try:
            handle = self._open(path, None)
        except OSError as error:
            self._report(path, error)
            return None
        try:
            if offset:
                os.lseek(handle, offset, os.SEEK_SET)
            return os.read(handle, size)
        except OSError as error:
            self._report(path, error)
            return None
        finally:
            os.close(handle)

    def list(self, path: str) -> tuple[Entry, ...]:
        """The entries of a folder by name; none where there is no such folder."""
        entries: list[Entry] = []
        try:
            canonical = self._canonical(path)
            if canonical in self._listed:
                return self._listed[canonical]
            with os.scandir(self._root + canonical or "/") as found:
                for entry in found:
                    if len(entries) >= _ENTRIES:
                        self.problems.append(
                            Problem(_shown(path), f"more than {_ENTRIES} entries: the rest was not listed")
                        )
                        break
                    entries.append(Entry(entry.name, _entry_kind(entry)))
        except OSError as error:
            self._report(path, error)
            return tuple(sorted(entries))
        entries.sort()
        if len(entries) <= _REMEMBERED and len(self._listed) < _FOLDERS:
            self._listed[canonical] = tuple(entries)
        return tuple(entries)

    def stat(self, path: str) -> Stat | None:
        """What the path leads to, links followed; `None` where that is nothing."""
        try:
            found = os.lstat(self._root + self._canonical(path) or "/")
        except OSError as error:
            self._report(path, error)
            return None
        mode = found.st_mode
        kind: EntryKind = "file" if stat.S_ISREG(mode) else "dir" if stat.S_ISDIR(mode) else "other"
        return Stat(kind, found.st_size, found.st_mtime, found.st_uid, stat.S_IMODE(mode))

    def is_file(self, path: str) -> bool:
        """Whether the path leads to a regular file."""
        found = self.stat(path)
        return found is not None and found.kind == "file"

    def is_dir(self, path: str) -> bool:
        """Whether the path leads to a folder."""
        found = self.stat(path)
        return found is not None and found.kind == "dir"

    def exists(self, path: str) -> bool:
        """Whether the path leads to anything."""
        return self.stat(path) is not None

    def gone(self, path: str) -> bool:
        """Whether the path surely leads nowhere. Not where that cannot be told: no permission, a mount left alone."""
        try:
            os.lstat(self._root + self._canonical(path) or "/")
        except OSError as error:
            return error.errno in _ABSENT
        return False

    def link(self, path: str) -> str | None:
        """Where a symbolic link points, as written; `None` where there is no link."""
        head, _, name = path.rstrip("/").rpartition("/")
        try:
            _check_name(path)
            return os.readlink(f"{self._root}{self._canonical(head)}/{name}")
        except OSError as error:
            if error.errno != errno.EINVAL:
                self._report(path, error)
            return None

    def real(self, path: str) -> str | None:
        """The path of the target with all links resolved; `None` where it leads nowhere."""
        try:
            return self._canonical(path) or "/"
        except OSError as error:
            self._report(path, error)
            return None

    def local(self, path: str) -> str | None:
        """Where a path of the target is on the machine that this runs on; `None` where it leads nowhere."""
        try:
            return self._root + self._canonical(path) or "/"
        except OSError as error:
            self._report(path, error)
            return None

    def walk(self, top: str, depth: int, limit: int = 10_000) -> Iterator[tuple[str, tuple[Entry, ...]]]:
        """Folders below `top` with their entries, `depth` levels of them, links not followed.

        Ends with a problem once `limit` entries were seen.
        """
        pending = [(top.rstrip(self._separator), depth)]
        seen = 0
        while pending:
            folder, left = pending.pop()
            entries = self.list(folder or "/")
            seen += len(entries)
            yield folder or "/", entries
            if seen > limit:
                self.problems.append(
                    Problem(_shown(top), f"more than {limit} entries below: the rest was not looked at")
                )
                return
            if left > 1:
                pending += [
                    (f"{folder}{self._separator}{entry.name}", left - 1)
                    for entry in reversed(entries)
                    if entry.kind == "dir"
                ]

    def skipped_mounts_here(self) -> dict[str, str]:
        """The mounts that are not stepped into, by their place on the machine that this runs on."""
        return {self._root + point: kind for point, kind in self._skipped_mounts.items()}

    def open(self, path: str, limit: int = 1024 * MIB) -> BinaryIO | None:
        """A regular file to be read in pieces by somebody who closes it; `None` as in `read`."""
        try:
            return os.fdopen(self._open(path, limit), "rb")
        except OSError as error:
            self._report(path, error)
            return None

    @contextmanager
    def database(self, path: str, limit: int = 1024 * MIB) -> Iterator["sqlite3.Connection | None"]:
        """An SQLite database, opened so that nothing is written beside it; `None` where there is none.

        `immutable` keeps SQLite from locking and from touching the journal; a half-written journal is therefore not
        seen. Queries end after 200 million steps of SQLite's virtual machine (about ten seconds).

        References:
            https://www.sqlite.org/uri.html (mode, immutable), https://www.sqlite.org/c3ref/progress_handler.html
        """
        try:
            os.close(self._open(path, limit))
        except OSError as error:
            self._report(path, error)
            yield None
            return
        import sqlite3
        from urllib.parse import quote

        local = os.path.abspath(self._root + self._canonical(path))
        try:
            connection = sqlite3.connect(f"file:{quote(os.fsencode(local))}?mode=ro&immutable=1", uri=True)
        except sqlite3.Error as error:
            self.problems.append(Problem(_shown(path), str(error)))
            yield None
            return
        steps = iter(range(200))
        connection.set_progress_handler(lambda: next(steps, None) is None, 1_000_000)
        connection.execute("PRAGMA query_only = 1")
        try:
            yield connection
        except sqlite3.Error as error:
            self.problems.append(Problem(_shown(path), f"{type(error).__name__}: {error}"))
        finally:
            connection.close()

    def _open(self, path: str, limit: int | None) -> int:
        canonical = self._canonical(path)
        local = self._root + canonical
        found = os.lstat(local or "/")  # a device is not even opened: that alone may act
        _check(found, limit)
        try:
            handle = os.open(local, _OPEN | _QUIET)
        except PermissionError:  # O_NOATIME is for the owner and for root only
            handle = os.open(local, _OPEN)
        try:
            _check(os.fstat(handle), limit)
        except OSError:
            os.close(handle)
            raise
        return handle

    def _canonical(self, path: str) -> str:
        """The target's path without links; empty for the root. Folders once resolved are remembered."""
        _check_name(path)
        head, _, name = path.rstrip("/").rpartition("/")
        return self._resolve(self._folder(head), name)

    def _folder(self, path: str) -> str:
        """A folder without links; of a path begun like one before, only the rest is looked up."""
        found = self._folders.get(path)
        if found is None:
            head, _, name = path.rpartition("/")
            deep = path.count("/") > _DEPTH
            found = self._resolve("", path) if deep else self._resolve(self._folder(head), name)
            self._folders[path] = found
        return found

    def _resolve(self, start: str, path: str) -> str:
        pending = path.split("/")[::-1]
        here = start
        links = 0
        while pending:
            name = pending.pop()
            if name in ("", "."):
                continue
            if name == "..":
                here = here.rpartition("/")[0]
                continue
            there, found = self._entry(here, name)
            if not stat.S_ISLNK(found.st_mode):
                here = there
                continue
            links += 1
            if links > _LINKS or len(pending) > _DEPTH:
                raise OSError(errno.ELOOP, "too many symbolic links")
            target = os.readlink(self._root + self._on_disk(there))
            if target.startswith("/"):
                here = ""
            pending += target.split("/")[::-1]
        return here

    def _entry(self, here: str, name: str) -> tuple[str, os.stat_result]:
        """What lies in a folder under a name, itself and not what it leads to."""
        there = f"{here}/{name}"
        if there in self._skipped_mounts:
            raise SkippedError(errno.EXDEV, f"{self._skipped_mounts[there]} mount, left alone", there)
        return there, os.lstat(self._root + there)

    def _on_disk(self, path: str) -> str:
        """A path without links, below the root, on the machine that this runs on."""
        return path

    def _report(self, path: str, error: OSError) -> None:
        if error.errno in _ABSENT:
            return
        if isinstance(error, SkippedError):
            problem = Problem(_shown(str(error.filename or path)), error.strerror or "")
        else:
            problem = Problem(_shown(path), _reason(error))
        if problem not in self.problems[-50:]:
            self.problems.append(problem)


def _check(found: os.stat_result, limit: int | None) -> None:
    if sys.platform == "win32" and found.st_file_attributes & _IN_THE_CLOUD:
        raise SkippedError(errno.EXDEV, "kept in the cloud: left alone")
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise OSError(errno.EINVAL, f"not a regular file but {kind}")
    if limit is not None and found.st_size > limit:
        raise OSError(errno.EFBIG, _too_large(limit))


def _too_large(limit: int) -> str:
    return f"larger than {limit // MIB} MiB: not read" if limit >= MIB else f"larger than {limit} bytes: not read"


def _reason(error: OSError) -> str:
    return "permission denied" if isinstance(error, PermissionError) else (error.strerror or str(error))


def _shown(path: str) -> str:
    """A path for a report: names that are not UTF-8 with their bytes spelled out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace") if _encodable(path) else ascii(path)


def _check_name(path: str) -> None:
    if "\0" in path or not (path.isascii() or _encodable(path)):
        raise OSError(errno.ENOENT, "no such name can exist")


def _encodable(path: str) -> bool:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True


def _entry_kind(entry: os.DirEntry[str]) -> EntryKind:
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return "link" if sys.platform == "win32" and is_junction(entry.stat(follow_symlinks=False)) else "dir"
    return "file" if entry.is_file(follow_symlinks=False) else "other"


if sys.platform == "win32":

    def is_junction(found: os.stat_result) -> bool:
        """A folder that stands for another one; Python does not count it among the symbolic links."""
        return found.st_reparse_tag == stat.IO_REPARSE_TAG_MOUNT_POINT
