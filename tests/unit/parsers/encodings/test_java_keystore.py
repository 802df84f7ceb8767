"""Key stores of Java."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.encodings.certificate import certificate
from phaseout.parsers.encodings.java_keystore import NeedsPasswordError, trusted_certificates

from tests.support.certificates import ROOT, x509

OURS = x509(ROOT, "AO Kaspersky Lab")


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text.encode())) + text.encode()


def _certificate(data: bytes) -> bytes:
    return _text("X.509") + struct.pack(">I", len(data)) + data


def trusted(alias: str, data: bytes = OURS) -> bytes:
    """An entry of a trusted certificate."""
    return struct.pack(">I", 2) + _text(alias) + bytes(8) + _certificate(data)


def jks(*entries: bytes, magic: int = 0xFEEDFEED) -> bytes:
    """A key store with these entries."""
    return struct.pack(">III", magic, 2, len(entries)) + b"".join(entries) + bytes(20)


def test_trusted_ones_and_not_those_of_its_own_keys() -> None:
    key = struct.pack(">I", 1) + _text("mine") + bytes(8) + struct.pack(">I", 3) + b"key" + struct.pack(">I", 1)
    data = jks(trusted("a"), key + _certificate(x509("mine")), trusted("b"))
    assert [one.alias for one in trusted_certificates(data)] == ["a", "b"]
    assert next(trusted_certificates(jks(trusted("a"), magic=0xCECECECE))).data == OURS


def test_what_keytool_wrote(corpora: Path) -> None:
    for name in ("cacerts-jks", "cacerts-p12-passwordless"):
        (found,) = trusted_certificates((corpora / "residues" / "java" / name).read_bytes())
        assert certificate(found.data).subject.organisation == "AO Kaspersky Lab"
    with pytest.raises(NeedsPasswordError):
        list(trusted_certificates((corpora / "residues" / "java" / "cacerts-p12-changeit").read_bytes()))


def test_a_sealed_entry_ends_it_with_an_error() -> None:
    found = trusted_certificates(jks(trusted("a"), struct.pack(">I", 3) + _text("sealed") + bytes(8)))
    assert next(found).alias == "a"
    with pytest.raises(ValueError, match="kind 3"):
        next(found)


@given(st.binary(max_size=200), st.integers(0, 400))
def test_any_bytes(noise: bytes, at: int) -> None:
    whole = jks(trusted("a"))
    for data in (noise, b"\x30" + noise, whole[:at] + noise + whole[at + len(noise) :]):
        try:
            list(trusted_certificates(data))
        except ValueError as error:
            assert str(error)  # noqa: PT017
