"""dpkg's database: states, architectures, and damage."""

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
    assert result.problems == (Problem("/var/lib/dpkg/status:1", "a stanza without a package name"),)
    assert result.run.left_out["damaged"] == 1
