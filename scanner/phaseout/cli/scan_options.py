"""The options that commands share, and what their values mean."""

import datetime as dt
import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, get_args

import click

from phaseout.cli.choices import OneOf, source_names
from phaseout.cli.rule_folders import rule_folder_options
from phaseout.model.nouns import Platform
from phaseout.model.quoting import quoted
from phaseout.model.rules import FailOn
from phaseout.scan import WHOLE_SECONDS

_F = TypeVar("_F", bound=Callable[..., Any])
SYSTEMS = ("linux", "macos", "windows")  # that a scan can read
_SOURCE = OneOf(source_names, "source")
_YEARS = 1000, 9998  # every offset needs a day of room on both sides, and RFC 3339 four digits


class _Seconds(click.FloatRange):
    """A number of seconds. Rejects NaN, which click's range check accepts."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"{quoted(value)} is not a number of seconds.", param, ctx)
        return seconds


class ScanOptions(NamedTuple):
    """What is scanned and how, as the command line says it."""

    root: str | None
    image: str | None
    platform: Platform | None
    only: tuple[str, ...]
    skip: tuple[str, ...]
    deep: bool
    modules: bool
    hardware_ids: bool
    mask: bool
    seconds: float
    priority: str | None


def scan_options(function: _F) -> _F:
    """Adds the options that say what is scanned and how, which the command gets as `options`, and `--inventory`."""

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> Any:
        options = ScanOptions(**{name: kwargs.pop(name) for name in ScanOptions._fields})
        return function(*args, options=options, **kwargs)

    for option in (
        click.option(
            "--inventory",
            "saved",
            metavar="FILE",
            help="Save everything that was seen, so that `phaseout match` can judge it again: "
            ".json, .ndjson or .jsonl, each also with .gz.",
        ),
        click.option(
            "--priority",
            type=OneOf(("normal", "low")),
            help="Priority of the scan among other programs; by default normal on a terminal, else low.",
        ),
        click.option(
            "--timeout",
            "seconds",
            type=_Seconds(min=0, max=86_400),
            default=WHOLE_SECONDS,
            show_default=True,
            help="Seconds for the whole scan; after that, what was seen is reported as incomplete.",
        ),
        click.option(
            "--no-mask",
            "mask",
            flag_value=False,
            default=True,
            help="Keep passwords and tokens in command lines; by default they are masked.",
        ),
        click.option(
            "--no-hardware-ids",
            "hardware_ids",
            is_flag=True,
            flag_value=False,
            default=True,
            help="Leave serial number and SMBIOS UUID out of inventory and report.",
        ),
        click.option(
            "--modules",
            is_flag=True,
            help="List what running processes have loaded, to find engines inside other programs.",
        ),
        click.option(
            "--deep",
            is_flag=True,
            help="On Windows: read every program, not only the likeliest, and verify signatures. Takes longer.",
        ),
        click.option(
            "--skip-source", "skip", multiple=True, metavar="NAME", type=_SOURCE, help="Skip this source (repeatable)."
        ),
        click.option(
            "--source", "only", multiple=True, metavar="NAME", type=_SOURCE, help="Run only this source (repeatable)."
        ),
        click.option(
            "--os",
            "platform",
            type=OneOf(SYSTEMS, "system"),
            help="The system of the root, if its content does not show it.",
        ),
        click.option(
            "--image",
            metavar="FILE[:PART]",
            help="Scan a disk or container image in a file; PART is a volume, or one of several images; behind @, "
            "a shadow copy of a Windows volume.",
        ),
        click.option(
            "--root", metavar="DIR", help="Scan a mounted disk, a chroot or a backup instead of this machine."
        ),
    ):
        command = option(command)
    return command  # type: ignore[return-value]


def rule_options(function: _F) -> _F:
    """Adds `--rules`, `--only-rules` and `--policy`."""
    policy = click.option("--policy", metavar="FILE", help="Your own roles, waivers, deadlines and replacements.")
    return rule_folder_options(policy(function))


def judging_options(function: _F) -> _F:
    """Adds the options of judging: the rules, the day, and the exit status."""
    for option in (
        click.option(
            "--fail-on",
            type=OneOf(get_args(FailOn), "verdict"),
            help="The weakest verdict that ends with status 1; by default review.",
        ),
        click.option("--as-of", metavar="DATE", help="Count days from this date instead of today."),
        rule_options,
    ):
        function = option(function)
    return function


def counted_from(as_of: str | None) -> dt.date | dt.datetime:
    """The date or instant that days are counted from: the one that the user names, else now.

    Raises:
        click.BadParameter: it is neither, or lies beyond all calendars.
    """
    if not as_of:
        return dt.datetime.now(dt.UTC)
    moment = _moment(as_of)
    if isinstance(moment, dt.datetime) and moment.tzinfo is None:
        raise click.BadParameter(f"{quoted(as_of)}: an instant needs its offset, such as {as_of}Z")
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        raise click.BadParameter(f"{quoted(as_of)}: the year must lie between {_YEARS[0]} and {_YEARS[1]}")
    return moment


def _moment(text: str) -> dt.date | dt.datetime:
    for read in (dt.date.fromisoformat, dt.datetime.fromisoformat):
        try:
            return read(text)
        except ValueError:
            continue
    raise click.BadParameter(f"{quoted(text)} is neither a date (2024-09-29) nor an instant (2024-09-29T00:00:00Z)")
