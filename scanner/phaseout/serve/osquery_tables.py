"""The tables served to osquery, as pure functions from an inventory and its report to rows.

A row maps columns to strings, as osquery's protocol requires; a column that a row lacks is NULL. Control characters in
strings from the machine are escaped, because the result may be shown in a terminal.

References:
    https://osquery.readthedocs.io/en/stable/development/osquery-sdk/ (tables of extensions);
    https://github.com/osquery/osquery/blob/master/osquery/core/tables.cpp (the context of a query)
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from phaseout.model.findings import Finding, Report
from phaseout.model.nouns import Inventory, Item
from phaseout.report.safe import json_text, visible

Row = dict[str, str]
_NO_PROCESS = "-1"  # as in osquery's own tables; for NULL a join would list all processes once more for each row
_EQUALS = 2  # the operators of a constraint are SQLite's
_NUMBERS = {"pid": "BIGINT", "days_left": "INTEGER", "rows": "INTEGER", "items": "INTEGER", "seconds": "DOUBLE"}


class Table(NamedTuple):
    """A table: its columns with their SQL types, and the function that gives its rows."""

    columns: dict[str, str]
    rows: Callable[[Inventory, Report], Iterator[Row]]


def restricted_software(inventory: Inventory, report: Report) -> Iterator[Row]:
    """One row for each item of each finding, suppressed ones included. If there is none, see the coverage."""
    del inventory
    for finding in (*report.findings, *report.suppressed):
        for item, because in zip(finding.items, finding.because, strict=True):
            yield _row({"scanned_at": report.scanned_at, **_finding(finding), **_item(item), "because": because})


def coverage(inventory: Inventory, report: Report) -> Iterator[Row]:
    """One row for each source, and one for each other part of the machine that was not seen."""
    del inventory
    unseen = {one.source: one for one in reversed(report.unseen) if one.source}  # the first of each
    for run in report.runs:
        missing = unseen.get(run.source)
        yield _row(
            {
                "source": run.source,
                "status": run.status,
                "reason": run.reason or (missing.why if missing else ""),
                "remedy": missing.remedy if missing else "",
                "rows": str(run.rows),
                "items": str(run.items),
                "seconds": str(run.seconds),
                "verdict": report.verdict,
                "scanned_at": report.scanned_at,
            }
        )
    for one in report.unseen:
        if not one.source:
            row = {"source": one.what, "status": "partial", "reason": one.why, "remedy": one.remedy}
            yield _row({**row, "verdict": report.verdict, "scanned_at": report.scanned_at})


def items(inventory: Inventory, report: Report) -> Iterator[Row]:
    """One row for each item, of whatever vendor."""
    del report
    for item in inventory.items:
        rest = {
            "vendor": item.vendor,
            "command": item.command,
            "signer": item.signer,
            "ids": json_text(item.ids) if item.ids else "",
            "evidence": item.evidence[0].where if item.evidence else "",
            "scanned_at": inventory.scanned_at,
        }
        yield _row({**_item(item), **rest})


def selected(rows: Iterable[Row], columns: dict[str, str], context: str) -> list[Row]:
    """The rows and columns that a query requests: all that an `=` in its context does not rule out.

    There may be more rows than requested, never fewer: SQLite checks each row again. Strings are compared without
    regard to case, because the query may do so. A context that is not understood selects everything.
    """
    try:
        asked = json.loads(context)
        wanted = {
            str(constraint["name"]): {str(each["expr"]).lower() for each in constraint["list"] if each["op"] == _EQUALS}
            for constraint in asked.get("constraints") or ()
            if isinstance(constraint["list"], list)
        }
        used = frozenset(asked.get("colsUsed") or columns)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return list(rows)
    exact: list[tuple[str, set[str]]] = [
        (name, texts) for name, texts in wanted.items() if len(texts) == 1 and columns.get(name) in {"TEXT", "BIGINT"}
    ]
    return [
        row if used.issuperset(row) else {column: text for column, text in row.items() if column in used}
        for row in rows
        if all(row.get(name, "").lower() in texts for name, texts in exact)
    ]


def _finding(finding: Finding) -> Row:
    driving = finding.driving
    return {
        "verdict": finding.verdict,
        "confidence": finding.confidence,
        "vendor": finding.vendor,
        "product": finding.product,
        "product_id": finding.product_id,
        "measure": driving.id if driving else "",
        "milestone": driving.milestone if driving else "",
        "due": driving.due if driving else "",
        "days_left": str(driving.days_left) if driving and driving.days_left is not None else "",
        "action": finding.action,
        "replacement": finding.replacement,
        "also": " ".join(applied.id for applied in finding.also),
        "begins": driving.begins if driving else "",
    }


def _item(item: Item) -> Row:
    return {
        "state": item.state,
        "version": item.version,
        "kind": item.kind,
        "name": item.name,
        "path": item.path,
        "user": item.user,
        "source": item.source,
        "pid": item.details.get("pid", _NO_PROCESS),
    }


def _row(row: Row) -> Row:
    """Drops numeric columns without a value: "" is not a number."""
    return {column: visible(text) for column, text in row.items() if text or column not in _NUMBERS}


def _columns(names: str) -> dict[str, str]:
    return {name: _NUMBERS.get(name, "TEXT") for name in names.split()}


TABLES = {
    "restricted_software": Table(
        _columns(
            "scanned_at verdict state confidence vendor product product_id version kind name path user source pid "
            "measure milestone due days_left action replacement also because begins"
        ),
        restricted_software,
    ),
    "restricted_software_coverage": Table(
        _columns("source status reason remedy rows items seconds verdict scanned_at"), coverage
    ),
    "phaseout_items": Table(
        _columns(
            "kind name version vendor state path user source pid command signer ids evidence scanned_at",
        ),
        items,
    ),
}
