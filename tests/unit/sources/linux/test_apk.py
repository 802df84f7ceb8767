"""apk's database: both its places, records without a version, and damage."""

import io
import tarfile
from pathlib import Path

import pytest
from phaseout.model.nouns import Evidence, Problem

from tests.support.harness import run
from tests.support.trees import Tree

INSTALLED = """\
C:Q1pcfTfDNEbNKQc2s1tia7da05M8Q=
P:kesl
V:12.1.0-r3
A:x86_64
U:https://example.org/
o:kesl-source
m:Kaspersky Lab <support@example.org>
t:1701073495
F:opt
R:kesl
P:not-a-package

P:.build-deps

"""
PLACE = "/lib/apk/db/installed"


@pytest.mark.parametrize("place", [PLACE, "/usr/lib/apk/db/installed"])
def test_every_record_is_an_item(tree: Tree, place: str) -> None:
    tree.write(place, INSTALLED)
    result = run("apk", tree.host())
    assert result.names() == [".build-deps", "kesl"]
    item = result.one("kesl")
    assert (item.version, item.vendor) == ("12.1.0-r3", "Kaspersky Lab")
    assert item.ids == {"purl": "pkg:apk/kesl@12.1.0-r3?arch=x86_64"}
    assert item.details == {
        "arch": "x86_64",
        "built": "2023-11-27T08:24:55Z",
        "homepage": "https://example.org/",
        "maintainer": "Kaspersky Lab <support@example.org>",
        "origin": "kesl-source",
    }
    assert item.evidence == (Evidence(f"{place}:1", "P:kesl V:12.1.0-r3"),)
    assert result.one(".build-deps").ids == {"purl": "pkg:apk/.build-deps"}
    assert result.run.status == "ok"


def test_a_database_under_both_names_counts_once(tree: Tree) -> None:
    tree.write("/usr/lib/apk/db/installed", INSTALLED)
    tree.link("/lib", "usr/lib")
    result = run("apk", tree.host())
    assert result.names() == [".build-deps", "kesl"]
    assert result.one("kesl").evidence[0].where == f"{PLACE}:1"


def test_two_databases_are_both_read(tree: Tree) -> None:
    tree.write(PLACE, "P:a\nV:1\n")
    tree.write("/usr/lib/apk/db/installed", "P:b\nV:1\n")
    assert run("apk", tree.host()).names() == ["a", "b"]


def test_damage_costs_a_problem_each(tree: Tree) -> None:
    tree.write(PLACE, b"V:1\n\nP:a\nnonsense \xff\nV:1\n\n" + INSTALLED.encode())
    result = run("apk", tree.host())
    assert result.names() == [".build-deps", "a", "kesl"]
    assert result.problems == (
        Problem(f"{PLACE}:1", "a record without a package name", "damaged"),
        Problem(f"{PLACE}:3", r'a: an unexpected line: "nonsense \xff"', "damaged"),
    )
    assert result.run.left_out == {"damaged": 1}


SYFT = "packages/syft/syft/pkg/cataloger/alpine/testdata"
SCALIBR = "packages/osv-scalibr/extractor/filesystem/os/apk/testdata"


@pytest.mark.parametrize(
    ("capture", "items", "damaged"),
    [
        (f"{SYFT}/base", 1, 0),
        (f"{SYFT}/single", 1, 0),
        (f"{SYFT}/empty-deps-and-provides", 1, 0),
        (f"{SYFT}/extra-file-attributes", 1, 0),
        (f"{SYFT}/multiple-1/lib/apk/db/installed", 4, 0),
        (f"{SYFT}/multiple-2/lib/apk/db/installed", 14, 0),
        (f"{SYFT}/corrupt/lib/apk/db/installed", 1, 1),
        (f"{SYFT}/glob-paths/lib/apk/db/installed", 0, 1),
        (f"{SCALIBR}/installed", 15, 0),
        (f"{SCALIBR}/single", 1, 0),
        (f"{SCALIBR}/different-arch", 1, 0),
        (f"{SCALIBR}/no-origin", 1, 0),
        (f"{SCALIBR}/empty", 0, 0),
        (f"{SCALIBR}/invalid", 0, 2),
        ("packages/trivy/pkg/fanal/analyzer/pkg/apk/testdata/apk", 16, 0),
    ],
)
def test_real_captures(tree: Tree, corpora: Path, capture: str, items: int, damaged: int) -> None:
    tree.copy(PLACE, corpora / capture)
    result = run("apk", tree.host())
    assert len(result.items) == items
    assert sum(result.run.left_out.values()) == damaged == len(result.problems)
    assert [item.name for item in result.items if not item.version] == (
        ["invalidPackageWithoutAVersion"] if "trivy" in capture else []
    )


def test_a_real_image(tree: Tree, corpora: Path) -> None:
    with tarfile.open(corpora / "packages/trivy/pkg/fanal/test/testdata/alpine-311.tar.gz") as image:
        (layer,) = (name for name in image.getnames() if name.endswith("layer.tar"))
        member = image.extractfile(layer)
        assert member is not None
        with tarfile.open(fileobj=io.BytesIO(member.read())) as root:
            installed = root.extractfile("lib/apk/db/installed")
            assert installed is not None
            tree.write(PLACE, installed.read())
    result = run("apk", tree.host())
    assert len(result.items) == 14
    assert (result.one("musl").version, result.one("musl").details["origin"]) == ("1.1.24-r2", "musl")
    assert result.run.status == "ok"


@pytest.mark.parametrize("wrong", ["is missing", "holds no package"])
def test_a_database_that_is_gone_or_empty(tree: Tree, wrong: str) -> None:
    tree.write("/etc/os-release", "ID=alpine\n")
    if wrong != "is missing":
        tree.write("/lib/apk/db/installed")
    (problem,) = run("apk", tree.host()).problems
    assert (problem.cause, problem.why) == ("missing", f"{wrong}, though this is a system of apk")


def test_a_database_that_was_cut_off(tree: Tree) -> None:
    """Between two records, so that it looks whole: what somebody asked for is not in it."""
    tree.write("/etc/apk/world", "kesl>=12 busybox@edge sh !conflict\n")
    tree.write(PLACE, INSTALLED + "P:busybox\nV:1\np:cmd:sh=1 sh\n\n")
    assert run("apk", tree.host()).run.status == "ok"
    tree.write(PLACE, INSTALLED)
    (problem,) = run("apk", tree.host()).problems
    assert problem == Problem(PLACE, "lacks busybox, sh, which /etc/apk/world asks for", "missing")
