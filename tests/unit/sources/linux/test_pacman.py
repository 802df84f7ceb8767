"""Pacman's local database: desc files, damaged ones, and pacman itself."""

import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from phaseout.host import Host
from phaseout.model.nouns import Problem

from tests.support.harness import run
from tests.support.trees import Tree

LOCAL = "/var/lib/pacman/local"
DESC = """\
%NAME%
kesl

%VERSION%
1:12.1.0-2

%BASE%
kesl

%URL%
https://example.org/

%ARCH%
x86_64

%INSTALLDATE%
1701073495

%PACKAGER%
Kaspersky Lab <support@example.org>

%LICENSE%
custom
"""


def test_a_package(tree: Tree) -> None:
    tree.write(f"{LOCAL}/ALPM_DB_VERSION", "9\n")
    tree.write(f"{LOCAL}/kesl-1:12.1.0-2/desc", DESC)
    result = run("pacman", tree.host())
    (item,) = result.items
    assert (item.name, item.version, item.vendor) == ("kesl", "1:12.1.0-2", "Kaspersky Lab")
    assert item.ids == {"purl": "pkg:alpm/kesl@1:12.1.0-2?arch=x86_64"}
    assert item.details == {
        "arch": "x86_64",
        "base": "kesl",
        "homepage": "https://example.org/",
        "installed": "2023-11-27T08:24:55Z",
        "packager": "Kaspersky Lab <support@example.org>",
    }
    assert result.run.status == "ok"


def test_a_package_that_nobody_signed_for_has_no_vendor(tree: Tree) -> None:
    tree.write(f"{LOCAL}/a-1-1/desc", "%NAME%\na\n\n%VERSION%\n1-1\n\n%PACKAGER%\nUnknown Packager\n")
    assert run("pacman", tree.host()).one("a").vendor == ""


def test_a_damaged_desc_leaves_what_the_folder_is_called(tree: Tree) -> None:
    tree.write(f"{LOCAL}/kesl-gui-12.1-1/desc", b"\xff\x00\x01")
    tree.folder(f"{LOCAL}/interrupted-2.0-3")
    tree.write(f"{LOCAL}/base-1.0/desc", "bogus desc file")
    result = run("pacman", tree.host())
    assert [(item.name, item.version) for item in result.items] == [("interrupted", "2.0-3"), ("kesl-gui", "12.1-1")]
    assert result.problems == (
        Problem(f"{LOCAL}/base-1.0/desc", "names no package", "damaged"),
        Problem(f"{LOCAL}/interrupted-2.0-3/desc", "is missing or empty", "missing"),
        Problem(f"{LOCAL}/kesl-gui-12.1-1/desc", "is damaged", "damaged"),
    )
    assert result.run.left_out == {"damaged": 1}


SYFT = "packages/syft/syft/pkg/cataloger/arch/testdata"
SCALIBR = "packages/osv-scalibr/extractor/filesystem/os/pacman/testdata"


@pytest.mark.parametrize(
    ("capture", "name", "version"),
    [
        ("valid", "gawk", "5.3.1-1"),
        ("valid_no_dep", "libxml2", "2.13.5-1"),
        ("valid_one_dep", "filesystem", "2024.11.21-1"),
        ("eof_after_dependencies", "gawk", "5.3.1-1"),
        ("invalid_value_eof", "gawk", ""),
    ],
)
def test_single_captures(tree: Tree, corpora: Path, capture: str, name: str, version: str) -> None:
    tree.copy(f"{LOCAL}/x-1-1/desc", corpora / SCALIBR / capture)
    result = run("pacman", tree.host())
    assert [(item.name, item.version) for item in result.items] == [(name, version)]
    assert result.run.status == "ok"


def test_captured_databases(tree: Tree, corpora: Path) -> None:
    shutil.copytree(corpora / SYFT / "installed/var", tree.root / "var", dirs_exist_ok=True)
    result = run("pacman", tree.host())
    assert [(item.name, item.version) for item in result.items] == [
        ("corrupt", "0.2.1-3"),
        ("emacs", "29.3-3"),
        ("fuzzy", "1.2-3"),
        ("gmp", "6.2.1-2"),
        ("madeup", "20.30-4"),
        ("tree-sitter", "0.22.6-1"),
    ]
    assert result.problems == (Problem(f"{LOCAL}/corrupt-0.2.1-3/desc", "is damaged", "damaged"),)


def test_a_database_of_other_files(tree: Tree, corpora: Path) -> None:
    shutil.copytree(corpora / SYFT / "glob-paths/var", tree.root / "var", dirs_exist_ok=True)
    result = run("pacman", tree.host())
    assert result.items == ()
    assert result.run.left_out == {"damaged": 2}


def test_agrees_with_pacman(tree: Tree, tmp_path: Path) -> None:
    pacman = shutil.which("pacman")
    if pacman is None or b"libalpm" not in subprocess.run([pacman, "--version"], stdout=-1, check=False).stdout:
        pytest.skip("pacman is not installed")
    tree.folder(LOCAL)
    packages = []
    for name, version in (("kesl", "1:12.1.0-2"), ("kesl-gui", "12.1-1")):
        info = f"pkgname = {name}\npkgver = {version}\narch = any\npackager = Kaspersky Lab <a@example.org>\nsize = 0\n"
        (tmp_path / ".PKGINFO").write_text(info)
        packages.append(tmp_path / f"{name}.pkg.tar")
        with tarfile.open(packages[-1], "w") as archive:
            archive.add(tmp_path / ".PKGINFO", ".PKGINFO")
    config = tmp_path / "pacman.conf"
    config.write_text("[options]\nArchitecture = auto\nSigLevel = Never\nLocalFileSigLevel = Never\n")
    place = ["--config", str(config), "--root", str(tree.root), "--dbpath", str(tree.root / "var/lib/pacman")]
    place += ["--cachedir", str(tmp_path), "--hookdir", str(tmp_path), "--logfile", str(tmp_path / "log")]
    install = subprocess.run(
        [pacman, "-U", "--noconfirm", *place, *map(str, packages)], capture_output=True, text=True, check=False
    )
    assert install.returncode == 0, install.stderr
    listed = subprocess.run([pacman, "-Q", *place], capture_output=True, text=True, check=True).stdout.splitlines()
    result = run("pacman", tree.host())
    assert [f"{item.name} {item.version}" for item in result.items] == listed
    assert {item.vendor for item in result.items} == {"Kaspersky Lab"}
    assert all(item.details["installed"] for item in result.items)
    assert result.run.status == "ok"


@pytest.mark.parametrize(
    "line", ["DBPath      = /usr/state/pacman/", "DBPath=/usr/state/pacman", "RootDir = /usr/state/pacman/root"]
)
def test_the_database_where_the_settings_put_it(tree: Tree, line: str) -> None:
    folder = "/usr/state/pacman/root/var/lib/pacman" if "Root" in line else "/usr/state/pacman"
    tree.write("/etc/pacman.conf", f"[options]\n# where it is\n{line}\n[core]\nInclude = /etc/pacman.d/mirrorlist\n")
    tree.write(f"{folder}/local/kesl-12.1.0-1/desc", "%NAME%\nkesl\n\n%VERSION%\n12.1.0-1\n")
    result = run("pacman", tree.host())
    assert [(item.name, item.version) for item in result.items] == [("kesl", "12.1.0-1")]
    assert result.run.status == "ok"


def test_a_database_that_is_gone(tree: Tree) -> None:
    tree.write("/etc/os-release", "ID=manjaro\nID_LIKE=arch\n")
    assert [problem.cause for problem in run("pacman", tree.host()).problems] == ["missing"]


def test_a_real_capture_of_another_place(corpora: Path, as_host: Callable[[Path], Host]) -> None:
    root = corpora / "captures" / "pacman-dbpath"
    if not root.is_dir():
        pytest.skip(f"not here: {root}")
    result = run("pacman", as_host(root))
    assert result.items
    assert result.run.status == "ok"


def test_pacman_as_a_tool_of_another_system(tree: Tree) -> None:
    tree.write("/etc/os-release", "ID=debian\n")
    tree.write("/etc/pacman.conf", "[options]\nDBPath = /srv/arch\n")
    assert run("pacman", tree.host()).run.status == "ok"


def test_the_database_where_included_settings_put_it(tree: Tree) -> None:
    tree.write("/etc/pacman.conf", "[options]\nInclude = /etc/pacman.d/*.conf\n[core]\nServer = a\n")
    tree.write("/etc/pacman.d/moved.conf", "DBPath = /srv/pacman\nInclude = /etc/pacman.conf\n")
    tree.write("/srv/pacman/local/kesl-12.1.0-1/desc", "%NAME%\nkesl\n\n%VERSION%\n12.1.0-1\n")
    result = run("pacman", tree.host())
    assert [(item.name, item.version) for item in result.items] == [("kesl", "12.1.0-1")]
    assert result.run.status == "ok"
