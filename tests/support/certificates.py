"""Certificates that we made: whole in their layout, with a key and a signature of nothing."""

import base64
import struct

from tests.support.pe_writer import der

COMMON_NAME, ORGANISATION, COUNTRY = b"\x55\x04\x03", b"\x55\x04\x0a", b"\x55\x04\x06"
ROOT = "Kaspersky Anti-Virus Personal Root Certificate"


def name(common: str = "", organisation: str = "") -> bytes:
    """A distinguished name."""
    parts = ((COUNTRY, "XX"), (ORGANISATION, organisation), (COMMON_NAME, common))
    return der(0x30, *(der(0x31, der(0x30, der(0x06, kind), der(0x0C, text.encode()))) for kind, text in parts if text))


def x509(
    common: str, organisation: str = "", *, issuer: bytes = b"", key: bytes = b"key", serial: bytes = b"\1"
) -> bytes:
    """A certificate in DER; it is its own issuer unless another is given."""
    subject = name(common, organisation)
    dates = der(0x30, der(0x17, b"200101000000Z"), der(0x17, b"400101000000Z"))
    algorithm = der(0x30, der(0x06, b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"))
    public = der(0x30, algorithm, der(0x03, b"\0" + key))
    body = der(
        0x30, der(0xA0, der(0x02, b"\2")), der(0x02, serial), algorithm, issuer or subject, dates, subject, public
    )
    return der(0x30, body, algorithm, der(0x03, b"\0signature"))


def pem(data: bytes, label: str = "CERTIFICATE") -> str:
    """The same as PEM."""
    return f"-----BEGIN {label}-----\n{base64.encodebytes(data).decode()}-----END {label}-----\n"


def blob(data: bytes, *before: tuple[int, bytes]) -> bytes:
    """The record in which Windows keeps a certificate."""
    return b"".join(struct.pack("<III", kind, 1, len(one)) + one for kind, one in (*before, (32, data)))
