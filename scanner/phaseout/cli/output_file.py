"""Writes files whole or not at all, and devices and pipes as they are.

The user may name a place where others can write as well, such as /tmp. What they put there beforehand neither redirects
a report nor leaves a part of itself in it: a link or file is replaced, and so is a pipe that belongs to somebody else.
"""

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator

from phaseout.model.regex import regex

PRIVATE = 0o600  # reports and inventories name users, paths and command lines
SHARED = 0o666  # less the umask: what holds nothing of a machine, or is read by another account
_LINKS = 40
_FOLDER = os.O_RDONLY | getattr(os, "O_PATH", 0) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_DESCRIPTOR = regex(r"/dev/(?:(stdout)|(stderr)|fd/(\d{1,6}))|/proc/self/fd/(\d{1,6})")


@contextlib.contextmanager
def writing(path: str, mode: int = PRIVATE) -> Iterator[Callable[[bytes], object]]:
    """Gives the function that takes the content in chunks. The file appears under its name when all of it is there.

    Args:
        path: a file, which is replaced; or a device, a pipe or `/dev/fd/N`, which is written to.
        mode: of a new file, whatever mode the old one had.

    Raises:
        OSError: and then a file is as it was.
    """
    handle = _stream(path)
    if handle is None:
        with _replacing(path, mode) as write:
            yield write
        return
    with open(handle, "wb", buffering=0) as stream:

        def write_all(chunk: bytes) -> None:
            rest = memoryview(chunk)
            while rest:
                rest = rest[stream.write(rest) :]

        yield write_all


def names_stream(path: str) -> bool:
    """Whether the path is a device, a pipe or an open file of this process, so that its ending means nothing."""
    if _DESCRIPTOR.fullmatch(path):
        return True
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def _stream(path: str) -> int | None:
    """An open descriptor of what is written to as it is; `None` for a file."""
    named = _DESCRIPTOR.fullmatch(path) if sys.platform != "win32" else None
    if named:
        out, err, *numbers = named.groups()
        return os.dup(1 if out else 2 if err else int(next(filter(None, numbers))))
    try:
        there = os.lstat(path)
    except OSError:
        return None
    if stat.S_ISREG(there.st_mode) or stat.S_ISLNK(there.st_mode):
        return None
    if not (stat.S_ISCHR(there.st_mode) or stat.S_ISFIFO(there.st_mode)):
        raise OSError(0, "not a file, but a folder, block device or socket", path)
    if sys.platform == "win32":
        return os.open(path, os.O_WRONLY)
    if stat.S_ISFIFO(there.st_mode) and there.st_uid not in (0, os.geteuid()):
        return None
    # Without O_NONBLOCK, a pipe that nobody reads would hold the scan for ever.
    handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC)
    if not os.path.samestat(os.fstat(handle), there):
        os.close(handle)
        raise OSError(0, "it was exchanged while it was opened", path)
    os.set_blocking(handle, True)
    return handle


@contextlib.contextmanager
def _replacing(path: str, mode: int) -> Iterator[Callable[[bytes], object]]:
    folder, name = os.path.split(path)
    beside = f".phaseout-{os.urandom(8).hex()}"  # nobody can guess it and be there first
    with _open_folder(folder) as at:
        if at is None:
            beside, name = os.path.join(folder, beside), path
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), mode, dir_fd=at)
        try:
            with open(handle, "wb") as file:
                yield file.write
                file.flush()
                os.fsync(handle)
                written = os.fstat(handle)
            os.replace(beside, name, src_dir_fd=at, dst_dir_fd=at)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(beside, dir_fd=at)
            raise
        if not os.path.samestat(os.stat(name, dir_fd=at, follow_symlinks=False), written):
            raise OSError(0, "another file was put in its place", path)


@contextlib.contextmanager
def _open_folder(path: str) -> Iterator[int | None]:
    """A folder, opened step by step, so that nobody else decides where a report goes; `None` on Windows.

    Raises:
        OSError: it cannot be opened, or another user's link is on the way.
    """
    if sys.platform == "win32":
        yield None
        return
    rest = [part for part in reversed(path.split("/")) if part]
    handle = os.open("/" if path.startswith("/") else ".", _FOLDER)
    links = 0
    try:
        while rest:
            part = rest.pop()
            found = os.stat(part, dir_fd=handle, follow_symlinks=False)
            if stat.S_ISLNK(found.st_mode):
                links += 1
                if links > _LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
                if found.st_uid not in {0, os.geteuid()}:
                    raise OSError(0, f"{part} is a link of another user", path)
                target = os.readlink(part, dir_fd=handle)
                rest += [part for part in reversed(target.split("/")) if part]
                if not target.startswith("/"):
                    continue
                part = "/"
            inner = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=handle)
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)
