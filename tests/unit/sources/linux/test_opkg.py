"""opkg's database: states, control files, and damage."""

import shutil
from pathlib import Path

import pytest

from tests.support.harness import run
from tests.support.trees import Tree

STATUS = """\
Package: kesl
Version: 12.1-r1
Status: install user installed
Architecture: mipsel_24kc
Installed-Time: 1730715936

Package: removed
Version: 1
Status: deinstall ok config-files

Package: broken
Version: 1
Status: install ok post-inst-failed

Package: gone
Version: 1
Status: unknown ok not-installed

Package: odd
Version: 1
"""
CONTROL = "Package: kesl\nVersion: 12.1-r1\nMaintainer: Kaspersky Lab <a@example.org>\nDescription: x\n"


@pytest.mark.parametrize("folder", ["/usr/lib/opkg", "/var/lib/opkg", "/opt/lib/opkg"])
def test_states_and_maintainers(tree: Tree, folder: str) -> None:
    tree.write(f"{folder}/status", STATUS)
    tree.write(f"{folder}/info/kesl.control", CONTROL)
    tree.write(f"{folder}/info/kesl.list", "/opt/kesl\n")
    tree.write(f"{folder}/info/orphan.control", CONTROL.replace("kesl", "orphan"))
    result = run("opkg", tree.host())
    assert [(item.name, item.state) for item in result.items] == [
        ("broken", "installed"),
        ("kesl", "installed"),
        ("odd", "installed"),
        ("orphan", "leftover"),
        ("removed", "leftover"),
    ]
    item = result.one("kesl")
    assert (item.version, item.vendor) == ("12.1-r1", "Kaspersky Lab")
    assert item.details == {
        "arch": "mipsel_24kc",
        "installed": "2024-11-04T10:25:36Z",
        "maintainer": "Kaspersky Lab <a@example.org>",
        "status": "install user installed",
    }
    assert result.run.left_out == {"known but not installed": 1}
    assert result.one("odd").notes == ('unknown status "", taken for installed',)
    assert result.run.status == "ok"


def test_an_image_without_status_has_its_control_files(tree: Tree) -> None:
    tree.write("/usr/lib/opkg/info/kesl.control", CONTROL)
    result = run("opkg", tree.host())
    assert [(item.name, item.state, item.version) for item in result.items] == [("kesl", "installed", "12.1-r1")]
    assert result.run.status == "ok"


def test_a_database_under_two_names_counts_once(tree: Tree) -> None:
    tree.write("/usr/lib/opkg/status", "Package: a\nStatus: install ok installed\n")
    tree.link("/var/lib/opkg", "/usr/lib/opkg")
    assert run("opkg", tree.host()).names() == ["a"]


SYFT = "packages/syft/syft/pkg/cataloger/debian/testdata"
SCALIBR = "packages/osv-scalibr/extractor/filesystem/os/dpkg/testdata/opkg"


@pytest.mark.parametrize(
    ("capture", "names", "left_out", "problems"),
    [
        (f"{SCALIBR}/valid", ["busybox", "libuci20130104", "ubus"], {}, 0),
        (f"{SCALIBR}/single", ["ubus"], {}, 0),
        (f"{SCALIBR}/transitional", ["ubus"], {}, 0),
        (f"{SCALIBR}/trailingnewlines", ["ubus"], {}, 0),
        (f"{SCALIBR}/noversion", ["busybox", "libuci20130104", "ubus"], {}, 0),
        (f"{SCALIBR}/nopackage", ["busybox", "ubus"], {"damaged": 1}, 1),
        (f"{SCALIBR}/empty", [], {}, 0),
        (f"{SCALIBR}/invalid", [], {"damaged": 2}, 2),
        (
            f"{SCALIBR}/statusfield",
            [
                "wantdeinstall_configfiles",
                "wantinstall_installed",
                "wantinstall_unpacked",
                "wantnostatus",
                "wantpurge_installed",
            ],
            {"known but not installed": 1},
            0,
        ),
        (f"{SYFT}/var/lib/opkg/status", ["busybox", "dropbear", "kernel-modules"], {}, 0),
    ],
)
def test_real_captures(
    tree: Tree, corpora: Path, capture: str, names: list[str], left_out: dict[str, int], problems: int
) -> None:
    tree.copy("/usr/lib/opkg/status", corpora / capture)
    result = run("opkg", tree.host())
    assert result.names() == names
    assert result.run.left_out == left_out
    assert len(result.problems) == problems


def test_a_database_of_other_files(tree: Tree, corpora: Path) -> None:
    shutil.copytree(corpora / SYFT / "glob-paths/usr/lib/opkg", tree.root / "usr/lib/opkg")
    result = run("opkg", tree.host())
    assert result.items == ()
    assert [problem.where for problem in result.problems] == [
        "/usr/lib/opkg/status:1",
        "/usr/lib/opkg/info/pkg-1.0.control:1",
    ]
    assert result.run.left_out == {"damaged": 2}


def test_a_database_that_is_gone(tree: Tree) -> None:
    tree.write("/etc/opkg.conf")
    assert [problem.cause for problem in run("opkg", tree.host()).problems] == ["missing"]
    tree.write("/usr/lib/opkg/status")
    tree.write("/usr/lib/opkg/info/kesl.control", CONTROL)
    result = run("opkg", tree.host())
    assert [(item.name, item.state) for item in result.items] == [("kesl", "installed")]
    assert [problem.cause for problem in result.problems] == ["damaged"]


def test_a_system_that_has_moved_to_apk(tree: Tree) -> None:
    tree.write("/etc/opkg/customfeeds.conf")
    tree.write("/lib/apk/db/installed", "P:base\n")
    assert run("opkg", tree.host()).run.status == "ok"
