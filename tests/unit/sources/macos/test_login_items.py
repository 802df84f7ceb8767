"""Login items of all the forms that macOS has kept them in."""

import plistlib
from pathlib import Path

from tests.support.bookmark_writer import bookmark
from tests.support.harness import run
from tests.support.keyed_archive_writer import archived
from tests.support.macho_writer import signed_macho
from tests.support.trees import MacTree

STORE = "/private/var/db/com.apple.backgroundtaskmanagement"
AGENT = "/Users/ada/Library/Application Support/com.apple.backgroundtaskmanagementagent/backgrounditems.btm"

RECORD = {
    "name": "Kaspersky",
    "developerName": "Kaspersky Lab UK Limited",
    "teamIdentifier": "2Y8XE5CQ94",
    "bundleIdentifier": "com.kaspersky.kav.gui",
    "identifier": "2.com.kaspersky.kav.gui",
    "url": "file:///Applications/Kaspersky%20Security.app/",
    "type": 0x2,
    "disposition": 0xB,
}


def test_background_items(mac_tree: MacTree) -> None:
    mac_tree.app("/Applications/Kaspersky Security.app")
    daemon = {
        "name": "kavd",
        "executablePath": "/Library/Gone/kavd",
        "url": "file:///Library/LaunchDaemons/com.kaspersky.kav.plist",
        "type": 0x10010,
        "disposition": 0x2,
        "container": "Unknown Developer",
    }
    users = {
        "FFFFEEEE-DDDD-CCCC-BBBB-AAAA000001F5": [RECORD],
        "FFFFEEEE-DDDD-CCCC-BBBB-AAAAFFFFFFFE": [daemon, {"type": 0x20, "name": "Kaspersky Lab UK Limited"}],
        "5C6F7FDD-02B2-498E-97B6-DE77293A8E90": [{}, "odd"],
    }
    mac_tree.plist(f"{STORE}/BackgroundItems-v9.btm", archived("store", {"itemsByUserIdentifier": users}), binary=True)
    mac_tree.write(f"{STORE}/BackgroundItems-v4.btm", b"older")
    result = run("login_items", mac_tree.host())
    assert [(item.kind, item.name, item.user, item.state) for item in result.items] == [
        ("task", "(no name)", "5C6F7FDD-02B2-498E-97B6-DE77293A8E90", "installed"),
        ("task", "Kaspersky", "ada", "installed"),
        ("task", "kavd", "", "leftover"),
    ]
    app = result.one("Kaspersky")
    assert (app.vendor, app.path) == ("Kaspersky Lab UK Limited", "/Applications/Kaspersky Security.app")
    assert app.ids == {"bundle_id": "com.kaspersky.kav.gui", "team_id": "2Y8XE5CQ94"}
    assert app.details == {"type": "app", "enabled": "yes", "identifier": "2.com.kaspersky.kav.gui"}
    service = result.one("kavd")
    assert service.path == "/Library/Gone/kavd"
    assert service.details == {
        "type": "daemon",
        "enabled": "no",
        "container": "Unknown Developer",
        "job": "/Library/LaunchDaemons/com.kaspersky.kav.plist",
    }
    assert result.run.left_out == {"a record of the past": 1, "part of another item": 1, "damaged": 1}


def test_bookmarks(mac_tree: MacTree) -> None:
    items = [{"internalItems": [{"bookmark": {"data": bookmark("/Applications/Acme.app")}}]}]
    mac_tree.plist(AGENT, archived("backgroundItems", {"allContainers": items}), binary=True)
    (item,) = run("login_items", mac_tree.host()).items
    assert (item.name, item.path, item.user, item.state) == ("Acme", "/Applications/Acme.app", "ada", "leftover")


def test_lists_of_the_window_of_logins(mac_tree: MacTree) -> None:
    entries = {"AutoLaunchedApplicationDictionary": [{"Path": "/Applications/Acme.app", "Hide": False}, {"Hide": True}]}
    mac_tree.plist("/Library/Preferences/loginwindow.plist", entries)
    mac_tree.app("/Applications/Acme.app")
    result = run("login_items", mac_tree.host())
    assert [(item.name, item.state) for item in result.items] == [("Acme", "installed")]
    assert result.run.left_out == {"damaged": 1}


def test_unknown_forms_are_said(mac_tree: MacTree) -> None:
    mac_tree.write(f"{STORE}/BackgroundItems-v99.btm", plistlib.dumps({"of": "the future"}))
    mac_tree.write(AGENT, b"bplist00")
    result = run("login_items", mac_tree.host())
    assert result.items == ()
    assert {(problem.where, problem.cause) for problem in result.problems} == {
        ("/var/db/com.apple.backgroundtaskmanagement/BackgroundItems-v99.btm", "unsupported"),
        (AGENT, "damaged"),
    }


def test_empty_lists_have_no_entries(mac_tree: MacTree) -> None:
    for path in (AGENT, "/Users/ada/Library/Preferences/com.apple.loginitems.plist"):
        mac_tree.plist(path, {})
    mac_tree.write("/Users/ada/Library/Preferences/loginwindow.plist")
    mac_tree.write(f"{STORE}/BackgroundItems-v9.btm")
    result = run("login_items", mac_tree.host())
    assert (result.items, result.run.status) == ((), "ok")


def test_real_files(corpora: Path, mac_tree: MacTree) -> None:
    home = "/Users/ada/Library/Preferences"
    mac_tree.copy(f"{home}/com.apple.loginitems.plist", corpora / "osquery/plist/test_binary.plist")
    mac_tree.copy(f"{home}/loginwindow.plist", corpora / "plaso/test_data/plist/loginwindow.plist")
    items = run("login_items", mac_tree.host()).items
    assert {(item.name, item.path) for item in items} >= {
        ("iTunesHelper", "/Applications/iTunes.app/Contents/MacOS/iTunesHelper.app"),
        ("Flux", ""),
    }


def test_the_signer_of_what_starts_wherever_it_lies(mac_tree: MacTree) -> None:
    path = "/Users/ada/a/b/Kit.app"
    mac_tree.app(path, signed_macho("com.kit", "2Y8XE5CQ94", "Kit Ltd"), CFBundleExecutable="run")
    kept = {"AutoLaunchedApplicationDictionary": [{"Path": path}]}
    mac_tree.plist("/Users/ada/Library/Preferences/loginwindow.plist", kept)
    (item,) = run("login_items", mac_tree.host()).items
    assert (item.vendor, item.ids) == ("Kit Ltd", {"team_id": "2Y8XE5CQ94"})
