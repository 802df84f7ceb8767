"""XProtect of macOS."""

from tests.support.harness import run
from tests.support.trees import MacTree

OLD = "/Library/Apple/System/Library/CoreServices/XProtect.bundle"
NEW = "/private/var/protected/xprotect/XProtect.bundle"


def test_the_newer_of_two_counts(mac_tree: MacTree) -> None:
    mac_tree.plist(f"{OLD}/Contents/Info.plist", {"CFBundleShortVersionString": "997"})
    mac_tree.plist(f"{NEW}/Contents/Info.plist", {"CFBundleShortVersionString": "5287"})
    (item,) = run("xprotect", mac_tree.host()).items
    assert (item.name, item.version, item.path, item.details["enabled"]) == ("XProtect", "5287", NEW, "yes")
    assert item.details["updated"].startswith("20")
    assert "note" not in item.details


def test_its_updates_can_be_off(mac_tree: MacTree) -> None:
    mac_tree.plist(f"{OLD}/Contents/Info.plist", {"CFBundleShortVersionString": "997"})
    mac_tree.plist("/Library/Preferences/com.apple.SoftwareUpdate.plist", {"ConfigDataInstall": False})
    (item,) = run("xprotect", mac_tree.host()).items
    assert item.details["note"] == "its updates are switched off"


def test_absent(mac_tree: MacTree) -> None:
    assert run("xprotect", mac_tree.host()).items == ()
