"""`phaseout scan` as a user runs it: exit status, outputs, and wrong use."""

import csv
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from tests.support.command import phaseout
from tests.support.places import CODE
from tests.support.trees import KESL, Tree


@pytest.fixture
def infected(tree: Tree) -> str:
    tree.write("/var/lib/dpkg/status", KESL)
    return str(tree.root)


@pytest.fixture
def clean(tree: Tree) -> str:
    tree.write("/var/lib/dpkg/status", KESL.replace("kesl", "bash").replace("Kaspersky Lab", "Debian"))
    return str(tree.root)


def test_found_is_status_1(infected: str) -> None:
    result = phaseout("scan", "--root", infected)
    assert result.returncode == 1
    assert "1 product should be replaced" in result.stdout.splitlines()[0]
    assert "REPLACE" in result.stdout
    assert result.stderr == ""


@pytest.mark.slow
def test_days_left_and_days_past(infected: str) -> None:
    before = phaseout("scan", "--root", infected, "--as-of", "2024-09-01")
    assert "28 days left (2024-09-29)" in " ".join(before.stdout.split())
    after = phaseout("scan", "--root", infected, "--as-of", "2026-11-21")
    assert "783 days past (2024-09-29)" in " ".join(after.stdout.split())


@pytest.mark.slow
def test_nothing_found_is_status_0(clean: str) -> None:
    result = phaseout("scan", "--root", clean)
    assert (result.returncode, result.stderr) == (0, "")
    assert "nothing found; all " in result.stdout


@pytest.mark.slow
def test_not_everything_seen_is_status_3(clean: str) -> None:
    (Path(clean) / "var/lib/dpkg/status").unlink()
    os.mkfifo(Path(clean) / "var/lib/dpkg/status")
    result = phaseout("scan", "--root", clean)
    assert result.returncode == 3
    assert "not a regular file but a FIFO" in " ".join(result.stdout.split())
    skipped = phaseout("scan", "--root", clean, "--skip-source", "dpkg")
    assert skipped.returncode == 3


@pytest.mark.slow
def test_fail_on(infected: str) -> None:
    assert phaseout("scan", "--root", infected, "--fail-on", "never").returncode == 0
    assert phaseout("scan", "--root", infected, "--fail-on", "replace").returncode == 1


def test_policy_of_the_operator(infected: str, tmp_path: Path) -> None:
    policy = tmp_path / "phaseout.toml"
    policy.write_text(
        'roles = ["us_contractor"]\n'
        'replacements = {kaspersky = "Microsoft Defender"}\n'
        '[[waiver]]\nproduct = "kaspersky-safe-kids"\napprover = "Grace"\nreason = "pilot"\nexpires = 2020-01-01\n'
    )
    result = phaseout("scan", "--root", infected, "--policy", str(policy), "-f", "json")
    report = msgspec.json.decode(result.stdout)
    assert report["findings"][0]["replacement"] == "Microsoft Defender"
    assert report["findings"][0]["measures"][0]["applies"] == "binds"
    assert 'waiver[0] for "kaspersky-safe-kids": expired on 2020-01-01 and has no effect' in report["rules"]["warnings"]
    policy.write_text('roles = ["us_contracter"]\nwaivr = 1\n')
    wrong = phaseout("scan", "--policy", str(policy))
    assert wrong.returncode == 2
    assert 'waivr: unknown field, did you mean "waiver"?' in wrong.stderr
    policy.write_text('roles = ["us_contracter"]\n')
    assert 'did you mean "us_contractor"?' in phaseout("scan", "--policy", str(policy)).stderr
    assert phaseout("scan", "--policy", str(tmp_path / "absent")).returncode == 2


def test_several_files_at_once(infected: str, tmp_path: Path) -> None:
    table, sheet, members = tmp_path / "r.txt", tmp_path / "r.csv", tmp_path / "r.json"
    result = phaseout("scan", "--root", infected, "-o", str(table), "-o", str(sheet), "-o", str(members))
    assert (result.returncode, result.stdout) == (1, "")
    assert "1 product should be replaced" in table.read_text().splitlines()[0]
    with sheet.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["name"], row["verdict"], row["due"]) == ("kesl", "replace", "2024-09-29")
    assert msgspec.json.decode(members.read_bytes())["verdict"] == "replace"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


@pytest.mark.slow
def test_devices_and_pipes_are_written_straight(infected: str, tmp_path: Path) -> None:
    assert phaseout("scan", "--root", infected, "-f", "csv", "-o", "/dev/null").returncode == 1
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert phaseout("scan", "--root", infected, "-f", "csv", "-o", "/dev/stdout").stdout.startswith("host,scanned_at,")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    phaseout("scan", "--root", infected, "-f", "csv", "-o", str(pipe))
    reader.join(10)
    assert read[0].startswith(b"host,scanned_at,")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.slow
def test_a_link_is_replaced_and_a_pipe_without_a_reader_is_told(infected: str, tmp_path: Path) -> None:
    """Where others may write, they may have put something under the name of the report."""
    theirs, link, pipe = tmp_path / "theirs", tmp_path / "report.csv", tmp_path / "pipe.csv"
    theirs.write_text("kept")
    link.symlink_to(theirs)
    assert phaseout("scan", "--root", infected, "-o", str(link)).returncode == 1
    assert theirs.read_text() == "kept"
    assert not link.is_symlink()
    assert link.read_text().startswith("host,")
    os.mkfifo(pipe)
    unread = phaseout("scan", "--root", infected, "-o", str(pipe))
    assert unread.returncode == 2
    assert str(pipe) in unread.stderr


@pytest.mark.slow
def test_full_and_missing_places(infected: str, tmp_path: Path) -> None:
    full = phaseout("scan", "--root", infected, "-f", "csv", "-o", "/dev/full")
    assert full.returncode == 2
    assert "/dev/full: No space left on device" in full.stderr
    missing = phaseout("scan", "--root", infected, "-o", str(tmp_path / "no" / "r.csv"))
    assert missing.returncode == 2
    assert "No such file or directory" in missing.stderr
    old = tmp_path / "old.csv"
    old.write_text("kept")
    old.chmod(0o400)
    assert phaseout("scan", "--root", infected, "-o", str(old)).returncode == 1
    assert old.read_text().startswith("host,")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--root", "/no/such/root"), "no such folder"),
        (("--root", "{empty}"), "holds no operating system"),
        (("--source", "nope"), 'no source "nope"'),
        (("-f", "nope"), 'no format "nope". There are table, csv, json'),
        (("-o", "report.nope"), "the ending names no format"),
        (("--as-of", "yesterday"), "neither a date"),
        (("--as-of", "2024-09-29T00:00:00"), "needs its offset"),
        (("--as-of", "0001-01-01T00:00:00+23:59"), "between 1000 and 9998"),
        (("--as-of", "9999-12-31T23:59:59-23:59"), "between 1000 and 9998"),
        (("--rules", "/no/such/rules"), "no such folder of rules"),
        (("--rules", "{empty}"), "holds no rules"),
        (("--nope",), "No such option"),
        (("--timeout", "nan"), "not a number of seconds"),
        (("--timeout", "inf"), "not in the range"),
    ],
)
def test_wrong_use_is_status_2(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    result = phaseout("scan", *(argument.format(empty=tmp_path) for argument in arguments))
    assert result.returncode == 2
    assert words in result.stderr
    assert result.stdout == ""


@pytest.mark.slow
def test_broken_rules_are_all_named_and_nothing_is_scanned(tmp_path: Path) -> None:
    (tmp_path / "vendors").mkdir()
    (tmp_path / "vendors" / "x.toml").write_text('id = "x"\nnmae = "X"\n')
    (tmp_path / "vendors" / "y.toml").write_text("=")
    result = phaseout("scan", "--rules", str(tmp_path))
    assert result.returncode == 2
    assert f'{tmp_path}/vendors/x.toml: line 2: nmae: unknown field, did you mean "name"?' in result.stderr
    assert f"{tmp_path}/vendors/y.toml: " in result.stderr
    assert result.stdout == ""


def test_version_and_help() -> None:
    assert phaseout("--version").stdout.startswith("phaseout ")
    assert phaseout("scan", "--help").returncode == 0
    assert "Exit status" in phaseout("--help").stdout


@pytest.mark.slow
def test_foreign_locale_and_closed_output(infected: str) -> None:
    assert phaseout("scan", "--root", infected, LANG="C", LC_ALL="C", PYTHONUTF8="0").returncode == 1
    with subprocess.Popen(
        [sys.executable, "-m", "phaseout", "inventory", "-f", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=CODE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize("number", ["9" * 5000, "0x" + "f" * 5000])
def test_a_policy_with_an_enormous_number_is_status_2(number: str, infected: str, tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(f"roles = [{number}]\n")
    result = phaseout("scan", "--root", infected, "--policy", str(tmp_path / "p.toml"))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {tmp_path}/p.toml: ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("as_of", "review_by", "at"),
    [
        ("0001-01-01", "2099-01-01", "0001-01-01T00:00:00+23:59"),
        ("9999-12-30", "9999-12-31", "9999-12-31T23:59:59-23:59"),
    ],
)
def test_rules_of_the_first_and_the_last_year(as_of: str, review_by: str, at: str, infected: str, rules: Path) -> None:
    from tests.unit.rules.test_load import MEASURE, ROLES

    status = f"as_of = {as_of}, review_by = {review_by}"
    measure = MEASURE.replace("as_of = 2026-01-01, review_by = 2026-06-01", status)
    measure = measure.replace("2024-09-29T00:00:00-04:00", at).replace("use_ban", "update_cutoff")
    (rules / "measures" / "some-act.toml").write_text(measure)
    (rules / "roles.toml").write_text(ROLES)
    for name in ("table", "json", "csv", "html", "sarif", "prometheus"):
        result = phaseout("scan", "--root", infected, "--only-rules", str(rules), "-f", name)
        assert (result.returncode, result.stderr) == (1, "")


def test_names_of_rules_move_no_cursor(infected: str, rules: Path) -> None:
    path = rules / "vendors" / "kaspersky.toml"
    path.write_text(path.read_text().replace("Endpoint Security for Linux", r"A\u001b[31m\u202eB"))
    scan = phaseout("scan", "--root", infected, "--only-rules", str(rules))
    assert scan.returncode == 1
    assert r"A\x1b[31m\u202eB" in scan.stdout
    written = scan.stdout
    for arguments in (("list",), ("show", "kaspersky"), ("show", "kesl", "-f", "json")):
        written += phaseout("rules", *arguments, "--only-rules", str(rules)).stdout
    written += phaseout("explain", "kesl", "--only-rules", str(rules), "--vendor", "AO Kaspersky Lab").stdout
    path.write_text('"\\u001b[31m\\u202e" = 1\n')
    broken = phaseout("scan", "--root", infected, "--only-rules", str(rules))
    assert (broken.returncode, r"\x1b[31m\u202e: unknown field" in broken.stderr) == (2, True)
    assert not {"\x1b", "\u202e"} & set(written + broken.stderr)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    from tests.unit.rules.test_load import VENDOR

    folder = tmp_path / "rules"
    for name in ("vendors", "measures"):
        (folder / name).mkdir(parents=True)
    (folder / "vendors" / "kaspersky.toml").write_text(VENDOR.replace("AO Kaspersky Lab", "Kaspersky Lab"))
    return folder
