"""The fleet as tables in Parquet or CSV, for warehouses and for engines that query many files at once.

Three tables, each with the name of the host, its group and its key beside the facts. `spans` and `held` are partitioned
by the month in which they begin, as Hive names folders, so that a reader takes what it needs.

    hosts.parquet                        every member: its state, newest answer, rules, flags
    spans/month=2026-01/part.parquet     a verdict from `since` to `until`
    held/month=2026-01/part.parquet      a product on a host from `since` to `until`; `ended` if it is gone

References:
    https://parquet.apache.org/docs/file-format/; https://duckdb.org/docs/stable/data/partitioning/hive_partitioning
"""

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from phaseout.fleet.status import Wanted, hosts
from phaseout.fleet.store import Store
from phaseout.report.safe import cell


class Table(NamedTuple):
    """A table on its way to a file.

    Attributes:
        path: below the folder of the export, without the ending.
        columns: name → values.
    """

    path: str
    columns: Mapping[str, Sequence[Any]]


_SPANS = (
    "SELECT span.host, host.name, coalesce(asset.part, '') AS part, span.since,"
    " coalesce(span.until, host.last) AS until, span.next, span.verdict FROM span JOIN host ON host.id = span.host"
    " LEFT JOIN asset ON asset.host = host.id AND NOT asset.retired GROUP BY span.host, span.since ORDER BY span.since"
)
_HELD = (
    "SELECT held.host, host.name, coalesce(asset.part, '') AS part, held.since,"
    " coalesce(held.until, host.last) AS until, held.ended, held.first, held.origin,"
    " subject.product_id, subject.product, subject.vendor_id, subject.vendor, subject.verdict, subject.state,"
    " subject.measure, subject.milestone, subject.due"
    " FROM held JOIN host ON host.id = held.host JOIN subject ON subject.id = held.subject"
    " LEFT JOIN asset ON asset.host = host.id AND NOT asset.retired"
    " GROUP BY held.host, held.subject, held.since ORDER BY held.since"
)
_SPAN_COLUMNS = ("host", "name", "group", "since", "until", "next", "verdict")
_HELD_COLUMNS = (
    *("host", "name", "group", "since", "until", "ended", "first", "origin", "product_id", "product", "vendor_id"),
    *("vendor", "verdict", "state", "measure", "milestone", "due"),
)
_TIMES = frozenset(("since", "until", "next", "ended", "first"))


def tables(store: Store, now: dt.datetime, valid: int) -> Iterator[Table]:
    """The tables, each whole.

    Args:
        store: the fleet.
        now: the moment at which states are shown.
        valid: days after which a host without an answer is silent.
    """
    members = list(hosts(store, now, Wanted(), valid))
    yield Table(
        "hosts",
        {
            "name": [one.name for one in members],
            "state": [one.state for one in members],
            "listed": [one.listed for one in members],
            "group": [one.group for one in members],
            "role": [one.role for one in members],
            "owner": [one.owner for one in members],
            "platform": [one.platform for one in members],
            "os": [one.os for one in members],
            "serial": [one.serial for one in members],
            "last_answer": [_instant(one.last_answer) for one in members],
            "verdict": [one.verdict for one in members],
            "rules_of": [one.rules_of for one in members],
            "tool": [one.tool for one in members],
            "flags": [" ".join(one.flags) for one in members],
            "protection": [one.protection for one in members],
            "products": [len(one.products) for one in members],
        },
    )
    yield from _by_month(spans(store))
    yield from _by_month(held(store))


def spans(store: Store) -> Table:
    """Every verdict on every host, from the first to the last answer that gives it."""
    return _table("spans", _SPAN_COLUMNS, store.rows(_SPANS))


def held(store: Store) -> Table:
    """Every product on every host, those that are gone as well."""
    return _table("held", _HELD_COLUMNS, store.rows(_HELD))


def _by_month(table: Table) -> Iterator[Table]:
    """Its rows by the month in which they begin."""
    months: dict[str, list[int]] = {}
    for number, since in enumerate(table.columns["since"]):
        months.setdefault(f"{since:%Y-%m}", []).append(number)
    for month, rows in months.items():
        columns = {name: [values[row] for row in rows] for name, values in table.columns.items()}
        yield Table(f"{table.path}/month={month}/part", columns)


def _table(name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    values = zip(*rows, strict=True) if rows else [()] * len(columns)
    return Table(
        name,
        {
            column: [_time(one) for one in own] if column in _TIMES else list(own)
            for column, own in zip(columns, values, strict=True)
        },
    )


def as_parquet(table: Table) -> bytes:
    """The table as a file of Parquet.

    Raises:
        ImportError: pyarrow is not installed; the extra `fleet` brings it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    stamp = pa.timestamp("s", tz="UTC")
    arrays = {
        name: pa.array(values, stamp) if name in _TIMES or name == "last_answer" else pa.array(values)
        for name, values in table.columns.items()
    }
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(arrays), sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def as_csv(table: Table) -> bytes:
    """The table as CSV in UTF-8: times as RFC 3339, no value as an empty field, nothing that a spreadsheet computes."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(table.columns)
    writer.writerows(map(_field, row) for row in zip(*table.columns.values(), strict=True))
    return text.getvalue().encode("utf-8", "backslashreplace")


def _field(value: object) -> object:
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return cell(value) if isinstance(value, str) else value


def _time(at: int | None) -> dt.datetime | None:
    return None if at is None else dt.datetime.fromtimestamp(at, dt.UTC)


def _instant(text: str) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
