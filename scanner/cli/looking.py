"""What `scan` and `inventory` share: the options that say what is looked at, and the look itself."""

import datetime as dt
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from scanner import __version__
from scanner.model import Inventory, Platform
from scanner.report import FORMATS
from scanner.scan import WHOLE_SECONDS, CannotLookError, Look
from scanner.worker import Request

_F = TypeVar("_F", bound=Callable[..., Any])
_FORMATS = ", ".join(one.name for one in FORMATS)
TOOL = f"phaseout {__version__}"


def looking_options(function: _F) -> _F:
    """Adds `--root`, `--os`, `--source`, `--skip-source`, `--timeout` and `--priority`."""
    for option in (
        click.option(
            "--priority",
            type=click.Choice(["normal", "low"]),
            help="How much to ask of the machine; normal on a terminal, else low.",
        ),
        click.option(
            "--timeout",
            "seconds",
            type=click.FloatRange(min=0.1),
            default=WHOLE_SECONDS,
            show_default=True,
            help="Seconds for the whole look; what was seen until then is reported as incomplete.",
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
) -> Look:
    """The look that the options ask for, under way."""
    low = priority == "low" or (priority is None and (sys.stdout is None or not sys.stdout.isatty()))
    request = Request(root=root, platform=platform, only=only, skip=skip, low_priority=low)
    return Look(request, whole=seconds)


def finish_looking(look: Look, now: dt.datetime) -> Inventory:
    """What was seen.

    Raises:
        click.UsageError: the root is no host, or there is no such source.
    """
    try:
        return look.inventory(scanned_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"), tool=TOOL)
    except CannotLookError as error:
        raise click.UsageError(str(error)) from error


def parse_as_of(text: str) -> dt.date | dt.datetime:
    """A date, or an instant with offset.

    Raises:
        click.BadParameter: neither of both.
    """
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        pass
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is neither a date (2024-09-29) nor an instant (2024-09-29T00:00:00Z)"
        ) from None
    if moment.tzinfo is None:
        raise click.BadParameter(f"{text!r}: an instant needs its offset, such as {text}Z")
    return moment
