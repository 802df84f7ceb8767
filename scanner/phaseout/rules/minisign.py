"""Signatures and public keys in minisign's format.

References:
    https://jedisct1.github.io/minisign/#signature-format
"""

import binascii
import hashlib
from typing import NamedTuple

from phaseout.rules.ed25519 import verify

_TRUSTED = b"trusted comment: "
_UNTRUSTED = b"untrusted comment: "
_WHOLE, _HASHED = b"Ed", b"ED"  # what is signed: the file itself, or its BLAKE2b-512
_LINES = 4


class MinisignError(Exception):
    """Not a signature or public key of minisign."""


class PublicKey(NamedTuple):
    """A public key. `name` is the key id as minisign prints it."""

    name: str
    point: bytes


class Signature(NamedTuple):
    """A signature. `name` is the id of the key that is said to have made it."""

    name: str
    hashed: bool
    signature: bytes
    comment: bytes
    over_comment: bytes

    def is_of(self, key: PublicKey, message: bytes) -> bool:
        """Whether this key signed the message, and the trusted comment with it."""
        signed = hashlib.blake2b(message).digest() if self.hashed else message
        return (
            self.name == key.name
            and verify(key.point, signed, self.signature)
            and verify(key.point, self.signature + self.comment, self.over_comment)
        )


def public_key(text: str) -> PublicKey:
    """A public key from the second line of its file.

    Raises:
        MinisignError: it is something else.
    """
    content = _decoded(text.encode(), 42)
    if content[:2] != _WHOLE:
        raise MinisignError("not an Ed25519 key")
    return PublicKey(_name(content[2:10]), content[10:])


def signature(content: bytes) -> Signature:
    """A signature from the content of its file.

    Raises:
        MinisignError: it is something else.
    """
    lines = content.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")
    if len(lines) != _LINES or not lines[0].startswith(_UNTRUSTED) or not lines[2].startswith(_TRUSTED):
        raise MinisignError("not a signature in minisign's format")
    signed = _decoded(lines[1], 74)
    if signed[:2] not in (_WHOLE, _HASHED):
        raise MinisignError("not an Ed25519 signature")
    comment = lines[2].removeprefix(_TRUSTED)
    return Signature(_name(signed[2:10]), signed[:2] == _HASHED, signed[10:], comment, _decoded(lines[3], 64))


def _decoded(text: bytes, size: int) -> bytes:
    try:
        content = binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as error:
        raise MinisignError(f"not Base64: {error}") from None
    if len(content) != size:
        raise MinisignError(f"{len(content)} bytes instead of {size}")
    return content


def _name(identifier: bytes) -> str:
    return f"{int.from_bytes(identifier, 'little'):016X}"
