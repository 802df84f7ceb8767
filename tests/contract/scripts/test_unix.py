"""The shell scripts that cron, launchd, systemd, Intune, Jamf and munki start, run by the shells that are here.

`defaults` and `plutil` of macOS are stood in for by scripts that note how they were called.
"""

import json
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
from tests.support.namespaces import can_unshare
from tests.support.trees import KESL, Tree

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "scripts"
REPORT = SCRIPTS / "unix/phaseout_report"
JAMF = SCRIPTS / "jamf/phaseout_extension_attribute"
MUNKI = SCRIPTS / "munki/phaseout_condition"
COMPLIANCE = SCRIPTS / "intune/discover_compliance.sh"
ATTRIBUTE = SCRIPTS / "intune/custom_attribute.sh"
JUDGES = [JAMF, MUNKI, COMPLIANCE, ATTRIBUTE]
SHELL_SCRIPTS = [REPORT, *JUDGES, SCRIPTS / "unix/install"]
SHELLS = [shell for shell in ("sh", "bash", "dash", "busybox") if shutil.which(shell)]
DAY = 24 * 60

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")


@pytest.fixture(autouse=True)
def outbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where reports wait that could not be delivered."""
    monkeypatch.setenv("PHASEOUT_OUTBOX", str(tmp_path / "outbox"))
    return tmp_path / "outbox"


def sh(script: Path | str, *arguments: str, shell: str = "sh", **environment: str) -> subprocess.CompletedProcess[str]:
    start = ["busybox", "sh"] if shell == "busybox" else [shell]
    command = [*start, str(script), *arguments] if isinstance(script, Path) else [*start, "-c", script, *arguments]
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


@pytest.mark.slow
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
    first, second = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    # Two that come in one second differ in the digest.
    form = rf"{re.escape(os.uname().nodename)}-\d{{8}}T\d{{6}}Z(-[0-9a-f]{{16}})?\.csv"
    assert re.fullmatch(form, first.name)
    assert re.fullmatch(form, second.name)
    assert ",28," in first.read_text()
    assert first.stat().st_mode & 0o777 == 0o600


def test_an_earlier_report_is_never_written_over(tmp_path: Path) -> None:
    """Two runs in the same second, by a clock that stands still for three questions."""
    clock = tmp_path / "date"
    clock.write_text(
        f'#!/bin/sh\nn=$(cat {tmp_path}/n); echo $((n + 1)) > {tmp_path}/n; echo "20260101T00000$((n / 3))Z"\n'
    )
    clock.chmod(0o755)
    (tmp_path / "n").write_text("0\n")
    stand_in(tmp_path, 'echo "$@" > "$3"')
    for _ in range(2):
        sh(REPORT, str(tmp_path / "out"), PATH=f"{tmp_path}:{os.environ['PATH']}", PHASEOUT=str(tmp_path / "phaseout"))
    assert len(list((tmp_path / "out").iterdir())) == 2


@pytest.mark.slow
def test_report_on_standard_output_only(tree: Tree, tmp_path: Path) -> None:
    result = sh(REPORT, PHASEOUT=scanner(tmp_path, tree.root))
    assert result.stdout.startswith("host,scanned_at,verdict,")


def test_a_host_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    name = tmp_path / "uname"
    name.write_text("#!/bin/sh\necho '../../etc/a b;c'\n")
    name.chmod(0o755)
    stand_in(tmp_path, 'echo x >"$3"')
    path = f"{tmp_path}:{os.environ['PATH']}"
    sh(REPORT, str(tmp_path / "reports"), PATH=path, PHASEOUT=str(tmp_path / "phaseout"))
    (file,) = (tmp_path / "reports").iterdir()
    assert re.fullmatch(r"\.\._\.\._etc_a_b_c-\d{8}T\d{6}Z\.csv", file.name)


REPORTED = 'echo call >>"$0.calls"; printf "host,scanned_at,verdict\\npc,2026-01-01T00:00:00Z,replace\\n" >"$3"; exit 1'


def calls(program: Path) -> int:
    return len(Path(f"{program}.calls").read_text().split())


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
def test_what_could_not_be_delivered_waits_and_is_not_scanned_again(tmp_path: Path, outbox: Path, shell: str) -> None:
    program = stand_in(tmp_path, REPORTED)
    away = tmp_path / "a file/reports"
    away.parent.write_text("")
    for _ in range(2):
        result = sh(REPORT, str(away), shell=shell, PHASEOUT=str(program))
        assert result.returncode == 2
        assert re.search(r"the report of \S+ could not be delivered to .*/a file/reports, and waits", result.stderr)
    assert calls(program) == 1
    (file,) = outbox.glob("*.csv")
    assert file.stat().st_mode & 0o777 == 0o600
    away.parent.unlink()
    result = sh(REPORT, str(away), shell=shell, PHASEOUT=str(program))
    assert (result.returncode, result.stderr) == (1, ""), "the status of that scan, which has not been reported yet"
    assert [one.read_text()[-8:] for one in away.iterdir()] == ["replace\n"]
    assert list(outbox.glob("*.csv")) == []
    assert sh(REPORT, str(away), shell=shell, PHASEOUT=str(program)).returncode == 1
    assert (calls(program), len(list(away.iterdir()))) == (2, 2)


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
def test_seven_wait_and_the_newest_goes_first(tmp_path: Path, outbox: Path, shell: str) -> None:
    program = stand_in(tmp_path, REPORTED)
    outbox.mkdir()
    for day in range(10, 20):
        old = outbox / f"202601{day}T120000Z-0-1.csv"
        old.write_text(f"day {day}\n")
        os.utime(old, (1e9, 1e9))
    result = sh(REPORT, "/proc/none", shell=shell, PHASEOUT=str(program))
    assert result.returncode == 2
    assert result.stderr.count("was deleted") == 4
    assert calls(program) == 1, "those that wait are old"
    names = sorted(one.name for one in outbox.glob("*.csv"))
    assert [name[:8] for name in names[:6]] == [f"202601{day}" for day in range(14, 20)]
    assert len(names) == 7
    reports = tmp_path / "reports"
    assert sh(REPORT, str(reports), shell=shell, PHASEOUT=str(program)).returncode == 1
    assert len(list(reports.iterdir())) == 7


def test_a_few_megabytes_wait(tmp_path: Path, outbox: Path) -> None:
    outbox.mkdir()
    for day in range(10, 14):
        with (outbox / f"202601{day}T120000Z-0-1.csv").open("w") as file:
            file.truncate(30 << 20)
    sh(REPORT, "/proc/none", PHASEOUT=str(stand_in(tmp_path, "exit 2")))
    assert len(list(outbox.glob("*.csv"))) == 2
    (outbox / "20260301T120000Z-0-1.csv").write_text("x")
    with (outbox / "20260302T120000Z-0-1.csv").open("w") as file:
        file.truncate(70 << 20)
    sh(REPORT, "/proc/none", PHASEOUT=str(stand_in(tmp_path, "exit 2")))
    assert [one.name[:8] for one in outbox.glob("*.csv")] == ["20260302"], "the newest in any case"


@pytest.mark.parametrize("place", ["/mnt/phaseout-none/reports", "/Volumes/phaseout-none", "/media/phaseout-none/x"])
def test_no_folder_is_made_where_a_share_is_away(tmp_path: Path, place: str) -> None:
    assert sh(REPORT, place, PHASEOUT=str(stand_in(tmp_path, REPORTED))).returncode == 2
    assert not Path(place).exists()


MOUNTED = """
mount -t tmpfs none /etc && cp "$2" /etc/fstab
sh "$REPORT" "$1/reports"; echo "away: $?"
ls -A "$1"
mount -t tmpfs none "$1" && mkdir "$1/reports" && sh "$REPORT" "$1/reports"; echo "there: $?"
ls "$1/reports"
mount -t tmpfs -o size=4k,remount none "$1"; head -c 4096 /dev/zero >"$1/full"
sh "$REPORT" "$1/reports"; echo "full: $?"
rm "$1/full"; mount -t tmpfs -o size=1m,remount none "$1"; sh "$REPORT" "$1/reports"; echo "again: $?"
ls "$1/reports"
"""


@pytest.mark.slow
def test_a_mount_that_is_away_or_full(tmp_path: Path, outbox: Path) -> None:
    """With an /etc/fstab of its own: below a mount point on which nothing is mounted, a report would be hidden."""
    if not can_unshare("--mount"):
        pytest.skip("no mount namespace can be made here")
    point = tmp_path / "a share"
    point.mkdir()
    program = stand_in(tmp_path, REPORTED)
    table = tmp_path / "fstab"
    blank = str(point).replace(" ", "\\040")
    table.write_text(f"# proc\n/dev/sda1 / ext4\nserver:/x {blank} nfs rw 0 0\n")
    result = subprocess.run(
        ["unshare", "--mount", "sh", "-c", MOUNTED, "sh", str(point), str(table)],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "REPORT": str(REPORT), "PHASEOUT": str(program)},
    )
    name = r"\S+-\d{8}T\d{6}Z-[0-9a-f]{16}\.csv\n"
    assert re.fullmatch(rf"away: 2\nthere: 1\n{name}full: 2\nagain: 1\n({name}){{2,3}}", result.stdout), result
    assert list(outbox.glob("*.csv")) == []
    assert calls(program) == 2


@pytest.mark.slow
def test_a_share_that_does_not_answer_is_given_up(tmp_path: Path, outbox: Path) -> None:
    """`df` does not return for long, and the 300 seconds of patience are short."""
    for name, body in (("df", "exec sleep 4"), ("sleep", '[ "$1" = 300 ] && exec sleep 0.1; exec sleep "$1"')):
        tool = tmp_path / name
        tool.write_text(f"#!/bin/sh\nPATH={os.environ['PATH']}\n{body}\n")
        tool.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    program = stand_in(tmp_path, REPORTED)
    result = sh(REPORT, str(tmp_path / "reports"), PATH=path, PHASEOUT=str(program))
    assert result.returncode == 2
    assert "could not be delivered" in result.stderr
    assert len(list(outbox.glob("*.csv"))) == 1


@pytest.mark.slow
def test_two_runs_at_once_lose_nothing(tmp_path: Path, outbox: Path) -> None:
    program = stand_in(tmp_path, f"sleep 0.1; {REPORTED}")
    reports = tmp_path / "reports"
    runs = [
        subprocess.Popen(["sh", str(REPORT), str(reports)], env={**os.environ, "PHASEOUT": str(program)})
        for _ in range(4)
    ]
    assert [run.wait(timeout=600) for run in runs] == [1] * 4
    assert len(list(reports.iterdir())) >= 4
    assert list(outbox.glob("*.csv")) == []


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ("exit 0", 2, "wrote no report"),
        (': >"$3"', 2, "wrote no report"),
        ("exit 2", 2, "ended with status 2"),
        ("kill -9 $$", 2, "ended with status 137"),
        ('echo half >"$3.part"; kill -9 $$', 2, "ended with status 137"),
        ('echo "a,b,incomplete," >"$3"', 2, "contradict"),
        ('echo "a,b,incomplete," >"$3"; exit 3', 3, ""),
        ('echo "a,b,clean," >"$3"', 0, ""),
        ('echo "a,b,clean," >"$3"; exit 3', 2, "contradict"),
        ('echo "\\"a,b\\",b,clean," >"$3"; exit 1', 2, "contradict"),
        ('echo "host,scanned_at,verdict" >"$3"', 2, "names no machine"),
    ],
)
def test_the_status_is_good_only_with_a_report(tmp_path: Path, body: str, status: int, word: str) -> None:
    result = sh(REPORT, str(tmp_path / "reports"), PHASEOUT=str(stand_in(tmp_path, body)))
    assert result.returncode == status
    assert word in result.stderr
    assert bool(result.stderr) == bool(word)


@pytest.mark.parametrize("name", ["PHASEOUT", "PHASEOUT_OUTBOX"])
def test_a_part_of_a_path_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    program = stand_in(tmp_path, REPORTED)
    monkeypatch.setenv("PHASEOUT", str(program))
    monkeypatch.setenv(name, "phaseout")
    monkeypatch.chdir(tmp_path)
    result = sh(REPORT, str(tmp_path / "reports"))
    assert (result.returncode, result.stderr) == (2, f"phaseout_report: {name} is no whole path\n")
    assert not Path(f"{program}.calls").exists()


CLEAN = "CLEAN (all sources complete) 5 items"
REPLACE = "REPLACE (all sources complete) replace: Kaspersky A & B <x> 1/2, installed"
PARTLY = REPLACE.replace("all sources complete", "not everything seen")
REVIEW = "REVIEW (all sources complete) review: Y"
INCOMPLETE = "INCOMPLETE (not everything seen) not seen: services"

ANSWERS = [  # what the program does, the beginning of the line that is due, whether the scan ran, saw everything
    (f"echo '{CLEAN}'", CLEAN, True, True),
    (f"echo noise >&2; echo note; echo '{CLEAN}'", CLEAN, True, True),
    ("echo 'CLEAN (everything seen) 5 items'", "CLEAN (everything seen) 5 items", True, True),
    (f"printf '{CLEAN}\\r\\n'", CLEAN, True, True),
    (f"printf '{CLEAN}'", CLEAN, True, True),
    ("echo 'CLEAN (all sources complete) </result><b>REPLACE'", "CLEAN (all sources complete) </result>", True, True),
    (f"echo '{REPLACE}'", REPLACE, True, True),
    (f"echo '{PARTLY}'", PARTLY, True, False),
    (f"echo '{REVIEW}'", REVIEW, True, True),
    (f"echo '{INCOMPLETE}'; exit 3", INCOMPLETE, True, False),
    ("echo 'INCOMPLETE (not everything seen) (all sources complete)'; exit 3", "INCOMPLETE (not every", True, False),
    ("echo 'CLEAN (not everything seen) x'", "CLEAN (not everything seen)", True, False),
    (
        f"echo '{CLEAN}'; exit 1",
        "INCOMPLETE (not everything seen) the verdict of phaseout and its status 1",
        False,
        False,
    ),
    (
        f"echo '{CLEAN}'; exit 3",
        "INCOMPLETE (not everything seen) the verdict of phaseout and its status 3",
        False,
        False,
    ),
    (f"echo '{CLEAN}'; kill -9 $$", "INCOMPLETE (not everything seen) the verdict", False, False),
    (f"echo '{INCOMPLETE}'", "INCOMPLETE (not everything seen) the verdict of phaseout and its status 0", False, False),
    ("echo 'INCOMPLETE (all sources complete)'; exit 3", "INCOMPLETE (not everything seen) the verdict", False, False),
    (f"echo '{REPLACE}'; exit 1", "REPLACE (not everything seen) the verdict of phaseout", False, False),
    (f"echo '{REPLACE}'; kill -9 $$", "REPLACE (not everything seen) the verdict of phaseout", False, False),
    (f"echo '{REPLACE}'; echo '{CLEAN}'", "REPLACE (not everything seen) phaseout said more than one", False, False),
    (f"echo '{INCOMPLETE}'; echo '{CLEAN}'", "INCOMPLETE (not everything seen) phaseout said more", False, False),
    (f"echo '{CLEAN}'; echo '{CLEAN}'", "INCOMPLETE (not everything seen) phaseout said more", False, False),
    (f"echo '{CLEAN}'; echo", "INCOMPLETE (not everything seen) the last line of phaseout is empty", False, False),
    (f"echo '{CLEAN}'; echo ' '", "INCOMPLETE (not everything seen) the last line of phaseout is empty", False, False),
    (f"echo '{CLEAN}'; echo Traceback", "INCOMPLETE (not everything seen) phaseout said more than", False, False),
    (f"echo ' {CLEAN}'", "INCOMPLETE (not everything seen) phaseout gave no verdict", False, False),
    ("echo 'clean (all sources complete)'", "INCOMPLETE (not everything seen) phaseout gave no verdict", False, False),
    ("echo 'CLEAN'", "INCOMPLETE (not everything seen) phaseout gave no verdict", False, False),
    ("printf 'C\\0L\\0E\\0A\\0N\\0'", "INCOMPLETE (not everything seen) phaseout gave no verdict", False, False),
    (
        "printf '\\357\\273\\277CLEAN (all sources complete)'",
        "INCOMPLETE (not everything seen) phaseout gave",
        False,
        False,
    ),
    (f"printf '\\357\\273\\277{REPLACE}'", "REPLACE (not everything seen) the verdict of phaseout came", False, False),
    (f"echo ' {REPLACE}'", "REPLACE (not everything seen) the verdict of phaseout came in another form", False, False),
    (f"printf '\\033[1;31m{REPLACE}\\033[0m\\n'", "REPLACE (not everything seen) the verdict", False, False),
    (f"printf '\\033[31m{REPLACE}\\n'; echo '{CLEAN}'", "REPLACE (not everything seen) phaseout said", False, False),
    ("printf 'R\\0E\\0P\\0L\\0A\\0C\\0E\\0 \\0(\\0a\\0)\\0 \\0x\\0'", "REPLACE (not everything", False, False),
    ("echo 'REPLACE (everything was seen) x'", "REPLACE (not everything seen) the verdict of phaseout", False, False),
    ("exit 0", "INCOMPLETE (not everything seen) phaseout said nothing, and ended with status 0", False, False),
    ("echo", "INCOMPLETE (not everything seen) phaseout said nothing", False, False),
    ("echo Traceback >&2; exit 1", "INCOMPLETE (not everything seen) phaseout said nothing, and ended", False, False),
    ("exit 2", "INCOMPLETE (not everything seen) phaseout said nothing, and ended with status 2", False, False),
    ("exit 126", "INCOMPLETE (not everything seen) phaseout could not be started", False, False),
]


def test_what_phaseout_said_is_judged_in_one_way() -> None:
    """Each script is uploaded alone, so each has a copy. The PowerShell scripts give the same reasons."""
    parts = {one.read_text().split("# Begin of the judgement")[1].split("# End of the judgement")[0] for one in JUDGES}
    (part,) = parts
    powershell = (SCRIPTS / "configmgr/discover.ps1").read_text()
    reasons = re.findall(r"""why=['"](.+)['"]""", part)
    assert len(reasons) > 7
    assert [one for one in reasons if one not in powershell] == ["PHASEOUT is no whole path"]


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_said_of_every_answer(tmp_path: Path, shell: str) -> None:
    for body, line, ran, seen in ANSWERS:
        program = str(stand_in(tmp_path, body))
        attribute = sh(ATTRIBUTE, shell=shell, PHASEOUT=program)
        assert (attribute.returncode, attribute.stderr) == (0, ""), body
        assert attribute.stdout.startswith(line), body
        assert attribute.stdout.count("\n") == 1
        result = sh(JAMF, shell=shell, PHASEOUT=program)
        element = ET.fromstring(result.stdout)
        assert (element.tag, list(element), result.stderr) == ("result", [], "")
        assert f"{element.text}\n" == attribute.stdout
        result = sh(COMPLIANCE, shell=shell, PHASEOUT=program)
        assert (result.returncode, result.stderr) == (0, "")
        assert json.loads(result.stdout) == {
            "PhaseoutNothingToReplace": ran and not line.startswith("REPLACE"),
            "PhaseoutRan": ran,
            "PhaseoutEverythingSeen": seen,
        }, body


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
def test_a_program_that_hangs_is_killed(tmp_path: Path, outbox: Path, shell: str) -> None:
    """The 1,800 seconds of patience are short; what it had said counts."""
    patience = tmp_path / "sleep"
    patience.write_text('#!/bin/sh\n[ "$1" = 1800 ] && exec {0} 0.2; exec {0} "$1"\n'.format(shutil.which("sleep")))
    patience.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    for said, line in (
        ("REPLACE (all sources complete) x", "REPLACE (not"),
        (CLEAN, "INCOMPLETE (not everything seen)"),
    ):
        program = str(stand_in(tmp_path, f"echo '{said}'; exec {shutil.which('sleep')} 600"))
        for script in (ATTRIBUTE, JAMF):
            result = sh(script, shell=shell, PHASEOUT=program, PATH=path)
            assert line in result.stdout
            assert "status 137" in result.stdout
            assert result.stderr == ""
        assert "true" not in sh(COMPLIANCE, shell=shell, PHASEOUT=program, PATH=path).stdout
    result = sh(REPORT, str(tmp_path / "reports"), shell=shell, PHASEOUT=program, PATH=path)
    assert (result.returncode, result.stderr) == (2, "phaseout_report: phaseout ended with status 137\n")
    assert list(outbox.glob("*.csv")) == []


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("what", ["absent", "a folder", "not executable", "no program", "a part of a path"])
def test_what_is_said_where_phaseout_cannot_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str, what: str
) -> None:
    program = stand_in(tmp_path, f"echo '{CLEAN}'")
    if what in ("absent", "a folder"):
        program.unlink()
    if what == "a folder":
        program.mkdir()
    if what == "not executable":
        program.chmod(0o644)
    if what == "no program":
        program.write_bytes(b"MZ\0\1")
    monkeypatch.chdir(tmp_path)
    environment = {"PHASEOUT": "./phaseout" if what == "a part of a path" else str(program)}
    result = sh(ATTRIBUTE, shell=shell, **environment)
    reasons = "phaseout is not installed", "phaseout could not be started", "PHASEOUT is no whole path"
    assert result.stdout in [f"INCOMPLETE (not everything seen) {reason}\n" for reason in reasons]
    assert "true" not in sh(COMPLIANCE, shell=shell, **environment).stdout


def test_compliance_on_linux_is_judged_by_the_rules_of_windows() -> None:
    rules = json.loads((SCRIPTS / "intune/compliance_rules.json").read_text())["Rules"]
    assert re.findall(r'"(\w+)":', COMPLIANCE.read_text()) == [rule["SettingName"] for rule in rules]


def test_compliance_asks_sudo_for_one_command_only(tmp_path: Path) -> None:
    """By a `sudo` that lets through what the line in the script's comment allows."""
    (allowed,) = re.findall(r"NOPASSWD: (.+)", COMPLIANCE.read_text())
    program = stand_in(tmp_path, f'[ "$AS" = root ] && echo "{CLEAN}" || {{ echo "{INCOMPLETE}"; exit 3; }}')
    allowed = allowed.replace("/opt/phaseout/bin/phaseout", str(program))
    sudo = (
        f'[ "$1" = -n ] && shift; [ "$1" = -l ] && {{ shift; l=1; }}; [ "$*" = "{allowed}" ] || exit 1\n'
        '[ -n "$l" ] || AS=root exec "$@"'
    )
    for name, body in (("id", "echo 1000"), ("sudo", sudo)):
        tool = tmp_path / name
        tool.write_text(f"#!/bin/sh\n{body}\n")
        tool.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    assert '"PhaseoutEverythingSeen":true' in sh(COMPLIANCE, PATH=path, PHASEOUT=str(program)).stdout
    (tmp_path / "sudo").write_text("#!/bin/sh\nexit 1\n")
    assert '"PhaseoutEverythingSeen":false' in sh(COMPLIANCE, PATH=path, PHASEOUT=str(program)).stdout


@pytest.mark.slow
def test_with_phaseout_itself(tree: Tree, tmp_path: Path) -> None:
    tree.write("/var/lib/dpkg/status", KESL)
    program = scanner(tmp_path, tree.root)
    present = sh(JAMF, PHASEOUT=program)
    assert present.stdout.startswith(
        "<result>REPLACE (all sources complete) replace: Kaspersky Endpoint Security for Linux"
    )
    result = sh(COMPLIANCE, PHASEOUT=program)
    assert result.stdout == '{"PhaseoutNothingToReplace":false,"PhaseoutRan":true,"PhaseoutEverythingSeen":true}\n'


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
    calls = munki(tmp_path, "echo 'REPLACE (all sources complete) replace: X'", folder)
    items = f"{folder or '/Library/Managed Installs'}/ConditionalItems"
    assert calls[1:] == [
        f"defaults|write|{items}|phaseout_verdict|-string|REPLACE|",
        f"defaults|write|{items}|phaseout_line|-string|REPLACE (all sources complete) replace: X|",
        f"plutil|-convert|xml1|{items}.plist|",
    ]


def test_munki_condition_without_phaseout(tmp_path: Path) -> None:
    assert "phaseout_verdict|-string|INCOMPLETE|" in munki(tmp_path, "exit 127", "")[1]


def test_munki_condition_of_a_verdict_that_the_status_contradicts(tmp_path: Path) -> None:
    assert "phaseout_verdict|-string|INCOMPLETE|" in munki(tmp_path, f"echo '{CLEAN}'; exit 1", "")[1]


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
