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
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from phaseout.fleet.status import HostLine, HostProduct, Wanted, hosts
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
HOST_COLUMNS = (
    *("name", "state", "listed", "group", "role", "owner", "platform", "os", "serial", "last_answer", "verdict"),
    *("vendor", "product", "product_verdict", "product_state", "since", "last_seen", "origin", "versions", "users"),
    *("paths", "measure", "milestone", "due", "action", "replacement", "rules_of", "tool", "flags", "unseen"),
    *("cautions", "evidence", "rules", "protection"),
)
_HOST_COLUMNS = (
    *("name", "state", "listed", "group", "role", "owner", "platform", "os", "serial", "last_answer", "verdict"),
    *("rules_of", "tool", "flags", "protection"),
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
    columns = {name: [_VALUES[name](one, _NOTHING) for one in members] for name in _HOST_COLUMNS}
    yield Table("hosts", {**columns, "products": [len(one.products) for one in members]})
    yield from _by_month(spans(store))
    yield from _by_month(held(store))


def spans(store: Store) -> Table:
    """Every verdict on every host, from the first to the last answer that gives it."""
    return table_of("spans", _SPAN_COLUMNS, map(_with_times(_SPAN_COLUMNS), store.rows(_SPANS)))


def held(store: Store) -> Table:
    """Every product on every host, those that are gone as well."""
    return table_of("held", _HELD_COLUMNS, map(_with_times(_HELD_COLUMNS), store.rows(_HELD)))


def _by_month(table: Table) -> Iterator[Table]:
    """Its rows by the month in which they begin."""
    months: dict[str, list[int]] = {}
    for number, since in enumerate(table.columns["since"]):
        months.setdefault(f"{since:%Y-%m}", []).append(number)
    for month, rows in months.items():
        columns = {name: [values[row] for row in rows] for name, values in table.columns.items()}
        yield Table(f"{table.path}/month={month}/part", columns)


def table_of(name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """The table that some rows are."""
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return Table(name, dict(zip(columns, values, strict=True)))


def _with_times(columns: Sequence[str]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """What makes times of the seconds in a row of the store."""
    times = [column in _TIMES for column in columns]

    def timed(row: Sequence[Any]) -> Sequence[Any]:
        return [_time(one) if is_time else one for one, is_time in zip(row, times, strict=True)]

    return timed


def host_rows(hosts: Iterable[HostLine], columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """A row for each product of each host, and one for a host without any.

    Args:
        hosts: the hosts.
        columns: what of them is wanted, of the names in `HOST_COLUMNS` and `product_id`.
    """
    values = [_VALUES[name] for name in columns]
    for host in hosts:
        for product in host.products or (_NOTHING,):
            yield tuple([value(host, product) for value in values])


_Value = Callable[[HostLine, HostProduct], Any]
_NOTHING = HostProduct(
    vendor="", vendor_id="", product="", product_id="", verdict="", state="", since="", last_seen="", origin=""
)


def _of_host(name: str) -> _Value:
    get = attrgetter(name)
    return lambda host, _: get(host)


def _of_product(name: str) -> _Value:
    get = attrgetter(name)
    return lambda _, product: get(product)


def _joined(value: _Value, by: str) -> _Value:
    return lambda host, product: by.join(value(host, product))


_VALUES: Mapping[str, _Value] = {
    **{name: _of_host(name) for name in ("name", "state", "listed", "group", "role", "owner", "platform", "os")},
    **{name: _of_host(name) for name in ("serial", "verdict", "rules_of", "tool", "evidence", "rules", "protection")},
    "last_answer": lambda host, _: _instant(host.last_answer),
    "flags": _joined(_of_host("flags"), " "),
    **{name: _joined(_of_host(name), "; ") for name in ("unseen", "cautions")},
    **{name: _of_product(name) for name in ("vendor", "product", "product_id", "since", "last_seen", "origin")},
    **{name: _of_product(name) for name in ("measure", "milestone", "due", "action", "replacement")},
    "product_verdict": _of_product("verdict"),
    "product_state": _of_product("state"),
    **{name: _joined(_of_product(name), "; ") for name in ("versions", "users", "paths")},
}


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
    """The table as a file in CSV, in UTF-8."""
    rows = zip(*table.columns.values(), strict=True)
    return "".join(csv_lines(table.columns, rows)).encode("utf-8", "backslashreplace")


def csv_lines(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Rows as CSV: times as RFC 3339, no value as an empty field, nothing that a spreadsheet computes."""
    line = io.StringIO()
    writer = csv.writer(line)
    for row in itertools.chain([columns], rows):
        writer.writerow(map(_field, row))
        yield line.getvalue()
        line.seek(0)
        line.truncate()


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
