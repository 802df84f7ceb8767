"""`phaseout inventory`."""

import datetime as dt
import sys

import click

from scanner.cli import EXIT_INCOMPLETE, EXIT_INTERRUPTED
from scanner.cli.looking import finish_looking, looking_options, output_options, start_looking
from scanner.cli.output import formats, write
from scanner.model import Platform


@click.command("inventory")
@looking_options
@output_options
def command(
    root: str | None,
    platform: Platform | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    seconds: float,
    priority: str | None,
    format_name: str | None,
    files: tuple[str, ...],
) -> None:
    """List everything installed and running, without any rules.

    Ends with status 3 if not everything was seen.
    """
    formats(format_name, files, "inventory")
    look = start_looking(root, platform, only, skip, seconds, priority)
    inventory = finish_looking(look, dt.datetime.now(dt.UTC))
    write(lambda one, width: one.inventory(inventory, width), format_name, files)
    sys.exit(EXIT_INTERRUPTED if look.interrupted else EXIT_INCOMPLETE if inventory.unseen else 0)
