"""Kernel extensions: in their folders, in each other, and in the list of those allowed."""

import sqlite3

from phaseout.model.nouns import Problem

from tests.support.harness import run
from tests.support.macho_writer import signed_macho
from tests.support.trees import MacTree

POLICY = "/private/var/db/SystemPolicyConfiguration/KextPolicy"


def kext(mac_tree: MacTree, path: str, identifier: str, program: bytes = b"") -> None:
    name = path.rpartition("/")[2].removesuffix(".kext")
    values = {"CFBundleIdentifier": identifier, "CFBundleVersion": "3.0.5", "CFBundleExecutable": name}
    mac_tree.plist(f"{path}/Contents/Info.plist", values)
    mac_tree.write(f"{path}/Contents/MacOS/{name}", program)


def allow(mac_tree: MacTree, *rows: tuple[str, str, int, str]) -> None:
    file = mac_tree.write(POLICY)
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE kext_policy (team_id, bundle_id, allowed, developer_name, flags)")
        database.executemany("INSERT INTO kext_policy VALUES (?, ?, ?, ?, 1)", rows)
    database.close()


def test_extensions(mac_tree: MacTree) -> None:
    program = signed_macho("com.kaspersky.kext.klif", "2Y8XE5CQ94", "Kaspersky Lab UK Limited")
    kext(mac_tree, "/Library/Extensions/klif.kext", "com.kaspersky.kext.klif", program)
    kext(mac_tree, "/Library/Extensions/klif.kext/Contents/PlugIns/nke.kext", "com.kaspersky.nke")
    kext(mac_tree, "/Library/Extensions/hp_io.kext", "com.hp.kext.io")
    kext(mac_tree, "/Library/Extensions/AppleMobile.kext", "com.apple.driver.AppleMobile")
    (mac_tree.root / "Library/Extensions/hp_io.kext/Contents/MacOS/hp_io").unlink()
    allow(mac_tree, ("6HB5Y2QTA3", "com.hp.kext.io", 1, "HP Inc."), ("OLD1234567", "com.acme.gone", 1, "Acme"))
    result = run("kernel_extensions", mac_tree.host())
    assert [(item.kind, item.name, item.state, item.vendor, item.ids) for item in result.items] == [
        ("driver", "com.acme.gone", "leftover", "Acme", {"bundle_id": "com.acme.gone", "team_id": "OLD1234567"}),
        ("driver", "hp_io", "leftover", "HP Inc.", {"bundle_id": "com.hp.kext.io", "team_id": "6HB5Y2QTA3"}),
        (
            "driver",
            "klif",
            "installed",
            "Kaspersky Lab UK Limited",
            {"bundle_id": "com.kaspersky.kext.klif", "team_id": "2Y8XE5CQ94"},
        ),
        ("driver", "nke", "installed", "", {"bundle_id": "com.kaspersky.nke"}),
    ]
    assert result.one("nke").details["inside"] == "/Library/Extensions/klif.kext"
    assert result.one("klif").version == "3.0.5"
    assert result.run.left_out == {"part of the operating system": 1}


def test_sealed_system(mac_tree: MacTree) -> None:
    kext(mac_tree, "/System/Library/Extensions/klif.kext", "com.kaspersky.kext.klif")
    kext(mac_tree, "/System/Library/Extensions/IOKit.kext", "com.apple.iokit")
    sealed = run("kernel_extensions", mac_tree.host())
    assert sealed.items == ()
    assert sealed.run.left_out == {"part of the operating system": 2}
    mac_tree.plist("/System/Library/CoreServices/SystemVersion.plist", {"ProductVersion": "10.14.6"})
    older = run("kernel_extensions", mac_tree.host())
    assert older.names() == ["klif"]
    assert older.run.left_out == {"part of the operating system": 1}


def test_damage(mac_tree: MacTree) -> None:
    mac_tree.folder("/Library/Extensions/empty.kext")
    mac_tree.write("/Library/Extensions/broken.kext/Contents/Info.plist", b"bplist00")
    mac_tree.write(POLICY, b"no database")
    result = run("kernel_extensions", mac_tree.host())
    assert result.names() == ["broken", "empty"]
    assert (
        Problem("/Library/Extensions/broken.kext/Contents/Info.plist", "is damaged: no property list", "damaged")
        in result.problems
    )
    assert len(result.problems) == 2
