"""Keychain files of macOS."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.encodings.certificate import certificate
from phaseout.parsers.macos.keychain import denied_and_known, keychain_certificates

from tests.support.certificates import x509


def keychain(*certificates: bytes) -> bytes:
    """A keychain with these certificates, and a free place between them."""
    records = b""
    slots = [0]
    slots_end = 28 + 4 * (len(certificates) + 1)
    for one in certificates:
        slots.append(slots_end + len(records))
        size = 24 + 36 + len(one)
        records += struct.pack(">6I", size + -size % 4, 0, 0, 0, len(one), 0) + bytes(36) + one + bytes(-size % 4)
    head = struct.pack(">7I", slots_end + len(records), 0x80001000, len(certificates), 0, 0, 0, len(slots))
    table = head + struct.pack(f">{len(slots)}I", *slots) + records
    return b"kych" + struct.pack(">4I", 0x10000, 16, 20, 0) + struct.pack(">3I", 12 + len(table), 1, 12) + table


def test_certificates() -> None:
    ours = [x509("one"), x509("two", "Acme")]
    assert list(keychain_certificates(keychain(*ours))) == ours
    assert list(keychain_certificates(keychain())) == []


def test_the_published_layout(corpora: Path) -> None:
    data = (corpora / "residues" / "macos" / "made.keychain").read_bytes()
    names = [certificate(one).subject.organisation for one in keychain_certificates(data)]
    assert names == ["AO Kaspersky Lab", "Example Org"]


def test_what_is_no_keychain_and_what_is_cut_off() -> None:
    for data in (b"", b"kych", b"SQLite format 3\0", keychain(x509("one"))[:-20]):
        with pytest.raises(ValueError):
            list(keychain_certificates(data))


def test_what_trust_settings_deny() -> None:
    deny = {"trustSettings": [{"kSecTrustSettingsResult": 3}]}
    half = {"trustSettings": [{"kSecTrustSettingsResult": 3}, {}]}
    settings = {"trustList": {"aa": deny, "BB": {}, "CC": half, "DD": "odd"}}
    assert denied_and_known(settings) == ({"AA"}, {"AA", "BB", "CC", "DD"})
    assert denied_and_known({"trustList": []}) == (set(), set())


@given(st.binary(max_size=60), st.integers(0, 600))
def test_any_bytes(noise: bytes, at: int) -> None:
    whole = keychain(x509("one"))
    for data in (noise, b"kych" + noise, whole[:at] + noise + whole[at + len(noise) :]):
        try:
            list(keychain_certificates(data))
        except ValueError as error:
            assert str(error)  # noqa: PT017
