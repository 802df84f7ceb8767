"""Extensions of Safari: both kinds, profiles, what is gone, what is guarded, damage."""

import datetime as dt
import plistlib

from phaseout.host import Host
from phaseout.host.filesystem.macos import MacFiles
from phaseout.model.nouns import Evidence, Problem

from tests.support.harness import run
from tests.support.trees import MacTree

SAFARI = "/Users/ada/Library/Containers/com.apple.Safari/Data/Library/Safari"
LEGACY = "/Users/ada/Library/Safari/Extensions"
KEY = "com.kaspersky.urla (2Y8XE5CQ94)"


def test_an_extension_of_an_app(mac_tree: MacTree) -> None:
    moment = dt.datetime(2024, 1, 31, 12, 0, 0)  # noqa: DTZ001
    mac_tree.plist(
        f"{SAFARI}/WebExtensions/Extensions.plist", {KEY: {"Enabled": True, "AddedDate": moment}}, binary=True
    )
    mac_tree.plist(f"{SAFARI}/Profiles/ABC/AppExtensions/Extensions.plist", {KEY: {"Enabled": False}})
    one, two = run("safari_extensions", mac_tree.host()).items
    assert (one.name, one.user, one.state) == ("com.kaspersky.urla", "ada", "installed")
    assert one.ids == {"bundle_id": "com.kaspersky.urla", "team_id": "2Y8XE5CQ94"}
    assert one.details == {"browser": "Safari", "enabled": "yes", "installed": "2024-01-31T12:00:00Z"}
    assert one.evidence == (Evidence(f"{SAFARI}/WebExtensions/Extensions.plist", "com.kaspersky.urla 2Y8XE5CQ94"),)
    assert two.details == {"browser": "Safari", "profile": "ABC", "enabled": "no"}


def test_legacy_extensions(mac_tree: MacTree) -> None:
    mac_tree.plist(
        f"{LEGACY}/Extensions.plist",
        {
            "Installed Extensions": [
                {"Archive File Name": "Here.safariextz", "Bundle Directory Name": "Here.safariextension"},
                {"Archive File Name": "Gone.safariextz", "Enabled": True},
                {"Archive File Name": "../Odd.safariextz"},
            ]
        },
    )
    mac_tree.write(f"{LEGACY}/Here.safariextz", b"xar!")
    found = [(item.name, item.state, item.path) for item in run("safari_extensions", mac_tree.host()).items]
    assert found == [
        ("../Odd", "installed", ""),
        ("Gone", "leftover", f"{LEGACY}/Gone.safariextz"),
        ("Here", "installed", f"{LEGACY}/Here.safariextz"),
    ]


def test_what_is_skipped_is_said(mac_tree: MacTree) -> None:
    mac_tree.plist(f"{SAFARI}/WebExtensions/Extensions.plist", {KEY: {"Enabled": True}})
    host = mac_tree.host()
    files = MacFiles(str(mac_tree.root), {"/Users/ada/Library/Containers": "guarded"})
    result = run("safari_extensions", Host(host.info, files, host.users))
    assert result.items == ()
    assert result.problems == (Problem("/Users/ada/Library/Containers", "guarded mount, skipped", "mount"),)
    assert result.run.status == "partial"


def test_damage_costs_one_problem_each(mac_tree: MacTree) -> None:
    mac_tree.write(f"{SAFARI}/AppExtensions/Extensions.plist", b"bplist00")
    mac_tree.write(f"{SAFARI}/WebExtensions/Extensions.plist", plistlib.dumps({KEY: {}, "odd": 5}))
    result = run("safari_extensions", mac_tree.host())
    assert result.names() == ["com.kaspersky.urla"]
    assert result.run.left_out == {"damaged": 1}
    assert len(result.problems) == 2
