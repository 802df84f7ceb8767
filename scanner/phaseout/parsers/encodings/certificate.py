"""Whose an X.509 certificate is, who issued it, and which key it has. No signature is verified.

References:
    RFC 5280 (4.1: Certificate, SubjectPublicKeyInfo, Name); RFC 7468 (5: PEM of certificates; "TRUSTED CERTIFICATE" is
    OpenSSL's: openssl-x509(1), `-trustout`, appends its own data to the certificate).
"""

from binascii import Error, a2b_base64
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from phaseout.model.regex import regex
from phaseout.parsers.encodings.der import Value, children, string, value
from phaseout.parsers.encodings.sha256 import sha256

_COMMON_NAME, _ORGANISATION = b"\x55\x04\x03", b"\x55\x04\x0a"
_SEQUENCE, _INTEGER, _OBJECT_ID, _VERSION = 0x30, 0x02, 0x06, 0xA0
_PARTS = 64
_TEXT = 512  # characters of a name
_PEM = regex(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([^-]*)-----END ")


class Name(NamedTuple):
    """The common name and the organisation of a subject or an issuer, each empty where it has none."""

    common: str
    organisation: str

    @property
    def text(self) -> str:
        """The common name, or else the organisation."""
        return self.common or self.organisation


class Certificate(NamedTuple):
    """Whose a certificate is and who issued it; SHA-256 of the whole certificate and of its public key, in hex."""

    subject: Name
    issuer: Name
    fingerprint: str
    key: str


def certificate(data: bytes) -> Certificate:
    """The certificate at the beginning of DER data; what follows it does not count.

    Raises:
        ValueError: there is no certificate.
    """
    outer = value(data)
    body = next(children(data, outer), None) if outer is not None and outer.tag == _SEQUENCE else None
    fields = list(islice(children(data, body), 8)) if body is not None and body.tag == _SEQUENCE else []
    if fields and fields[0].tag == _VERSION:
        del fields[0]
    if outer is None or len(fields) < 6 or fields[0].tag != _INTEGER:
        raise ValueError("not a certificate")
    _, _, issuer, _, subject, key = fields[:6]
    if {issuer.tag, subject.tag, key.tag} != {_SEQUENCE}:
        raise ValueError("not a certificate")
    return Certificate(
        distinguished_name(data[subject.begin : subject.after]),
        distinguished_name(data[issuer.begin : issuer.after]),
        sha256(data[outer.begin : outer.after]).hexdigest(),
        sha256(data[key.begin : key.after]).hexdigest(),
    )


def encoded(data: bytes) -> Iterator[bytes | None]:
    """The DER data of every certificate in a file, PEM or DER; `None` for one whose base64 is damaged."""
    if data[:1] == b"\x30" and data[1:2] >= b"\x80":  # a text may begin with the digit 0
        yield data
        return
    for block in _PEM.finditer(data):
        try:
            yield a2b_base64(block[1])
        except Error:
            yield None


@lru_cache(256)
def distinguished_name(data: bytes) -> Name:
    """The common name and the organisation in a name; the same few stand in most files of a machine."""
    found: dict[bytes, str] = {}
    name = value(data)
    for group in islice(children(data, name), _PARTS) if name is not None else ():
        for pair in islice(children(data, group), _PARTS):
            kind, text = _first_two(data, pair)
            if kind is not None and text is not None and kind.tag == _OBJECT_ID:
                shown = " ".join(string(data, text).split())[:_TEXT]
                found.setdefault(data[kind.start : kind.end], shown)
    return Name(found.get(_COMMON_NAME, ""), found.get(_ORGANISATION, ""))


def _first_two(data: bytes, parent: Value) -> tuple[Value | None, Value | None]:
    found = children(data, parent)
    return next(found, None), next(found, None)
