"""Many inventories, judged by several processes."""

import datetime as dt
import hashlib
import os
import signal
from pathlib import Path
from typing import BinaryIO

import pytest
from msgspec import structs
from phaseout.fleet.judge import Judge, Judged, Settings, judge_all
from phaseout.fleet.places import Place
from phaseout.fleet.tally import Tally
from phaseout.inventories import read
from phaseout.inventories.saved import write
from phaseout.judgement import verdict
from phaseout.model.nouns import Problem
from phaseout.model.rules import Policy
from phaseout.report import Page
from phaseout.rules.load import load
from phaseout.rules.matcher import Matcher
from phaseout.scan.completeness import checked

from tests.cli.test_match import inventory
from tests.unit.rules.test_load import VENDOR


def open_or_die(path: str) -> BinaryIO:
    """Opens a file, and ends the process at those that are called so."""
    if "deadly" in path:
        os.kill(os.getpid(), signal.SIGKILL)
    return Path(path).open("rb")


def settings(form: str = "line") -> Settings:
    ruleset = load({"vendors/kaspersky.toml": VENDOR.encode()})
    return Settings(ruleset, Policy(), dt.date(2026, 11, 21), (form,), Page(), (), open_or_die)


@pytest.fixture
def places(tmp_path: Path) -> list[Place]:
    paths = [tmp_path / f"h{number:02}.json" for number in range(60)]
    for path in paths:
        path.write_bytes(b"".join(write(inventory(path.stem), ".json")))
    return [Place(str(path)) for path in paths]


def hosts(found: list[Judged | Problem]) -> list[str]:
    return [one.verdict if isinstance(one, Judged) else Path(one.where).stem for one in found]


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_the_order_is_that_of_the_places(places: list[Place], jobs: int) -> None:
    places[20] = Place(places[20].path, alone=True)
    places[5] = Place("/no/such/h05.json")
    found = list(judge_all(places, settings(), jobs))
    assert len(found) == 60
    assert [number for number, one in enumerate(found) if isinstance(one, Problem)] == [5]


def test_a_file_that_ends_its_process_costs_only_itself(places: list[Place], tmp_path: Path) -> None:
    for number in (3, 4, 33, 59):
        places[number] = Place(str(tmp_path / f"deadly{number}.json"))
    found = list(judge_all(places, settings(), 2))
    broken = {number: one for number, one in enumerate(found) if isinstance(one, Problem)}
    assert list(broken) == [3, 4, 33, 59]
    assert {one.why for one in broken.values()} == {"the process that judged it has ended"}
    assert all("deadly" in one.where for one in broken.values())


def test_a_fault_in_one_file_is_a_problem_of_that_file(places: list[Place], monkeypatch: pytest.MonkeyPatch) -> None:
    real = verdict.judge

    def judge(*arguments: object) -> object:
        if getattr(arguments[0], "host").name == "h07":  # noqa: B009
            raise RecursionError("too deep")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("phaseout.fleet.judge.judge", judge)
    found = list(judge_all(places[:10], settings(), 1))
    assert hosts(found)[7] == "h07"
    assert [isinstance(one, Problem) for one in found].count(True) == 1


@pytest.mark.parametrize("count", [1, 3, 1_200])
def test_what_earlier_hosts_showed_changes_no_report(tmp_path: Path, count: int) -> None:
    one = inventory("pc")
    named = structs.replace(one.items[0], name="kesl", vendor="AO Kaspersky Lab")
    items = tuple(structs.replace(named, user=f"u{number % 7}") for number in range(count))
    path = tmp_path / "pc.json"
    path.write_bytes(b"".join(write(structs.replace(one, items=(*one.items, *items), runs=()), ".json")))
    judge = Judge(settings("json"))
    reports = [list(judge.reports(str(path))) for _ in range(3)]
    plain = Judge(settings("json"))
    with path.open("rb") as file:
        found = next(read(file, "pc"))
    assert not isinstance(found, Problem)
    hits = Matcher(settings().ruleset).match(found.items)
    expected = verdict.judge(checked(found), hits, settings().ruleset, Policy(), settings().as_of, None)
    assert plain.report(found) == expected
    assert reports == [[expected]] * 3
    assert expected.findings


def test_the_digest_of_an_inventory_is_that_of_the_file_as_it_is_saved(tmp_path: Path) -> None:
    judge = Judge(settings("json"))
    secret = structs.replace(inventory("pc").items[0], command="tool --password=hunter2")
    plain = inventory("pc").items
    for items, same in ((plain, True), ((secret, *plain[1:]), False)):
        one = structs.replace(inventory("pc"), items=items)
        data = b"".join(write(one, ".json"))
        (tmp_path / "pc.json").write_bytes(data)
        for _ in range(2):
            (report,) = judge.reports(str(tmp_path / "pc.json"))
            assert not isinstance(report, Problem)
            assert (report.inventory_sha256 == hashlib.sha256(data).hexdigest()) == same


def test_counts_in_words() -> None:
    tally = Tally()
    tally.add("replace", ("replace", "review"))
    tally.add("clean", ())
    tally.broken = 1
    assert tally.sentence() == "2 hosts: 1 replace, 1 clean. 1 could not be read."
    assert tally.found == {"replace", "review"}
