"""Certificates: subject, issuer and key; PEM and DER; damage."""

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.encodings.certificate import Certificate, Name, certificate, encoded

from tests.support.certificates import ROOT, name, pem, x509


def test_subject_issuer_and_key() -> None:
    data = x509("a site", "Example", issuer=name(ROOT, "AO Kaspersky Lab"))
    read = certificate(data + b"what OpenSSL appends")
    assert read.subject == Name("a site", "Example")
    assert read.issuer == Name(ROOT, "AO Kaspersky Lab")
    assert read.fingerprint == sha256(data).hexdigest()
    assert read.key == certificate(x509("another", key=b"key")).key != certificate(x509("another", key=b"2")).key


def test_a_real_one(corpora: Path) -> None:
    folder = corpora / "residues" / "certs"
    (read,) = encoded((folder / "vendor-root.pem").read_bytes())
    assert read == (folder / "vendor-root.der").read_bytes()
    assert certificate(read).subject == Name(ROOT, "AO Kaspersky Lab")
    (trusted,) = encoded((corpora / "residues" / "linux" / "vendor-trusted.pem").read_bytes())
    assert trusted is not None
    assert certificate(trusted) == certificate(read)


def test_the_organisation_stands_for_a_missing_name() -> None:
    assert certificate(x509("", "Example")).subject.text == "Example"


def test_forms_of_files() -> None:
    first, second = x509("1"), x509("2")
    text = f"# a comment\n{pem(first)}\n{pem(second, 'TRUSTED CERTIFICATE')}{pem(first, 'PRIVATE KEY')}"
    assert list(encoded(text.encode())) == [first, second]
    assert list(encoded(first)) == [first]
    assert list(encoded(b"0 certificates here")) == []
    assert list(encoded(b"-----BEGIN CERTIFICATE-----\nAAAAA\n-----END CERTIFICATE-----")) == [None]


@pytest.mark.parametrize("size", range(0, len(x509("1", "2")), 7))
def test_cut_off(size: int) -> None:
    with pytest.raises(ValueError, match="not a certificate"):
        certificate(x509("1", "2")[:size])


@given(st.binary(max_size=300), st.integers(0, 120), st.binary(max_size=8))
def test_anything(noise: bytes, at: int, changed: bytes) -> None:
    whole = x509(ROOT, "Example")
    for data in (noise, whole[:at] + changed + whole[at + len(changed) :]):
        try:
            read = certificate(data)
        except ValueError:
            continue
        assert isinstance(read, Certificate)
        assert len(read.subject.text) <= 512
