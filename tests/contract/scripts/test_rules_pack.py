"""scripts/rules_pack, with minisign and keys that are made for the test."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from phaseout.rules.packs import Keys, read_members, verified

ROOT = Path(__file__).parents[3]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("minisign"), reason="no minisign (Debian: minisign)"),
]
RELEASE = ("--serial", "7", "--made", "2026-11-26", "--review-by", "2027-05-26", "--minimum-version", "0.1.0")


def step(folder: Path, *arguments: str, status: int = 0) -> str:
    command = [sys.executable, str(ROOT / "scripts" / "rules_pack"), *arguments]
    result = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
    assert result.returncode == status, result.stderr
    return result.stderr


def test_the_shipped_rules_as_a_pack(tmp_path: Path) -> None:
    publics = []
    for name in ("ada", "bob"):
        subprocess.run(["minisign", "-GW", "-p", f"{name}.pub", "-s", f"{name}.key"], check=True, cwd=tmp_path)
        publics.append((tmp_path / f"{name}.pub").read_text().splitlines()[1])
    packs = []
    for number in ("1", "2"):
        step(tmp_path, "manifest", *RELEASE, "-o", f"manifest{number}.json")
        for name in ("ada", "bob"):
            step(tmp_path, "sign", f"manifest{number}.json", "--key", f"{name}.key", "-o", f"{name}{number}")
        step(tmp_path, "join", f"manifest{number}.json", f"ada{number}", f"bob{number}", "-o", f"{number}.tar")
        packs.append((tmp_path / f"{number}.tar").read_bytes())
    assert packs[0] == packs[1]  # the signatures as well: their comments have no time
    found = verified(packs[0], Keys(version=1, threshold=2, keys=tuple(publics)), "0.2.0")
    assert len(found.signed_by) == 2
    assert found.files["rules/roles.toml"] == (ROOT / "rules" / "roles.toml").read_bytes()
    for name, content in read_members(packs[0]).items():
        if name.startswith("signatures/"):
            (tmp_path / "one.minisig").write_bytes(content)
            accepted = [
                subprocess.run(
                    ["minisign", "-V", "-P", public, "-x", "one.minisig", "-m", "manifest1.json"],
                    check=False,
                    cwd=tmp_path,
                ).returncode
                for public in publics
            ]
            assert sorted(accepted) == [0, 1]
    (tmp_path / "manifest1.json").write_bytes((tmp_path / "manifest1.json").read_bytes().replace(b"roles", b"rules"))
    said = step(tmp_path, "join", "manifest1.json", "ada1", "bob1", "-o", "x.tar", status=1)
    assert "in the pack and not in the manifest" in said


def test_broken_rules_give_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "vendors").mkdir()
    (tmp_path / "vendors" / "acme.toml").write_text("id = 1\n")
    assert "acme.toml" in step(tmp_path, "manifest", *RELEASE, "--rules", ".", "-o", "manifest.json", status=1)
    assert not (tmp_path / "manifest.json").exists()
