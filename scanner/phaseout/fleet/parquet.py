"""The fleet as Parquet files, for warehouses and for engines that query many of them at once.

Three tables, each with the name of the host, its group and its key beside the facts. `spans` and `held` are partitioned
by the month in which they begin, as Hive names folders, so that a reader takes what it needs.

    hosts.parquet                        every member: its state, newest answer, rules, flags
    spans/month=2026-01/part.parquet     a verdict from `since` to `until`
    held/month=2026-01/part.parquet      a product on a host from `since` to `until`; `ended` if it is gone

References:
    https://parquet.apache.org/docs/file-format/; https://duckdb.org/docs/stable/data/partitioning/hive_partitioning
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from phaseout.fleet.status import Wanted, hosts
from phaseout.fleet.store import Store


class Table(NamedTuple):
    """A table on its way to a file.

    Attributes:
        path: below the folder of the export.
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
        "hosts.parquet",
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
            "products": [len(one.products) for one in members],
        },
    )
    yield from _by_month("spans", _SPAN_COLUMNS, store.rows(_SPANS))
    yield from _by_month("held", _HELD_COLUMNS, store.rows(_HELD))


def _by_month(name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[Table]:
    months: dict[str, list[Sequence[Any]]] = {}
    for row in rows:
        months.setdefault(f"{dt.datetime.fromtimestamp(row[3], dt.UTC):%Y-%m}", []).append(row)
    for month, found in months.items():
        values: dict[str, Sequence[Any]] = {}
        for column, own in zip(columns, zip(*found, strict=True), strict=True):
            values[column] = [_time(one) for one in own] if column in _TIMES else own
        yield Table(f"{name}/month={month}/part.parquet", values)


def encoded(table: Table) -> bytes:
    """The table as a file.

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


def _time(at: int | None) -> dt.datetime | None:
    return None if at is None else dt.datetime.fromtimestamp(at, dt.UTC)


def _instant(text: str) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
