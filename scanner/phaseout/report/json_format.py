"""JSON with everything in it, as `phaseout-report/1` and `phaseout-inventory/1` publish it."""

from collections.abc import Iterator

from phaseout.model.findings import Report
from phaseout.model.nouns import Inventory
from phaseout.report import Page
from phaseout.report.safe import json_text


def write_report(report: Report, _page: Page) -> Iterator[str]:
    """The report, indented; empty members are left out."""
    yield json_text(report, indent=2) + "\n"


def write_inventory(inventory: Inventory, _page: Page) -> Iterator[str]:
    """The inventory, indented; empty members are left out."""
    yield json_text(inventory, indent=2) + "\n"
