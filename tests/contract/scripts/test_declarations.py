"""Files that other tools read: the Group Policy task, the Salt state and the Puppet fact."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from phaseout.parsers.windows.task_xml import task

from tests.support.command import phaseout
from tests.support.trees import KESL, Tree

SCRIPTS = Path(__file__).parents[3] / "scripts"
TASK = SCRIPTS / "group_policy/phaseout_task.xml"
FACT = SCRIPTS / "puppet/phaseout.rb"
STATE = SCRIPTS / "salt/phaseout.sls"
SPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def children(element: ET.Element) -> list[str]:
    return [child.tag.removeprefix(SPACE) for child in element]


def test_task_is_as_the_schema_wants_it() -> None:
    """[MS-TSCH] 2.5: a trigger is a sequence; the parts of a task and of its settings come in any order."""
    text = TASK.read_bytes()
    assert text.isascii()
    assert b"encoding=" not in text, "Register-ScheduledTask cannot switch to another one"
    root = ET.fromstring(text)
    assert (root.tag, root.attrib) == (f"{SPACE}Task", {"version": "1.2"})
    assert children(root) == ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"]
    (trigger,) = root.iter(f"{SPACE}CalendarTrigger")
    assert children(trigger) == ["Enabled", "StartBoundary", "RandomDelay", "ScheduleByDay"]
    (network,) = root.iter(f"{SPACE}EventTrigger")
    assert children(network) == ["Enabled", "Subscription", "Delay"]
    query = ET.fromstring(network.findtext(f"{SPACE}Subscription") or "")
    assert query.findtext("Query/Select") == "*[System[EventID=10000]]"
    (principal,) = root.iter(f"{SPACE}Principal")
    assert children(principal) == ["UserId", "RunLevel"]
    (actions,) = root.iter(f"{SPACE}Actions")
    assert actions.attrib["Context"] == principal.attrib["id"]
    assert set(children(root.find(f"{SPACE}Settings"))) <= {  # type: ignore[arg-type]
        *("MultipleInstancesPolicy", "DisallowStartIfOnBatteries", "StopIfGoingOnBatteries", "StartWhenAvailable"),
        *("RunOnlyIfNetworkAvailable", "ExecutionTimeLimit", "Priority"),
    }


def test_task_spreads_and_runs_the_script_that_is_here() -> None:
    root = ET.fromstring(TASK.read_bytes())
    texts = {one.tag.removeprefix(SPACE): (one.text or "").strip() for one in root.iter()}
    assert (texts["RandomDelay"], texts["StartWhenAvailable"], texts["UserId"]) == ("PT4H", "true", "S-1-5-18")
    (action,) = task(TASK.read_bytes()).actions
    assert action.command.endswith(r"\powershell.exe")
    script = re.search(r'-File "C:\\Program Files\\phaseout\\(\w+\.ps1)" -Share "\\\\[^"]+"$', action.arguments)
    assert script
    assert (SCRIPTS / "configmgr" / script[1]).is_file()


@pytest.mark.slow
def test_task_is_taken_by_schtasks(tmp_path: Path) -> None:
    """That of Wine, which reads the schema's main parts only; it refuses what is no task."""
    folder = os.environ.get("PHASEOUT_WINE")
    if not folder or not shutil.which("wine"):
        pytest.skip("PHASEOUT_WINE names no folder made by scripts/wine_python")
    environment = {**os.environ, "WINEPREFIX": f"{folder}/prefix", "WINEARCH": "win64", "WINEDEBUG": "-all"}

    def schtasks(*arguments: str) -> int:
        command = ["wine", "schtasks", *arguments]
        return subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=600, env=environment
        ).returncode

    broken = tmp_path / "broken.xml"
    broken.write_bytes(TASK.read_bytes().replace(b"<Task ", b"<Job ").replace(b"</Task>", b"</Job>"))
    assert schtasks("/create", "/tn", "phaseout-broken", "/xml", f"Z:{broken}") != 0
    try:
        assert schtasks("/create", "/tn", "phaseout-test", "/xml", f"Z:{TASK}") == 0
    finally:
        schtasks("/delete", "/tn", "phaseout-test", "/f")


def test_salt_state() -> None:
    jinja2 = pytest.importorskip("jinja2")
    yaml = pytest.importorskip("yaml")
    state = yaml.safe_load(jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(STATE.read_text()).render())
    assert len(state) == 6
    for name, calls in state.items():
        ((function, arguments),) = calls.items()
        assert function in {"file.managed", "cmd.run", "service.running"}, name
        assert all(isinstance(one, dict) and len(one) == 1 for one in arguments)
    sources = [
        one["source"].removeprefix("salt://phaseout/")
        for calls in state.values()
        for one in calls.get("file.managed", ())
        if "source" in one
    ]
    assert sources == ["phaseout-bundle.tar", "phaseout_report", "phaseout.service", "phaseout.timer"]
    required = state["phaseout_timer"]["service.running"][2]["require"]
    assert {name for one in required for name in one.values()} <= set(state)


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum")
def test_salt_state_installs_again_what_failed_or_changed(tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    ((_, arguments),) = yaml.safe_load(STATE.read_text().replace("{%", "# {%"))["phaseout_installed"].items()
    commands = {key: value for one in arguments for key, value in one.items() if key in ("name", "unless")}

    def ends(command: str) -> bool:
        text = commands[command].replace("/opt/phaseout", str(tmp_path / "home"))
        return not subprocess.run(["sh", "-c", text], cwd=tmp_path, capture_output=True, check=False).returncode

    def bundle(install: str) -> None:
        with tarfile.open(tmp_path / "phaseout-bundle.tar", "w") as archive:
            member = tarfile.TarInfo("phaseout-bundle/install")
            member.size = len(install)
            archive.addfile(member, io.BytesIO(install.encode()))

    bundle("exit 1")
    assert (ends("unless"), ends("name"), ends("unless")) == (False, False, False)
    works = 'mkdir -p "$1/bin" && cp /bin/sh "$1/bin/phaseout"'
    bundle(works)
    assert (ends("unless"), ends("name"), ends("unless")) == (False, True, True)
    bundle(f"{works} # changed")
    assert not ends("unless")


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [one for one in programs if not shutil.which(one)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@needs("ruby")
def test_puppet_fact_is_ruby() -> None:
    assert subprocess.run(["ruby", "-wc", FACT], check=False, capture_output=True, text=True).stdout == "Syntax OK\n"


def fact(reports: Path) -> str:
    """What facter says of it."""
    command = ["facter", "--custom-dir", str(FACT.parent), "--json", "phaseout"]
    environment = {**os.environ, "PHASEOUT_REPORTS": str(reports)}
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=600, env=environment).stdout


@needs("facter")
@pytest.mark.skipif(sys.platform == "win32", reason="the fact is confined to Linux and macOS")
@pytest.mark.slow
def test_puppet_fact_is_the_newest_report(tree: Tree, tmp_path: Path) -> None:
    assert '"phaseout": null' in fact(tmp_path) or fact(tmp_path).split() == ["{", "}"]
    tree.write("/var/lib/dpkg/status", KESL)
    phaseout("scan", "--root", str(tree.root), "-o", str(tmp_path / "host-20260101T000000Z.csv"))
    earlier = tmp_path / "host-20300101T000000Z-20251231T235959Z-0123456789abcdef.csv"  # of a host with an odd name
    phaseout("scan", "--root", str(tree.root), "--source", "rpm", "-o", str(earlier))
    found = fact(tmp_path)
    assert '"verdict": "replace"' in found
    assert '"Kaspersky Endpoint Security for Linux"' in found
    phaseout("scan", "--root", str(tree.root), "--source", "rpm", "-o", str(tmp_path / "host-20260102T000000Z.csv"))
    assert '"verdict": "incomplete"' in fact(tmp_path)


@needs("facter")
@pytest.mark.skipif(sys.platform == "win32", reason="the fact is confined to Linux and macOS")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("report", "verdict"),
    [
        ("h,NOW,clean\n", "clean"),
        ("h,2020-01-01T00:00:00Z,clean\n", "incomplete"),
        ("h,2020-01-01T00:00:00Z,replace\n", "replace"),
        ("h,2999-01-01T00:00:00Z,clean\n", "incomplete"),
        ("h,,clean\n", "incomplete"),
        ('h,NOW,clean\n"h', "incomplete"),
        ("h,NOW,\n", "incomplete"),
        ("", "incomplete"),
        ("h,NOW,clean\nh,NOW,replace\n", "replace"),
    ],
)
def test_puppet_fact_of_a_report_that_proves_nothing(tmp_path: Path, report: str, verdict: str) -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    (tmp_path / "h-20260101T000000Z.csv").write_text(f"host,scanned_at,verdict\n{report.replace('NOW', now)}")
    assert json.loads(fact(tmp_path))["phaseout"]["verdict"] == verdict
