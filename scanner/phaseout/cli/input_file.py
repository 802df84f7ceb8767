"""Opens the inventories and reports that the user names: regular files, pipes and standard input."""

import os
import re
import stat
import sys
from collections.abc import Iterator
from operator import itemgetter
from typing import BinaryIO

from phaseout.fleet.places import Listed, Place
from phaseout.model.nouns import Problem

STDIN = "-"
ENDINGS = (".json", ".ndjson", ".jsonl", ".xml", ".ocs", ".csv", ".tsv", ".log", ".zip")  # taken out of a folder
_LOG = re.compile(r"(?i)\.log(?:[.-]\d{1,14})?(?:\.gz)?$")  # rotated ones as well: osqueryd.results.log.1
# Without waiting, and without a terminal that takes hold of the process.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_LARGE = 16 << 20  # bytes: such a file may hold many hosts


def open_input(path: str) -> BinaryIO:
    """Opens a file without waiting for it, and never a device.

    Raises:
        OSError: it cannot be opened, or is neither a regular file nor a pipe.
    """
    if path == STDIN:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    _check(os.stat(path).st_mode, path)
    handle = os.open(path, _READ)
    try:
        mode = os.fstat(handle).st_mode
        _check(mode, path)
        if hasattr(os, "set_blocking") and not stat.S_ISREG(mode):
            os.set_blocking(handle, True)
        return open(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_input(path: str, limit: int) -> bytes:
    """The content of a file, opened as `open_input` does; of a larger one as much as shows that it is larger.

    Standard input cannot be read twice: it is read whole.

    Raises:
        OSError: it cannot be opened or read, or is neither a regular file nor a pipe.
    """
    if path == STDIN:
        return sys.stdin.buffer.read()
    handle = os.open(path, _READ)
    try:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            with open_input(path) as file:
                return file.read(limit + 1)
        data = os.read(handle, min(state.st_size, limit) + 1)  # one byte more shows whether it grew
        if len(data) == state.st_size:
            return data
        parts, size = [data], len(data)
        while size <= limit and parts[-1] and size != state.st_size:
            parts.append(os.read(handle, limit + 1 - size))
            size += len(parts[-1])
        return b"".join(parts)
    finally:
        os.close(handle)


def places(named: tuple[str, ...]) -> Iterator[Place | Problem]:
    """The files that are meant. A folder stands for those below it whose names end like those of inventories.

    All logs are one place, for the rows of a host may be spread over several of them.
    """
    logs: list[str] = []
    for one in _files(named):
        if isinstance(one, Place) and _LOG.search(one.path):
            logs.append(one.path)
        else:
            yield one
    if logs:
        yield Place(logs[0], alone=len(logs) > 1 or _size(logs[0]) >= _LARGE, also=tuple(logs[1:]))


def listed(named: tuple[str, ...]) -> Iterator[Listed | Problem]:
    """The files that are meant, with size and time, so that a file that has not changed need not be read again."""
    for path in named:
        if path == STDIN:
            yield Listed(path, -1, -1)
            continue
        try:
            state = os.stat(path)
        except OSError as error:
            yield Problem(path, error.strerror or str(error), cause="missing")
            continue
        if not stat.S_ISDIR(state.st_mode):
            yield Listed(os.path.abspath(path), state.st_size, state.st_mtime_ns)
            continue
        yield from _below(os.path.abspath(path))


def _below(folder: str) -> Iterator[Listed | Problem]:
    """Every file below a folder that may hold answers, in the order of their names."""
    folders: list[str] = []
    found: list[Listed] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith("."):
                    continue
                try:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif name.endswith(ENDINGS) or _may_hold(name):
                        state = entry.stat()
                        if stat.S_ISREG(state.st_mode):
                            found.append(Listed(entry.path, state.st_size, state.st_mtime_ns))
                except OSError as error:
                    yield Problem(entry.path, error.strerror or str(error), cause="vanished")
    except OSError as error:
        yield Problem(folder, error.strerror or str(error), cause="error")
    found.sort(key=itemgetter(0))
    yield from found
    for inner in sorted(folders):
        yield from _below(inner)


def _may_hold(name: str) -> bool:
    """Whether a file in a folder may hold answers or inventories."""
    return name.lower().removesuffix(".gz").endswith(ENDINGS) or bool(_LOG.search(name))


def _files(named: tuple[str, ...]) -> Iterator[Place | Problem]:
    for path in named:
        if path == STDIN or not os.path.isdir(path):
            yield Place(path, alone=path == STDIN or _size(path) >= _LARGE)
            continue
        found = False
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(one for one in folders if not one.startswith("."))
            for name in sorted(names):
                if not name.startswith(".") and _may_hold(name):
                    found = True
                    inner = os.path.join(folder, name)
                    yield Place(inner, alone=_size(inner) >= _LARGE)
        if not found:
            why = f"holds no inventory: no file whose name ends with {', '.join(ENDINGS)}, or with .gz behind these"
            yield Problem(path, why, cause="missing")


def _check(mode: int, path: str) -> None:
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        raise OSError(0, "neither a regular file nor a pipe", path)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
