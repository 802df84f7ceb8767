"""`phaseout inventory`."""

import datetime as dt
import sys

import click

from scanner.cli import EXIT_INCOMPLETE
from scanner.cli.looking import look, looking_options, output_options
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
    format_name: str | None,
    files: tuple[str, ...],
) -> None:
    """List everything installed and running, without any rules.

    Ends with status 3 if not everything was seen.
    """
    formats(format_name, files)
    inventory = look(root, platform, only, skip, dt.datetime.now(dt.UTC))
    write(lambda one, width: one.inventory(inventory, width), format_name, files)
    sys.exit(EXIT_INCOMPLETE if inventory.unseen else 0)
