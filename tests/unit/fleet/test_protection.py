"""Whether the machines of a fleet are protected once a product is gone."""

import datetime as dt
import sqlite3
from pathlib import Path

from msgspec.structs import replace
from phaseout.fleet.answers import of_json
from phaseout.fleet.hosts import Hosts
from phaseout.fleet.nouns import Answer
from phaseout.fleet.status import Wanted, hosts, status
from phaseout.fleet.store import Store, opened
from phaseout.model.findings import Protection
from phaseout.report import Page
from phaseout.report.json_format import write_report

from tests.support.answers import DAY, START, answer
from tests.unit.report.conftest import make_report

NOW = dt.datetime.fromtimestamp(START + 3 * DAY, dt.UTC)


def says(one: Answer, protection: str) -> Answer:
    return replace(one, outcome=replace(one.outcome, protection=protection))


def add(store: Store, *answers: Answer) -> None:
    with store.changing():
        added = Hosts(store)
        moments = [added.take(one, b"digest") for one in answers]
        added.load()
        for one in moments:
            added.is_new(one)
        added.write()


def listed(store: Store, **wanted: object) -> list[str]:
    return [one.name for one in hosts(store, NOW, Wanted(**wanted))]  # type: ignore[arg-type]


def test_number_and_list_are_the_same(tmp_path: Path) -> None:
    with opened(str(tmp_path / "fleet.db"), make=True) as store:
        add(
            store,
            says(answer("gone", 0, uuid="1" * 32, products=("kes",)), "restricted"),
            says(answer("gone", 1, uuid="1" * 32), "passive"),
            says(answer("guarded", 0, uuid="2" * 32, products=("kes",)), "restricted"),
            says(answer("guarded", 1, uuid="2" * 32), "protected"),
            says(answer("still", 1, uuid="3" * 32, products=("kes",)), "none"),
            says(answer("never", 1, uuid="4" * 32), "none"),
            answer("silent about it", 1, uuid="5" * 32),
        )
        found = status(store, NOW)
        assert found.protection == {"none": 2, "passive": 1, "protected": 1}
        assert (found.unprotected, listed(store, unprotected=True)) == (1, ["gone"])
        assert listed(store, protection="none") == ["never", "still"]
        assert {one.name: one.protection for one in hosts(store, NOW, Wanted())}["guarded"] == "protected"
        later = NOW + dt.timedelta(days=30)
        assert (status(store, later).unprotected, status(store, later).protection) == (0, {})


def test_reports_say_it() -> None:
    report = replace(make_report(), protection=Protection(state="passive", text="x"))
    data = "".join(write_report(report, Page())).encode()
    assert of_json(data, "x").outcome.protection == "passive"
    assert of_json("".join(write_report(make_report(), Page())).encode(), "x").outcome.protection == ""


def test_a_store_of_before_is_brought_up_to_date(tmp_path: Path) -> None:
    path = str(tmp_path / "fleet.db")
    with opened(path, make=True) as store:
        add(store, answer("old", 1))
    database = sqlite3.connect(path)
    database.execute("ALTER TABLE outcome DROP COLUMN protection")
    database.execute("PRAGMA user_version = 1")
    database.commit()
    database.close()
    with opened(path) as store:
        assert status(store, NOW).protection == {}
        add(store, says(answer("new", 1), "none"))
        assert status(store, NOW).protection == {"none": 1}
