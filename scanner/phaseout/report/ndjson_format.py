"""NDJSON for log shippers: one line for each finding or item, and a last line that sums up.

Every line has `type` (`finding`, `item`, `summary`), `host.name` and `scanned_at`, so that each stands alone; the other
members are those of the published JSON, and `counts` says how many lines came before. No member has two types, which
log stores would refuse. A file without its summary line is not complete.

References:
    https://github.com/ndjson/ndjson-spec (UTF-8, one JSON value a line, each ended by a line feed)
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from phaseout.model.findings import Report
from phaseout.model.nouns import Inventory
from phaseout.report import Page
from phaseout.report.safe import json_text


def write_report(report: Report, _page: Page) -> Iterator[str]:
    """The findings, those that were suppressed (`verdict` says so), and the rest of the report."""
    for finding in (*report.findings, *report.suppressed):
        yield _line("finding", report, msgspec.to_builtins(finding))
    rest = msgspec.to_builtins(msgspec.structs.replace(report, findings=(), suppressed=(), items=0))
    del rest["findings"]
    counts = {"items": report.items, "findings": len(report.findings), "suppressed": len(report.suppressed)}
    yield _line("summary", report, {**rest, "counts": counts})


def write_inventory(inventory: Inventory, _page: Page) -> Iterator[str]:
    """The items, and the rest of the inventory."""
    for item in inventory.items:
        yield _line("item", inventory, msgspec.to_builtins(item))
    rest = msgspec.to_builtins(msgspec.structs.replace(inventory, items=()))
    del rest["items"]
    yield _line("summary", inventory, {**rest, "counts": {"items": len(inventory.items)}})


def _line(kind: str, of: Report | Inventory, members: dict[str, Any]) -> str:
    head = {"type": kind, "host": {"name": of.host.name}, "scanned_at": of.scanned_at}
    return json_text({**head, **members}) + "\n"
