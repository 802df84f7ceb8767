"""The shell scripts that cron, launchd, systemd, Jamf and munki start, run by the shells that are here.

`defaults` and `plutil` of macOS are stood in for by scripts that note how they were called.
"""

import os
import plistlib
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from phaseout.parsers.linux.crontab import Job, lines

from tests.contract.scripts.conftest import stand_in
from tests.support.trees import KESL, Tree

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "scripts"
REPORT = SCRIPTS / "unix/phaseout_report"
JAMF = SCRIPTS / "jamf/phaseout_extension_attribute"
MUNKI = SCRIPTS / "munki/phaseout_condition"
SHELL_SCRIPTS = [REPORT, JAMF, MUNKI, SCRIPTS / "unix/install"]
SHELLS = [shell for shell in ("sh", "bash", "dash", "busybox") if shutil.which(shell)]
DAY = 24 * 60

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")


def sh(script: Path | str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(script), *arguments] if isinstance(script, Path) else ["sh", "-c", script, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=600, env={**os.environ, **environment}
    )


def scanner(folder: Path, root: Path | None = None) -> str:
    """The real phaseout as the scripts find it."""
    look = f' --root "{root}"' if root else ""
    return str(stand_in(folder, f'cd "{ROOT}/scanner" && "{sys.executable}" -B -m phaseout "$@"{look}'))


@pytest.mark.parametrize("script", SHELL_SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_has_nothing_to_say(script: Path) -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("not installed: shellcheck")
    result = subprocess.run(["shellcheck", script], capture_output=True, text=True, check=False)
    assert result.stdout == ""


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("script", SHELL_SCRIPTS, ids=lambda path: path.name)
def test_every_shell_can_read_it(script: Path, shell: str) -> None:
    assert script.read_bytes().isascii()
    assert os.access(script, os.X_OK)
    command = ["busybox", "sh", "-n", str(script)] if shell == "busybox" else [shell, "-n", str(script)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def splay_function() -> str:
    (found,) = re.findall(r"(?ms)^splay\(\) \{\n.*?^\}\n", REPORT.read_text())
    return str(found)


def names(count: int) -> list[str]:
    """As companies name machines: numbered, so that they differ in their last digits only."""
    return [f"{site}-{kind}{number:05}" for number in range(count // 10) for site in SITES for kind in ("ws", "nb")]


SITES = ("berlin", "oslo", "paris", "rome", "wien")


def cksum(data: bytes) -> int:
    """The checksum of POSIX `cksum`: CRC-32 with its length behind, not reflected."""
    size = len(data)
    while size:
        data += bytes((size & 0xFF,))
        size >>= 8
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFFFFFF) ^ TABLE[value >> 24 ^ byte]
    return value ^ 0xFFFFFFFF


def _table_entry(index: int) -> int:
    value = index << 24
    for _ in range(8):
        value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value


TABLE = [_table_entry(index) for index in range(256)]


def test_the_wait_of_a_host_follows_from_its_name() -> None:
    chosen = names(200)
    loop = f'{splay_function()}\nfor name in "$@"; do splay 14400 "$name"; done'
    result = sh(loop, "sh", *chosen)
    assert result.stderr == ""
    assert list(map(int, result.stdout.split())) == [cksum(name.encode()) % 14400 for name in chosen]


def test_fifty_thousand_machines_do_not_start_in_the_same_minute() -> None:
    waits = [cksum(name.encode()) % 14400 for name in names(50_000)]
    minutes = Counter(wait // 60 for wait in waits)
    assert len(waits) == 50_000
    assert len(minutes) == 240, "every minute of the four hours has its share"
    assert max(minutes.values()) < 2 * 50_000 / 240
    assert max(Counter(waits).values()) < 50, "and no second has many"


@pytest.mark.parametrize("wrong", ["", "0", "-5", "1h", "010"])
def test_a_wait_that_is_no_number_is_wrong_use(wrong: str) -> None:
    result = sh(REPORT, "-s", wrong)
    assert (result.returncode, result.stdout) == (2, "")
    assert "number of seconds" in result.stderr


def test_the_wait_is_really_waited(tmp_path: Path) -> None:
    """By a `sleep` that says how long it was asked to."""
    sleep = tmp_path / "sleep"
    sleep.write_text('#!/bin/sh\necho "slept $1"\n')
    sleep.chmod(0o755)
    stand_in(tmp_path, 'echo "$@"')
    result = sh(REPORT, "-s", "14400", PATH=f"{tmp_path}:{os.environ['PATH']}", PHASEOUT=str(tmp_path / "phaseout"))
    assert result.stdout.splitlines() == [f"slept {cksum(os.uname().nodename.encode()) % 14400}", "scan -f csv"]


@pytest.mark.slow
def test_report_in_a_folder(tree: Tree, tmp_path: Path) -> None:
    tree.write("/var/lib/dpkg/status", KESL)
    folder = tmp_path / "new folder"
    program = scanner(tmp_path, tree.root)
    assert sh(REPORT, str(folder), "--as-of", "2024-09-01", PHASEOUT=program).returncode == 1
    assert sh(REPORT, str(folder), "--fail-on", "never", PHASEOUT=program).returncode == 0
    first, second = sorted(folder.iterdir())
    form = rf"{re.escape(os.uname().nodename)}-\d{{8}}T\d{{6}}Z\.csv"
    assert re.fullmatch(form, first.name)
    assert ",28," in first.read_text()
    assert first.stat().st_mode & 0o777 == 0o600
    assert second.name > first.name


def test_an_earlier_report_is_never_written_over(tmp_path: Path) -> None:
    """Two runs in the same second, by a clock that stands still for three questions."""
    clock = tmp_path / "date"
    clock.write_text(f'#!/bin/sh\nn=$(cat {tmp_path}/n); echo $((n + 1)) > {tmp_path}/n; echo "T$((n / 3))"\n')
    clock.chmod(0o755)
    (tmp_path / "n").write_text("0\n")
    stand_in(tmp_path, 'echo "$@" > "$3"')
    for _ in range(2):
        sh(REPORT, str(tmp_path / "out"), PATH=f"{tmp_path}:{os.environ['PATH']}", PHASEOUT=str(tmp_path / "phaseout"))
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_report_on_standard_output_only(tree: Tree, tmp_path: Path) -> None:
    result = sh(REPORT, PHASEOUT=scanner(tmp_path, tree.root))
    assert result.stdout.startswith("host,scanned_at,verdict,")


def test_a_host_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    name = tmp_path / "uname"
    name.write_text("#!/bin/sh\necho '../../etc/a b;c'\n")
    name.chmod(0o755)
    stand_in(tmp_path, 'echo "$@"')
    result = sh(REPORT, "/tmp", PATH=f"{tmp_path}:{os.environ['PATH']}", PHASEOUT=str(tmp_path / "phaseout"))
    assert re.fullmatch(r"scan -o /tmp/\.\._\.\._etc_a_b_c-\d{8}T\d{6}Z\.csv\n", result.stdout)


ANSWERS = {
    "echo 'REPLACE (all sources complete) A & B <x> 1'; exit 1": "REPLACE (all sources complete) A & B <x> 1",
    "echo 'CLEAN (all sources complete) </result><b>REPLACE'": "CLEAN (all sources complete) </result><b>REPLACE",
    "echo noise >&2; echo 'CLEAN (all sources complete) 5 items'": "CLEAN (all sources complete) 5 items",
    "echo Traceback >&2; exit 1": "INCOMPLETE (not everything seen) phaseout is not installed, or could not run",
}


@pytest.mark.parametrize(("body", "line"), ANSWERS.items())
def test_jamf_is_given_one_result_and_nothing_else(tmp_path: Path, body: str, line: str) -> None:
    result = sh(JAMF, PHASEOUT=str(stand_in(tmp_path, body)))
    assert (result.returncode, result.stderr) == (0, "")
    element = ET.fromstring(result.stdout)
    assert (element.tag, element.text, list(element)) == ("result", line, [])


@pytest.mark.slow
def test_jamf_with_phaseout_absent_and_present(tree: Tree, tmp_path: Path) -> None:
    absent = sh(JAMF, PHASEOUT=str(tmp_path / "absent"))
    assert absent.stdout.startswith("<result>INCOMPLETE (not everything seen) phaseout is not installed")
    tree.write("/var/lib/dpkg/status", KESL)
    present = sh(JAMF, PHASEOUT=scanner(tmp_path, tree.root))
    assert present.stdout.startswith(
        "<result>REPLACE (all sources complete) replace: Kaspersky Endpoint Security for Linux"
    )


def munki(tmp_path: Path, body: str, folder: str) -> list[str]:
    """What was asked of `defaults` and `plutil`, one call a line."""
    log = tmp_path / "log"
    for name, answer in (("defaults", f'[ "$1" != read ] || echo "{folder}"'), ("plutil", ":")):
        tool = tmp_path / name
        tool.write_text(f'#!/bin/sh\nprintf "%s|" {name} "$@" >> {log}; echo >> {log}\n{answer}\n')
        tool.chmod(0o755)
    program = str(stand_in(tmp_path, body))
    result = sh(MUNKI, PATH=f"{tmp_path}:{os.environ['PATH']}", PHASEOUT=program)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    return log.read_text().splitlines()


@pytest.mark.parametrize("folder", ["", "/Users/Shared/Managed Installs"])
def test_munki_condition(tmp_path: Path, folder: str) -> None:
    calls = munki(tmp_path, "echo 'REPLACE (all sources complete) replace: X'; exit 1", folder)
    items = f"{folder or '/Library/Managed Installs'}/ConditionalItems"
    assert calls[1:] == [
        f"defaults|write|{items}|phaseout_verdict|-string|REPLACE|",
        f"defaults|write|{items}|phaseout_line|-string|REPLACE (all sources complete) replace: X|",
        f"plutil|-convert|xml1|{items}.plist|",
    ]


def test_munki_condition_without_phaseout(tmp_path: Path) -> None:
    assert "phaseout_verdict|-string|INCOMPLETE|" in munki(tmp_path, "exit 127", "")[1]


def test_launchd_daemon() -> None:
    plist = plistlib.loads((SCRIPTS / "launchd/org.phaseout.scan.plist").read_bytes())
    assert plist["Label"] == "org.phaseout.scan"
    program, option, seconds, folder = plist["ProgramArguments"]
    assert (Path(program).name, option) == (REPORT.name, "-s")
    assert int(seconds) == 4 * 3600
    assert folder.startswith("/Library/")
    assert plist["StartCalendarInterval"] == {"Hour": 12, "Minute": 0}
    assert "KeepAlive" not in plist
    assert "RunAtLoad" not in plist, "every start of every Mac would be a scan"
    assert plist["Umask"] == 0o077


def test_cron_entry() -> None:
    file = SCRIPTS / "cron/phaseout"
    assert file.read_text().endswith("\n"), "cron drops a last line without end"
    assert "." not in file.name, "cron of Debian skips names with a dot"
    (job,) = (entry for _, entry in lines(file.read_text(), "system") if isinstance(entry, Job))
    assert job == Job("0 12 * * *", "root", "/usr/local/sbin/phaseout_report -s 14400 /var/lib/phaseout")
    assert "damaged" not in [entry for _, entry in lines(file.read_text(), "system")]
