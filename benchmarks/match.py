"""Thousands of saved inventories judged again: CPU against decoding the same files, rate, and memory.

A fleet repeats itself: all hosts have a common base, each has one of twenty roles, and patch levels change one package
in twenty. `--own` is the share of items that no other host has, such as processes with their numbers.
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from phaseout.inventories.saved import write
from phaseout.model.nouns import INVENTORY_SCHEMA, Evidence, HostInfo, Inventory, Item, SourceRun

CODE = Path(__file__).parents[1] / "scanner"
ROLES = 20
LEVELS = (1, 1, 1, 2, 3, 10, 40, 42)  # hosts of each patch level
DECODE = """
import gzip, os, sys, msgspec
from phaseout.model.nouns import Inventory, Item
decode, item = msgspec.json.Decoder(Inventory).decode, msgspec.json.Decoder(Item).decode
for entry in os.scandir(sys.argv[1]):
    with (gzip.open if entry.name.endswith(".gz") else open)(entry.path, "rb") as file:
        if ".json" in entry.name:
            decode(file.read())
        else:
            file.readline()
            for line in file:
                item(line)
"""


class Fleet:
    """Hosts that are much alike.

    Args:
        items: of each host.
        own: the share of them that no other host has.
    """

    def __init__(self, items: int, own: float) -> None:
        chance = random.Random(1)
        every = range(items * 6)
        base = chance.sample(every, items * 7 // 10)
        rest = sorted(set(every) - set(base))
        self._own = int(items * own)
        self._items = items - self._own
        self._roles = [sorted(base + chance.sample(rest, items - len(base))) for _ in range(ROLES)]
        self._levels: list[dict[int, int]] = [dict.fromkeys(every, 0)]
        for _ in LEVELS[1:]:
            changed = chance.sample(every, len(every) // 20)
            self._levels.append(self._levels[-1] | {one: self._levels[-1][one] + 1 for one in changed})
        self._known: dict[tuple[int, int], Item] = {}

    def inventory(self, number: int) -> Inventory:
        """A host; on every tenth there is something to find."""
        chance = random.Random(number)
        packages = chance.choice(self._roles)
        version = chance.choices(self._levels, LEVELS)[0]
        chosen = sorted(chance.sample(packages, self._items))
        found = [self._package(one, version[one] + (chance.random() < 0.01)) for one in chosen]
        if number % 10 == 0:
            found[0] = Item(kind="package", name="kesl", source="dpkg", vendor="Kaspersky Lab", version="12.1.0-1543")
        own = [_process(chance.randrange(1 << 22), each) for each in range(self._own)]
        counts = {"dpkg": len(found), "processes": len(own)}
        return Inventory(
            schema=INVENTORY_SCHEMA,
            tool="benchmark",
            scanned_at="2026-01-01T00:00:00Z",
            host=HostInfo(name=f"host-{number:05}", platform="linux", os="Debian GNU/Linux", os_version="12"),
            items=(*found, *own),
            runs=tuple(SourceRun(source=name, status="ok", rows=n, items=n) for name, n in counts.items()),
        )

    def _package(self, number: int, version: int) -> Item:
        known = self._known.get((number, version))
        if known is None:
            details = {
                "arch": "amd64",
                "status": "install ok installed",
                "maintainer": "Debian Maintainers <x@example.org>",
            }
            known = self._known[number, version] = Item(
                kind="package",
                name=f"lib{number}-tools",
                source="dpkg",
                vendor=f"Debian {number % 200} Maintainers",
                version=f"{version}.{number % 30}-{number % 5}",
                ids={"purl": f"pkg:deb/lib{number}-tools@{version}.{number % 30}?arch=amd64"},
                details=details,
                evidence=(Evidence("/var/lib/dpkg/status", f"Package: lib{number}-tools, Status: install ok"),),
            )
        return known


def _process(pid: int, number: int) -> Item:
    program = f"/usr/sbin/daemon{number}"
    return Item(
        kind="process",
        name=f"daemon{number}",
        source="processes",
        state="running",
        path=program,
        user="root",
        command=f"{program} --foreground --run {pid}",
        details={"pid": str(pid), "started": "2026-01-01T00:00:00Z"},
        evidence=(Evidence(f"/proc/{pid}/exe"),),
    )


def measure(*arguments: str) -> tuple[float, float, float]:
    """Seconds, CPU seconds, and the peak MiB of the largest process."""
    command = [sys.executable, *arguments]
    started = time.perf_counter()
    child = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(CODE)}, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    # wait4 adds up the processes that the child has waited for, and takes the largest of them.
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Prints the rates with one process and with all, and the memory for one inventory and for all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--ending", default=".json", choices=[".json", ".ndjson", ".json.gz", ".ndjson.gz"])
    parser.add_argument("--unpooled", type=int, default=1_000, help="how many are judged with --jobs 1")
    parser.add_argument("--own", type=float, default=0.005, help="share of items that no other host has")
    settings = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        many, few = Path(folder, "many"), Path(folder, "few")
        many.mkdir()
        few.mkdir()
        size = 0
        fleet = Fleet(settings.items, settings.own)
        for number in range(settings.count):
            path = many / f"host-{number:05}{settings.ending}"
            path.write_bytes(b"".join(write(fleet.inventory(number), settings.ending)))
            size += path.stat().st_size
            if number < settings.unpooled:
                os.link(path, few / path.name)
        print(f"{settings.count:,} inventories of {settings.items:,} items, {size >> 20:,} MiB in {settings.ending}")
        decoding = measure("-c", DECODE, str(many))
        print(f"  {'decoded':22} {settings.count / decoding[0]:8,.0f} a second  CPU {decoding[1]:7.2f} s")
        one = str(many / f"host-00000{settings.ending}")
        for name, count, arguments in (
            ("one", 1, [one, "-f", "csv", "-o", os.devnull]),
            (
                "--jobs 1",
                min(settings.unpooled, settings.count),
                [str(few), "--jobs", "1", "-f", "csv", "-o", os.devnull],
            ),
            ("all processors, csv", settings.count, [str(many), "-f", "csv", "-o", os.devnull]),
            ("all processors, json", settings.count, [str(many), "-f", "json", "-o", os.devnull]),
        ):
            wall, cpu, peak = measure("-m", "phaseout", "match", *arguments)
            ratio = cpu / count / (decoding[1] / settings.count)
            print(
                f"  {name:22} {count / wall:8,.0f} a second  CPU {cpu:7.2f} s, {ratio:5.2f} times decoding"
                f"  peak {peak:6.1f} MiB"
            )
    print(f"  (the benchmark itself: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB)")


if __name__ == "__main__":
    main()
