"""JSON with everything in it, as `phaseout-report/1` and `phaseout-inventory/1` publish it.

The lists that a host can make long are written in pieces, so that the text is never in memory as a whole.
"""

from collections.abc import Iterator, Sequence

import msgspec

from phaseout.model.findings import Report
from phaseout.model.nouns import Inventory
from phaseout.report import Page
from phaseout.report.safe import json_text

_PIECE = 256  # items that are written together


def write_report(report: Report, _page: Page) -> Iterator[str]:
    """The report, indented; empty members are left out."""
    rest = json_text(msgspec.structs.replace(report, findings=(), suppressed=()), indent=2)
    before, after = _around(rest, "findings")
    yield before
    yield from _listed("findings", report.findings, 1)
    if report.suppressed:
        yield ",\n"
        yield from _listed("suppressed", report.suppressed, 1)
    yield after + "\n"


def write_inventory(inventory: Inventory, _page: Page) -> Iterator[str]:
    """The inventory, indented; empty members are left out."""
    before, after = _around(json_text(msgspec.structs.replace(inventory, items=()), indent=2), "items")
    yield before
    yield from _listed("items", inventory.items, _PIECE)
    yield after + "\n"


def _around(text: str, member: str) -> tuple[str, str]:
    """What stands before and behind an empty list of the outermost object: no string has a line end in it."""
    before, _, after = text.partition(f'\n  "{member}": []')
    return before + "\n", after


def _listed(member: str, values: Sequence[object], piece: int) -> Iterator[str]:
    """A member with a list of objects, as it would stand in the whole."""
    if not values:
        yield f'  "{member}": []'
        return
    yield f'  "{member}": [\n'
    for at in range(0, len(values), piece):
        text = json_text(values[at : at + piece], indent=2)  # its first and last line are the brackets
        yield (",\n" if at else "") + "\n".join(f"  {line}" for line in text.split("\n")[1:-1])
    yield "\n  ]"
