"""System extensions: those of the database, and those that lie there without being in it."""

from pathlib import Path

import pytest
from phaseout.model.nouns import Problem

from tests.support.harness import run
from tests.support.macho_writer import signed_macho
from tests.support.trees import MacTree

FILE = "/Library/SystemExtensions/db.plist"
PLACE = "/Library/SystemExtensions/B4A2/com.kaspersky.kav.sysext.systemextension"


def entry(state: str) -> dict[str, object]:
    return {
        "identifier": "com.kaspersky.kav.sysext",
        "teamID": "2Y8XE5CQ94",
        "state": state,
        "bundleVersion": {"CFBundleShortVersionString": "12.0", "CFBundleVersion": "12.0.0.325"},
        "categories": ["com.apple.system_extension.endpoint_security", "com.apple.system_extension.network_extension"],
        "stagedBundleURL": {"relative": f"file://{PLACE}/"},
        "originPath": "/Applications/Kaspersky.app/Contents/Library/SystemExtensions/x.systemextension",
        "container": {"bundlePath": "/Applications/Kaspersky.app"},
    }


def test_what_the_database_tells(mac_tree: MacTree) -> None:
    mac_tree.plist(FILE, {"extensions": [entry("activated_enabled")], "version": 1})
    mac_tree.folder(PLACE)
    (item,) = run("system_extensions", mac_tree.host()).items
    assert (item.kind, item.name, item.version, item.path) == ("driver", "com.kaspersky.kav.sysext", "12.0", PLACE)
    assert item.ids == {"bundle_id": "com.kaspersky.kav.sysext", "team_id": "2Y8XE5CQ94"}
    assert item.details == {
        "state": "activated_enabled",
        "categories": "endpoint_security network_extension",
        "build": "12.0.0.325",
        "app": "/Applications/Kaspersky.app",
        "origin": "/Applications/Kaspersky.app/Contents/Library/SystemExtensions/x.systemextension",
    }


@pytest.mark.parametrize(
    ("state", "there", "expected"),
    [
        ("activated_enabled", True, "installed"),
        ("activated_waiting_for_user", True, "installed"),
        ("activated_disabled", True, "installed"),
        ("terminated_waiting_to_uninstall_on_reboot", True, "leftover"),
        ("activated_enabled", False, "leftover"),
    ],
)
def test_states(mac_tree: MacTree, state: str, there: bool, expected: str) -> None:
    mac_tree.plist(FILE, {"extensions": [entry(state)]})
    if there:
        mac_tree.folder(PLACE)
    (item,) = run("system_extensions", mac_tree.host()).items
    assert item.state == expected


def test_what_lies_there_without_an_entry(mac_tree: MacTree) -> None:
    mac_tree.folder(PLACE)
    (item,) = run("system_extensions", mac_tree.host()).items
    assert (item.name, item.state, item.path) == ("com.kaspersky.kav.sysext", "leftover", PLACE)


def test_damage(mac_tree: MacTree) -> None:
    mac_tree.plist(
        FILE, {"extensions": ["odd", {"teamID": "x"}, {"identifier": "a", "bundleVersion": 1, "container": 2}]}
    )
    result = run("system_extensions", mac_tree.host())
    assert result.names() == ["a"]
    assert result.problems == (
        Problem(f"{FILE}:0", "an extension without an identifier", "damaged"),
        Problem(f"{FILE}:1", "an extension without an identifier", "damaged"),
    )
    mac_tree.write(FILE, b"bplist00")
    assert run("system_extensions", mac_tree.host()).run.status == "partial"


def test_real_file(corpora: Path, mac_tree: MacTree) -> None:
    mac_tree.copy(FILE, corpora / "osquery/plist/db.plist")
    (item,) = run("system_extensions", mac_tree.host()).items
    assert (item.name, item.version, item.ids["team_id"]) == ("com.objective-see.lulu.extension", "2.0.0", "ABCDXYZUV")
    assert item.details["state"] == "activated_enabled"


def test_the_signer_of_an_extension_that_the_database_has_lost(mac_tree: MacTree) -> None:
    path = "/Library/SystemExtensions/11111111-1111-1111-1111-111111111111/com.kit.ext.systemextension"
    mac_tree.app(path, signed_macho("com.kit.ext", "2Y8XE5CQ94", "Kit Ltd"), CFBundleExecutable="ext")
    (item,) = run("system_extensions", mac_tree.host()).items
    assert (item.state, item.vendor, item.ids["team_id"]) == ("leftover", "Kit Ltd", "2Y8XE5CQ94")
