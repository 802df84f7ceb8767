"""What `scan` and `inventory` share: the options that say what is looked at, and the look itself."""

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeVar

import click

from scanner import __version__
from scanner.host.target import NotAHostError, live_host, offline_host
from scanner.model import Inventory, Platform
from scanner.scan import take_inventory
from scanner.sources import load

_F = TypeVar("_F", bound=Callable[..., Any])
TOOL = f"phaseout {__version__}"


def looking_options(function: _F) -> _F:
    """Adds `--root`, `--os`, `--source` and `--skip-source`."""
    for option in (
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
        click.option("-f", "--format", "format_name", metavar="FORMAT", help="table, csv or json; else FILE's ending."),
    ):
        function = option(function)
    return function


def look(
    root: str | None, platform: Platform | None, only: tuple[str, ...], skip: tuple[str, ...], now: dt.datetime
) -> Inventory:
    """The inventory of the host that the options name.

    Raises:
        click.ClickException: the root is no host, or there is no such source.
    """
    try:
        host = live_host() if root is None else offline_host(root, platform)
    except NotAHostError as error:
        raise click.UsageError(str(error)) from error
    sources = load(host.info.platform)
    names = [source.name for source in sources]
    for name in (*only, *skip):
        if name not in names:
            raise click.UsageError(f"no source {name!r} for {host.info.platform}; there are {', '.join(names)}")
    unwanted = frozenset(name for name in names if name in skip or (only and name not in only))
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return take_inventory(host, sources, scanned_at=moment, tool=TOOL, unwanted=unwanted)


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
