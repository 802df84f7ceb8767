"""What configuration profiles grant, and to whom."""

from phaseout.model.nouns import Problem

from tests.support.harness import run
from tests.support.trees import MacTree

MANAGED = "/Library/Managed Preferences"
STORE = "/private/var/db/ConfigurationProfiles/Store"
TEAM = "2Y8XE5CQ94"
REQUIREMENT = f'anchor apple generic and certificate leaf[subject.OU] = "{TEAM}"'


def test_every_kind_of_grant(mac_tree: MacTree) -> None:
    mac_tree.plist(
        f"{MANAGED}/com.apple.system-extension-policy.plist",
        {"AllowedSystemExtensions": {TEAM: ["com.kaspersky.kav.sysext"]}, "AllowedTeamIdentifiers": ["ALLOFTHEM1"]},
    )
    mac_tree.plist(
        f"{MANAGED}/com.apple.syspolicy.kernel-extension-policy.plist",
        {"AllowedKernelExtensions": {TEAM: ["com.kaspersky.kext.klif"]}, "AllowedTeamIdentifiers": ["ALLOFTHEM2"]},
    )
    files = {"Identifier": "com.kaspersky.kav", "IdentifierType": "bundleID", "CodeRequirement": REQUIREMENT}
    mac_tree.plist(
        f"{MANAGED}/com.apple.TCC.configuration-profile-policy.plist", {"Services": {"SystemPolicyAllFiles": [files]}}
    )
    mac_tree.plist(
        f"{MANAGED}/ada/com.apple.webcontent-filter.plist",
        {
            "FilterDataProviderBundleIdentifier": "com.kaspersky.filter",
            "FilterDataProviderDesignatedRequirement": REQUIREMENT,
        },
    )
    mac_tree.plist(
        f"{MANAGED}/com.apple.servicemanagement.plist",
        {"Rules": [{"RuleType": "TeamIdentifier", "RuleValue": "ALLOFTHEM3"}, {"RuleType": "Label", "RuleValue": "a"}]},
    )
    result = run("profiles", mac_tree.host())
    assert {(item.name, item.ids.get("team_id", ""), item.details["grants"], item.user) for item in result.items} == {
        ("com.kaspersky.kav.sysext", TEAM, "system extension", ""),
        ("ALLOFTHEM1", "ALLOFTHEM1", "all system extensions", ""),
        ("com.kaspersky.kext.klif", TEAM, "kernel extension", ""),
        ("ALLOFTHEM2", "ALLOFTHEM2", "all kernel extensions", ""),
        ("com.kaspersky.kav", TEAM, "access to SystemPolicyAllFiles", ""),
        ("com.kaspersky.filter", TEAM, "network filter", "ada"),
        ("ALLOFTHEM3", "ALLOFTHEM3", "background items", ""),
        ("a", "", "background items", ""),
    }
    assert {(item.kind, item.state) for item in result.items} == {("file", "leftover")}
    assert result.run.status == "ok"


def test_stores(mac_tree: MacTree) -> None:
    payload = {
        "PayloadType": "com.apple.system-extension-policy",
        "PayloadContent": {"AllowedSystemExtensions": {TEAM: ["com.kaspersky.kav.sysext"]}},
    }
    mac_tree.plist(f"{STORE}/ConfigProfiles.binary", {"computer": [{"PayloadContent": [payload]}]}, binary=True)
    mac_tree.write(f"{STORE}/signed.mobileconfig", b"0\x80")
    (item,) = run("profiles", mac_tree.host()).items
    assert (item.name, item.ids["team_id"]) == ("com.kaspersky.kav.sysext", TEAM)


def test_damage(mac_tree: MacTree) -> None:
    mac_tree.write(f"{MANAGED}/com.apple.system-extension-policy.plist", b"bplist00")
    mac_tree.plist(
        f"{MANAGED}/com.apple.TCC.configuration-profile-policy.plist", {"Services": {"A": "no list", "B": ["odd", {}]}}
    )
    mac_tree.plist(f"{MANAGED}/com.apple.servicemanagement.plist", {"Rules": {"no": "list"}})
    mac_tree.plist(f"{MANAGED}/com.apple.webcontent-filter.plist", {"PluginBundleID": ["x"]})
    result = run("profiles", mac_tree.host())
    assert result.items == ()
    why = "is damaged: no property list with a dictionary"
    assert result.problems == (Problem(f"{MANAGED}/com.apple.system-extension-policy.plist", why, "damaged"),)
    assert result.run.left_out == {}
