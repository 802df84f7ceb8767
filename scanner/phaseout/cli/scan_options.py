"""What commands share: options, the look itself, and the line that shows how far it is."""

import datetime as dt
import math
import os
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import click

from phaseout import __version__
from phaseout.cli import Failure
from phaseout.model.nouns import Inventory, Platform
from phaseout.report import FORMATS
from phaseout.scan.messages import Request
from phaseout.scan.supervisor import WHOLE_SECONDS, CannotLookError, Look

_F = TypeVar("_F", bound=Callable[..., Any])
_FORMATS = ", ".join(one.name for one in FORMATS)
_YEARS = 1000, 9998  # every offset needs a day of room on both sides, and RFC 3339 four digits
TOOL = f"phaseout {__version__}"


class _Seconds(click.FloatRange):
    """A number of seconds; `nan` is none, though it is beyond no bound."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"{value!r} is no number of seconds.", param, ctx)
        return seconds


def looking_options(function: _F) -> _F:
    """Adds the options that say what is looked at and how, and `--inventory`."""
    for option in (
        click.option(
            "--inventory",
            "saved",
            metavar="FILE",
            help="Save everything that was seen, to be judged again by `phaseout match`: "
            ".json, .ndjson or .jsonl, each also with .gz.",
        ),
        click.option(
            "--priority",
            type=click.Choice(["normal", "low"]),
            help="How much to ask of the machine; normal on a terminal, else low.",
        ),
        click.option(
            "--timeout",
            "seconds",
            type=_Seconds(min=0.1, max=86_400),
            default=WHOLE_SECONDS,
            show_default=True,
            help="Seconds for the whole look; what was seen until then is reported as incomplete.",
        ),
        click.option(
            "--modules",
            is_flag=True,
            help="List what running processes have loaded, for engines inside other programs.",
        ),
        click.option(
            "--deep",
            is_flag=True,
            help="On Windows: read every program, not the likeliest only, and verify signatures. Takes longer.",
        ),
        click.option(
            "--skip-source", "skip", multiple=True, metavar="NAME", help="Leave out this source (repeatable)."
        ),
        click.option("--source", "only", multiple=True, metavar="NAME", help="Run only this source (repeatable)."),
        click.option(
            "--os",
            "platform",
            type=click.Choice(["linux", "macos", "windows"]),
            help="What the root holds, if its content does not tell.",
        ),
        click.option(
            "--root", metavar="DIR", help="Look at a mounted disk, a chroot or a backup instead of this machine."
        ),
    ):
        function = option(function)
    return function


def rule_options(function: _F) -> _F:
    """Adds `--rules` and `--policy`."""
    for option in (
        click.option("--policy", metavar="FILE", help="Your own roles, waivers, deadlines and replacements."),
        click.option(
            "--rules", "folders", multiple=True, metavar="DIR", help="Rules instead of the shipped ones (repeatable)."
        ),
    ):
        function = option(function)
    return function


def judging_options(function: _F) -> _F:
    """Adds what says by which rules, on which day, and with which status a report ends."""
    for option in (
        click.option(
            "--fail-on",
            type=click.Choice(["review", "replace", "never"]),
            default="review",
            show_default=True,
            help="The least verdict that ends with status 1.",
        ),
        click.option("--as-of", metavar="DATE", help="Count days from this date instead of now."),
        rule_options,
    ):
        function = option(function)
    return function


def output_options(function: _F) -> _F:
    """Adds `-f` and `-o`."""
    for option in (
        click.option("-o", "--output", "files", multiple=True, metavar="FILE", help="Write to FILE (repeatable)."),
        click.option("-f", "--format", "format_name", metavar="FORMAT", help=f"{_FORMATS}; else FILE's ending."),
    ):
        function = option(function)
    return function


def start_looking(
    root: str | None,
    platform: Platform | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    seconds: float,
    priority: str | None,
    *,
    deep: bool,
    modules: bool,
) -> Look:
    """The look that the options ask for, under way.

    Raises:
        click.UsageError: this system does not tell what was asked for.
    """
    if modules and root is None and sys.platform == "darwin":
        raise click.UsageError("--modules: macOS does not tell what a process has loaded")
    low = priority == "low" or (priority is None and (sys.stdout is None or not sys.stdout.isatty()))
    request = Request(root=root, platform=platform, only=only, skip=skip, low_priority=low, deep=deep, modules=modules)
    return Look(request, whole=seconds, progress=Progress() if Progress.shown() else None)


def finish_looking(look: Look, now: dt.datetime) -> Inventory:
    """What was seen.

    Raises:
        click.UsageError: the root is no host, or there is no such source.
    """
    try:
        return look.inventory(scanned_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"), tool=TOOL)
    except CannotLookError as error:
        raise click.UsageError(str(error)) from error
    finally:
        Progress.erase()


def check_saving(path: str | None) -> None:
    """Whether an inventory can be saved under that name, before the look.

    Raises:
        click.UsageError: the ending says nothing.
    """
    if path is None:
        return
    from phaseout.inventories.saved import ENDINGS

    if not path.lower().removesuffix(".gz").endswith(ENDINGS):
        endings = ", ".join((*ENDINGS, *(f"{ending}.gz" for ending in ENDINGS)))
        raise click.UsageError(f"--inventory {path}: the ending says how it is written; there are {endings}")


def save(inventory: Inventory, path: str) -> None:
    """Saves what was seen.

    Raises:
        Failure: the file cannot be written; nothing half-written stays.
    """
    from phaseout.cli.output import writing
    from phaseout.inventories.saved import write

    plain = path.lower().removesuffix(".gz")
    ending = plain[plain.rindex(".") :] + path.lower()[len(plain) :]
    try:
        with writing(path) as write_piece:
            for piece in write(inventory, ending):
                write_piece(piece)
    except OSError as error:
        raise Failure(f"{path}: {error.strerror or error}: nothing was written there") from error


class Progress:
    """One line on a terminal's standard error for a look that takes longer than a person likes to wait."""

    _PATIENCE = 0.5  # seconds
    _line = 0  # columns that are to be erased

    def __init__(self) -> None:
        self._from = time.monotonic() + self._PATIENCE

    def __call__(self, done: int, planned: int, title: str) -> None:
        """Shows how far it is."""
        if time.monotonic() >= self._from and title:
            self.show(f"{done} of {planned} sources: {title}")

    @classmethod
    def show(cls, text: str) -> None:
        """Shows a line in place of the one before it."""
        try:
            width = os.get_terminal_size(sys.stderr.fileno()).columns - 1
        except (OSError, ValueError):
            width = 0
        width = width if width > 0 else 79
        text = text[:width]
        sys.stderr.write(f"\r{text:<{min(cls._line, width)}}")
        sys.stderr.flush()
        Progress._line = len(text)

    @classmethod
    def erase(cls) -> None:
        """Takes the line away; harmless if there is none."""
        if cls._line:
            sys.stderr.write(f"\r{'':<{cls._line}}\r")
            sys.stderr.flush()
            Progress._line = 0

    @staticmethod
    def shown() -> bool:
        """Whether somebody sits at a terminal."""
        return sys.stderr is not None and sys.stderr.isatty()


def counted_from(as_of: str | None) -> dt.date | dt.datetime:
    """The date or instant that days are counted from: what the user names, else now.

    Raises:
        click.BadParameter: it is neither, or none to count from.
    """
    if not as_of:
        return dt.datetime.now(dt.UTC)
    moment = _moment(as_of)
    if isinstance(moment, dt.datetime) and moment.tzinfo is None:
        raise click.BadParameter(f"{as_of!r}: an instant needs its offset, such as {as_of}Z")
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        raise click.BadParameter(f"{as_of!r}: the year must lie between {_YEARS[0]} and {_YEARS[1]}")
    return moment


def _moment(text: str) -> dt.date | dt.datetime:
    for read in (dt.date.fromisoformat, dt.datetime.fromisoformat):
        try:
            return read(text)
        except ValueError:
            continue
    raise click.BadParameter(f"{text!r} is neither a date (2024-09-29) nor an instant (2024-09-29T00:00:00Z)")
