"""Faults of a real machine: processes that come and go, closed streams, hostile names, interruption."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from phaseout.scan.messages import Request
from phaseout.scan.supervisor import ScanSupervisor

from tests.support.command import phaseout
from tests.support.places import CODE
from tests.support.trees import KESL, Tree


@pytest.mark.slow
def test_processes_that_come_and_go() -> None:
    stop = threading.Event()

    def breed() -> None:
        while not stop.is_set():
            for child in [subprocess.Popen(["/bin/true"]) for _ in range(20)]:
                child.wait()

    breeder = threading.Thread(target=breed)
    breeder.start()
    try:
        for _ in range(3):
            inventory = ScanSupervisor(Request(only=("processes",))).inventory(
                scanned_at="2026-01-01T00:00:00Z", tool="test"
            )
            (run,) = (run for run in inventory.runs if run.source == "processes")
            assert run.status == "ok", run
    finally:
        stop.set()
        breeder.join()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("redirection", "status", "words"),
    [
        (">&-", 2, "standard output: closed; -o names a file instead"),
        ("2>&-", 1, ""),
        ("<&-", 1, ""),
        (">&- 2>&- <&-", 2, ""),
        (">&- 2>&- <&- -o {report}", 1, ""),
    ],
)
def test_closed_streams(tree: Tree, tmp_path: Path, redirection: str, status: int, words: str) -> None:
    tree.write("/var/lib/dpkg/status", KESL)
    report = tmp_path / "r.csv"
    command = f"{sys.executable} -m phaseout scan --root {tree.root} {redirection.format(report=report)}"
    result = subprocess.run(["/bin/sh", "-c", command], cwd=CODE, capture_output=True, text=True, check=False)
    assert result.returncode == status, result.stderr
    assert words in result.stderr
    if "report" in redirection:
        assert report.read_text().startswith("host,")


@pytest.mark.slow
def test_no_home_no_locale_no_terminal(tree: Tree) -> None:
    tree.write("/var/lib/dpkg/status", KESL)
    command = [sys.executable, "-m", "phaseout", "scan", "--root", str(tree.root)]
    result = subprocess.run(
        command, cwd=CODE, env={"LC_ALL": "C"}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (1, "")


@pytest.mark.slow
def test_hostile_names_on_the_way_to_the_report(tree: Tree) -> None:
    """Names of folders in /opt: not UTF-8, with line breaks, escapes, turned round, as long as the system allows."""
    tree.write("/var/lib/dpkg/status", KESL)
    for name in (
        b"caf\xe9",
        b"new\nline",
        b"\x1b[31mred",
        "\u202ekcab".encode(),
        b"x" * 255,
        b"=cmd|calc",
        b"'quote\"",
    ):
        (tree.root / "opt").mkdir(exist_ok=True)
        os.mkdir(os.fsencode(str(tree.root)) + b"/opt/" + name)
    for form in ("table", "csv", "json"):
        result = phaseout("inventory", "--root", str(tree.root), "-f", form)
        assert result.returncode == 0, result.stderr
        assert "\x1b" not in result.stdout
        assert "\u202e" not in result.stdout.replace("\\u202e", "") or form == "json"
        assert "caf\\" in result.stdout


@pytest.mark.parametrize("number", ["INT", "TERM"])
@pytest.mark.slow
def test_interrupted_command(number: str, tmp_path: Path) -> None:
    """During the scan: a partial report and status 130. A source delays the scan."""
    code = f"""
import os, signal, sys, threading, time
import phaseout.sources as sources
real = sources.load
marker = {str(tmp_path / "looking")!r}
def slow(host):
    open(marker, "w").close()
    time.sleep(30)
    yield from ()
def interrupt():
    while not os.path.exists(marker):
        time.sleep(0.05)
    time.sleep(2)
    os.kill(os.getpid(), signal.SIG{number})
def load(platform=None):
    return (*real(platform), real(platform)[0]._replace(name="slow", collect=slow))
sources.load = load
threading.Thread(target=interrupt, daemon=True).start()
sys.argv = ['phaseout', 'scan']
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
from phaseout.__main__ import main
main()
"""
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=CODE, capture_output=True, text=True, check=False, timeout=600
    )
    assert result.returncode == 130, result.stderr
    assert "interrupted" in result.stdout
    assert "Traceback" not in result.stderr
