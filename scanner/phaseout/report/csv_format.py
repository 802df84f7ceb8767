"""CSV for spreadsheets and for merging a fleet into one file.

References:
    RFC 4180. The columns and their order are a contract.
"""

import csv
import io
from collections.abc import Iterable, Iterator

from phaseout.model.findings import Finding, Report
from phaseout.model.nouns import Inventory, Item
from phaseout.report import Page
from phaseout.report.safe import cell

COLUMNS = (
    *("host", "scanned_at", "verdict", "state", "confidence", "vendor", "product", "version", "kind", "name", "path"),
    *("user", "source", "measure", "milestone", "due", "days_left", "action", "replacement", "also", "because"),
)
INVENTORY_COLUMNS = (
    *(
        "host",
        "scanned_at",
        "kind",
        "name",
        "version",
        "vendor",
        "state",
        "path",
        "user",
        "source",
        "command",
        "signer",
    ),
)


def write_report(report: Report, _: Page) -> Iterator[str]:
    """One row for each item of each finding, those that were suppressed included, and the verdict where none is."""
    yield _row(COLUMNS)
    for finding in (*report.findings, *report.suppressed):
        for item, because in zip(finding.items, finding.because, strict=True):
            yield _row(_finding(report, finding, item, because))
    if not report.findings:
        unseen = "; ".join(f"{one.what}: {one.why}" for one in report.unseen)
        yield _row((report.host.name, report.scanned_at, report.verdict, *[""] * 17, unseen))


def write_inventory(inventory: Inventory, _: Page) -> Iterator[str]:
    """One row for each item."""
    yield _row(INVENTORY_COLUMNS)
    for item in inventory.items:
        what = (item.kind, item.name, item.version, item.vendor, item.state, item.path, item.user)
        yield _row((inventory.host.name, inventory.scanned_at, *what, item.source, item.command, item.signer))


def _finding(report: Report, finding: Finding, item: Item, because: str) -> tuple[str | int, ...]:
    driving = finding.driving
    return (
        report.host.name,
        report.scanned_at,
        finding.verdict,
        item.state,
        finding.confidence,
        finding.vendor,
        finding.product,
        item.version,
        item.kind,
        item.name,
        item.path,
        item.user,
        item.source,
        driving.id if driving else "",
        driving.milestone if driving else "",
        driving.day if driving else "",
        driving.days_left if driving and driving.days_left is not None else "",
        finding.action,
        finding.replacement,
        " ".join(applied.id for applied in finding.also),
        because,
    )


def _row(fields: Iterable[str | int]) -> str:
    """Every text is made harmless here, whoever wrote it; a number is ours, and its minus sign no formula."""
    line = io.StringIO()
    csv.writer(line).writerow(cell(field) if isinstance(field, str) else field for field in fields)
    return line.getvalue()
