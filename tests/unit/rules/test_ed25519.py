"""Verification of Ed25519."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.rules.ed25519 import _ORDER, verify

from tests.support.signer import ADA, BOB

# RFC 8032, section 7.1, TEST 1 to 3: public key, message, signature
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
            "655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
            "b00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
            "c027beceea1ec40a"
        ),
    ),
]


@pytest.mark.parametrize("vector", VECTORS)
def test_the_vectors_of_the_rfc(vector: tuple[str, str, str]) -> None:
    key, message, signature = map(bytes.fromhex, vector)
    assert verify(key, message, signature)
    assert not verify(key, message + b"x", signature)
    assert not verify(bytes.fromhex(VECTORS[0][0]) if vector is not VECTORS[0] else key[::-1], message, signature)


@pytest.mark.slow
def test_each_byte_of_a_signature_counts() -> None:
    key, message, signature = map(bytes.fromhex, VECTORS[2])
    for place in range(64):
        changed = bytearray(signature)
        changed[place] ^= 1
        assert not verify(key, message, bytes(changed)), place


def test_a_second_form_of_a_signature_or_key_does_not_count() -> None:
    key, message, signature = map(bytes.fromhex, VECTORS[1])
    more = int.from_bytes(signature[32:], "little") + _ORDER
    assert not verify(key, message, signature[:32] + more.to_bytes(32, "little"))
    assert not verify((2**255 - 19 + 1).to_bytes(32, "little"), message, signature)


@given(st.binary(max_size=40), st.binary(max_size=70), st.binary(max_size=70))
def test_anything_is_refused_and_nothing_raises(message: bytes, key: bytes, signature: bytes) -> None:
    assert not verify(key, message, signature)
    assert not verify(key.ljust(32, b"\1")[:32], message, signature.ljust(64, b"\1")[:64])


def test_what_the_test_signer_signs_is_accepted() -> None:
    import base64

    point = base64.b64decode(ADA.public)[10:]
    assert verify(point, b"text", ADA.raw(b"text"))
    assert not verify(point, b"text", BOB.raw(b"text"))
