"""The systemd units: read by systemd's own tools, and what their sandbox leaves visible, tried with its own means.

systemd itself does not run here. The sandbox of the service is made of kernel features: those that could hide
something (capabilities, no new privileges, a read-only file system, no network) are put around a real scan by hand,
and it has to see what it sees without them.
"""

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.places import CODE

SCRIPTS = Path(__file__).parents[3] / "scripts"
ROOT = SCRIPTS.parent
UNITS = SCRIPTS / "systemd"
REPORT = SCRIPTS / "unix/phaseout_report"
HIDING = {
    *("ProtectHome", "PrivateTmp", "PrivateDevices", "PrivateUsers", "ProtectProc", "ProcSubset", "InaccessiblePaths"),
    *("TemporaryFileSystem", "RootDirectory", "RootImage", "NoExecPaths", "PrivateMounts", "User", "DynamicUser"),
    "ProtectKernelModules",
}


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [one for one in programs if not shutil.which(one)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(UNITS / name)
    return parser


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units with a program that is there."""
    for name in ("phaseout.service", "phaseout.timer"):
        text = (UNITS / name).read_text()
        (tmp_path / name).write_text(text.replace("/usr/local/sbin/phaseout_report", str(REPORT)))
    return tmp_path


@needs("systemd-analyze")
def test_systemd_finds_no_fault(installed: Path) -> None:
    files = [installed / "phaseout.service", installed / "phaseout.timer"]
    result = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@needs("systemd-analyze")
def test_systemd_finds_a_fault(installed: Path) -> None:
    service = installed / "phaseout.service"
    service.write_text(service.read_text().replace("ProtectClock=yes", "ProtectClocks=yes"))
    result = subprocess.run(["systemd-analyze", "verify", service], capture_output=True, text=True, check=False)
    assert "ProtectClocks" in result.stderr


@needs("systemd-analyze")
def test_exposure(installed: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=26", str(installed / "phaseout.service")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if "offline" in result.stderr:
        pytest.skip("systemd-analyze is too old for --offline")
    assert result.returncode == 0, result.stdout  # 2.6 of 10 at most; what is left is what the scan needs to see


@needs("systemd-analyze")
@pytest.mark.parametrize("expression", ["*-*-* 12:00:00"])
def test_calendar(expression: str) -> None:
    assert unit("phaseout.timer")["Timer"]["OnCalendar"] == expression
    assert subprocess.run(["systemd-analyze", "calendar", expression], capture_output=True, check=False).returncode == 0


def test_the_timer_spreads_and_makes_up_for_what_was_missed() -> None:
    timer = unit("phaseout.timer")["Timer"]
    assert timer["RandomizedDelaySec"] == "4h"
    assert timer["FixedRandomDelay"] == "yes", "each machine keeps its time, derived from its machine id"
    assert timer["Persistent"] == "yes"
    assert int(timer["AccuracySec"].removesuffix("min")) == 1, "a coarser one gathers machines again"


def test_nothing_that_hides() -> None:
    service = unit("phaseout.service")["Service"]
    assert not HIDING & set(service)
    assert set(service["CapabilityBoundingSet"].split()) == {"CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE"}
    assert service["ProtectSystem"] == "strict"
    assert service["ReadWritePaths"] == "/var/lib/phaseout" == service["ExecStart"].split()[1]
    assert service["StateDirectory"] == "phaseout"
    assert service["SuccessExitStatus"] == "1 3"


def inventory(*around: str) -> tuple[dict[str, tuple[str, int]], str]:
    """How each source ended and how many items it gave, but for processes, which come and go."""
    command = [*around, sys.executable, "-B", "-m", "phaseout", "inventory", "-f", "json", "--skip-source", "processes"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CODE, timeout=600)
    if not result.stdout:
        pytest.skip(f"the sandbox cannot be made here: {result.stderr[-200:]}")
    runs = json.loads(result.stdout)["runs"]
    return {run["source"]: (run["status"], run.get("items", 0)) for run in runs}, result.stderr


SANDBOX = """
mount --make-rprivate / && mount -o remount,bind,ro / || exit 9
touch /etc/phaseout-was-here 2>/dev/null && exit 9
exec setpriv --bounding-set=-all,+dac_read_search,+sys_ptrace --inh-caps=-all --no-new-privs "$@"
"""


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs to be root on Linux")
@needs("unshare", "setpriv", "mount")
@pytest.mark.slow
def test_the_sandbox_lets_it_see_everything() -> None:
    around = ("unshare", "--net", "--mount", "--uts", "sh", "-c", SANDBOX, "sandbox")
    inside, errors = inventory(*around)
    assert errors == ""
    assert inside == inventory()[0]


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs to be root on Linux")
@needs("unshare", "setpriv", "mount", "sleep")
def test_other_users_processes_are_seen_in_the_sandbox() -> None:
    """Their executables are what CAP_SYS_PTRACE is for."""
    around = ["unshare", "--net", "--mount", "--uts", "sh", "-c", SANDBOX, "sandbox"]
    sleeper = subprocess.Popen(["setpriv", "--reuid=65534", "--clear-groups", "sleep", "60"])
    try:
        command = [*around, sys.executable, "-B", "-m", "phaseout", "inventory", "-f", "json", "--source", "processes"]
        result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CODE, timeout=600)
    finally:
        sleeper.kill()
        sleeper.wait()
    if not result.stdout:
        pytest.skip(f"the sandbox cannot be made here: {result.stderr[-200:]}")
    found = json.loads(result.stdout)
    (run,) = (run for run in found["runs"] if run["source"] == "processes")
    assert run["status"] == "ok", run
    (seen,) = (item for item in found["items"] if item.get("details", {}).get("pid") == str(sleeper.pid))
    assert Path(seen["path"]).name in {"sleep", "coreutils", "busybox"}


@needs("systemd-analyze", "strace")
@pytest.mark.slow
def test_the_system_calls_of_a_scan_are_let_through(tmp_path: Path) -> None:
    filters = subprocess.run(
        ["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True, env={"LC_ALL": "C"}
    ).stdout
    groups = {
        block.split("\n")[0]: {line.strip() for line in block.split("\n")[1:] if line.startswith("    ")}
        for block in re.split(r"\n(?=@)", filters)
    }
    allowed = calls(groups, "@system-service")
    log = tmp_path / "log"
    command = ["strace", "-f", "-qq", "-o", str(log), "sh", str(REPORT), str(tmp_path / "out")]
    program = tmp_path / "phaseout"
    program.write_text(f'#!/bin/sh\ncd {ROOT}/scanner && exec {sys.executable} -B -m phaseout "$@"\n')
    program.chmod(0o755)
    subprocess.run(
        command,
        check=False,
        capture_output=True,
        timeout=600,
        env={**os.environ, "PHASEOUT": str(program), "PHASEOUT_OUTBOX": str(tmp_path / "outbox")},
    )
    text = log.read_text(errors="replace")
    used = set(re.findall(r"(?m)^\d+ +(\w+)\(", text))
    assert len(list((tmp_path / "out").iterdir())) == 1
    assert len(used) > 30
    assert used - allowed == set()
    # What MemoryDenyWriteExecute= and RestrictAddressFamilies= would refuse.
    assert re.findall(r"mmap\(.*PROT_WRITE\|PROT_EXEC.*|mprotect\(.*PROT_EXEC.*", text) == []
    assert set(re.findall(r"\bsocket\((\w+)", text)) <= {"AF_UNIX"}


def calls(groups: dict[str, set[str]], name: str) -> set[str]:
    """The system calls of a group and of those in it."""
    found: set[str] = set()
    for entry in groups[name]:
        found |= calls(groups, entry) if entry.startswith("@") else {entry}
    return found


@needs("systemctl")
def test_the_timer_can_be_enabled(tmp_path: Path) -> None:
    """In the root of a machine that is not running."""
    place = tmp_path / "etc/systemd/system"
    place.mkdir(parents=True)
    for name in ("phaseout.service", "phaseout.timer"):
        shutil.copy(UNITS / name, place)
    subprocess.run(["systemctl", f"--root={tmp_path}", "enable", "phaseout.timer"], check=True, capture_output=True)
    assert (place / "timers.target.wants/phaseout.timer").is_symlink()
