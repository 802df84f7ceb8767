"""Trusted certificates in the key stores of Java: JKS, JCEKS, and PKCS #12 without a password. No password is tried.

References:
    OpenJDK, sun.security.provider.JavaKeyStore and com.sun.crypto.provider.JceKeyStore (engineLoad: numbers are big
    endian, the digest at the end needs the password); RFC 7292 (4: PFX, AuthenticatedSafe, SafeBag); JEP 229
"""

from collections.abc import Iterator
from typing import NamedTuple

from phaseout.parsers.encodings.der import Value, children, value

_JKS, _JCEKS = 0xFEEDFEED, 0xCECECECE
_TRUSTED, _KEY = 2, 1
_MOST = 20_000  # entries
_DATA = bytes.fromhex("2a864886f70d010701")  # pkcs7-data
_CERTIFICATE_BAG = bytes.fromhex("2a864886f70d010c0a0103")
_CONTENT, _OCTETS, _OBJECT_ID = 0xA0, 0x04, 0x06


class TrustedCertificate(NamedTuple):
    """A certificate that a store trusts, under the name that it has there (empty in PKCS #12)."""

    alias: str
    data: bytes


class NeedsPasswordError(ValueError):
    """The certificates are encrypted."""


def trusted_certificates(data: bytes) -> Iterator[TrustedCertificate]:
    """The certificates that a store trusts, without those of its own keys.

    Raises:
        NeedsPasswordError: they are encrypted.
        ValueError: it is no key store, or ends too early.
    """
    if data[:1] == b"\x30":
        yield from _pkcs12(data)
        return
    reader = _Reader(data)
    kind, version, count = reader.number(4), reader.number(4), reader.number(4)
    if kind not in (_JKS, _JCEKS) or version not in (1, 2):
        raise ValueError("not a key store")
    for _ in range(min(count, _MOST)):
        tag, alias = reader.number(4), reader.text()
        reader.take(8)  # when it was added
        if tag == _TRUSTED:
            yield TrustedCertificate(alias, reader.certificate(version))
        elif tag == _KEY:
            reader.take(reader.number(4))
            for _ in range(min(reader.number(4), _MOST)):
                reader.certificate(version)
        else:
            raise ValueError(f"an entry of the kind {tag}, behind which nothing can be read")
    if count > _MOST:
        raise ValueError(f"more than {_MOST} entries: the rest was not read")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        found = self._data[self._at : self._at + size]
        if len(found) < size:
            raise ValueError("it ends too early")
        self._at += size
        return found

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def text(self) -> str:
        return self.take(self.number(2)).decode("utf-8", "replace")

    def certificate(self, version: int) -> bytes:
        if version == 2:
            self.text()  # its type, which is X.509
        return self.take(self.number(4))


def _pkcs12(data: bytes) -> Iterator[TrustedCertificate]:
    outer = value(data)
    fields = list(children(data, outer)) if outer is not None else []
    safe = _content(data, fields[1]) if len(fields) > 1 else None
    if safe is None:
        raise ValueError("not a key store")
    for part in _inside(data, safe):
        bags = _content(data, part)
        if bags is None:
            raise NeedsPasswordError("its certificates are encrypted")
        for bag in _inside(data, bags):
            kind, content = _first_two(data, bag)
            if kind == _CERTIFICATE_BAG and content is not None:
                inner = next(children(data, content), None)
                _, holder = _first_two(data, inner) if inner is not None else (b"", None)
                octets = next(children(data, holder), None) if holder is not None else None
                if octets is not None and octets.tag == _OCTETS:
                    yield TrustedCertificate("", data[octets.start : octets.end])


def _content(data: bytes, info: Value) -> Value | None:
    """The octets of a ContentInfo that holds plain data; `None` for any other."""
    kind, content = _first_two(data, info)
    octets = next(children(data, content), None) if content is not None and kind == _DATA else None
    return octets if octets is not None and octets.tag == _OCTETS else None


def _inside(data: bytes, octets: Value) -> Iterator[Value]:
    """The members of the sequence in an octet string."""
    sequence = next(children(data, octets), None)
    if sequence is not None:
        yield from children(data, sequence)


def _first_two(data: bytes, parent: Value) -> tuple[bytes, Value | None]:
    """An object identifier and the tagged value behind it."""
    found = children(data, parent)
    kind, content = next(found, None), next(found, None)
    if kind is None or kind.tag != _OBJECT_ID:
        return b"", None
    return data[kind.start : kind.end], content if content is not None and content.tag == _CONTENT else None
