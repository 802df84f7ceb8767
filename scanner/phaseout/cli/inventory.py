"""`phaseout inventory`."""

import datetime as dt
import sys

import click

from phaseout.cli import EXIT_INCOMPLETE, EXIT_INTERRUPTED
from phaseout.cli.output import Outputs, check_saving
from phaseout.cli.output_options import OutputOptions, output_options
from phaseout.cli.scan_options import ScanOptions, scan_options
from phaseout.cli.scanning import start_scan
from phaseout.cli.several_hosts import SeveralHosts
from phaseout.report.several import inventory_chunks


@click.command("inventory")
@scan_options
@output_options("inventory")
def command(
    options: ScanOptions,
    saved: str | None,
    output: OutputOptions,
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
    outputs = Outputs(output, "inventory")
    scan = start_scan(options, quiet=output.quiet)
    outputs.load()
    inventories = [outputs.redacted(inventory) for inventory in scan.inventories(dt.datetime.now(dt.UTC))]
    status = EXIT_INCOMPLETE if any(inventory.unseen for inventory in inventories) else 0
    outputs.save(inventories, saved)
    if saved is None or output.format_name is not None or output.files:
        if len(inventories) == 1:
            outputs.write(lambda form, page: form.write_inventory(inventories[0], page))
        else:
            several = SeveralHosts(outputs)
            for inventory in inventories:
                several.add([inventory_chunks(one.format, inventory, one.page) for one in outputs.all])
            several.end(f"{len(inventories)} hosts.")
    sys.exit(EXIT_INTERRUPTED if scan.interrupted else outputs.status(status))
