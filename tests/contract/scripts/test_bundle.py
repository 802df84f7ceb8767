"""The bundle for machines without a network: really made, checked, installed and run."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest
from phaseout import __version__

from tests.cli.test_scan import KESL
from tests.support.trees import Tree

MAKE = Path(__file__).parents[3] / "scripts/make_bundle.py"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")


def install(bundle: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the bundle's installer where no network can be reached, if that can be had here."""
    command = ["sh", str(bundle / "install"), *arguments]
    if sys.platform == "linux" and os.geteuid() == 0 and shutil.which("unshare"):
        command = ["unshare", "--net", *command]
    environment = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, "HOME": tempfile.gettempdir()}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)


@POSIX
def test_installed_without_a_network_and_run(bundle: Path, tree: Tree, tmp_path: Path) -> None:
    home = tmp_path / "opt/phaseout"
    result = install(bundle, str(home))
    assert (result.returncode, result.stdout, result.stderr) == (0, f"phaseout {__version__}\n", "")
    assert not (home / "bin/pip").exists(), "nothing but phaseout and what it needs"
    tree.write("/var/lib/dpkg/status", KESL)
    scan = [str(home / "bin/phaseout"), "scan", "-f", "line", "--root", str(tree.root)]
    found = subprocess.run(scan, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (found.returncode, found.stdout[:8]) == (1, "REPLACE ")
    assert install(bundle, str(home)).returncode == 0, "once more, over itself"


@POSIX
def test_a_changed_bundle_is_not_installed(bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "bundle"
    shutil.copytree(bundle, copy)
    (wheel,) = copy.glob("phaseout-*.whl")
    wheel.write_bytes(wheel.read_bytes() + b"x")
    result = install(copy, str(tmp_path / "home"))
    assert result.returncode != 0
    assert f"{wheel.name}: FAILED" in result.stderr
    assert not (tmp_path / "home").exists()


@POSIX
def test_a_folder_of_somebody_else_is_skipped_mounts(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    result = install(bundle, str(tmp_path))
    assert (result.returncode, result.stdout) == (2, "")
    assert "holds something else" in result.stderr
    assert (tmp_path / "letter").read_text() == "dear"


def test_checksums_are_of_every_file(bundle: Path) -> None:
    lines = [line.split("  ") for line in (bundle / "SHA256SUMS").read_text().splitlines()]
    assert {name for _, name in lines} == {path.name for path in bundle.iterdir()} - {"SHA256SUMS"}
    assert all(hashlib.sha256((bundle / name).read_bytes()).hexdigest() == digest for digest, name in lines)


def test_the_tar_is_the_folder(bundle: Path) -> None:
    with tarfile.open(f"{bundle}.tar") as archive:
        entries = {entry.name: entry for entry in archive.getmembers()}
        assert set(entries) == {f"{bundle.name}/{path.name}" for path in bundle.iterdir()}
        for name, entry in entries.items():
            content = archive.extractfile(entry)
            assert content
            assert content.read() == (bundle.parent / name).read_bytes()
            assert (entry.mtime, entry.uid, entry.uname) == (0, 0, "")


def test_bill_of_materials_names_every_wheel(bundle: Path) -> None:
    bom = json.loads((bundle / "phaseout.cdx.json").read_text())
    main = bom["metadata"]["component"]
    assert (main["name"], main["version"], main["type"]) == ("phaseout", __version__, "application")
    assert main["licenses"] == [{"expression": "Apache-2.0"}]
    components = {one["bom-ref"]: one for one in (main, *bom["components"])}
    assert set(components) == {path.name for path in bundle.glob("*.whl")}
    for name, one in components.items():
        assert one["hashes"] == [
            {"alg": "SHA-256", "content": hashlib.sha256((bundle / name).read_bytes()).hexdigest()}
        ]
        assert one["purl"].startswith(f"pkg:pypi/{one['name']}@{one['version']}")
    depends = {one["ref"]: one["dependsOn"] for one in bom["dependencies"]}
    needed = {components[ref]["name"] for ref in depends[main["bom-ref"]]}
    assert needed == {"click", "msgspec", "psutil", "tabulate"}


def test_bill_of_materials_by_the_published_schema(bundle: Path) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_6)
    assert validator.validate_str((bundle / "phaseout.cdx.json").read_text()) is None


def test_for_other_machines(bundle: Path, tmp_path: Path) -> None:
    del bundle  # it skips where no packages can be had
    folder = tmp_path / "bundle"
    command = [sys.executable, str(MAKE), str(folder), "--platform", "win_amd64", "--python", "3.13"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    names = [path.name for path in folder.iterdir()]
    assert any(name.startswith("msgspec-") and name.endswith("-win_amd64.whl") for name in names)
    assert any(name.startswith("colorama-") for name in names), "click needs it on Windows"


def test_a_folder_with_something_in_it_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "old.whl").touch()
    command = [sys.executable, str(MAKE), str(tmp_path)]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert result.returncode == 2
    assert "is not empty" in result.stderr
