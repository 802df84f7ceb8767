"""Packages of Solus."""

from tests.support.harness import run
from tests.support.trees import Tree

METADATA = """\
<PISI><Source><Name>kesl</Name><Homepage>https://example.org</Homepage><Packager><Name>A</Name></Packager></Source>
<Package><Name>kesl</Name><History><Update release="2"><Version>12.1.0</Version></Update>
<Update release="1"><Version>11.0</Version></Update></History><Architecture>x86_64</Architecture></Package></PISI>
"""


def test_described_and_damaged_packages(tree: Tree) -> None:
    tree.write("/var/lib/eopkg/package/kesl-12.1.0-2/metadata.xml", METADATA)
    tree.write("/var/lib/eopkg/package/lib-x-1.0-7/metadata.xml", "<PISI>")
    tree.folder("/var/lib/eopkg/package/bare-3-1")
    result = run("eopkg", tree.host())
    assert [(item.name, item.version) for item in result.items] == [("bare", "3"), ("kesl", "12.1.0"), ("lib-x", "1.0")]
    assert result.one("kesl").details["arch"] == "x86_64"
    assert result.run.left_out == {"damaged": 1}


def test_a_system_of_eopkg_without_packages(tree: Tree) -> None:
    tree.write("/etc/os-release", "ID=solus\n")
    assert [problem.cause for problem in run("eopkg", tree.host()).problems] == ["missing"]
