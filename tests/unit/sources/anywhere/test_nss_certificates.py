"""Certificates that programs with NSS trust."""

import sqlite3
from pathlib import Path

import pytest

from tests.support.certificates import ROOT, name, x509
from tests.support.harness import run
from tests.support.trees import Tree, WindowsTree

OURS = x509(ROOT, "AO Kaspersky Lab")
PROFILE = "/home/ada/.mozilla/firefox/x.default"
ANCHOR, DISTRUSTED = bytes.fromhex("ce534352"), bytes.fromhex("ce53435a")


def _cert9(file: Path, *rows: tuple[bytes, bytes], column: str = "ace536358", kind: str = "ce534353") -> None:
    """A database with certificates, each with its trust; none if that is empty."""
    file.unlink()
    database = sqlite3.connect(file)
    database.execute(f"CREATE TABLE nssPublic (id INTEGER PRIMARY KEY, a0, a3, a11, a81, a82, {column})")
    for number, (data, trust) in enumerate(rows):
        common = (name("issuer"), bytes((2, 1, number)))
        database.execute("INSERT INTO nssPublic (a0, a11, a81, a82) VALUES (?, ?, ?, ?)", (b"\0\0\0\1", data, *common))
        if trust:
            database.execute(
                f"INSERT INTO nssPublic (a0, a81, a82, {column}) VALUES (?, ?, ?, ?)",
                (bytes.fromhex(kind), *common, trust),
            )
    database.commit()
    database.close()


def test_only_what_is_trusted(tree: Tree) -> None:
    file = tree.write(f"{PROFILE}/cert9.db")
    _cert9(file, (OURS, ANCHOR), (x509("met on the way"), b""), (x509("distrusted"), DISTRUSTED))
    result = run("nss_certificates", tree.host())
    assert [(item.name, item.vendor, item.user) for item in result.items] == [(ROOT, "AO Kaspersky Lab", "ada")]
    assert result.items[0].evidence[0].where == f"{PROFILE}/cert9.db"
    assert result.run.left_out == {"a public key": 2}


def test_a_database_of_before_2018_is_named_where_no_newer_one_is(tree: Tree) -> None:
    tree.write("/home/ada/.mozilla/firefox/profiles.ini", "[Profile0]\nIsRelative=1\nPath=x.default\n")
    tree.write(f"{PROFILE}/cert8.db", b"\x00\x06\x15\x61")
    (problem,) = run("nss_certificates", tree.host()).problems
    assert (problem.where, problem.cause, problem.hides) == (f"{PROFILE}/cert8.db", "unsupported", True)
    _cert9(tree.write(f"{PROFILE}/cert9.db"), (OURS, ANCHOR))
    assert run("nss_certificates", tree.host()).problems == ()


def test_trust_of_newer_versions(tree: Tree) -> None:
    file = tree.write("/home/ada/.pki/nssdb/cert9.db")
    _cert9(file, (OURS, bytes.fromhex("00000002")), column="a62c", kind="0000000b")
    assert run("nss_certificates", tree.host()).names() == [ROOT]


def test_a_profile_elsewhere(tree: Tree) -> None:
    tree.write("/home/ada/.mozilla/firefox/profiles.ini", "[Profile0]\nIsRelative=0\nPath=/srv/profile\n")
    _cert9(tree.write("/srv/profile/cert9.db"), (OURS, ANCHOR))
    assert run("nss_certificates", tree.host()).names() == [ROOT]


def test_on_windows(windows_tree: WindowsTree) -> None:
    file = windows_tree.write(r"C:\Users\ada\AppData\Roaming\Thunderbird\Profiles\x\cert9.db")
    _cert9(file, (OURS, ANCHOR))
    assert run("nss_certificates", windows_tree.host()).names() == [ROOT]


def test_a_database_that_certutil_made(tree: Tree, corpora: Path) -> None:
    tree.copy(f"{PROFILE}/cert9.db", corpora / "residues" / "nss" / "cert9.db")
    assert run("nss_certificates", tree.host()).names() == [ROOT]


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_damage(tree: Tree, content: bytes) -> None:
    tree.write(f"{PROFILE}/cert9.db", content)
    result = run("nss_certificates", tree.host())
    assert (result.items, len(result.problems)) == ((), 1)


def test_a_certificate_that_is_none(tree: Tree) -> None:
    _cert9(tree.write(f"{PROFILE}/cert9.db"), (b"\x30\x00", ANCHOR), (OURS, ANCHOR))
    result = run("nss_certificates", tree.host())
    assert (result.names(), [one.cause for one in result.problems]) == ([ROOT], ["damaged"])
