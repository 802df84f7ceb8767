"""MacPorts' registry: active and inactive ports, and what is no registry."""

import sqlite3
from pathlib import Path

import pytest

from tests.support.harness import run
from tests.support.trees import MacTree

REGISTRY = "/opt/local/var/macports/registry/registry.db"


def registry(file: Path, *ports: tuple[object, ...]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(file) as database:
        database.execute(
            "CREATE TABLE ports (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, portfile TEXT, location TEXT,"
            " epoch INTEGER, version TEXT, revision INTEGER, variants TEXT, state TEXT, date DATETIME,"
            " archs TEXT, requested INTEGER)"
        )
        database.executemany(
            "INSERT INTO ports (name, epoch, version, revision, variants, state, date, archs, requested)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ports,
        )
    database.close()


def test_ports(mac_tree: MacTree) -> None:
    registry(
        mac_tree.root / REGISTRY[1:],
        ("zlib", 0, "1.3.1", 0, "+universal", "installed", 1714566600, "arm64 x86_64", 1),
        ("zlib", 0, "1.2.13", 1, "", "imaged", 1700000000, "arm64", 0),
        (None, 0, "1", 0, "", "installed", 0, "", 0),
    )
    result = run("macports", mac_tree.host())
    assert [(item.name, item.version, item.state) for item in result.items] == [
        ("zlib", "1.2.13", "leftover"),
        ("zlib", "1.3.1", "installed"),
    ]
    assert result.items[1].details == {
        "state": "active",
        "revision": "0",
        "variants": "+universal",
        "arch": "arm64 x86_64",
        "installed": "2024-05-01T12:30:00Z",
        "requested": "yes",
    }
    assert result.run.left_out == {"damaged": 1}


def test_no_registry(mac_tree: MacTree) -> None:
    assert run("macports", mac_tree.host()).run.status == "ok"
    mac_tree.write(REGISTRY, b"no database")
    assert run("macports", mac_tree.host()).run.status == "partial"


@pytest.mark.parametrize("prefix", ["/opt/other", "/Users/ada/ports", "/private/var/named/ports"])
def test_another_prefix(mac_tree: MacTree, prefix: str) -> None:
    """Just below common folders, and where a start file of a shell names a folder in it."""
    registry(
        mac_tree.root / f"{prefix}/var/macports/registry/registry.db"[1:],
        ("kit", 0, "1", 0, "", "installed", 1, "arm64", 1),
    )
    mac_tree.folder("/private/var/named/ports/bin")
    mac_tree.write("/Users/ada/.profile", "export PATH=/private/var/named/ports/bin:$PATH\n")
    assert run("macports", mac_tree.host()).names() == ["kit"]
