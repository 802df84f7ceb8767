"""Many inventories, judged by several processes."""

import datetime as dt
import os
import signal
from pathlib import Path
from typing import BinaryIO

import pytest
from phaseout.fleet.judge import Judged, Place, Settings, judge_all
from phaseout.fleet.tally import Tally
from phaseout.inventories.saved import write
from phaseout.model.nouns import Problem
from phaseout.model.rules import Policy
from phaseout.report import Page
from phaseout.rules.load import load

from tests.cli.test_match import inventory
from tests.unit.rules.test_load import VENDOR


def open_or_die(path: str) -> BinaryIO:
    """Opens a file, and ends the process at those that are called so."""
    if "deadly" in path:
        os.kill(os.getpid(), signal.SIGKILL)
    return Path(path).open("rb")


def settings() -> Settings:
    ruleset = load({"vendors/kaspersky.toml": VENDOR.encode()})
    return Settings(ruleset, Policy(), dt.date(2026, 11, 21), ("line",), Page(), (), open_or_die)


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
    from phaseout.judgement import verdict

    real = verdict.judge

    def judge(*arguments: object) -> object:
        if getattr(arguments[0], "host").name == "h07":  # noqa: B009
            raise RecursionError("too deep")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("phaseout.fleet.judge.judge", judge)
    found = list(judge_all(places[:10], settings(), 1))
    assert hosts(found)[7] == "h07"
    assert [isinstance(one, Problem) for one in found].count(True) == 1


def test_counts_in_words() -> None:
    tally = Tally()
    tally.add("replace", ("replace", "review"))
    tally.add("clean", ())
    tally.broken = 1
    assert tally.sentence() == "2 hosts: 1 replace, 1 clean. 1 could not be read."
    assert tally.found == {"replace", "review"}
