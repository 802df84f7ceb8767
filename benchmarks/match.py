"""Thousands of saved inventories judged again: how many a second, and within how much memory."""

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


def inventory(number: int, items: int) -> Inventory:
    """A host like others; on every tenth there is something to find."""
    chance = random.Random(number)
    found = [
        Item(
            kind="package",
            name=f"lib{chance.randrange(5000)}-tools",
            source="dpkg",
            vendor=f"Debian {chance.randrange(200)} Maintainers",
            version=f"{chance.randrange(9)}.{chance.randrange(30)}-{chance.randrange(5)}",
            ids={"purl": f"pkg:deb/lib{index}-tools?arch=amd64"},
            details={
                "arch": "amd64",
                "status": "install ok installed",
                "maintainer": "Debian Maintainers <x@example.org>",
            },
            evidence=(Evidence("/var/lib/dpkg/status", f"Package: lib{index}-tools, Status: install ok installed"),),
        )
        for index in range(items)
    ]
    if number % 10 == 0:
        found[0] = Item(kind="package", name="kesl", source="dpkg", vendor="Kaspersky Lab", version="12.1.0-1543")
    return Inventory(
        schema=INVENTORY_SCHEMA,
        tool="benchmark",
        scanned_at="2026-01-01T00:00:00Z",
        host=HostInfo(name=f"host-{number:05}", platform="linux", os="Debian GNU/Linux", os_version="12"),
        items=tuple(found),
        runs=(SourceRun(source="dpkg", status="ok", rows=items, items=items),),
    )


def measure(arguments: list[str]) -> tuple[float, float, float]:
    """Seconds, CPU seconds, and the peak MiB of the largest process."""
    command = [sys.executable, "-m", "phaseout", "match", *arguments]
    started = time.perf_counter()
    child = subprocess.Popen(command, cwd=Path(__file__).parents[1], stderr=subprocess.DEVNULL)
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
    settings = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        many, few = Path(folder, "many"), Path(folder, "few")
        many.mkdir()
        few.mkdir()
        size = 0
        for number in range(settings.count):
            path = many / f"host-{number:05}{settings.ending}"
            path.write_bytes(b"".join(write(inventory(number, settings.items), settings.ending)))
            size += path.stat().st_size
            if number < settings.unpooled:
                os.link(path, few / path.name)
        print(f"{settings.count:,} inventories of {settings.items:,} items, {size >> 20:,} MiB in {settings.ending}")
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
            wall, cpu, peak = measure(arguments)
            print(f"  {name:22} {count / wall:8,.0f} a second  {wall:7.2f} s  CPU {cpu:7.2f} s  peak {peak:6.1f} MiB")
    print(f"  (the benchmark itself: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB)")


if __name__ == "__main__":
    main()
