"""The export: an engine that knows nothing of phaseout counts the same."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from phaseout.fleet.status import status
from phaseout.fleet.store import Store, opened
from phaseout.fleet.tables import as_csv, as_parquet, tables

from tests.support.answers import START, answer
from tests.unit.fleet.test_hosts import add

duckdb = pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")
NOW = dt.datetime.fromtimestamp(START + 90 * 86_400, dt.UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(str(tmp_path / "fleet.db"), make=True) as found:
        yield found


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_duckdb_counts_the_same(store: Store, tmp_path: Path, form: str) -> None:
    answers = [
        answer(f"pc{number}", day, uuid=f"{number:08x}-2222-3333-4444-555555555555", products=("kes",) * (day < number))
        for number in range(1, 60)
        for day in range(0, 90, 5)
        if not (number == 7 and day > 30)
    ]
    add(store, answers)
    for table in tables(store, NOW, 14):
        path = tmp_path / "export" / f"{table.path}.{form}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_parquet(table) if form == "parquet" else as_csv(table))
    expected = status(store, NOW, 14)

    def ask(query: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = duckdb.sql(
            query.replace("DIR", str(tmp_path / "export")).replace("FORM", form)
        ).fetchall()
        return found

    states: dict[str, int] = dict(ask("SELECT state, count(*) FROM 'DIR/hosts.FORM' GROUP BY 1"))
    assert states == {state: count for state, count in expected.states.items() if count}
    held = ask(
        "SELECT product, count(DISTINCT host) FROM read_FORM('DIR/held/*/*.FORM', hive_partitioning = true)"
        " WHERE ended IS NULL AND verdict IN ('replace', 'review') GROUP BY 1"
    )
    assert dict(held) == {one.product: one.hosts for one in expected.products}
    months = ask("SELECT DISTINCT month FROM read_FORM('DIR/spans/*/*.FORM', hive_partitioning = true) ORDER BY 1")
    assert [str(month)[:7] for (month,) in months][:2] == ["2025-10", "2025-11"]
