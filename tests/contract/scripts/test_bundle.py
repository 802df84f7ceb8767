"""The bundle for machines without a network: really made, checked, installed and run."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from phaseout import __version__

from tests.support.namespaces import can_unshare
from tests.support.trees import KESL, Tree

ROOT = Path(__file__).parents[3]
MAKE = ROOT / "scripts/make_bundle.py"
LOCKED = ROOT / "scripts/locked"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
pytestmark = pytest.mark.slow


def install(bundle: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the bundle's installer, without a network where a namespace can be made."""
    command = ["sh", str(bundle / "install"), *arguments]
    if can_unshare("--net"):
        command = ["unshare", "--net", *command]
    environment = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, "HOME": tempfile.gettempdir(), **variables}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, env=environment)


@POSIX
def test_installed_without_a_network_and_run(bundle: Path, tree: Tree, tmp_path: Path) -> None:
    if not can_unshare("--net"):
        pytest.skip("no network namespace can be made here")
    home = tmp_path / "opt/phaseout"
    result = install(bundle, str(home))
    assert (result.returncode, result.stdout.splitlines()[0], result.stderr) == (0, f"phaseout {__version__}", "")
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
@pytest.mark.parametrize("name", ["jinja2-99.0-py3-none-any.whl", ".hidden", "-x", "..x"])
def test_an_added_file_is_refused(bundle: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "bundle"
    shutil.copytree(bundle, copy)
    (copy / name).write_bytes(b"")
    result = install(copy, str(tmp_path / "home"))
    assert (result.returncode, result.stdout) == (1, "")
    assert f"SHA256SUMS does not name {name}:" in result.stderr
    assert not (tmp_path / "home").exists()


def planted_wheel(folder: Path) -> None:
    """A newer `jinja2`, to be taken by a pip that takes the newest."""
    about = {
        "METADATA": "Metadata-Version: 2.1\nName: jinja2\nVersion: 99.0\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(folder / "jinja2-99.0-py3-none-any.whl", "w") as archive:
        archive.writestr("jinja2/__init__.py", "raise SystemExit('planted')\n")
        for name, text in about.items():
            archive.writestr(f"jinja2-99.0.dist-info/{name}", text)


@POSIX
def test_only_wheels_with_the_stated_hashes_are_installed(bundle: Path, tmp_path: Path) -> None:
    """Even if the planted wheel is in SHA256SUMS, or where the configuration of pip says to look."""
    copy, elsewhere, home = tmp_path / "bundle", tmp_path / "elsewhere", tmp_path / "home"
    shutil.copytree(bundle, copy)
    elsewhere.mkdir()
    planted_wheel(copy)
    planted_wheel(elsewhere)
    wheel = copy / "jinja2-99.0-py3-none-any.whl"
    with (copy / "SHA256SUMS").open("a") as sums:
        sums.write(f"{hashlib.sha256(wheel.read_bytes()).hexdigest()}  {wheel.name}\n")
    (tmp_path / "pip.conf").write_text(f"[install]\nfind-links = {elsewhere}\ntarget = {elsewhere}\n")
    hostile = {
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "PIP_FIND_LINKS": str(elsewhere),
        "PYTHONPATH": str(wheel),
    }
    result = install(copy, str(home), **hostile)
    assert result.returncode == 0, result.stderr
    (installed,) = home.glob("lib/python3*/site-packages/jinja2-*.dist-info")
    assert "99" not in installed.name


@POSIX
def test_a_folder_with_something_else_is_not_used(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    result = install(bundle, str(tmp_path))
    assert (result.returncode, result.stdout) == (2, "")
    assert "holds something other than" in result.stderr
    assert (tmp_path / "letter").read_text() == "dear"


def test_the_lock_has_what_the_package_needs(bundle: Path) -> None:
    """Every requirement is locked; a marker would be judged by the machine that makes the bundle, so there are none."""
    needed = {line.split(">=")[0] for line in PROJECT["project"]["dependencies"]}
    lines = [line for line in (LOCKED / "bundle.txt").read_text().splitlines() if "==" in line]
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+ \\", line) for line in lines)
    names = {line.split("==")[0] for line in lines}
    assert needed | {"pip"} <= names
    wheels = {path.name.split("-")[0] for path in bundle.glob("*.whl")}
    assert wheels == names | {"phaseout"}


@pytest.mark.parametrize("name", ["build.txt", "bundle.txt", "executable.txt"])
def test_locks_agree(name: str) -> None:
    """A package in two locks has one version, and what pyproject.toml asks for is met."""
    specifiers = pytest.importorskip("packaging.specifiers")
    requirements = pytest.importorskip("packaging.requirements")
    versions = locked(name)
    assert all(version == versions.get(one, version) for one, version in locked("bundle.txt").items())
    asked = {
        "build.txt": PROJECT["build-system"]["requires"],
        "bundle.txt": PROJECT["project"]["dependencies"],
        "executable.txt": PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["build"],
    }[name]
    for line in asked:
        requirement = requirements.Requirement(line)
        assert specifiers.SpecifierSet(str(requirement.specifier)).contains(versions[requirement.name]), line


def locked(name: str) -> dict[str, str]:
    """The versions in a lock file by package."""
    return dict(re.findall(r"^([\w.-]+)==([^ ]+) ", (LOCKED / name).read_text(), re.MULTILINE))


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


def test_bill_of_materials_names_every_wheel_and_its_files(bundle: Path) -> None:
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
        assert one["scope"] == ("excluded" if one["name"] == "pip" else "required")
        with zipfile.ZipFile(bundle / name) as archive:
            files = {
                entry: hashlib.sha256(archive.read(entry)).hexdigest()
                for entry in archive.namelist()
                if entry[-1] != "/"
            }
        if one["name"] != "pip":
            assert {file["name"]: file["hashes"][0]["content"] for file in one["components"]} == files
    depends = {one["ref"]: one["dependsOn"] for one in bom["dependencies"]}
    needed = {components[ref]["name"] for ref in depends[main["bom-ref"]]}
    assert needed == {line.split(">=")[0] for line in PROJECT["project"]["dependencies"]}


def test_bill_of_materials_by_the_published_schema(bundle: Path) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_6)
    assert validator.validate_str((bundle / "phaseout.cdx.json").read_text()) is None


def test_for_other_machines(bundle: Path, tmp_path: Path) -> None:
    del bundle  # it skips where no packages can be had
    folder = tmp_path / "bundle"
    command = [sys.executable, str(MAKE), str(folder), "--platform", "win_amd64", "--python", "3.13"]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    names = [path.name for path in folder.iterdir()]
    assert any(name.startswith("msgspec-") and name.endswith("-win_amd64.whl") for name in names)
    assert any(name.startswith("markupsafe-") and name.endswith("-win_amd64.whl") for name in names)


def test_a_folder_with_something_in_it_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "old.whl").touch()
    command = [sys.executable, str(MAKE), str(tmp_path)]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert result.returncode == 2
    assert "is not an empty folder" in result.stderr


def test_without_pip_it_says_which_python_to_use(tmp_path: Path) -> None:
    """A system's own Python often has none; nothing is left behind."""
    venv.create(tmp_path / "bare", with_pip=False, symlinks=sys.platform != "win32")
    python = tmp_path / "bare" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    command = [str(python), str(MAKE), str(tmp_path / "bundle")]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (1, "")
    assert "has no pip. Run it with the Python of the virtual environment: .venv/bin/python" in result.stderr
    assert not (tmp_path / "bundle").exists()
