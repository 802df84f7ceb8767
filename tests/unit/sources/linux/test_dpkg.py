"""dpkg's database: states, architectures, and damage."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.model.nouns import Problem

from tests.support.harness import run
from tests.support.trees import Tree

STATUS = """\
Package: bash
Status: install ok installed
Maintainer: Matthias Klose <doko@debian.org>
Architecture: amd64
Version: 5.2.15-2+b7
Description: GNU Bourne Again SHell
 Bash is an sh-compatible command language interpreter.
 .
 Package: not-a-package

Package: kesl
Status: deinstall ok config-files
Maintainer: Kaspersky Lab <support@kaspersky.com>
Architecture: i386
Version: 12.1.0-1543

Package: gone
Status: unknown ok not-installed
Architecture: amd64
"""


def test_third_status_word_decides(tree: Tree) -> None:
    tree.write("/var/lib/dpkg/status", STATUS)
    result = run("dpkg", tree.host())
    assert [(item.name, item.state, item.version, item.details["arch"]) for item in result.items] == [
        ("bash", "installed", "5.2.15-2+b7", "amd64"),
        ("kesl", "leftover", "12.1.0-1543", "i386"),
    ]
    assert result.one("kesl").vendor == "Kaspersky Lab"
    assert result.run.left_out == {"known but not installed": 1}
    assert result.run.status == "ok"


def test_damaged_stanza_costs_one_problem(tree: Tree) -> None:
    tree.write("/var/lib/dpkg/status", "Version: 1\n\n" + STATUS)
    result = run("dpkg", tree.host())
    assert result.names() == ["bash", "kesl"]
    assert result.problems == (Problem("/var/lib/dpkg/status:1", "a stanza without a package name", "damaged"),)
    assert result.run.left_out["damaged"] == 1


def stanza(name: str, version: str = "1", status: str = "install ok installed") -> str:
    return f"Package: {name}\nStatus: {status}\nArchitecture: amd64\nVersion: {version}\n\n"


DEBIAN = 'NAME="Debian GNU/Linux"\nID=debian\n'


def test_changes_that_are_not_in_status_yet(tree: Tree) -> None:
    """The program was killed, or is at work: it applies the numbered files in their order."""
    tree.write("/var/lib/dpkg/status", stanza("bash") + stanza("old"))
    tree.write("/var/lib/dpkg/updates/0000", stanza("kesl", "12", "install reinstreq half-installed"))
    tree.write("/var/lib/dpkg/updates/0001", stanza("kesl", "12.1"))
    tree.write("/var/lib/dpkg/updates/0002", stanza("old", status="purge ok not-installed"))
    tree.write("/var/lib/dpkg/updates/tmp.i", "Package: half")
    result = run("dpkg", tree.host())
    assert [(item.name, item.version) for item in result.items] == [("bash", "1"), ("kesl", "12.1")]
    assert result.one("kesl").evidence[0].where == "/var/lib/dpkg/updates/0001"
    assert result.run.status == "ok"


@pytest.mark.parametrize(("status", "wrong"), [(None, "is missing"), ("", "is empty"), ("\0" * 512, "is empty")])
def test_a_database_that_is_gone_is_read_from_its_copy(tree: Tree, status: str | None, wrong: str) -> None:
    tree.write("/etc/os-release", DEBIAN)
    if status is not None:
        tree.write("/var/lib/dpkg/status", status)
    tree.write("/var/lib/dpkg/status-old", stanza("kesl", "12.1"))
    tree.write("/var/lib/dpkg/info/kesl.list", "/.\n")
    tree.write("/var/lib/dpkg/info/newer:amd64.list", "/.\n")
    result = run("dpkg", tree.host())
    assert [(item.name, item.version, item.state) for item in result.items] == [
        ("kesl", "12.1", "installed"),
        ("newer", "", "installed"),
    ]
    assert result.one("kesl").notes == (f"from status-old: /var/lib/dpkg/status {wrong}",)
    assert wrong in {problem.why.partition(":")[0] for problem in result.problems}


def test_a_database_that_is_cut_off(tree: Tree) -> None:
    tree.write("/var/lib/dpkg/status", stanza("bash") + "Package: ke")
    for name in ("bash", "kesl"):
        tree.write(f"/var/lib/dpkg/info/{name}.list", "/.\n")
    result = run("dpkg", tree.host())
    assert {"bash", "kesl"} <= set(result.names())
    assert [problem.why.partition(":")[0] for problem in result.problems] == ["is cut off"]


@pytest.mark.parametrize("release", [DEBIAN, "ID=neon\nID_LIKE='ubuntu debian'\n"])
def test_a_system_of_dpkg_without_any_database(tree: Tree, release: str) -> None:
    tree.write("/etc/os-release", release)
    assert [problem.cause for problem in run("dpkg", tree.host()).problems] == ["missing"]
    tree.write("/var/lib/chisel/manifest.wall")
    assert run("dpkg", tree.host()).problems == ()


def test_an_empty_database_on_a_system_of_rpm_is_no_problem(tree: Tree) -> None:
    tree.write("/etc/os-release", 'ID="centos"\nID_LIKE="rhel fedora"\n')
    tree.write("/var/lib/dpkg/status")
    assert run("dpkg", tree.host()).run.status == "ok"


@pytest.mark.slow
@given(cut=st.integers(0, 400))
def test_a_cut_never_hides_a_package_in_silence(cut: int) -> None:
    """Of every beginning of the file: each package is an item, or the source is not complete."""
    whole = "".join(map(stanza, ("a1", "b2", "c3", "kesl")))
    with TemporaryDirectory() as folder:
        tree = Tree(Path(folder))
        tree.write("/etc/os-release", DEBIAN)
        tree.write("/var/lib/dpkg/status", whole[:cut])
        for name in ("a1", "b2", "c3", "kesl"):
            tree.write(f"/var/lib/dpkg/info/{name}.list")
        result = run("dpkg", tree.host())
        assert {"a1", "b2", "c3", "kesl"} <= set(result.names()) or result.problems
        assert "kesl" in result.names()


@pytest.mark.parametrize("line", ["admindir=/srv/dpkg", "admindir /srv/dpkg/"])
def test_the_database_where_the_settings_put_it(tree: Tree, line: str) -> None:
    tree.write("/etc/dpkg/dpkg.cfg.d/moved", f"no-debsig\n# admindir=/nowhere\n{line}\n")
    assert [problem.cause for problem in run("dpkg", tree.host()).problems] == ["missing"]
    tree.write("/srv/dpkg/status", stanza("kesl"))
    result = run("dpkg", tree.host())
    assert [item.name for item in result.items] == ["kesl"]
    assert result.run.status == "ok"
