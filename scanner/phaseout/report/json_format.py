"""JSON with everything in it, as `phaseout-report/1` and `phaseout-inventory/1` publish it."""

from collections.abc import Iterator

from phaseout.model.findings import Report
from phaseout.model.nouns import Inventory
from phaseout.report.safe import json_text


def report(report: Report, width: int) -> Iterator[str]:
    """The report, indented; empty members are left out."""
    del width
    yield json_text(report, indent=2) + "\n"


def inventory(inventory: Inventory, width: int) -> Iterator[str]:
    """The inventory, indented; empty members are left out."""
    del width
    yield json_text(inventory, indent=2) + "\n"
