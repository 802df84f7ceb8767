"""Certificates that Windows trusts."""

from hashlib import sha1, sha256

from tests.support.certificates import ROOT, blob, x509
from tests.support.harness import run
from tests.support.trees import WindowsTree

OURS = x509(ROOT, "AO Kaspersky Lab")
MACHINE = r"HKLM\SOFTWARE\Microsoft\SystemCertificates"
POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\SystemCertificates"
ENTERPRISE = r"HKLM\SOFTWARE\Microsoft\EnterpriseCertificates"
SERVICE = r"HKLM\SOFTWARE\Microsoft\Cryptography\Services\svc\SystemCertificates"
USER = rf"HKU\{WindowsTree.ADA}\Software\Microsoft\SystemCertificates"


def _store(tree: WindowsTree, path: str, data: bytes = OURS, record: bytes = b"") -> str:
    key = rf"{path}\Certificates\{sha1(data).hexdigest().upper()}"
    tree.key(key, {"Blob": record or blob(data, (3, bytes(20)))})
    return key


def test_one_certificate_in_many_stores_is_one_item(windows_tree: WindowsTree) -> None:
    tops = (rf"{MACHINE}\ROOT", rf"{MACHINE}\AuthRoot", rf"{POLICY}\Root", rf"{ENTERPRISE}\Root", rf"{SERVICE}\Root")
    keys = [_store(windows_tree, path) for path in tops]
    own = _store(windows_tree, rf"{USER}\Root")
    result = run("certificate_stores", windows_tree.host())
    everybody, ada = result.items
    assert (everybody.kind, everybody.name, everybody.vendor) == ("certificate", ROOT, "AO Kaspersky Lab")
    assert everybody.ids["certificate_sha256"] == sha256(OURS).hexdigest()
    assert {one.where for one in everybody.evidence} == set(keys)
    assert (ada.user, [one.where for one in ada.evidence]) == ("ada", [own])
    assert "a holder of its key" in ada.details["effect"]
    assert result.run.left_out == {"listed as another item": 4}


def test_distrusted_and_intermediate_ones_are_no_anchors(windows_tree: WindowsTree) -> None:
    for name in ("Disallowed", "CA", "My"):
        _store(windows_tree, rf"{MACHINE}\{name}")
    result = run("certificate_stores", windows_tree.host())
    assert (result.items, result.run.status) == ((), "ok")


def test_a_store_of_a_program(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"{USER}\Kaspersky Trust\Certificates")
    (item,) = run("certificate_stores", windows_tree.host()).items
    assert (item.kind, item.name, item.user) == ("setting", "Kaspersky Trust", "ada")


def test_a_damaged_record_costs_itself(windows_tree: WindowsTree) -> None:
    _store(windows_tree, rf"{MACHINE}\Root", record=blob(OURS)[:-1])
    _store(windows_tree, rf"{MACHINE}\Root", x509("2"), blob(b"no certificate"))
    _store(windows_tree, rf"{MACHINE}\Root", x509("3"))
    result = run("certificate_stores", windows_tree.host())
    assert result.names() == ["3"]
    assert [one.cause for one in result.problems] == ["damaged", "damaged"]
    assert result.run.left_out == {"damaged": 2}
