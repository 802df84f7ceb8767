"""`phaseout fleet` as a user runs it."""

import csv
import hashlib
import io
import itertools
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from phaseout.fleet.store import VERSION
from phaseout.inventories.saved import write
from phaseout.model.findings import Report
from phaseout.model.nouns import INVENTORY_SCHEMA, HostInfo, Inventory, Item, SourceRun

from tests.support.command import phaseout
from tests.support.namespaces import can_unshare
from tests.support.places import CODE
from tests.support.trees import KESL, Tree

UUID = "11111111-2222-3333-4444-{:012}"


@pytest.fixture(scope="session")
def found(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report on a host with a restricted product."""
    tree = Tree(tmp_path_factory.mktemp("root"))
    tree.write("/var/lib/dpkg/status", KESL)
    tree.folder("/home/ada")
    return msgspec.json.decode(phaseout("scan", "--root", str(tree.root), "-f", "json").stdout, type=Report)


def report(found: Report, name: str, day: str, number: int, *, clean: bool = False) -> bytes:
    """The same of another host and day."""
    identity = [{"kind": "smbios_uuid", "value": UUID.format(number)}] if number else []
    value = msgspec.to_builtins(found)
    value["host"] |= {"name": name, "identity": identity}
    value["scanned_at"] = f"{day}T06:00:00Z"
    value.pop("unseen", None)
    if clean:
        value |= {"findings": [], "verdict": "clean"}
    return msgspec.json.encode(value)


@pytest.fixture
def folder(tmp_path: Path, found: Report) -> Path:
    """Reports of three hosts on some days of 2026."""
    place = tmp_path / "reports"
    place.mkdir()
    (place / "a1.json").write_bytes(report(found, "pc-a", "2026-01-05", 1))
    (place / "a2.json").write_bytes(report(found, "pc-a", "2026-01-06", 1, clean=True))
    (place / "b1.json").write_bytes(report(found, "pc-b", "2026-01-06", 2))
    (place / "c1.json").write_bytes(report(found, "pc-c", "2025-12-01", 3, clean=True))
    return place


@pytest.fixture
def store(tmp_path: Path, folder: Path) -> str:
    place = str(tmp_path / "fleet.db")
    assert phaseout("fleet", "add", place, str(folder)).returncode == 0
    return place


def status(store: str, *options: str) -> dict[str, Any]:
    result = phaseout("fleet", "status", store, "--as-of", "2026-01-07", "-f", "json", *options)
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)["status"]
    return found


def hosts(store: str, *options: str) -> list[dict[str, str]]:
    result = phaseout("fleet", "hosts", store, "--as-of", "2026-01-07", "-f", "csv", *options)
    assert result.returncode == 0, result.stderr
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_every_file_is_accounted_for_and_read_once(store: str, folder: Path) -> None:
    (folder / "again.json").write_bytes((folder / "a1.json").read_bytes())
    (folder / "cut.json").write_bytes((folder / "a1.json").read_bytes()[:-20])
    (folder / "other.json").write_text('{"hello": 1}')
    result = phaseout("fleet", "add", store, str(folder))
    assert "listed 7 = read 0 + refused 2 + already known 5" in result.stdout
    assert result.returncode == 2
    assert sorted(line.split(": ")[1].rpartition("/")[2] for line in result.stderr.splitlines()) == [
        "cut.json:1",
        "other.json",
    ]


def test_every_report_by_standard_input_is_read(tmp_path: Path, found: Report) -> None:
    db = str(tmp_path / "f.db")
    for number, said in ((1, "read 1"), (2, "read 1"), (2, "already known 1")):
        command = [sys.executable, "-m", "phaseout", "fleet", "add", db, "-"]
        data = report(found, f"pc-{number}", "2026-01-05", number)
        assert said in subprocess.run(command, cwd=CODE, input=data, capture_output=True, check=False).stdout.decode()
    assert status(db)["members"] == 2


@pytest.mark.skipif(sys.platform != "linux", reason="names of files that are no UTF-8")
def test_a_name_that_is_no_utf8_costs_nothing(folder: Path, store: str, found: Report) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe\n.json")).write_bytes(report(found, "pc-d", "2026-01-05", 4))
    for said in ("read 1 + refused 0 + already known 4", "read 0 + refused 0 + already known 5"):
        result = phaseout("fleet", "add", store, str(folder))
        assert (said in result.stdout, result.stderr) == (True, ""), result.stdout


def test_a_file_whose_name_has_another_digest_is_read_when_it_is_whole(tmp_path: Path, found: Report) -> None:
    whole = report(found, "pc-a", "2026-01-05", 1)
    place, db = (
        tmp_path / f"pc-a-20260105T060000Z-{hashlib.sha256(whole).hexdigest()[:16]}.json",
        str(tmp_path / "f.db"),
    )
    for half in (whole[:-20], whole + b" "):
        place.write_bytes(half)
        result = phaseout("fleet", "add", db, str(place))
        assert "listed 1 = read 0 + refused 1 + already known 0" in result.stdout
        assert "not all of it is there (yet)" in result.stderr
    place.write_bytes(whole)
    assert "listed 1 = read 1" in phaseout("fleet", "add", db, str(place)).stdout


def test_a_delivery_that_broke_off_and_was_made_good_is_refused_no_more(tmp_path: Path, found: Report) -> None:
    whole = report(found, "pc-a", "2026-01-05", 1)
    digest, db = hashlib.sha256(whole).hexdigest()[:16], str(tmp_path / "f.db")
    reports = tmp_path / "reports"
    reports.mkdir()
    (reports / f"pc-a-20260105T060000Z-{digest}.json").write_bytes(whole[:-20])
    (reports / f"pc-a-20260106T060000Z-{digest}.json").write_bytes(whole)
    for said in ("read 1 + refused 0 + already known 1", "read 0 + refused 0 + already known 2"):
        result = phaseout("fleet", "add", db, str(reports))
        assert said in result.stdout
        assert result.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("form", ["json", "ndjson", "csv"])
def test_every_form_of_a_report_says_the_same(tmp_path: Path, tree: Tree, form: str) -> None:
    tree.write("/var/lib/dpkg/status", KESL)
    place, db = tmp_path / f"r.{form}", str(tmp_path / "fleet.db")
    phaseout("scan", "--root", str(tree.root), "-o", str(place))
    assert phaseout("fleet", "add", db, str(place)).returncode == 0
    row = hosts(db, "--as-of", "2036-01-01", "--valid", "3650")[0]
    assert (row["state"], row["product"], row["versions"]) == (
        "replace",
        "Kaspersky Endpoint Security for Linux",
        "12.1.0-1543",
    )
    assert len(hosts(db, "--as-of", "2036-01-01", "--valid", "3650", "--vendor", "kaspersky")) == 1


def test_the_rules_that_judged_are_counted(store: str, folder: Path) -> None:
    one = json.loads((folder / "b1.json").read_bytes())
    digest, of = one["rules"]["digest"][:12], one["rules"]["as_of"]
    assert status(store)["judged_by"] == [{"digest": digest, "of": of, "hosts": 3}]
    one["rules"] |= {"digest": "f" * 64, "as_of": "2026-01-01"}
    one["host"]["name"], one["host"]["identity"] = "pc-d", []
    (folder / "d1.json").write_text(json.dumps(one))
    assert phaseout("fleet", "add", store, str(folder)).returncode == 0
    assert [(row["digest"], row["hosts"]) for row in status(store)["judged_by"]] == [(digest, 3), ("f" * 12, 1)]
    said = " ".join(phaseout("fleet", "status", store).stdout.split())
    assert f"Rules {digest} of {of} judged 3 hosts. Rules ffffffffffff of 2026-01-01 judged 1 host." in said


@pytest.mark.slow
def test_an_inventory_is_judged(tmp_path: Path, tree: Tree) -> None:
    tree.write("/var/lib/dpkg/status", KESL)
    db = str(tmp_path / "fleet.db")
    phaseout("inventory", "--root", str(tree.root), "-o", str(tmp_path / "i.json"))
    assert phaseout("fleet", "add", db, str(tmp_path / "i.json")).returncode == 0
    assert phaseout("fleet", "status", db).stdout.startswith("1 host: 1 must replace software")


def test_no_number_counts_a_retired_machine(store: str, tmp_path: Path) -> None:
    before = status(store)
    assert before["products"]
    assert before["due"]
    listed = tmp_path / "machines.csv"
    listed.write_text(f"Name,UUID,Retired\npc-a,{UUID.format(1)},no\npc-b,{UUID.format(2)},yes\n")
    assert phaseout("fleet", "assets", store, str(listed)).returncode == 0
    found = status(store)
    assert (found.get("products", []), found.get("due", [])) == ([], [])
    assert sum(one["hosts"] for one in found["judged_by"]) == 2  # pc-a and pc-c
    assert len(hosts(store, "--product", before["products"][0]["product"])) == 0


@pytest.mark.slow
def test_the_states_add_up_to_the_list(store: str, tmp_path: Path) -> None:
    listed = tmp_path / "machines.csv"
    listed.write_text(
        "Name,UUID,Group,Retired\n"
        f"pc-a,{UUID.format(1)},Sales,no\n"
        f"renamed,{UUID.format(2)},Sales,no\n"
        "pc-c,,Lab,no\n"
        "pc-d,,Lab,no\n"
        "pc-e,,Lab,yes\n"
    )
    result = phaseout("fleet", "assets", store, str(listed))
    assert (result.returncode, result.stderr) == (0, "")
    found = status(store)
    assert found["states"] == {"replace": 1, "review": 0, "clean": 1, "incomplete": 0, "silent": 1, "never_seen": 1}
    assert (sum(found["states"].values()), found["retired"]) == (found["members"], 1)
    for state, count in found["states"].items():
        assert len(hosts(store, "--state", state)) == count
    for part, counts in found["parts"].items():
        assert len(hosts(store, "--group", part)) == sum(counts.values())


def test_a_host_that_no_list_has_is_unlisted(store: str, tmp_path: Path) -> None:
    (tmp_path / "machines.csv").write_text("name\npc-a\n")
    phaseout("fleet", "assets", store, str(tmp_path / "machines.csv"))
    assert (status(store)["members"], status(store)["unlisted"]) == (1, 2)
    assert [row["name"] for row in hosts(store, "--state", "unlisted")] == ["pc-b", "pc-c"]


def test_rows_of_a_list_that_tell_nothing_or_contradict_each_other(store: str, tmp_path: Path) -> None:
    (tmp_path / "machines.csv").write_text(
        "name;serial number;department\nx;PF12345;A\ny;PF12345;B\n;To be filled by O.E.M.;A\nz;;A\nz;;A\n"
    )
    result = phaseout("fleet", "assets", store, str(tmp_path / "machines.csv"))
    assert (result.returncode, result.stdout.split(": ")[1].split(",")[0]) == (2, "2 machines")
    assert [line.rpartition("csv:")[2] for line in result.stderr.splitlines()] == [
        "3: contradicts line 2, which counts",
        '4: "To be filled by O.E.M." tells no machine from another',
        "6: the same machine as line 5, which counts",
    ]


def test_a_list_without_machines_leaves_the_old_one(store: str, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("name\npc-a\n")
    phaseout("fleet", "assets", store, str(tmp_path / "m.csv"))
    (tmp_path / "m.csv").write_text("colour,size\nred,1\n")
    result = phaseout("fleet", "assets", store, str(tmp_path / "m.csv"))
    assert result.returncode == 2
    assert "needs a heading such as name" in result.stderr
    assert status(store)["members"] == 1


def test_the_trend_counts_each_day(store: str) -> None:
    text = phaseout("fleet", "trend", store, "--as-of", "2026-01-07", "--since", "2026-01-04", "-f", "csv").stdout
    assert text.splitlines() == [
        "day,replace,review,clean,incomplete,silent",
        "2026-01-04,0,0,0,0,1",
        "2026-01-05,1,0,0,0,1",
        "2026-01-06,1,0,1,0,1",
        "2026-01-07,1,0,1,0,1",
    ]
    text = phaseout("fleet", "trend", store, "--as-of", "2026-01-07", "--by", "product", "-f", "csv").stdout
    assert [line.split(",")[1] for line in text.splitlines()[1:]] == ["1", "1", "1"]


def test_an_answer_from_the_future_counts_as_given_now(tmp_path: Path, found: Report) -> None:
    (tmp_path / "r.json").write_bytes(report(found, "pc", "2099-01-01", 1))
    db = str(tmp_path / "fleet.db")
    phaseout("fleet", "add", db, str(tmp_path / "r.json"))
    row = json.loads(phaseout("fleet", "hosts", db, "-f", "json").stdout)["hosts"][0]
    assert row["flags"] == ["clock_ahead"]
    assert row["last_answer"] < "2099"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no such store"),
        (b"not a database" * 100, "no store"),
    ],
)
def test_what_is_no_store_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    place = tmp_path / "x.db"
    if content:
        place.write_bytes(content)
    result = phaseout("fleet", "status", str(place))
    assert (result.returncode, words in result.stderr) == (2, True), result.stderr


def test_a_store_of_a_newer_program_and_a_database_of_another_are_refused(store: str, tmp_path: Path) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    assert "made by a newer phaseout" in phaseout("fleet", "status", store).stderr
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE t (x)")
    result = phaseout("fleet", "add", str(tmp_path / "other.db"), store)
    assert (result.returncode, "a database of another program" in result.stderr) == (2, True)


def test_a_store_is_for_its_owner_alone(store: str) -> None:
    assert Path(store).stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_a_forgotten_host_leaves_nothing(store: str, tmp_path: Path, tree: Tree) -> None:
    tree.write("/var/lib/dpkg/status", KESL)
    tree.write("/etc/hostname", "secret-laptop\n")
    saved = tmp_path / "secret-laptop.json"
    phaseout("inventory", "--root", str(tree.root), "-o", str(saved))
    phaseout("fleet", "add", store, str(saved))
    assert phaseout("fleet", "forget", store, "--name", "SECRET-laptop").stdout.endswith("1 host forgotten\n")
    assert [row["name"] for row in hosts(store)] == ["pc-a", "pc-b", "pc-c"]
    assert not any(b"secret-laptop" in path.read_bytes() for path in tmp_path.glob("fleet.db*"))
    assert phaseout("fleet", "forget", store, "--last-before", "2026-01-01").stdout.endswith("1 host forgotten\n")
    assert phaseout("fleet", "forget", store).returncode == 2


@pytest.mark.slow
def test_a_killed_process_leaves_a_sound_store(tmp_path: Path, found: Report) -> None:
    """Killed at random moments; what was added in whole steps is there, and the rest is added by the next run."""
    place, db = tmp_path / "reports", str(tmp_path / "fleet.db")
    place.mkdir()
    for number in range(1, 400):
        (place / f"{number}.json").write_bytes(report(found, f"pc{number}", "2026-01-05", number))
    chance = random.Random(7)
    for _ in range(12):
        process = subprocess.Popen(
            [sys.executable, "-m", "phaseout", "fleet", "add", db, str(place)],
            cwd=CODE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(0.1, 0.8))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if os.path.exists(db):
            with sqlite3.connect(db) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert phaseout("fleet", "add", db, str(place)).returncode == 0
    assert status(db)["members"] == 399


@pytest.mark.slow
def test_two_writers_wait_for_each_other(tmp_path: Path, folder: Path) -> None:
    db = str(tmp_path / "fleet.db")
    command = [sys.executable, "-m", "phaseout", "fleet", "add", db, str(folder)]
    processes = [subprocess.Popen(command, cwd=CODE, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert status(db)["members"] == 3


_FULL = """
mount -t tmpfs -o size=600k none "$2" || exit 9
"$1" -m phaseout fleet add "$2/f.db" "$3"; echo "status $?"
"$1" -m phaseout fleet status "$2/f.db" -f json
mount -o remount,size=30m "$2"
"$1" -m phaseout fleet add "$2/f.db" "$3"; echo "status $?"
"""


@pytest.mark.slow
@pytest.mark.skipif(not can_unshare("--mount"), reason="no mounts here")
def test_a_full_disk_keeps_nothing_of_a_step_and_loses_nothing(tmp_path: Path, found: Report) -> None:
    reports, disk = tmp_path / "reports", tmp_path / "disk"
    reports.mkdir()
    disk.mkdir()
    for number in range(1, 900):
        (reports / f"{number}.json").write_bytes(report(found, f"pc{number}", "2026-01-05", number, clean=True))
    command = ["unshare", "--mount", "sh", "-c", _FULL, "sh", sys.executable, str(disk), str(reports)]
    result = subprocess.run(command, cwd=CODE, capture_output=True, text=True, check=False)
    first, rest = result.stdout.split("\n", 1)
    assert (first, "the disk is full: nothing of this step was kept" in result.stderr) == ("status 2", True)
    counts, last = rest.split("\n}\n", 1)
    assert json.loads(f"{counts}\n}}")["status"]["members"] == 0
    assert "read 899 + refused 0" in last
    assert last.endswith("status 0\n")


_READ_ONLY = """
mount --bind "$2" "$2" && mount -o remount,ro,bind "$2" || exit 9
for command in "status $2/fleet.db -f json" "add $2/fleet.db $3" "add $2/new.db $3" "forget $2/fleet.db --name pc-a"; do
  "$1" -m phaseout fleet $command; echo "status $?"
done
"""


@pytest.mark.slow
@pytest.mark.skipif(not can_unshare("--mount"), reason="no mounts here")
def test_a_store_that_can_only_be_read_is_read(store: str, folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "fleet.db").write_bytes(Path(store).read_bytes())
    command = ["unshare", "--mount", "sh", "-c", _READ_ONLY, "sh", sys.executable, str(archive), str(folder)]
    result = subprocess.run(command, cwd=CODE, capture_output=True, text=True, check=False)
    shown, rest = result.stdout.split("\n}\n", 1)
    assert json.loads(f"{shown}\n}}")["status"]["members"] == 3
    assert rest.splitlines() == ["status 0", "status 2", "status 2", "status 2"]
    said = ["it cannot be opened: the rights on it", "Read-only file system", "it can only be read"]
    assert [words in line for words, line in zip(said, result.stderr.splitlines(), strict=True)] == [True] * 3
    assert [path.name for path in archive.iterdir()] == ["fleet.db"]


def test_a_store_is_no_report(store: str, tmp_path: Path) -> None:
    result = phaseout("fleet", "add", str(tmp_path / "other.db"), store)
    assert (result.returncode, "add the reports that it was made of" in result.stderr) == (2, True)


_NEW_VENDOR = """\
id = "example"
name = "Example"
[[product]]
id = "example-tool"
name = "Example Tool"
category = "other"
platforms = ["linux"]
match = [{kind = "package", name = "exampletool"}]
hit = [{kind = "package", name = "exampletool"}]
"""


@pytest.mark.slow
def test_new_rules_find_what_a_kept_inventory_has(tmp_path: Path, tree: Tree) -> None:
    """It is no regression, and the machine is not asked."""
    package = "Package: {}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n"
    db, rules = str(tmp_path / "fleet.db"), tmp_path / "rules"
    for day, name in ((1, "bash"), (2, "exampletool")):
        tree.write("/var/lib/dpkg/status", package.format(name))
        saved = tmp_path / f"{day}.json"
        phaseout("inventory", "--root", str(tree.root), "-o", str(saved))
        inventory = json.loads(saved.read_text()) | {"scanned_at": f"2026-01-0{day}T06:00:00Z"}
        saved.write_text(json.dumps(inventory))
        assert phaseout("fleet", "add", db, str(saved)).returncode == 0
    (rules / "vendors").mkdir(parents=True)
    (rules / "vendors" / "example.toml").write_text(_NEW_VENDOR)
    shown = phaseout("fleet", "judge", db, "--rules", str(rules), "--dry-run")
    assert "on 1 host" in shown.stdout, shown.stderr
    assert status(db)["new_rules"] == 0
    assert phaseout("fleet", "judge", db, "--rules", str(rules)).returncode == 0
    found = status(db)
    assert (found["new_rules"], found["again"], found["states"]["review"]) == (1, 0, 1)
    assert [row["product"] for row in hosts(db, "--origin", "new_rules")] == ["Example Tool"]


@pytest.mark.slow
def test_kept_inventories_are_judged_as_if_they_came_now(tmp_path: Path) -> None:
    """Of hosts with and without something to find, with and without protection, and one that lacks a source."""
    defender = Item(kind="security_product", name="Microsoft Defender Antivirus", source="defender",
                    details={"enabled": "yes", "mode": "active", "updated": "2026-01-04T00:00:00Z"})  # fmt: skip
    bash = Item(kind="package", name="bash", source="dpkg")
    tool = Item(kind="package", name="exampletool", source="dpkg", version="1", user="ada", path="/opt/x")
    kesl = Item(kind="package", name="kesl", source="dpkg", vendor="AO Kaspersky Lab", version="12.1.0-1543")
    rules, folder = tmp_path / "rules", tmp_path / "inventories"
    (rules / "vendors").mkdir(parents=True)
    folder.mkdir()
    (rules / "vendors" / "example.toml").write_text(_NEW_VENDOR)
    for number, own in enumerate(itertools.product((False, True), repeat=4)):
        items = tuple(item for item, there in zip((bash, defender, tool, kesl), own, strict=True) if there)
        counts = Counter(item.source for item in items)
        sources = ("dpkg", "defender") if number % 5 else ("dpkg",)
        runs = tuple(
            SourceRun(source=one, status="ok", rows=counts[one], items=counts[one])
            for one in sources
            if one in counts or one == "dpkg"
        )
        host = HostInfo(name=f"pc{number:02}", platform="linux" if number % 2 else "windows")
        one = Inventory(
            schema=INVENTORY_SCHEMA, tool="t", scanned_at="2026-01-05T06:00:00Z", host=host, items=items, runs=runs
        )
        (folder / f"{number}.json").write_bytes(b"".join(write(one, ".json")))
    again, anew = str(tmp_path / "again.db"), str(tmp_path / "anew.db")
    phaseout("fleet", "add", again, str(folder))
    before = hosts(again)
    phaseout("fleet", "judge", again, "--rules", str(rules))
    phaseout("fleet", "add", anew, str(folder), "--rules", str(rules))
    found, expected = hosts(again), hosts(anew)
    for row in (*found, *expected):
        del row["origin"], row["evidence"]  # what newer rules find first is marked, and came in no file
    assert found == expected
    assert found != before
    assert {row["protection"] for row in found} >= {"on_demand", "restricted", "unknown"}


def test_an_auditor_can_follow_every_number_to_its_report(store: str, folder: Path, tmp_path: Path) -> None:
    assets, policy = tmp_path / "machines.csv", tmp_path / "phaseout.toml"
    assets.write_text("name,group\npc-a,sales\npc-z,sales\n")
    policy.write_text('roles = ["us-federal-contractor"]\n')
    assert phaseout("fleet", "assets", store, str(assets)).returncode == 0
    archives = []
    for name in ("one.zip", "two.zip"):
        result = phaseout(
            "fleet", "evidence", store, "--as-of", "2026-01-07", "--policy", str(policy), "-o", str(tmp_path / name)
        )
        assert result.returncode == 0, result.stderr
        archives.append((tmp_path / name).read_bytes())
        assert hashlib.sha256(archives[-1]).hexdigest() in result.stdout
    assert archives[0] == archives[1]
    with zipfile.ZipFile(io.BytesIO(archives[0])) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    sums = dict(line.split("  ")[::-1] for line in files.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert files["phaseout.toml"] == policy.read_bytes()
    rows = list(csv.DictReader(io.StringIO(files["hosts.csv"].decode())))
    reports = {row["sha256"]: row["file"] for row in csv.DictReader(io.StringIO(files["files.csv"].decode()))}
    (row,) = [row for row in rows if row["name"] == "pc-b"]
    assert reports[row["evidence"]] == str(folder / "b1.json")
    assert row["rules"] == json.loads((folder / "b1.json").read_bytes())["rules"]["digest"]
    states = Counter({row["name"]: row["state"] for row in rows if row["listed"] == "yes"}.values())
    assert states == {
        name: count for name, count in json.loads(files["status.json"])["status"]["states"].items() if count
    }
    gone = [row for row in csv.DictReader(io.StringIO(files["held.csv"].decode())) if row["ended"]]
    assert [(row["name"], row["ended"]) for row in gone] == [("pc-a", "2026-01-06T06:00:00Z")]


def test_hosts_that_a_person_must_tell_apart(store: str, folder: Path, found: Report) -> None:
    assert hosts(store, "--doubtful") == []
    (folder / "renamed.json").write_bytes(report(found, "pc-new", "2026-01-07", 2))
    assert phaseout("fleet", "add", store, str(folder)).returncode == 0
    assert {row["name"]: row["flags"] for row in hosts(store, "--doubtful")} == {"pc-new": "renamed"}


def test_tables_as_csv(store: str, tmp_path: Path) -> None:
    place = tmp_path / "export"
    assert phaseout("fleet", "export", store, "--csv", str(place), "--as-of", "2026-01-07").returncode == 0
    assert len((place / "hosts.csv").read_text().splitlines()) == 4
    assert phaseout("fleet", "export", store, "--csv", str(place)).returncode == 2
    assert phaseout("fleet", "export", store).returncode == 2
