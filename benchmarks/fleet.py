"""What the fleet costs, against decoding the same files with msgspec, in one run.

    python -m benchmarks.fleet [HOSTS]

A fifth of the hosts has two findings with thirty traces (47 KB of JSON), the others are clean (2 KB): the real schema.
Prints CPU seconds (user and system), their ratio, and the largest memory of each step.
"""

import datetime as dt
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import msgspec
from phaseout.model.findings import REPORT_SCHEMA, Applied, Finding, Report, RulesUsed
from phaseout.model.nouns import Evidence, HostInfo, Identity, Item, SourceRun

CODE = Path(__file__).parents[1] / "scanner"
NEW_SHARE = 100  # one in a hundred files is new in the second round


def item(number: int) -> Item:
    """A trace as it stands in a report."""
    return Item(
        kind="program",
        name=f"Kaspersky component {number}",
        source="uninstall",
        version=f"12.{number}",
        vendor="AO Kaspersky Lab",
        path=rf"C:\Program Files (x86)\Kaspersky Lab\KES.12\component{number}.exe",
        user=f"user{number % 3}",
        command="x" * 100,
        ids={"product_code": f"{{{uuid.UUID(int=number)}}}"},
        details={"arch": "x64", "installed": "2024-01-01"},
        evidence=(
            Evidence("HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall", "DisplayName=" + "y" * 100),
        ),
    )


def finding(product: str) -> Finding:
    """A finding with fifteen traces and six measures."""
    measure = Applied(
        id="us-commerce-icts-2021-002",
        title="t" * 80,
        applies="reaches",
        force="binding",
        milestone="update_cutoff",
        due="2024-09-29T00:00:00-04:00",
        days_left=-700,
        text="z" * 300,
        status="in_force",
        verified="primary",
    )
    return Finding(
        vendor="Kaspersky",
        vendor_id="kaspersky",
        product=product,
        product_id=product.lower().replace(" ", "-"),
        category="endpoint_security",
        role="covered",
        verdict="replace",
        state="installed",
        confidence="certain",
        items=tuple(map(item, range(15))),
        because=("vendor and name fit, " * 3,) * 15,
        measures=(measure,) * 6,
        action="Replace it: updates ended on 29 September 2024, so protection decays.",
        remove=("step " * 20,) * 6,
    )


def reports(folder: Path, hosts: int, day: dt.datetime) -> None:
    """Writes a report of each host."""
    chance = random.Random(7)
    runs = tuple(SourceRun(source=f"source{number}", status="ok", rows=9, items=9) for number in range(12))
    found = (finding("Kaspersky Endpoint Security"), finding("Kaspersky Network Agent"))
    for number in range(hosts):
        ids = (
            Identity("smbios_uuid", str(uuid.UUID(int=chance.getrandbits(128)))),
            Identity("serial", f"PF{number:08X}"),
            Identity("machine_guid", f"{chance.getrandbits(128):032x}"),
        )
        at = day + dt.timedelta(seconds=chance.randrange(80_000))
        report = Report(
            schema=REPORT_SCHEMA,
            tool="phaseout 0.2.0",
            scanned_at=f"{at:%Y-%m-%dT%H:%M:%SZ}",
            as_of=f"{at:%Y-%m-%dT%H:%M:%SZ}",
            host=HostInfo(name=f"PC{number:06}", platform="windows", os="Windows 11", identity=ids),
            rules=RulesUsed(vendors=22, products=100, measures=60, digest="d" * 64, as_of="2026-11-01"),
            verdict="clean" if number % 5 else "replace",
            findings=() if number % 5 else found,
            runs=runs,
            items=1000,
        )
        (folder / f"PC{number:06}.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))


DECODE = """
import os, sys, msgspec
from phaseout.model.findings import Report
decode = msgspec.json.Decoder(Report).decode
for entry in os.scandir(sys.argv[1]):
    with open(entry.path, "rb") as file:
        decode(file.read())
"""
LIST = """
import os, sys
for entry in os.scandir(sys.argv[1]):
    entry.stat()
"""


def cpu(*command: str) -> tuple[float, float, int]:
    """CPU seconds, seconds and MiB of a command."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(CODE), "PYTHONHASHSEED": "0"},
    )
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, command
    return used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss >> 10


def main() -> None:
    """Runs every step and prints a line for each."""
    hosts = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    day = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    with tempfile.TemporaryDirectory() as place:
        folder, store = Path(place, "reports"), str(Path(place, "fleet.db"))
        folder.mkdir()
        reports(folder, hosts, day)
        size = sum(path.stat().st_size for path in folder.iterdir())
        print(f"{hosts:,} reports, {size / 1e6:,.0f} MB")
        base = min(cpu("-c", DECODE, str(folder)) for _ in range(3))
        listing = min(cpu("-c", LIST, str(folder)) for _ in range(3))
        show("decode with msgspec", base, base[0])
        show("list the folder", listing, base[0])
        show("fleet add", cpu("-m", "phaseout", "fleet", "add", store, str(folder)), base[0])
        show("fleet add, nothing new", cpu("-m", "phaseout", "fleet", "add", store, str(folder)), listing[0], "listing")
        reports(folder, hosts // NEW_SHARE, day + dt.timedelta(days=1))
        show("fleet add, 1 % new", cpu("-m", "phaseout", "fleet", "add", store, str(folder)), listing[0], "listing")
        print(f"store: {Path(store).stat().st_size / 1e6:,.1f} MB")
        for step in ("status", "trend"):
            show(f"fleet {step}", cpu("-m", "phaseout", "fleet", step, store, "-f", "json"), base[0])
        page = Path(place, "fleet.html")
        show("fleet page", cpu("-m", "phaseout", "fleet", "page", store, "-o", str(page)), base[0])
        print(f"page: {page.stat().st_size / 1e6:,.2f} MB")
    print(f"this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB")


def show(step: str, measured: tuple[float, float, int], base: float, of: str = "decoding") -> None:
    """Prints a line."""
    seconds, wall, memory = measured
    print(f"{step:<26} {seconds:7.2f} s CPU {wall:7.2f} s {memory:5} MiB   {seconds / base:5.2f} times {of}")


if __name__ == "__main__":
    main()
