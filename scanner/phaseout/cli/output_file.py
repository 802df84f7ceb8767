"""Writes files whole or not at all, and devices and pipes as they are.

The user may name a place where others can write as well, such as /tmp. What they put there beforehand neither redirects
a report nor leaves a part of itself in it: a link or file is replaced, and so is a pipe that belongs to somebody else.
"""

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterator

from phaseout.model.regex import regex

PRIVATE = 0o600  # reports and inventories name users, paths and command lines
SHARED = 0o666  # less the umask: what holds nothing of a machine, or is read by another account
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
    folder, _ = os.path.split(path)
    beside = os.path.join(folder, f".phaseout-{os.urandom(8).hex()}")  # nobody can guess it and be there first
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), mode)
    try:
        with open(handle, "wb") as file:
            yield file.write
            file.flush()
            os.fsync(handle)
            written = os.fstat(handle)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    if not os.path.samestat(os.lstat(path), written):
        raise OSError(0, "another file was put in its place", path)
