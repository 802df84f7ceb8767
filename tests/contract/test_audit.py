"""The promises once more, as Python's own audit events tell them: here, and on Windows Python under Wine.

The system's tracer (`test_promises.py`) sees more, but there is none for Windows. A worker that is a new interpreter
would leave the hook behind, so the sources run in the watched process itself; the command around them is watched alone.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.places import CODE, ROOT, WINE

pytestmark = pytest.mark.slow
PREPARE = """
import sys
sys.path[:0] = [{code!r}, {support!r}]
sys.dont_write_bytecode = True
from phaseout.scan.messages import Request
from phaseout.scan.worker import warm_up, work
warm_up()
import phaseout.sources as sources
from audit_hook import watch
watch({log!r})
"""
SOURCES = """
messages = []
work(Request(low_priority=True, modules=True), messages.append)
print("@@", len(messages), type(messages[-1]).__name__)
"""
COMMAND = """
sys.argv = ["phaseout", "scan", "--fail-on", "never"]
from phaseout.__main__ import main
main()
"""
BAD = """
real = sources.load
def bad(host):
    {deed}
    yield from ()
def load(platform=None):
    found = real(platform)
    return (found[0]._replace(name="bad", collect=bad),)
sources.load = load
"""
DEEDS = [
    "import socket; socket.socket()",
    "import socket; socket.getaddrinfo('localhost', 1)",
    "import subprocess; subprocess.Popen([__import__('sys').executable, '-c', ''])",
    "import os; os.system('exit 0')",
    "open('phaseout-left-behind', 'w').close()",
    "import os; os.close(os.open('phaseout-left-behind', os.O_WRONLY | os.O_CREAT))",
    "import os; os.chmod('.', os.stat('.').st_mode)",
    "import os; os.mkdir('phaseout-left-behind')",
    "import sqlite3; sqlite3.connect('phaseout-left-behind')",
]
ON_WINDOWS = [
    *DEEDS,
    "import winreg; winreg.CreateKey(winreg.HKEY_CURRENT_USER, 'phaseout left behind')",
    "import winreg; winreg.SetValue(winreg.HKEY_CURRENT_USER, 'phaseout left behind', winreg.REG_SZ, '')",
]


def run(code: str, folder: Path, *, windows: bool) -> tuple[str, list[str]]:
    """What it printed, and the deeds that break a promise."""
    log = folder / "log"
    drive = "Z:" if windows else ""
    paths = {"code": f"{drive}{CODE}", "support": f"{drive}{ROOT}/tests/support", "log": f"{drive}{log}"}
    script = folder / "watched.py"
    script.write_text(PREPARE.format(**paths) + code)
    command = [str(WINE / "run"), f"Z:{script}"] if windows else [sys.executable, str(script)]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=600, stdin=subprocess.DEVNULL)
    output = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert log.exists(), output
    return output, log.read_text("utf-8").splitlines()


@pytest.fixture(params=["here", "Windows"])
def windows(request: pytest.FixtureRequest) -> bool:
    if request.param == "Windows" and not (WINE / "run").is_file():
        pytest.skip("no Windows Python: scripts/wine_python FOLDER makes one, and PHASEOUT_WINE names it")
    return bool(request.param == "Windows")


def test_all_sources(windows: bool, tmp_path: Path) -> None:
    output, deeds = run(SOURCES, tmp_path, windows=windows)
    assert deeds == []
    assert "Closed" in output


def test_the_command(windows: bool, tmp_path: Path) -> None:
    """It starts its worker, and nothing else."""
    output, deeds = run(COMMAND, tmp_path, windows=windows)
    assert "Seen: " in output
    if windows:
        popen, create = deeds
        assert popen.startswith("subprocess.Popen")
        assert "from phaseout.scan.worker_process import spawned; spawned()" in popen
        assert create.startswith("_winapi.CreateProcess")
    else:
        assert deeds == []


@pytest.mark.parametrize("deed", ON_WINDOWS)
def test_a_source_that_breaks_one_is_seen(deed: str, windows: bool, tmp_path: Path) -> None:
    if "winreg" in deed and not windows:
        pytest.skip("a deed that only Windows knows")
    output, deeds = run(BAD.format(deed=deed) + SOURCES, tmp_path, windows=windows)
    assert deeds, output
