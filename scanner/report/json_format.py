"""JSON with everything in it, as `phaseout-report/1` and `phaseout-inventory/1` publish it."""

from collections.abc import Iterator

import msgspec

from scanner.model import Inventory, Report


def report(report: Report, width: int) -> Iterator[str]:
    """The report, indented; empty members are left out."""
    del width
    yield _indented(report)


def inventory(inventory: Inventory, width: int) -> Iterator[str]:
    """The inventory, indented; empty members are left out."""
    del width
    yield _indented(inventory)


def _indented(value: Report | Inventory) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
