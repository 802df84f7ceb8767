"""A month of a fleet: late, doubled, cut and foreign files; machines that are renamed, reinstalled, cloned and gone."""

import datetime as dt
import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from phaseout.cli.input_file import listed, open_input, read_input
from phaseout.fleet.add import Reading, Totals, add
from phaseout.fleet.assets import Asset, replace_assets
from phaseout.fleet.places import Listed
from phaseout.fleet.status import STATES, Wanted, hosts, status, trend
from phaseout.fleet.store import Store, opened
from phaseout.model.nouns import Problem

from tests.unit.fleet.test_hosts import content

MACHINES, DAYS, VALID = 40, 31, 14
FIRST = dt.datetime(2026, 1, 1, 6, tzinfo=dt.UTC)
READING = Reading(open_input, read_input, None, None)  # type: ignore[arg-type]  # reports alone need no rules
FINDING = {
    "vendor": "Kaspersky", "vendor_id": "kaspersky", "product": "KES", "product_id": "kes", "verdict": "replace",
    "state": "installed", "items": [{"version": "12.1", "user": "ada", "path": "C:/kes"}],
    "measures": [{"id": "us-commerce", "applies": "reaches", "milestone": "update_cutoff", "due": "2024-09-29"}],
}  # fmt: skip


class File(NamedTuple):
    """A file that reaches the folder on a day."""

    day: int
    name: str
    data: bytes


def report(name: str, uuid: int, installation: str, day: int, *, found: bool, minute: int = 0) -> bytes:
    """What a machine says on a day."""
    ids = {"smbios_uuid": f"11111111-2222-3333-4444-{uuid:012}", "serial": f"PF{uuid:06}", "machine_guid": installation}
    value: dict[str, Any] = {
        "schema": "phaseout-report/1",
        "tool": "phaseout 0.2.0",
        "scanned_at": f"{FIRST + dt.timedelta(days=day, minutes=minute):%Y-%m-%dT%H:%M:%SZ}",
        "host": {
            "name": name,
            "platform": "windows",
            "identity": [{"kind": kind, "value": one} for kind, one in ids.items()],
        },
        "rules": {"digest": "d" * 64, "as_of": "2026-01-01"},
        "verdict": "replace" if found else "clean",
        "findings": [FINDING] if found else [],
        "runs": [{"status": "ok"}],
    }
    return json.dumps(value).encode()


def files() -> Iterator[File]:
    """All that happens. Machine 1 is renamed, 2 installed anew, 3 cloned, 4 silent from day 10, 5 never seen."""
    chance = random.Random(18)
    for number in range(MACHINES):
        gone = chance.randrange(5, DAYS) if number % 3 else DAYS
        for day in range(DAYS):
            if (day and chance.random() > 0.8) or number == 5 or (number == 4 and day >= 10):
                continue
            name = "renamed" if number == 1 and day >= 12 else f"pc{number:02}"
            installation = f"{number:032x}" if not (number == 2 and day >= 15) else "e" * 32
            data = report(name, number, installation, day, found=number % 2 == 0 and day < gone)
            arrives = day + chance.choice((0, 0, 0, 0, 1, 9))  # late, and so out of order
            yield File(arrives, f"{name}-{day:02}.json", data)
            if chance.random() < 0.1:
                yield File(arrives, f"copy-{name}-{day:02}.json", data)
            if number == 3:
                yield File(day, f"clone-{day:02}.json", report("clone", 3, "c" * 32, day, found=False, minute=30))
    yield File(7, "cut.json", report("pc06", 6, "6" * 32, 7, found=False)[:-40])
    yield File(8, "other.json", b'{"hello": "world"}')
    yield File(DAYS - 1, "ahead.json", report("pc07", 7, f"{7:032x}", 300, found=True))


def add_all(store: Store, places: list[Listed], day: int) -> tuple[Totals, list[Problem]]:
    totals = Totals()
    now = int((FIRST + dt.timedelta(days=day, hours=12)).timestamp())
    return totals, list(add(store, places, READING, now, totals))


def spans_fit(store: Store) -> None:
    """The verdicts on a host follow each other, and each product is on it once at a time."""
    for table, key in (("span", "host"), ("held", "host, subject")):
        end = "until" if table == "span" else "ended"
        query = f"SELECT {key}, since, coalesce({end}, (SELECT last FROM host WHERE id = {table}.host)) FROM {table}"
        rows = sorted(store.rows(query))
        for one, other in itertools.pairwise(rows):
            assert one[:-2] != other[:-2] or one[-1] <= other[-2]


@pytest.mark.slow
def test_the_partition_and_the_ledger_hold_on_every_day(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    coming = sorted(files())
    with opened(str(tmp_path / "fleet.db"), make=True) as store:
        with store.changing():
            uuids = [f"11111111-2222-3333-4444-{number:012}" for number in range(MACHINES)]
            words = ["".join(one.split("-")) for one in uuids]
            machines = [
                Asset(f"pc{number:02}", f"PF{number:06}", word, "Lab", "", "", retired=False, line=number)
                for number, word in enumerate(words)
            ]
            replace_assets(store, machines)
        for day in range(DAYS):
            for file in coming:
                if file.day == day:
                    (folder / file.name).write_bytes(file.data)
            there = [one for one in listed((str(folder),)) if isinstance(one, Listed)]
            totals, refused = add_all(store, there, day)
            assert totals.listed == len(there) == totals.read + totals.refused + totals.known
            assert totals.refused == len(refused) == (day >= 7) + (day >= 8)
            now = FIRST + dt.timedelta(days=day, hours=12)
            found = status(store, now, VALID)
            assert sum(found.states.values()) == found.members == MACHINES
            for state in STATES:
                assert len(list(hosts(store, now, Wanted(state=state), VALID))) == found.states[state]
            last = trend(store, now, valid=VALID)[-1].counts
            assert [last[state] for state in STATES[:4]] == [found.states[state] for state in STATES[:4]]
            spans_fit(store)
        assert (found.states["silent"], found.states["never_seen"], found.unlisted) == (1, 1, 1)
        assert found.flags == {"cloned": 2, "clock_ahead": 1, "reinstalled": 1, "renamed": 1}
        at_the_end, ledger = content(store), store.rows("SELECT path, size, digest FROM file ORDER BY path")
    with opened(str(tmp_path / "again.db"), make=True) as again:
        with again.changing():
            replace_assets(again, machines)
        random.Random(1).shuffle(there)
        for start in range(0, len(there), 100):
            add_all(again, there[start : start + 100], DAYS - 1)
        assert content(again) == at_the_end
        assert again.rows("SELECT path, size, digest FROM file ORDER BY path") == ledger
