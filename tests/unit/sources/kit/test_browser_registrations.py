"""Policies of browsers, whichever way they are kept."""

import json

from phaseout.model.nouns import LeftOut
from phaseout.sources.kit.browser_registrations import (
    Registration,
    forced,
    managed_preferences,
    policy_file,
    software_keys,
)

from tests.support.trees import MacTree, Tree, WindowsTree

POLICIES = {
    "ExtensionInstallForcelist": ["abc;https://x/u"],
    "ExtensionSettings": {"def": {"installation_mode": "normal_installed"}, "ghi": {"installation_mode": "blocked"}},
}


def expected(user: str, where: str) -> list[Registration | LeftOut]:
    return [
        Registration(user, "abc", "forced by policy", where, "https://x/u"),
        Registration(user, "def", "installed by policy", where),
        LeftOut("a setting"),
    ]


def test_a_file_and_a_member_of_it(tree: Tree) -> None:
    tree.write("/a.json", json.dumps(POLICIES))
    tree.write("/b.json", json.dumps({"policies": POLICIES}))
    assert list(policy_file(tree.host(), "/a.json")) == expected("", "/a.json")
    assert list(policy_file(tree.host(), "/b.json", "policies")) == expected("", "/b.json")
    assert list(policy_file(tree.host(), "/none.json")) == []


def test_managed_preferences(mac_tree: MacTree) -> None:
    path = "/Library/Managed Preferences/ada/x.plist"
    mac_tree.plist(path, POLICIES)
    assert list(managed_preferences(mac_tree.host(), "ada", path)) == expected("ada", path)


def test_every_view_of_the_registry(windows_tree: WindowsTree) -> None:
    windows_tree.key(r"HKLM\SOFTWARE\WOW6432Node\X", {})
    windows_tree.key(rf"HKU\{WindowsTree.ADA}\Software\X", {})
    found = [(user, key.path.lower()) for user, key in software_keys(windows_tree.host()) if key.key("X") is not None]
    assert [user for user, _ in found] == ["", "ada"]
    assert "wow6432node" in found[0][1]


def test_a_list_of_forced_extensions() -> None:
    assert list(forced("ada", "key", ("abc;https://x/u", 5, ""))) == [
        Registration("ada", "abc", "forced by policy", "key", "https://x/u"),
        Registration("ada", "5", "forced by policy", "key"),
    ]
