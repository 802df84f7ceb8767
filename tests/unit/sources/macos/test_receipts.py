"""Receipts of installer packages: what they say, and whether what they installed is still there."""

import datetime as dt
from pathlib import Path

from phaseout.model.nouns import Problem

from tests.support.bom_writer import bom
from tests.support.harness import run
from tests.support.trees import MacTree

RECEIPTS = "/private/var/db/receipts"
HISTORY = "/Library/Receipts/InstallHistory.plist"


def receipt(mac_tree: MacTree, name: str, prefix: str, *paths: str) -> None:
    values = {
        "PackageIdentifier": name,
        "PackageVersion": "21.3.0.150",
        "InstallDate": dt.datetime(2024, 5, 1, 12, 30, tzinfo=dt.UTC).replace(tzinfo=None),
        "InstallPrefixPath": prefix,
        "InstallProcessName": "installer",
        "PackageFileName": "core.pkg",
    }
    mac_tree.plist(f"{RECEIPTS}/{name}.plist", values, binary=True)
    if paths:
        mac_tree.write(f"{RECEIPTS}/{name}.bom", bom(*paths))


def test_what_a_receipt_tells(mac_tree: MacTree) -> None:
    agent = "Library/Application Support/Kaspersky Lab/klnagent"
    receipt(mac_tree, "com.kaspersky.klnagent.core", "/", f"{agent}/Binaries/klnagent", f"{agent}/Binaries/klmover")
    mac_tree.write(f"/{agent}/Binaries/klnagent")
    mac_tree.plist(HISTORY, [{"displayName": "Network Agent", "packageIdentifiers": ["com.kaspersky.klnagent.core"]}])
    result = run("receipts", mac_tree.host())
    (item,) = result.items
    assert (item.kind, item.name, item.version, item.state) == (
        "package",
        "com.kaspersky.klnagent.core",
        "21.3.0.150",
        "installed",
    )
    assert item.path == f"/{agent}/Binaries"
    assert item.ids == {"receipt_id": "com.kaspersky.klnagent.core"}
    assert item.details == {
        "display_name": "Network Agent",
        "installed": "2024-05-01T12:30:00Z",
        "installer": "installer",
        "file": "core.pkg",
        "prefix": "/",
    }


def test_receipt_without_its_files_is_a_leftover(mac_tree: MacTree) -> None:
    receipt(mac_tree, "com.acme.gone", "Applications", "Acme.app/Contents/Info.plist", "Acme.app/Contents/PkgInfo")
    receipt(mac_tree, "com.acme.moved", "opt/acme")
    receipt(mac_tree, "com.acme.there", "Applications", "Beta.app/Contents/Info.plist", "Beta.app/Contents/PkgInfo")
    receipt(mac_tree, "com.acme.scripts", "/")
    mac_tree.write("/Applications/Beta.app/Contents/PkgInfo")
    mac_tree.write("/Applications/Other.app/Contents/Info.plist")
    items = run("receipts", mac_tree.host()).items
    assert [(item.name, item.state, item.path) for item in items] == [
        ("com.acme.gone", "leftover", "/Applications/Acme.app"),
        ("com.acme.moved", "leftover", "/opt/acme"),
        ("com.acme.scripts", "installed", ""),
        ("com.acme.there", "installed", "/Applications/Beta.app"),
    ]
    assert items[0].details["note"] == "none of its files is there any more"


def test_packages_of_folders_only(mac_tree: MacTree) -> None:
    receipt(mac_tree, "com.acme.folders", "/", "Library/Acme/Data/")
    assert run("receipts", mac_tree.host()).one("com.acme.folders").state == "leftover"
    mac_tree.folder("/Library/Acme/Data")
    assert run("receipts", mac_tree.host()).one("com.acme.folders").state == "installed"


def test_old_receipts(mac_tree: MacTree) -> None:
    info = {"CFBundleIdentifier": "com.kaspersky.kav.core", "CFBundleShortVersionString": "8.0"}
    mac_tree.plist("/Library/Receipts/kav.pkg/Contents/Info.plist", info)
    mac_tree.folder("/Library/Receipts/bare.pkg")
    items = run("receipts", mac_tree.host()).items
    assert [(item.name, item.version) for item in items] == [("bare", ""), ("com.kaspersky.kav.core", "8.0")]


def test_damage(mac_tree: MacTree) -> None:
    mac_tree.write(f"{RECEIPTS}/com.acme.broken.plist", b"bplist00")
    mac_tree.write(f"{RECEIPTS}/com.acme.broken.bom", b"BOMStore")
    mac_tree.plist(f"{RECEIPTS}/com.acme.odd.plist", {"PackageIdentifier": 7, "InstallDate": "yesterday"})
    mac_tree.plist(HISTORY, ["odd", {"packageIdentifiers": "no list"}, {"packageIdentifiers": ["com.acme.past"]}])
    result = run("receipts", mac_tree.host())
    assert result.names() == ["7", "com.acme.broken"]
    assert result.problems == (
        Problem(f"{HISTORY}:0", "an entry that is no dictionary", "damaged"),
        Problem("/var/db/receipts/com.acme.broken.plist", "is damaged: no property list with a dictionary", "damaged"),
    )
    assert result.run.left_out == {"damaged": 1, "a record of the past": 1}


def test_real_history(corpora: Path, mac_tree: MacTree) -> None:
    mac_tree.copy(HISTORY, corpora / "plaso/test_data/plist/InstallHistory.plist")
    receipt(mac_tree, "com.vmware.tools.macos.pkg.files", "/")
    result = run("receipts", mac_tree.host())
    assert result.one("com.vmware.tools.macos.pkg.files").details["display_name"] == "VMware Tools"
    assert result.run.left_out == {"a record of the past": 19}
    assert result.run.status == "ok"
