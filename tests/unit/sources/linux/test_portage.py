"""Portage's database: folder names, what may be missing in them, and damage."""

import shutil
from pathlib import Path

import pytest
from phaseout.model.nouns import Evidence

from tests.support.harness import run
from tests.support.trees import Tree

PKG = "/var/db/pkg"


def test_a_package(tree: Tree) -> None:
    tree.write(f"{PKG}/app-antivirus/kesl-bin-12.1_p3-r1/repository", "gentoo\n")
    tree.write(f"{PKG}/app-antivirus/.cache", "")
    result = run("portage", tree.host())
    (item,) = result.items
    assert (item.name, item.version, item.state) == ("kesl-bin", "12.1_p3-r1", "installed")
    assert item.details == {"category": "app-antivirus", "repository": "gentoo"}
    assert item.evidence == (Evidence(f"{PKG}/app-antivirus/kesl-bin-12.1_p3-r1", "app-antivirus/kesl-bin-12.1_p3-r1"),)
    assert result.run.status == "ok"


def test_a_merge_that_did_not_end_is_a_leftover(tree: Tree) -> None:
    tree.folder(f"{PKG}/app-misc/-MERGING-foo-1.0")
    (item,) = run("portage", tree.host()).items
    assert (item.name, item.version, item.state) == ("foo", "1.0", "leftover")


def test_a_folder_without_a_version_is_an_item(tree: Tree) -> None:
    tree.folder(f"{PKG}/app-misc/{'x' * 200}")
    tree.write(f"{PKG}/app-misc/odd/PF", b"\xff\x00")
    result = run("portage", tree.host())
    assert [(item.name, item.version) for item in result.items] == [("odd", ""), ("x" * 200, "")]
    assert result.one("odd").notes == ("its folder is not named like a package with its version",)
    assert result.run.status == "ok"


SYFT = "packages/syft/syft/pkg/cataloger/gentoo/testdata"
SCALIBR = "packages/osv-scalibr/extractor/filesystem/os/portage/testdata"


@pytest.mark.parametrize(
    ("capture", "name", "version"),
    [
        ("valid", "Getopt-Long", "2.580.0"),
        ("invalid", "odd", ""),
        ("empty", "odd", ""),
        ("nopackage", "odd", ""),
        ("noversion", "odd", ""),
    ],
)
def test_captured_names(tree: Tree, corpora: Path, capture: str, name: str, version: str) -> None:
    tree.copy(f"{PKG}/dev-perl/odd/PF", corpora / SCALIBR / capture)
    tree.copy(f"{PKG}/dev-perl/Getopt-Long-2.570.0/PF", corpora / SCALIBR / capture)
    result = run("portage", tree.host())
    found = {(item.name, item.version) for item in result.items}
    assert found == {("Getopt-Long", "2.570.0"), (name, version)}  # the folder counts where it is called properly
    assert any(item.notes for item in result.items) == (not version)


@pytest.mark.parametrize(
    ("capture", "expected", "notes"),
    [
        ("layout", ("skopeo", "1.5.1", "app-containers"), 0),
        ("layout-license-groups", ("skopeo", "1.5.1", "app-containers"), 0),
        ("glob-paths", ("y", "", "x"), 1),
    ],
)
def test_captured_databases(
    tree: Tree, corpora: Path, capture: str, expected: tuple[str, str, str], notes: int
) -> None:
    shutil.copytree(corpora / SYFT / capture / "var", tree.root / "var", dirs_exist_ok=True)
    result = run("portage", tree.host())
    (item,) = result.items
    assert (item.name, item.version, item.details["category"]) == expected
    assert len(item.notes) == notes


def test_a_system_of_portage_without_its_database(tree: Tree) -> None:
    tree.write("/etc/os-release", "ID=gentoo\n")
    assert [problem.cause for problem in run("portage", tree.host()).problems] == ["missing"]
