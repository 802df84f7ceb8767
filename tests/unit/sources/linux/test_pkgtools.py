"""Slackware's package files."""

from collections.abc import Callable
from pathlib import Path

import pytest
from phaseout.host import Host

from tests.support.harness import run
from tests.support.trees import Tree

FOLDER = "/var/lib/pkgtools/packages"
KESL = """\
PACKAGE NAME:     kesl-12.1.0-x86_64-1_SBo
UNCOMPRESSED PACKAGE SIZE:     1M
PACKAGE DESCRIPTION:
kesl: kesl (Kaspersky Endpoint Security)
kesl:
kesl: Homepage: https://example.org/kesl
FILE LIST:
./
"""


def test_a_package_is_one_by_both_paths(tree: Tree) -> None:
    tree.write(f"{FOLDER}/kesl-12.1.0-x86_64-1_SBo", KESL)
    tree.link("/var/log/packages", "../lib/pkgtools/packages")
    item = run("pkgtools", tree.host()).one("kesl")
    assert (item.version, item.details["arch"], item.details["build"]) == ("12.1.0", "x86_64", "1_SBo")
    assert item.details["description"] == "kesl (Kaspersky Endpoint Security)"
    assert (item.details["origin"], item.details["homepage"]) == ("SBo", "https://example.org/kesl")


def test_names_with_dashes_and_odd_ones(tree: Tree) -> None:
    tree.write("/var/log/packages/gcc-g++-13.2.0-x86_64-1")
    tree.write("/var/log/packages/kesl-11.0-x86_64-1-upgraded-2026-01-01,10:00:00")
    tree.write("/var/log/packages/tiny", b"\xff\xfe")
    result = run("pkgtools", tree.host())
    assert [(item.name, item.version, item.state) for item in result.items] == [
        ("gcc-g++", "13.2.0", "installed"),
        ("kesl", "11.0", "leftover"),
        ("tiny", "", "installed"),
    ]
    assert result.run.status == "ok"
    assert result.one("tiny").notes


def test_a_system_of_pkgtools_without_packages(tree: Tree) -> None:
    tree.write("/etc/os-release", "ID=slackware\n")
    assert [problem.cause for problem in run("pkgtools", tree.host()).problems] == ["missing"]


def test_a_real_capture(corpora: Path, as_host: Callable[[Path], Host]) -> None:
    root = corpora / "captures" / "slackware"
    if not root.is_dir():
        pytest.skip(f"not here: {root}")
    item = run("pkgtools", as_host(root)).one("kesl")
    assert (item.version, item.details["arch"], item.details["origin"]) == ("12.1.0.1543", "x86_64", "SBo")
