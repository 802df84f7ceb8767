"""The signers of a Windows executable or catalog, as the signature names them. The signature is not verified.

References:
    Microsoft, "Windows Authenticode Portable Executable Signature Format" (2008); "PE Format" (The Attribute
    Certificate Table); RFC 2315 (SignedData, SignerInfo), RFC 5280 (4.1: Certificate, Name).
"""

import struct
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from phaseout.parsers.encodings.certificate import distinguished_name
from phaseout.parsers.encodings.der import Value, children, value

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")  # 1.2.840.113549.1.7.2
_NESTED = bytes.fromhex("2b060104018237020401")  # 1.3.6.1.4.1.311.2.4.1, a second signature inside the first
_SEQUENCE, _SET, _INTEGER, _OBJECT_ID, _FIRST, _SECOND = 0x30, 0x31, 0x02, 0x06, 0xA0, 0xA1
_PKCS7 = 2  # type of an entry of the certificate table
_ENTRIES = 16
_SIGNERS = 16
_CERTIFICATES = 64
_PARTS = 64  # of anything else


class Signer(NamedTuple):
    """The subject of a signer's certificate, and the name of its issuer."""

    organisation: str
    name: str
    issuer: str


def signers(table: bytes) -> tuple[Signer, ...]:
    """All signers in a certificate table, outer signatures first, each once."""
    found: dict[Signer, None] = {}
    at = 0
    for _ in range(_ENTRIES):
        if at + 8 > len(table):
            break
        size, _, kind = struct.unpack_from("<IHH", table, at)
        if size < 8:
            break
        if kind == _PKCS7:
            found.update(dict.fromkeys(signers_of_message(table[at + 8 : at + size])))
        at += size + 7 & ~7
    return tuple(found)[:_SIGNERS]


def signers_of_message(data: bytes) -> tuple[Signer, ...]:
    """All signers of a PKCS #7 message, the format of catalogs as well; none if it is damaged."""
    found: dict[Signer, None] = {}
    pending = [value(data)]
    while pending and len(found) < _SIGNERS:
        message = pending.pop(0)
        signed = _signed_data(data, message) if message is not None else None
        if signed is None:
            continue
        parts = list(islice(children(data, signed), _PARTS))
        certificates: dict[tuple[bytes, bytes], tuple[bytes, bytes]] = {}
        for part in parts:
            if part.tag == _FIRST:
                certificates |= _certificates(data[part.begin : part.after])
        if parts and parts[-1].tag == _SET:
            for info in islice(children(data, parts[-1]), _SIGNERS):
                chosen = certificates.get(_chosen(data, info))
                if chosen is not None:
                    found[_signer(*chosen)] = None
                if len(pending) < _SIGNERS and _NESTED in data:
                    pending += _nested(data, info)
    return tuple(found)


def _signed_data(data: bytes, message: Value) -> Value | None:
    kind, content = _first_two(data, message)
    if kind is None or content is None or data[kind.start : kind.end] != _SIGNED_DATA:
        return None
    return next(children(data, content), None)


@lru_cache(16)
def _certificates(data: bytes) -> dict[tuple[bytes, bytes], tuple[bytes, bytes]]:
    """Issuer and serial number as stored → subject and issuer; a maker signs all files with the same few."""
    found: dict[tuple[bytes, bytes], tuple[bytes, bytes]] = {}
    parent = value(data)
    for certificate in islice(children(data, parent), _CERTIFICATES) if parent is not None else ():
        body = next(children(data, certificate), None)
        fields = list(islice(children(data, body), 6)) if body is not None else []
        if fields and fields[0].tag == _FIRST:  # the version
            del fields[0]
        if len(fields) >= 5 and fields[0].tag == _INTEGER:
            serial, _, issuer, _, subject = fields[:5]
            above = data[issuer.begin : issuer.after]
            found[above, data[serial.start : serial.end]] = data[subject.begin : subject.after], above
    return found


def _signer(subject: bytes, issuer: bytes) -> Signer:
    name, above = distinguished_name(subject), distinguished_name(issuer)
    return Signer(name.organisation, name.common, above.text)


def _chosen(data: bytes, info: Value) -> tuple[bytes, bytes]:
    """Issuer and serial number of the certificate that a signature was made with."""
    _, chosen = _first_two(data, info)
    issuer, serial = _first_two(data, chosen) if chosen is not None else (None, None)
    if issuer is None or serial is None:
        return b"", b""
    return data[issuer.begin : issuer.after], data[serial.start : serial.end]


def _nested(data: bytes, info: Value) -> Iterator[Value]:
    """The signatures among the attributes of a signature that are not signed themselves."""
    for part in islice(children(data, info), _PARTS):
        if part.tag == _SECOND:
            for attribute in islice(children(data, part), _PARTS):
                kind, values = _first_two(data, attribute)
                if kind is not None and values is not None and data[kind.start : kind.end] == _NESTED:
                    yield from islice(children(data, values), _SIGNERS)


def _first_two(data: bytes, parent: Value) -> tuple[Value | None, Value | None]:
    found = children(data, parent)
    return next(found, None), next(found, None)
