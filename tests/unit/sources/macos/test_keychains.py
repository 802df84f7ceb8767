"""Certificates in the keychains of macOS."""

from hashlib import sha1

from tests.support.certificates import ROOT, x509
from tests.support.harness import run
from tests.support.trees import MacTree
from tests.unit.parsers.macos.test_keychain import keychain

OURS, OTHER = x509(ROOT, "AO Kaspersky Lab"), x509("denied")
SYSTEM = "/Library/Keychains/System.keychain"


def test_system_and_user_without_what_is_denied(mac_tree: MacTree) -> None:
    mac_tree.write(SYSTEM, keychain(OURS, OTHER))
    mac_tree.write("/Users/ada/Library/Keychains/login.keychain-db", keychain(OURS))
    deny = {"trustSettings": [{"kSecTrustSettingsResult": 3}]}
    listed = {sha1(OTHER).hexdigest().upper(): deny, sha1(OURS).hexdigest().upper(): {}}
    mac_tree.plist("/Library/Security/Trust Settings/Admin.plist", {"trustVersion": 1, "trustList": listed})
    result = run("keychains", mac_tree.host())
    assert [(item.name, item.user) for item in result.items] == [(ROOT, ""), (ROOT, "ada")]
    assert result.items[0].evidence[0].what == f"System.keychain, with trust settings: {ROOT}"
    assert result.run.left_out == {"a public key": 1}


def test_a_damaged_keychain(mac_tree: MacTree) -> None:
    mac_tree.write(SYSTEM, keychain(OURS)[:-30])
    mac_tree.write("/Library/Keychains/apsd.keychain", keychain())
    result = run("keychains", mac_tree.host())
    assert (result.items, result.run.left_out, result.run.status) == ((), {"damaged": 1}, "partial")
