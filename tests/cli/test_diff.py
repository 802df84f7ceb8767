"""`phaseout diff` as a user runs it: the proof of a removal on a root that is cleaned step by step."""

import csv
import io
import json
import shutil
from pathlib import Path

import msgspec
import pytest

from tests.cli.test_match import save
from tests.support.certificates import ROOT, pem, x509
from tests.support.command import phaseout
from tests.support.trees import KESL, Tree

BASH = "Package: bash\nStatus: install ok installed\nMaintainer: Debian <d@d>\nArchitecture: amd64\nVersion: 5.2\n"


def scan(tree: Tree, folder: Path, name: str, at: int, *options: str) -> None:
    """Saves inventory and report of the tree, as if they were made at that hour."""
    saved, report = folder / f"{name}.json", folder / f"{name}-report.json"
    phaseout("scan", "--root", str(tree.root), "--inventory", str(saved), "-o", str(report), *options)
    for path in (saved, report):
        members = json.loads(path.read_text())
        members["scanned_at"] = f"2026-01-01T{at:02}:00:00Z"
        path.write_text(json.dumps(members))


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The saved files of each step. Tests that change one make a copy."""
    tmp_path = tmp_path_factory.mktemp("steps")
    tree = Tree(tmp_path / "root")
    tree.write("/etc/hostname", "ws-17\n")
    tree.write("/etc/machine-id", "3d1219c7c4c5404aaa1f6d2a48adfda4\n")
    tree.write("/var/lib/dpkg/status", f"{KESL}\n{BASH}")
    tree.folder("/opt/kaspersky/kesl")
    scan(tree, tmp_path, "before", 1)
    tree.write(
        "/var/lib/dpkg/status", f"{KESL}\n{BASH}".replace("install ok installed", "deinstall ok config-files", 1)
    )
    scan(tree, tmp_path, "half", 2)
    tree.write("/var/lib/dpkg/status", BASH.replace("5.2", "5.3"))
    (tree.root / "opt/kaspersky/kesl").rmdir()
    (tree.root / "opt/kaspersky").rmdir()
    scan(tree, tmp_path, "after", 3)
    scan(tree, tmp_path, "blind", 4, "--skip-source", "dpkg")
    tree.folder("/etc/opt/kaspersky")
    scan(tree, tmp_path, "residue", 3)
    (tree.root / "etc/opt/kaspersky").rmdir()
    anchor = tree.write("/usr/local/share/ca-certificates/made.crt", pem(x509(ROOT, "AO Kaspersky Lab")))
    scan(tree, tmp_path, "trusted", 3)
    anchor.unlink()
    kept = tree.write("/etc/modules-load.d/kesl.conf", "x\n")
    scan(tree, tmp_path, "configured", 3)
    kept.unlink()
    source = tree.write("/etc/apt/sources.list.d/x.list", "deb https://repo.kaspersky.com/apt stable main\n")
    scan(tree, tmp_path, "supplied", 3)
    source.unlink()
    tree.write("/etc/hosts", "192.0.2.7 dnl-01.geo.kaspersky.com\n")
    scan(tree, tmp_path, "pinned", 3)
    tree.write("/etc/hosts", "0.0.0.0 dnl-01.geo.kaspersky.com\n")
    scan(tree, tmp_path, "blocked", 3)
    tree.write("/etc/machine-id", "3d1219c7c4c5404aaa1f6d2a48adfda5\n")
    scan(tree, tmp_path, "other", 4)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("new", "status", "words"),
    [
        ("half", 1, "Left: Kaspersky Endpoint Security for Linux"),
        ("half-report", 1, "Left: Kaspersky Endpoint Security for Linux"),
        ("trusted", 1, "Left: Kaspersky root certificate in a trust store"),
        ("pinned", 1, "Left: Other Kaspersky software"),
        ("blocked", 0, "Removal proven"),
        ("after", 0, "Removal proven"),
        ("after-report", 3, "Removal not proven: NEW is a report"),
        ("blind", 3, "Removal not proven: dpkg: not asked for"),
        ("other", 3, "Removal not proven: two different machines (both named ws-17)"),
    ],
)
@pytest.mark.parametrize("kind", ["", "-report"])
def test_proof_of_removal(steps: Path, kind: str, new: str, status: int, words: str) -> None:
    old, later = str(steps / f"before{kind}.json"), str(steps / f"{new}.json")
    result = phaseout("diff", old, later, "--require-gone")
    assert (result.returncode, result.stderr) == (status, "")
    assert words in " ".join(result.stdout.split())
    assert "ws-17: from 2026-01-01T01:00:00Z to 2026-01-01T0" in result.stdout
    assert "NEW saw" in result.stdout
    assert phaseout("diff", old, later).returncode == 0


@pytest.mark.parametrize(
    ("new", "path"),
    [
        ("residue", "/etc/opt/kaspersky"),
        ("configured", "/etc/modules-load.d/kesl.conf"),
        ("supplied", "repo.kaspersky.com"),
    ],
)
def test_what_the_vendor_has_left(steps: Path, new: str, path: str) -> None:
    """Whether rules name it (then it is left) or not (then nothing is proven)."""
    result = phaseout("diff", str(steps / "before.json"), str(steps / f"{new}.json"), "--require-gone")
    assert result.returncode in (1, 3)
    assert path in result.stdout
    assert "Removal proven" not in result.stdout


def test_everything_in_json_and_csv(steps: Path, tmp_path: Path) -> None:
    proof, sheet = tmp_path / "proof.json", tmp_path / "proof.csv"
    outputs = ("-o", str(proof), "-o", str(sheet))
    result = phaseout("diff", str(steps / "before.json"), str(steps / "after.json"), *outputs)
    assert (result.returncode, result.stdout) == (0, "")
    found = msgspec.json.decode(proof.read_bytes())
    assert found["schema"] == "phaseout-diff/1"
    assert (found["proof"], found["removed"]) == ("proven", ["Kaspersky Endpoint Security for Linux"])
    assert "dpkg" in found["old"]["sources"]
    changes = {(one["what"], one["name"]): one for one in found["changes"]}
    assert changes["gone", "kesl"]["product_id"] or changes["gone", "kesl"]["path"]
    assert (changes["version", "bash"]["old"], changes["version", "bash"]["new"]) == ("5.2", "5.3")
    rows = list(csv.DictReader(io.StringIO(sheet.read_text())))
    assert rows[-1]["what"] == "removal proven"
    assert {row["old_at"] for row in rows} == {"2026-01-01T01:00:00Z"}


@pytest.mark.slow
def test_swapped_and_foreign(steps: Path, tmp_path: Path) -> None:
    swapped = phaseout("diff", str(steps / "after.json"), str(steps / "before.json"), "--require-gone")
    assert swapped.returncode == 3
    assert "not before NEW" in swapped.stdout
    other = save(tmp_path, "other")
    foreign = phaseout("diff", str(steps / "before-report.json"), str(other), "--require-gone")
    assert foreign.returncode == 3
    assert "no identity tells whether it is the same machine: NEW without any" in " ".join(foreign.stdout.split())


@pytest.mark.slow
def test_wrong_input(tmp_path: Path) -> None:
    good = str(save(tmp_path, "a"))
    broken = tmp_path / "b.json"
    broken.write_text("{")
    assert phaseout("diff", good, good).stdout.count("Nothing that was compared has changed.") == 1
    for arguments, words in (
        ((good, str(broken)), "no JSON"),
        ((good, str(tmp_path / "none.json")), "No such file"),
        ((good, good, "-o", "x.pdf"), "names no format"),
        ((good,), "Missing argument"),
    ):
        result = phaseout("diff", *arguments)
        assert (result.returncode, result.stdout) == (2, "")
        assert words in result.stderr
    two = tmp_path / "two.ndjson"
    two.write_bytes(b"".join(save(tmp_path, name, ending=".ndjson").read_bytes() for name in "cd"))
    assert "several inventories" in phaseout("diff", good, str(two)).stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["", "-report"])
def test_nothing_out_of_a_file_moves_the_cursor(steps: Path, kind: str, tmp_path: Path) -> None:
    evil, shown = "\x1b[31m\u202e", r"\x1b[31m\u202e"
    paths = [Path(shutil.copy(steps / f"{name}{kind}.json", tmp_path)) for name in ("before", "half", "after")]
    for path in paths:
        members = json.loads(path.read_text())
        members["scanned_at"] += evil
        members["host"]["name"] += evil
        for found in members.get("findings", ()):
            found["product"] += evil
        for item in members.get("items", ()) if not kind else ():
            item["version"] = item.get("version", "") + evil
        path.write_text(json.dumps(members))
    for new in paths[1:]:
        for name in ("table", "csv", "json"):
            written = phaseout("diff", str(paths[0]), str(new), "-f", name).stdout
            assert not {"\x1b", "\u202e"} & set(written)
            assert name == "json" or f"00Z{shown}" in written
