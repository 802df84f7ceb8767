"""An offline Windows disk: the whole `phaseout scan --root`, and where its time goes.

The disk has SOFTWARE and SYSTEM, five users, 400 programs that lie there and are registered, and scheduled tasks.
SYSTEM and the tasks are real captures where the corpora are present (`PHASEOUT_CORPORA`), the rest is made.
"""

import argparse
import json
import lzma
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.scan import measure
from tests.support.pe_writer import ENGLISH, executable
from tests.support.regf_writer import Value, hive

CORPORA = Path(os.environ.get("PHASEOUT_CORPORA", Path(__file__).parents[2] / "shared" / "corpora"))
UNINSTALL = r"Microsoft\Windows\CurrentVersion\Uninstall"
PROFILES = r"Microsoft\Windows NT\CurrentVersion\ProfileList"
USERS = 5
PROGRAMS = 400
CLASSES = 20_000  # what else a real SOFTWARE holds; nobody reads it, but the file is as large


def entry(number: int) -> dict[str, Value]:
    """An Uninstall entry as installers write it."""
    return {
        "DisplayName": f"Program {number} (64-bit)",
        "DisplayVersion": f"{number}.2.3",
        "Publisher": f"Company {number % 50}",
        "InstallDate": "20240229",
        "InstallLocation": rf"C:\Program Files\Program {number}",
        "DisplayIcon": rf"C:\Program Files\Program {number}\program.exe,0",
        "UninstallString": rf'"C:\Program Files\Program {number}\unins000.exe" /S',
        "EstimatedSize": number * 1000,
        "NoModify": 1,
    }


def make(root: Path) -> str:
    """Fills a folder with the disk; says what is real in it."""
    config = root / "Windows" / "System32" / "config"
    config.mkdir(parents=True)
    software: dict[str, Mapping[str, Value]] = {
        r"Microsoft\Windows NT\CurrentVersion": {"ProductName": "Windows 10 Pro", "CurrentBuild": "19045"},
        r"Microsoft\Windows\CurrentVersion": {
            "ProgramFilesDir": r"C:\Program Files",
            "ProgramFilesDir (x86)": r"C:\Program Files (x86)",
        },
        r"Microsoft\Windows\CurrentVersion\Run": {"Updater": r'"C:\Program Files\Program 1\program.exe" /tray'},
    }
    for number in range(PROGRAMS):
        view = "WOW6432Node\\" if number % 3 == 0 else ""
        software[rf"{view}{UNINSTALL}\Program {number}"] = entry(number)
        folder = root / "Program Files" / f"Program {number}"
        folder.mkdir(parents=True)
        texts = {"CompanyName": f"Company {number % 50}", "ProductName": f"Program {number}", "ProductVersion": "1.2.3"}
        signed = [(f"Company {number % 50}", f"Company {number % 50}")]
        for name in ("program.exe", "unins000.exe", "helper.exe"):
            (folder / name).write_bytes(executable({ENGLISH: texts}, signed))
    for number in range(CLASSES):
        software[rf"Classes\CLSID\{{{number:08X}-0000-0000-C000-000000000046}}\InprocServer32"] = {"": "some.dll"}
    for number in range(USERS):
        software[rf"{PROFILES}\S-1-5-21-1-2-3-{1001 + number}"] = {"ProfileImagePath": rf"C:\Users\user{number}"}
        home = root / "Users" / f"user{number}"
        (home / "AppData" / "Local" / "Programs" / "Editor").mkdir(parents=True)
        (home / "AppData" / "Local" / "Programs" / "Editor" / "editor.exe").write_bytes(executable({}))
        own: dict[str, Mapping[str, Value]] = {rf"Software\{UNINSTALL}\Own {one}": entry(one) for one in range(5)}
        own |= {rf"Software\Some\Program {one}": {"x": "y"} for one in range(2000)}
        (home / "NTUSER.DAT").write_bytes(hive(own))
    (config / "SOFTWARE").write_bytes(hive(software))
    captured = CORPORA / "hives/regipy/regipy_tests/data/SYSTEM_WIN_10_1709.xz"
    tasks = CORPORA / "tasks"
    if not captured.is_file():
        services: dict[str, Mapping[str, Value]] = {
            rf"ControlSet001\Services\Service {number}": {
                "ImagePath": rf"C:\Program Files\Program {number}\program.exe",
                "Type": 16,
                "Start": 3,
            }
            for number in range(PROGRAMS)
        }
        (config / "SYSTEM").write_bytes(hive({**services, "Select": {"Current": 1}}))
        return "all of it is made"
    (config / "SYSTEM").write_bytes(lzma.decompress(captured.read_bytes()))
    target = root / "Windows" / "System32" / "Tasks"
    target.mkdir()
    found = sorted(
        path for path in tasks.rglob("*") if path.is_file() and path.read_bytes()[:2] in (b"\xff\xfe", b"<?")
    )
    for number, path in enumerate(found):
        (target / f"{number} {path.stem}").write_bytes(path.read_bytes())
    return (
        f"SYSTEM is a real one of {(config / 'SYSTEM').stat().st_size / 2**20:.0f} MiB, and so are {len(found)} tasks"
    )


def main() -> None:
    """Prints medians of the whole command, and the seconds of each source."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--keep", metavar="DIR", help="make the disk there and leave it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(arguments.keep or folder) / "disk"
        if not root.exists():
            print(f"{PROGRAMS} programs, {USERS} users; {make(root)}")
        command = [sys.executable, "-m", "phaseout", "scan", "--root", str(root), "--priority", "normal", "-f", "csv"]
        figures = [measure(command) for _ in range(arguments.runs + 1)][1:]
        wall, cpu, memory = (statistics.median(one[at] for one in figures) for at in range(3))
        least = min(one[0] for one in figures), min(one[1] for one in figures)
        print(f"phaseout scan --root: median {wall:.3f} s, CPU {cpu:.3f} s, peak {memory:.0f} MiB")
        print(f"                      least  {least[0]:.3f} s, CPU {least[1]:.3f} s, of {arguments.runs} runs")
        inventory = [*command[:3], "inventory", *command[4:-1], "json"]
        output = subprocess.run(inventory, capture_output=True, check=False).stdout
        for run in sorted(json.loads(output)["runs"], key=lambda run: -run.get("seconds", 0)):
            if run["status"] != "skipped":
                counts = f"{run.get('rows', 0)} rows, {run.get('items', 0)} items, {run['status']}"
                print(f"  {run.get('seconds', 0) * 1000:7.1f} ms  {run['source']} ({counts})")


if __name__ == "__main__":
    main()
