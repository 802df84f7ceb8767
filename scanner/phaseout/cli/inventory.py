"""`phaseout inventory`."""

import datetime as dt
import sys

import click

from phaseout.cli import EXIT_INCOMPLETE, EXIT_INTERRUPTED
from phaseout.cli.output import formats, write
from phaseout.cli.scan_options import check_saving, finish_looking, looking_options, output_options, save, start_looking
from phaseout.model.nouns import Platform


@click.command("inventory")
@looking_options
@output_options
def command(
    root: str | None,
    platform: Platform | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    deep: bool,
    modules: bool,
    seconds: float,
    priority: str | None,
    saved: str | None,
    format_name: str | None,
    files: tuple[str, ...],
) -> None:
    """List everything installed and running, without any rules.

    Ends with status 3 if not everything was seen. With --inventory alone nothing is printed.

    \b
    Examples:
      phaseout inventory
      phaseout inventory -f csv -o software.csv
      phaseout inventory --inventory laptop-17.json.gz
    """
    check_saving(saved)
    formats(format_name, files, "inventory")
    look = start_looking(root, platform, only, skip, seconds, priority, deep=deep, modules=modules)
    inventory = finish_looking(look, dt.datetime.now(dt.UTC))
    if saved is not None:
        save(inventory, saved)
    if saved is None or format_name is not None or files:
        write(lambda one, width: one.inventory(inventory, width), format_name, files)
    sys.exit(EXIT_INTERRUPTED if look.interrupted else EXIT_INCOMPLETE if inventory.unseen else 0)
