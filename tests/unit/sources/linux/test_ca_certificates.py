"""Certificates that Linux trusts."""

import pytest

from tests.support.certificates import ROOT, pem, x509
from tests.support.harness import run
from tests.support.trees import Tree

OURS = x509(ROOT, "AO Kaspersky Lab")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


@pytest.mark.parametrize(
    "path",
    [
        "/usr/local/share/ca-certificates/deep/down/x.crt",
        "/etc/pki/ca-trust/source/anchors/x",
        "/etc/pki/ca-trust/source/x.p11-kit",
        "/usr/share/pki/ca-trust-source/anchors/x.pem",
        "/etc/pki/trust/anchors/x.pem",
        "/etc/ca-certificates/trust-source/anchors/x.crt",
        "/etc/ssl/certs/x.pem",
        BUNDLE,
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/var/lib/ca-certificates/ca-bundle.pem",
    ],
)
def test_places(tree: Tree, path: str) -> None:
    tree.write(path, pem(OURS))
    (item,) = run("ca_certificates", tree.host()).items
    assert (item.name, item.vendor, item.path) == (ROOT, "AO Kaspersky Lab", path)


def test_der_and_the_data_of_openssl(tree: Tree) -> None:
    tree.write("/etc/pki/ca-trust/source/anchors/x.der", OURS)
    tree.write("/etc/pki/ca-trust/source/anchors/y.pem", pem(OURS + b"\x30\x00", "TRUSTED CERTIFICATE"))
    result = run("ca_certificates", tree.host())
    assert result.names() == [ROOT]
    assert len(result.items[0].evidence) == 2


def test_the_anchor_is_named_before_what_is_made_of_it(tree: Tree) -> None:
    anchor = "/usr/local/share/ca-certificates/x.crt"
    tree.write(anchor, pem(OURS))
    tree.write(BUNDLE, pem(x509("Other")) + pem(OURS))
    tree.link("/etc/ssl/certs/x.pem", anchor)
    tree.link("/etc/ssl/certs/12345678.0", "x.pem")
    result = run("ca_certificates", tree.host())
    assert [(item.name, item.path) for item in result.items] == [(ROOT, anchor), ("Other", BUNDLE)]
    assert [one.where for one in result.items[0].evidence] == [anchor, BUNDLE]
    assert result.run.left_out == {"listed as another item": 3}


def test_a_deleted_anchor_stays_in_the_bundle(tree: Tree) -> None:
    tree.write(BUNDLE, pem(OURS))
    tree.link("/etc/ssl/certs/x.pem", "/opt/gone.crt")
    result = run("ca_certificates", tree.host())
    assert result.names() == [ROOT]
    assert result.run.left_out == {"a dead link": 1}


def test_a_link_to_a_file_elsewhere(tree: Tree) -> None:
    tree.write("/opt/product/root.crt", pem(OURS))
    tree.link("/etc/ssl/certs/x.pem", "/opt/product/root.crt")
    assert run("ca_certificates", tree.host()).names() == [ROOT]


def test_distrusted_ones_are_no_anchors(tree: Tree) -> None:
    objects = "[p11-kit-object-v1]\nx-distrusted: true\n" + pem(OURS) + "[p11-kit-object-v1]\n" + pem(x509("Other"))
    tree.write("/etc/pki/ca-trust/source/x.p11-kit", objects)
    assert run("ca_certificates", tree.host()).names() == ["Other"]


def test_damage_costs_itself(tree: Tree) -> None:
    tree.write(BUNDLE, pem(b"\x30\x80no certificate") + pem(x509("Other")))
    result = run("ca_certificates", tree.host())
    assert result.names() == ["Other"]
    assert [one.cause for one in result.problems] == ["damaged"]


def test_no_certificates(tree: Tree) -> None:
    tree.write("/etc/ssl/certs/README", "0 certificates")
    result = run("ca_certificates", tree.host())
    assert (result.items, result.run.status) == ((), "ok")


def test_a_hash_link_is_a_link_like_any_other(tree: Tree) -> None:
    """It need not lead to another name of the folder."""
    tree.write("/opt/made/root.pem", pem(OURS))
    tree.write("/etc/ssl/certs/other.pem", pem(x509("other")))
    tree.link("/etc/ssl/certs/0a1b2c3d.0", "/opt/made/root.pem")
    tree.link("/etc/ssl/certs/0a1b2c3e.0", "other.pem")
    tree.link("/etc/ssl/certs/0a1b2c3f.0", "/opt/made/gone.pem")
    result = run("ca_certificates", tree.host())
    assert result.one(ROOT).path == "/etc/ssl/certs/0a1b2c3d.0"
    assert result.run.left_out == {"listed as another item": 1, "a dead link": 1}
