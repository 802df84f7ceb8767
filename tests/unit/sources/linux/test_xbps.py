"""Void's package database."""

import plistlib
from collections.abc import Callable
from pathlib import Path

import pytest
from phaseout.host import Host

from tests.support.harness import run
from tests.support.trees import Tree

PLIST = "/var/db/xbps/pkgdb-0.38.plist"


def test_packages_and_states(tree: Tree) -> None:
    packages = {
        "kesl": {
            "architecture": "x86_64",
            "maintainer": "Kaspersky Lab <support@example.org>",
            "pkgver": "kesl-12.1.0_1",
            "state": "installed",
            "automatic-install": False,
        },
        "gtk+3": {"pkgver": "gtk+3-3.24_2", "state": "unpacked", "automatic-install": True},
        "gone": {"pkgver": "gone-1_1", "state": "not-installed"},
        "_XBPS_ALTERNATIVES_": {"vi": ["vim"]},
        "odd": "text",
    }
    tree.write(PLIST, plistlib.dumps(packages))
    result = run("xbps", tree.host())
    assert [(item.name, item.version, item.vendor) for item in result.items] == [
        ("gtk+3", "3.24_2", ""),
        ("kesl", "12.1.0_1", "Kaspersky Lab"),
    ]
    assert result.one("gtk+3").details["requested"] == "no"
    assert result.run.left_out == {"known but not installed": 1, "damaged": 1}


@pytest.mark.parametrize("content", [None, "", "<plist><dict>", "<plist/>"])
def test_a_system_of_xbps_without_its_database(tree: Tree, content: str | None) -> None:
    tree.write("/etc/os-release", "ID=void\n")
    if content is not None:
        tree.write(PLIST, content)
    assert run("xbps", tree.host()).run.status == "partial"


def test_real_captures(corpora: Path, as_host: Callable[[Path], Host], tree: Tree) -> None:
    captures = corpora / "captures" / "xbps"
    if not captures.is_dir():
        pytest.skip(f"not here: {captures}")
    result = run("xbps", as_host(captures))
    listed = [line.split()[1] for line in (captures / "xbps-query-l.txt").read_text().splitlines() if line[:2] == "ii"]
    assert sorted(f"{item.name}-{item.version}" for item in result.items) == sorted(listed)
    for other in ("upstream-test/pkgdb-0.38.plist", "pkgdb-unpacked.plist"):
        tree.copy(PLIST, captures / other)
        assert run("xbps", tree.host()).items
