"""Writes a result in the formats that were asked for, each to its file or to standard output."""

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import click
from msgspec import Struct

from phaseout.cli import EXIT_WRONG_USE, Failure
from phaseout.cli.interruption import interruptible
from phaseout.cli.output_file import PRIVATE, SHARED, names_stream, writing
from phaseout.cli.output_options import Colour, OutputOptions
from phaseout.model.rules import Defaults
from phaseout.report import FORMATS, CannotWriteError, Format, Page, Subject, format_named, format_of_file

if TYPE_CHECKING:
    from phaseout.model.nouns import Inventory

STDOUT = "-"
WIDTH = 100  # columns where there is no terminal
_Value = TypeVar("_Value", bound=Struct)
Write = Callable[[Format, Page], Iterator[str]]


class Output:
    """One format on its way to its place."""

    def __init__(self, path: str, form: Format, page: Page) -> None:
        self.path = path
        self.format = form
        self.page = page
        self.failed = False
        self._stack = contextlib.ExitStack()
        self._write: Callable[[str], object] | None = None

    def add(self, chunks: Iterator[str]) -> None:
        """Writes a part of the text. If that fails the user hears of it, and nothing more is written there."""
        if self.failed:
            return
        with self._caught():
            if self._write is None:
                self._write = self._stack.enter_context(_text(self.path, SHARED if self.format.shared else PRIVATE))
            for chunk in chunks:
                self._write(chunk)

    def end(self) -> None:
        """Brings the file to its place."""
        with self._caught():
            self._stack.close()

    def abandon(self) -> None:
        """Leaves the place as it was."""
        with contextlib.suppress(_AbandonedError):
            self._stack.__exit__(_AbandonedError, _AbandonedError(), None)

    @contextlib.contextmanager
    def _caught(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001  (what one format meets must not cost the others)
            self.failed = True
            self.abandon()
            _complain(self.path, error)
        except BaseException:
            self.abandon()
            raise


class _AbandonedError(Exception):
    pass


class Outputs:
    """All outputs of a command. One that fails does not cost the others, but the command ends with status 2."""

    def __init__(self, options: OutputOptions, subject: Subject, defaults: Defaults | None = None) -> None:
        """Chooses the formats.

        Args:
            options: of the command line; without a file, standard output is meant.
            subject: what will be written.
            defaults: of the operator, for what the command line leaves open.

        Raises:
            click.UsageError: nothing could be written at all; what is wrong with single files is said at once.
        """
        self.failed = False
        self._redact = options.redact
        self.all: list[Output] = []
        wrong: list[str] = []
        files, usual = options.files, ""
        if defaults and options.format_name is None:
            files, usual = files or defaults.output, defaults.format
        for path in files or (STDOUT,):
            try:
                form = _format(options.format_name, path, usual)
                form.check(subject)
                page = _terminal(options.colour) if path == STDOUT else Page(WIDTH)
                self.all.append(Output(path, form, page._replace(detail=options.detail)))
            except CannotWriteError as error:
                wrong.append(str(error))
        if not self.all:
            raise click.UsageError("\n".join(dict.fromkeys(wrong)))
        for why in wrong:
            self.failed = True
            click.echo(f"Error: {why}", err=True)

    def load(self) -> None:
        """Loads what writes the formats, for the time in which a scan waits for its worker."""
        with contextlib.suppress(Exception):  # what is wrong with one is said when it is written
            for output in self.all:
                output.format.load()

    def redacted(self, value: _Value) -> _Value:
        """The value as it may be written."""
        if not self._redact:
            return value
        from phaseout.report.redact import redacted

        return redacted(value, self._redact)

    def write(self, write: Write) -> None:
        """Writes the whole text of each format."""
        with interruptible():
            for output in self.all:
                output.add(_late(write, output))
                output.end()

    def save(self, inventories: "Iterable[Inventory]", path: str | None) -> None:
        """Saves what was seen, one host after the other, if a path is given."""
        if path is None:
            return
        from phaseout.inventories.saved import write

        try:
            with interruptible(), writing(path) as write_chunk:
                for inventory in inventories:
                    for chunk in write(inventory, _saved_ending(path)):
                        write_chunk(chunk)
        except OSError as error:
            self.failed = True
            _complain(path, error)

    def status(self, status: int) -> int:
        """The exit status of the command: `status`, or 2 if something could not be written."""
        return EXIT_WRONG_USE if self.failed or any(output.failed for output in self.all) else status


def _late(write: Write, output: Output) -> Iterator[str]:
    """The text; a format that cannot even begin fails where it is written."""
    yield from write(output.format, output.page)


def check_saving(path: str | None) -> None:
    """Checks before the scan that an inventory can be saved under that name.

    Raises:
        click.UsageError: its ending names no format of saved inventories.
    """
    if path is None:
        return
    from phaseout.inventories.saved import ENDINGS

    if not path.lower().removesuffix(".gz").endswith(ENDINGS):
        endings = ", ".join((*ENDINGS, *(f"{ending}.gz" for ending in ENDINGS)))
        raise click.UsageError(f"--inventory {path}: the ending says how it is written; there are {endings}")


def write_file(path: str, text: Iterator[str], mode: int = PRIVATE) -> None:
    """Writes one file, or standard output for `-`.

    Raises:
        Failure: it could not be written, and is as it was.
    """
    try:
        with interruptible(), _text(path, mode) as write:
            for chunk in text:
                write(chunk)
    except OSError as error:
        if path == STDOUT:
            raise
        raise Failure(_said(path, error)) from error


def _format(name: str | None, path: str, usual: str) -> Format:
    if name is not None:
        return format_named(name)
    found = format_of_file(path)
    if found is None and path != STDOUT and not names_stream(path):
        known = ", ".join(one.name for one in FORMATS)
        raise CannotWriteError(f"-o {path}: the ending names no format; -f says which: {known}")
    return found or format_named(usual or FORMATS[0].name)


def _complain(path: str, error: Exception) -> None:
    if path == STDOUT and isinstance(error, BrokenPipeError):
        return  # the reader has seen enough
    with contextlib.suppress(OSError):
        click.echo(f"Error: {_said(path, error)}", err=True)


def _said(path: str, error: Exception) -> str:
    why = (error.strerror or str(error)) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
    return f"standard output: {why}" if path == STDOUT else f"{path}: {why}: nothing was written there"


@contextlib.contextmanager
def _text(path: str, mode: int) -> Iterator[Callable[[str], object]]:
    """Gives the function that takes text for a file, as UTF-8, or for standard output."""
    if path != STDOUT:
        with writing(path, mode) as write:
            yield lambda chunk: write(chunk.encode())
        return
    if sys.stdout is None:
        raise OSError(0, "closed; -o names a file instead")
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that cannot show a character gets it written out
        encoding = sys.stdout.encoding if sys.stdout.isatty() else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace", newline="")
    yield sys.stdout.write
    sys.stdout.flush()


def _saved_ending(path: str) -> str:
    """The ending that says how an inventory is saved, `.json` to `.jsonl.gz`, in lower case."""
    lower = path.lower()
    plain = lower.removesuffix(".gz")
    return lower[plain.rindex(".") :]


def terminal_width(path: str) -> int:
    """The columns that a text for that place may take."""
    return _terminal().width if path == STDOUT else WIDTH


def say(text: str) -> None:
    """Prints each line of a text as a paragraph that fits the terminal; a pipe gets it whole, so it can be searched."""
    from phaseout.report.columns import paragraph
    from phaseout.report.safe import visible

    width = _fitting()
    for line in text.split("\n"):
        click.echo("".join(paragraph(visible(line), width)) if width else visible(line), nl=not width)


def say_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table that fits the terminal; in a pipe each row is one line, so that it can be searched."""
    from phaseout.report.columns import table
    from phaseout.report.safe import visible

    shown = [[visible(cell) for cell in row] for row in rows]
    for line in table(header, shown, _fitting() or sys.maxsize):
        click.echo(line, nl=False)


def _fitting() -> int:
    """The columns that lines must fit, or 0 if nobody sees them in columns."""
    from phaseout.report.columns import clamped

    seen = os.environ.get("COLUMNS", "").isdecimal() or (sys.stdout is not None and sys.stdout.isatty())
    return clamped(terminal_width(STDOUT)) if seen else 0


def _terminal(colour: Colour = "auto") -> Page:
    """The page that standard output is; COLUMNS counts more than what the terminal says, as elsewhere."""
    columns = os.environ.get("COLUMNS", "")
    try:
        width = int(columns) if columns.isdecimal() else os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError, AttributeError):
        width = 0
    return Page(width or WIDTH, colour=_shows_colour() if colour == "auto" else colour == "always")


def _shows_colour() -> bool:
    """Whether standard output is a terminal that takes colour, or somebody wants it.

    References:
        https://no-color.org; https://force-color.org
    """
    if os.environ.get("NO_COLOR") or sys.stdout is None:
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    if os.environ.get("TERM") == "dumb":
        return False
    if sys.platform == "win32" and "WT_SESSION" not in os.environ:  # the older console prints escapes as they are
        return False
    return sys.stdout.isatty()
