"""The answers of hosts in the store: the same store whatever the order in which they came."""

import itertools
import random
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phaseout.fleet.history import outcomes_of, unpacked
from phaseout.fleet.hosts import Hosts, newest_of, short, spelled
from phaseout.fleet.nouns import Answer
from phaseout.fleet.store import Store, opened

from tests.support.answers import answer

UUID_1, UUID_2 = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(str(tmp_path / "fleet.db"), make=True) as found:
        yield found


def add(store: Store, answers: Iterable[Answer]) -> int:
    """Adds them in one step; how many were new."""
    with store.changing():
        hosts = Hosts(store)
        moments = [hosts.take(one, b"digest") for one in answers]
        hosts.load()
        new = sum([hosts.is_new(one) for one in moments])
        hosts.write()
    return new


def content(store: Store) -> list[Any]:
    """Everything that the store says, without the numbers that it gave."""
    subjects = {row[0]: row[1:] for row in store.rows("SELECT * FROM subject")}
    outcomes = {}
    for number, data in store.rows("SELECT id, data FROM outcome"):
        *rest, own, _ = msgspec.msgpack.decode(data)
        outcomes[number] = (*rest, tuple(subjects[one] for one in own))
    names = {
        host: tuple(
            sorted((row[0], row[1]) for row in store.rows("SELECT name, identity FROM track WHERE host = ?", host))
        )
        for (host,) in store.rows("SELECT id FROM host")
    }
    tracks = sorted(
        (
            name,
            identity,
            names[host],
            sorted(
                zip(unpacked(times), (outcomes[one] for one in outcomes_of(msgspec.msgpack.decode(runs))), strict=True)
            ),
        )
        for name, identity, host, times, runs in store.rows("SELECT name, identity, host, times, runs FROM track")
    )
    hosts = sorted(
        (
            names[row[0]],
            row[1:10],
            outcomes[row[10]],
            row[11:],
            sorted(newest_of(store, [row[0]])[row[0]].details.values()),
        )
        for row in store.rows("SELECT * FROM host")
    )
    spans = sorted((names[row[0]], row[1:4], row[4], outcomes[row[5]]) for row in store.rows("SELECT * FROM span"))
    held = sorted(
        (names[row[0]], subjects[row[1]], row[2], row[3] or 0, row[4] or 0, *row[5:])
        for row in store.rows("SELECT * FROM held")
    )
    return [tracks, hosts, list(map(str, spans)), held]


_ANSWERS = st.builds(
    answer,
    st.sampled_from(["pc1", "pc2", "PC1"]),
    st.integers(0, 40),
    uuid=st.sampled_from(["", UUID_1, UUID_2]),
    installation=st.sampled_from(["", "a", "b"]),
    products=st.sampled_from([(), ("kes",), ("kes", "agent")]),
    complete=st.booleans(),
    rules=st.sampled_from(["r1", "r2"]),
    form=st.sampled_from([1, 2]),
)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(_ANSWERS, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_order_steps_and_repetition_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, answers: list[Answer], chance: random.Random
) -> None:
    folder = tmp_path_factory.mktemp("stores")
    with opened(str(folder / "one.db"), make=True) as whole:
        add(whole, answers)
        expected = content(whole)
    shuffled = [*answers, *answers]
    chance.shuffle(shuffled)
    with opened(str(folder / "two.db"), make=True) as parts:
        while shuffled:
            size = chance.randint(1, len(shuffled))
            add(parts, shuffled[:size])
            shuffled = shuffled[size:]
        assert content(parts) == expected


def test_an_answer_is_new_once(store: Store) -> None:
    assert [add(store, [answer()]), add(store, [answer(), answer(day=1)]), add(store, [answer()])] == [1, 1, 0]


def test_three_answers_of_one_moment_contradict_each_other_in_any_order(tmp_path: Path) -> None:
    answers = [answer(complete=False, form=1), answer(form=1), answer(complete=False, rules="r2")]
    for number, order in enumerate(itertools.permutations(answers)):
        with opened(str(tmp_path / f"{number}.db"), make=True) as one:
            add(one, order)
            assert one.rows("SELECT flags FROM host") == [("no_identity contradicts",)]


def test_a_renamed_machine_is_one_host(store: Store) -> None:
    add(store, [answer("old", 0, uuid=UUID_1), answer("new", 3, uuid=UUID_1)])
    assert store.rows("SELECT name, flags FROM host") == [("new", "renamed")]


def test_a_late_answer_parts_two_machines_again(store: Store) -> None:
    add(store, [answer("one", 0, uuid=UUID_1), answer("two", 5, uuid=UUID_1)])
    assert store.rows("SELECT count(*) FROM host") == [(1,)]
    add(store, [answer("one", 9, uuid=UUID_1)])
    assert store.rows("SELECT name, flags FROM host ORDER BY name") == [("one", "cloned"), ("two", "cloned")]


@pytest.mark.slow
def test_ten_thousand_clones_of_one_image_stay_apart(store: Store) -> None:
    number = 2_000
    add(
        store,
        [
            answer(f"vm{one}", 0, uuid=f"{one:08x}-2222-3333-4444-555555555555", installation="a")
            for one in range(1, number)
        ],
    )
    assert store.rows("SELECT count(*), count(DISTINCT flags) FROM host") == [(number - 1, 1)]


def test_the_order_of_the_identities_in_a_report_does_not_matter(store: Store, tmp_path: Path) -> None:
    one, other = answer(day=0, uuid=UUID_1, serial="PF1"), answer(day=3, uuid=UUID_1, serial="PF1")
    turned = msgspec.structs.replace(other, identity=other.identity[::-1])
    again = answer("pc2", 1, uuid=UUID_1, installation="b")
    add(store, [one, turned, again])
    with opened(str(tmp_path / "turned.db"), make=True) as second:
        for each in (again, turned, one):
            add(second, [each])
        assert content(second) == content(store)
        assert second.rows("SELECT serial, uuid FROM host WHERE name = 'pc1'") == [("PF1", UUID_1.replace("-", ""))]


def test_what_is_kept_of_two_answers_at_once(store: Store) -> None:
    add(store, [answer(products=("kes",), form=1), answer(products=("kes",))])
    assert store.rows("SELECT verdict, flags FROM host") == [("replace", "no_identity")]


def test_a_year_of_answers_takes_little(store: Store, tmp_path: Path) -> None:
    add(store, [answer(day=day + day % 7 / 100) for day in range(292)])
    data = store.one("SELECT length(times), length(runs) FROM track")
    assert data[0] + data[1] < 800
    assert isinstance(sqlite3.connect(tmp_path / "fleet.db").execute("PRAGMA integrity_check").fetchone(), tuple)


@given(st.text("0123456789abcdefABCDEF- ", max_size=37) | st.uuids().map(str) | st.uuids().map(lambda one: one.hex))
def test_an_identity_is_kept_as_it_was_spelled(value: str) -> None:
    kept = short(value)
    assert (kept if isinstance(kept, str) else spelled(kept)) == value
