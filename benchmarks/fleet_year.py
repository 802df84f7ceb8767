"""What a year of a fleet costs: the size of the store, and the CPU of the commands that count it.

    python -m benchmarks.fleet_year [HOSTS]

A fifth of the hosts has a product, and loses it on some day. Each scans once a day, within the four hours over which
the schedules in `scripts/` spread it; rules change four times a year. The reports themselves are not written.
"""

import datetime as dt
import random
import sys
import tempfile
import uuid
from pathlib import Path

from phaseout.fleet.hosts import Hosts
from phaseout.fleet.nouns import JSON, Answer, Detail, Outcome, Subject
from phaseout.fleet.store import opened
from phaseout.model.findings import HostVerdict
from phaseout.model.nouns import Identity

from benchmarks.fleet import cpu

DAYS = 365
STEP = 500  # hosts
WINDOW = 4 * 3600  # seconds
BEGIN = int((dt.datetime.now(dt.UTC) - dt.timedelta(DAYS)).timestamp())
SUBJECTS = [
    Subject(name.lower(), "kaspersky", name, "Kaspersky", "replace", "installed", "us-commerce", "update_cutoff", due)
    for name, due in (("Endpoint", "2024-09-29"), ("Agent", "2024-09-29"), ("VPN", "2026-12-01"))
]
DETAIL = Detail(("12.1",), ("ada",), (r"C:\Program Files (x86)\Kaspersky Lab",), "Replace it: updates ended.", "", 15)
FOUND: list[tuple[HostVerdict, bool, tuple[Subject, ...]]] = [
    ("clean", True, ()),
    ("incomplete", False, ()),
    *(("replace", True, (one,)) for one in SUBJECTS),
]
OUTCOMES = [
    [
        Outcome(JSON, f"2026-0{rules}-01", verdict, complete, str(rules) * 64, f"phaseout 0.{rules}", found)
        for verdict, complete, found in FOUND
    ]
    for rules in range(1, 5)
]


def year(number: int, chance: random.Random) -> list[Answer]:
    """The answers of a host, one a day."""
    identity = (
        Identity("smbios_uuid", str(uuid.UUID(int=chance.getrandbits(128)))),
        Identity("serial", f"PF{number:08X}"),
        Identity("machine_guid", f"{chance.getrandbits(128):032x}"),
    )
    product, gone = chance.randrange(2, 5), chance.randrange(400) if chance.random() < 0.2 else 0
    answers = []
    for day in range(DAYS):
        what = product if day < gone else int(chance.random() < 0.002)
        outcome = OUTCOMES[4 * day // DAYS][what]
        at = BEGIN + day * 86_400 + chance.randrange(WINDOW)
        details = (DETAIL,) * len(outcome.subjects)
        answers.append(Answer(f"PC{number:06}", "windows", "Windows 11", identity, at, outcome, details))
    return answers


def fill(path: str, count: int) -> None:
    """Makes the store."""
    chance = random.Random(7)
    with opened(path, make=True) as store:
        for first in range(0, count, STEP):
            hosts = Hosts(store)
            digest = chance.randbytes(32)
            found = range(first, min(count, first + STEP))
            moments = [hosts.take(answer, digest) for number in found for answer in year(number, chance)]
            with store.changing():
                hosts.load()
                for moment in moments:
                    hosts.is_new(moment)
                hosts.write()


def main() -> None:
    """Fills a store and runs each command that counts it."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    with tempfile.TemporaryDirectory() as place:
        path = str(Path(place, "fleet.db"))
        fill(path, count)
        print(f"{count:,} hosts, {DAYS} days: {Path(path).stat().st_size / 1e6:,.1f} MB")
        for command in (("status", "-f", "json"), ("trend", "-f", "json"), ("page", "-o", str(Path(place, "p.html")))):
            seconds = min(cpu("-m", "phaseout", "fleet", command[0], path, *command[1:]) for _ in range(3))[0]
            print(f"fleet {command[0]:<8} {seconds:6.2f} s CPU")
        print(f"page: {Path(place, 'p.html').stat().st_size / 1e6:,.2f} MB")


if __name__ == "__main__":
    main()
