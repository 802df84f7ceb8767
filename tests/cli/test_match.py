"""`phaseout match` and `--inventory` as a user runs them."""

import csv
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from phaseout.inventories.saved import write
from phaseout.model.nouns import INVENTORY_SCHEMA, HostInfo, Inventory, Item, SourceRun

from tests.support.command import phaseout
from tests.support.places import CODE, ROOT
from tests.support.terminal import on_terminal
from tests.support.trees import KESL, Tree


def inventory(name: str, *, found: bool = False, items: int = 3) -> Inventory:
    packages = [Item(kind="package", name=f"lib{number}", source="dpkg") for number in range(items)]
    if found:
        packages.append(Item(kind="package", name="kesl", source="dpkg", vendor="Kaspersky Lab", version="12.1"))
    return Inventory(
        schema=INVENTORY_SCHEMA,
        tool="phaseout 0",
        scanned_at="2026-01-01T00:00:00Z",
        host=HostInfo(name=name, platform="linux"),
        items=tuple(packages),
        runs=(SourceRun(source="dpkg", status="ok", rows=len(packages), items=len(packages)),),
    )


def save(folder: Path, name: str, *, found: bool = False, ending: str = ".json") -> Path:
    path = folder / f"{name}{ending}"
    path.write_bytes(b"".join(write(inventory(name, found=found), ending)))
    return path


@pytest.fixture
def scanned(tree: Tree, tmp_path: Path) -> tuple[str, Path]:
    tree.write("/var/lib/dpkg/status", KESL)
    return str(tree.root), tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".json", ".ndjson", ".jsonl.gz"])
def test_a_saved_scan_is_judged_alike(scanned: tuple[str, Path], ending: str) -> None:
    root, folder = scanned
    path = folder / f"saved{ending}"
    scan = phaseout("scan", "--root", root, "--as-of", "2026-11-21", "-f", "json", "--inventory", str(path))
    match = phaseout("match", str(path), "--as-of", "2026-11-21", "-f", "json")
    assert (match.returncode, match.stderr) == (1, "")
    assert msgspec.json.decode(match.stdout) == msgspec.json.decode(scan.stdout)
    table = phaseout("match", str(path), "--as-of", "2024-09-01").stdout
    assert "28 days left (2024-09-29)" in " ".join(table.split())


@pytest.mark.slow
def test_the_saved_json_is_as_the_schema_says(scanned: tuple[str, Path]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    root, folder = scanned
    path = folder / "saved.json.gz"
    alone = phaseout("inventory", "--root", root, "--inventory", str(path))
    assert (alone.returncode, alone.stdout) == (0, "")
    schema = json.loads((ROOT / "docs/schemas/phaseout-inventory-1.json").read_text())
    jsonschema.validate(json.loads(gzip.decompress(path.read_bytes())), schema)


@pytest.mark.slow
def test_wrong_ending_and_place_of_the_inventory(scanned: tuple[str, Path]) -> None:
    root, folder = scanned
    wrong = phaseout("scan", "--root", root, "--inventory", "saved.txt")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert ".ndjson.gz" in wrong.stderr
    missing = phaseout("scan", "--root", root, "--inventory", str(folder / "no" / "x.json"))
    assert missing.returncode == 2
    assert "No such file" in missing.stderr


@pytest.mark.slow
def test_many_in_every_format_that_holds_many(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    for number in range(40):  # enough for the pool
        save(folder, f"h{number:02}", found=number % 20 == 0, ending=(".json", ".ndjson.gz")[number % 2])
    outputs = [tmp_path / name for name in ("r.csv", "r.json", "r.txt", "r.ndjson")]
    day = ("--as-of", "2026-11-26")  # the rows name it
    result = phaseout("match", str(folder), *day, *(part for path in outputs for part in ("-o", str(path))))
    assert (result.returncode, result.stdout, result.stderr) == (1, "", "")
    with outputs[0].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["host"] for row in rows] == [f"h{number:02}" for number in range(40)]
    assert {row["verdict"] for row in rows} == {"replace", "clean"}
    reports = msgspec.json.decode(outputs[1].read_bytes())
    assert [report["verdict"] for report in reports].count("replace") == 2
    table = outputs[2].read_text()
    assert table.endswith("40 hosts: 2 replace, 38 clean.\n")
    assert "h20                       REPLACE     Kaspersky Endpoint Security for Linux 12.1" in table
    assert len(outputs[3].read_text().splitlines()) == 42
    alone = phaseout("match", str(folder), *day, "--jobs", "1", "-f", "csv")
    assert alone.stdout == outputs[0].read_text()


def test_a_format_for_one_host_refuses_more(tmp_path: Path) -> None:
    paths = [str(save(tmp_path, name)) for name in "ab"]
    assert phaseout("match", paths[0], "-f", "sarif").returncode == 0
    both = phaseout("match", *paths, "-f", "sarif")
    assert both.returncode == 2
    assert "holds one host" in both.stderr


@pytest.mark.slow
def test_broken_ones_are_named_and_the_others_judged(tmp_path: Path) -> None:
    good = save(tmp_path, "good")
    bad = tmp_path / "bad.ndjson"
    bad.write_bytes(b"".join(write(inventory("bad"), ".ndjson"))[:-5])
    result = phaseout("match", str(good), str(bad), str(tmp_path / "none.json"), "-f", "csv")
    assert result.returncode == 3
    assert len(result.stdout.splitlines()) == 2
    first, second = result.stderr.splitlines()
    assert first.startswith(f"Error: {bad}:4: no item")
    assert second == f"Error: {tmp_path}/none.json: No such file or directory"
    assert phaseout("match", str(bad)).returncode == 2
    save(tmp_path, "found", found=True)
    assert phaseout("match", str(tmp_path)).returncode == 1
    (tmp_path / "empty").mkdir()
    assert "holds no inventory" in phaseout("match", str(tmp_path / "empty")).stderr
    assert phaseout("match").returncode == 2


@pytest.mark.slow
def test_fail_on(tmp_path: Path) -> None:
    path = str(save(tmp_path, "found", found=True))
    assert phaseout("match", path, "--fail-on", "never").returncode == 0
    assert phaseout("match", path, "--fail-on", "replace").returncode == 1


@pytest.mark.slow
def test_standard_input_with_several() -> None:
    data = b"".join(piece for name in "abc" for piece in write(inventory(name, found=name == "b"), ".ndjson.gz"))
    result = subprocess.run(
        [sys.executable, "-m", "phaseout", "match", "-", "-f", "csv"],
        input=data,
        capture_output=True,
        check=False,
        cwd=CODE,
    )
    rows = list(csv.DictReader(io.StringIO(result.stdout.decode())))
    assert [(row["host"], row["verdict"]) for row in rows] == [("a", "clean"), ("b", "replace"), ("c", "clean")]
    assert result.returncode == 1


def test_a_bill_of_materials_is_never_clean(tmp_path: Path) -> None:
    path = tmp_path / "ws-1.cdx.json"
    component = {"type": "library", "name": "zlib", "purl": "pkg:deb/debian/zlib@1"}
    path.write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [component]}))
    result = phaseout("match", str(path))
    assert result.returncode == 3
    assert "running processes" in result.stdout


@pytest.mark.slow
def test_recorded_uninstall_command_is_quoted(tmp_path: Path) -> None:
    item = Item(
        kind="program",
        name="Kaspersky Endpoint Security",
        vendor="AO Kaspersky Lab",
        version="11",
        source="uninstall",
        details={"uninstall": 'MsiExec.exe /X{9} & echo "x"'},
    )
    one = msgspec.structs.replace(inventory("w", items=0), items=(item,))
    path = tmp_path / "w.json"
    path.write_bytes(b"".join(write(one, ".json")))
    finding = msgspec.json.decode(phaseout("match", str(path), "-f", "json").stdout)["findings"][0]
    quoted = [step for step in finding["remove"] if "MsiExec.exe /X{9} & echo" in step]
    assert quoted == ['Recorded on this machine to uninstall Kaspersky Endpoint Security: MsiExec.exe /X{9} & echo "x"']
    assert len(finding["remove"]) > 1


@pytest.mark.slow
def test_what_a_saved_inventory_says_is_harmless_in_every_table(tmp_path: Path) -> None:
    replace = msgspec.structs.replace
    one = inventory("w", found=True)
    items = tuple(replace(item, version=f"{number}\x1b{'v' * 8000}") for number, item in enumerate(one.items[3:] * 9))
    path = tmp_path / "w.json"
    path.write_bytes(b"".join(write(replace(one, scanned_at="=HYPERLINK(1)\x1b", items=items), ".json")))
    sheet = phaseout("match", str(path), "-f", "csv").stdout
    assert {row["scanned_at"] for row in csv.DictReader(io.StringIO(sheet))} == {r"'=HYPERLINK(1)\x1b"}
    both = phaseout("match", str(path), str(path)).stdout
    assert both.count("and 4 more") == 2
    assert len(both) < 5000
    assert "\x1b" not in sheet + both


@pytest.mark.parametrize("command", [("match", "{path}"), ("rules", "list")])
def test_a_year_that_nobody_can_count_from_is_wrong_use(command: tuple[str, ...], tmp_path: Path) -> None:
    path = save(tmp_path, "found", found=True)
    for as_of in ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"):
        result = phaseout(*(part.format(path=path) for part in command), "--as-of", as_of)
        assert result.returncode == 2
        assert "the year must lie between" in result.stderr


@pytest.mark.slow
def test_progress_is_for_terminals_and_leaves_nothing(tmp_path: Path) -> None:
    path = str(save(tmp_path, "a"))
    for number in range(400):
        (tmp_path / f"b{number}.json").symlink_to(path)
    result = on_terminal("match", str(tmp_path), "--jobs", "1", stream="errors")
    assert result.returncode == 0
    # A fast machine needs no progress; tests/unit/cli/test_progress.py has a clock of its own.
    assert not result.stdout or (" of 401 inventories" in result.stdout and result.stdout.endswith("\r"))


def test_completion() -> None:
    words = {"COMP_WORDS": "phaseout scan --inv", "COMP_CWORD": "2", "_PHASEOUT_COMPLETE": "bash_complete"}
    assert "plain,--inventory" in phaseout(**words).stdout
    commands = phaseout(COMP_WORDS="phaseout ", COMP_CWORD="1", _PHASEOUT_COMPLETE="bash_complete").stdout
    assert {"plain,match", "plain,diff", "plain,scan"} <= set(commands.split())
    assert "#compdef phaseout" in phaseout(_PHASEOUT_COMPLETE="zsh_source").stdout
