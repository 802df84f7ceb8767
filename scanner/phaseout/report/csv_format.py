"""CSV for spreadsheets and for merging a fleet into one file.

References:
    RFC 4180. The columns and their order are a contract.
"""

import csv
import io
from collections.abc import Iterable, Iterator

from phaseout.model.findings import Finding, Report
from phaseout.model.nouns import Inventory, Item
from phaseout.parsers.encodings.identity import host_id
from phaseout.report import Page
from phaseout.report.safe import cell
from phaseout.report.wording import grouped, rules_used

COLUMNS = (
    *("host", "scanned_at", "verdict", "state", "confidence", "vendor", "product", "version", "kind", "name", "path"),
    *("user", "source", "measure", "milestone", "due", "days_left", "action", "replacement", "also", "because"),
    *("host_id", "rules", "begins", "as_of", "protection", "cautions"),
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


def write_report(report: Report, _page: Page) -> Iterator[str]:
    """One row for each item of each finding, suppressed ones included, and one with the verdict if nothing was found.

    The last columns came later: which host, by which rules and as of which day it was judged, and from when on the
    measure is in force if it is not yet; whether something protects the host; and what to know before relying on this.
    """
    protected = report.protection.state if report.protection is not None else ""
    cautions = "; ".join(report.rules.cautions)
    about = (host_id(report.host), rules_used(report))
    yield _HEADING
    for finding in (*report.findings, *report.suppressed):
        for item, because in zip(finding.items, finding.because, strict=True):
            begins = finding.driving.begins if finding.driving else ""
            yield _row((*_finding(report, finding, item, because), *about, begins, report.as_of, protected, cautions))
    if not report.findings:
        unseen = "; ".join(map(str, grouped(report.unseen)))
        host = (report.host.name, report.scanned_at, report.verdict, *[""] * 17, unseen)
        yield _row((*host, *about, "", report.as_of, protected, cautions))


def write_inventory(inventory: Inventory, _page: Page) -> Iterator[str]:
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
    """A row. Every string cell is escaped; integers are ours, so a leading minus is not a formula."""
    line = io.StringIO()
    csv.writer(line).writerow([cell(field) if field and isinstance(field, str) else field for field in fields])
    return line.getvalue()


_HEADING = _row(COLUMNS)  # of every host of a fleet
