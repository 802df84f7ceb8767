"""Writes results: files whole or not at all, devices and pipes straight."""

import contextlib
import io
import os
import stat
import sys
from collections.abc import Callable, Iterator

import click

from phaseout.cli import Failure
from phaseout.report import FORMATS, CannotWriteError, Format, Subject, format_named, format_of_file

STRAIGHT = ("/dev/", "/proc/")
WIDTH = 100  # columns where there is no terminal


def formats(name: str | None, files: tuple[str, ...], subject: Subject = "report") -> list[Format]:
    """The format of each file, or the one for standard output if there are none.

    Raises:
        click.UsageError: no such format, an ending that says nothing, or a format that cannot hold the subject.
    """
    chosen = _chosen(name, files)
    try:
        for one in chosen:
            one.check(subject)
    except CannotWriteError as error:
        raise click.UsageError(str(error)) from error
    return chosen


def _chosen(name: str | None, files: tuple[str, ...]) -> list[Format]:
    if name is not None:
        found = format_named(name)
        if found is None:
            raise click.UsageError(f"-f {name}: no such format; there are {_known()}")
        return [found] * max(1, len(files))
    if not files:
        return [FORMATS[0]]
    chosen: list[Format] = []
    for path in files:
        found = format_of_file(path)
        if found is None and not is_straight(path):
            raise click.UsageError(f"-o {path}: the ending names no format; -f says which: {_known()}")
        chosen.append(found or FORMATS[0])
    return chosen


def write(pieces: Callable[[Format, int], Iterator[str]], name: str | None, files: tuple[str, ...]) -> None:
    """Writes the result in each format to its file, or to standard output.

    Raises:
        Failure: a file could not be written; nothing half-written stays.
    """
    chosen = _chosen(name, files)
    if not files:
        text = pieces(chosen[0], terminal_width())
        to_stdout(chosen[0].coloured(text) if shows_colour() else text)
        return
    for path, one in zip(files, chosen, strict=True):
        try:
            to_file(path, pieces(one, WIDTH))
        except OSError as error:
            raise Failure(f"{path}: {error.strerror or error}: nothing was written there") from error


def to_stdout(pieces: Iterator[str]) -> None:
    """Standard output as UTF-8, whatever the locale; a terminal that cannot show a character gets it written out."""
    write_piece = stdout()
    for piece in pieces:
        write_piece(piece)
    sys.stdout.flush()


def stdout() -> Callable[[str], object]:
    """What takes the pieces of standard output one by one; whoever has the last one flushes."""
    if sys.stdout is None:
        raise Failure("standard output is closed; -o names a file instead")
    if isinstance(sys.stdout, io.TextIOWrapper):
        encoding = sys.stdout.encoding if sys.stdout.isatty() else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace", newline="")
    return sys.stdout.write


def to_file(path: str, pieces: Iterator[str]) -> None:
    """A regular file is written beside its place and renamed over it; a device or pipe is written straight.

    Raises:
        OSError: and then the place is as it was.
    """
    with writing(path) as write_piece:
        for piece in pieces:
            write_piece(piece.encode())


@contextlib.contextmanager
def writing(path: str) -> Iterator[Callable[[bytes], object]]:
    """The same for whoever has its pieces one by one: what is called with each of them.

    Raises:
        OSError: and then the place is as it was.
    """
    if is_straight(path):
        # A pipe that nobody reads must not hold a scan for ever: then opening it says so.
        flags = os.O_WRONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
        if not os.path.abspath(path).startswith(STRAIGHT):
            flags |= getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(path, flags)
        if hasattr(os, "set_blocking"):
            os.set_blocking(handle, True)
        with open(handle, "wb", buffering=0) as device:

            def write_straight(piece: bytes) -> None:
                rest = memoryview(piece)
                while rest:
                    rest = rest[device.write(rest) :]

            yield write_straight
        return
    folder, name = os.path.split(path)
    beside = os.path.join(folder, f".{name}.{os.getpid()}.part")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o666)
    try:
        with open(handle, "wb") as file:
            yield file.write
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def is_straight(path: str) -> bool:
    """Whether the path is something to write into rather than a file to replace.

    A link is replaced, wherever it leads: it may be somebody else's. Those of the system are followed.
    """
    if os.path.abspath(path).startswith(STRAIGHT):
        return True
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISLNK(mode))


def terminal_width() -> int:
    """Columns of the terminal on standard output, or a fixed number where there is none."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or WIDTH
    except (OSError, ValueError, AttributeError):
        return WIDTH


def shows_colour() -> bool:
    """Whether standard output is a terminal that takes colour, and nobody declined it (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or sys.stdout is None:
        return False
    if sys.platform == "win32" and "WT_SESSION" not in os.environ:  # the older console prints escapes as they are
        return False
    return sys.stdout.isatty()


def _known() -> str:
    return ", ".join(one.name for one in FORMATS)
