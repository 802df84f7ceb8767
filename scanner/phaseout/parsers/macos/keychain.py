"""Certificates in a keychain file of macOS (`kych`), and what the trust settings of the administrator say of them.

Nothing else of a keychain is read. Keychains that keep their records in SQLite have another form and no certificates
that the system trusts.

References:
    https://github.com/libyal/dtformats/blob/main/documentation/MacOS%20keychain%20database%20file%20format.asciidoc;
    Apple, SecTrustSettings.h (result 3 denies; no settings mean trusted for everything)
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

_SIGNATURE = b"kych"
_CERTIFICATES = 0x80001000  # CSSM_DL_DB_RECORD_X509_CERTIFICATE
_TABLES = 256
_RECORDS = 20_000
_DENY = 3
_DATA = 24 + 9 * 4  # behind the head of a record and the offsets of its nine attributes


def keychain_certificates(data: bytes) -> Iterator[bytes]:
    """The DER data of every certificate.

    Raises:
        ValueError: it is no keychain, or a table or record lies beyond its end.
    """
    if data[:4] != _SIGNATURE:
        raise ValueError("not a keychain")
    schema = _number(data, 12)
    for index in range(min(_number(data, schema + 4), _TABLES)):
        table = schema + _number(data, schema + 8 + 4 * index)
        if _number(data, table + 4) == _CERTIFICATES:
            slots = _number(data, table + 24)
            if slots > _RECORDS:
                raise ValueError(f"more than {_RECORDS} records")
            for slot in range(slots):
                offset = _number(data, table + 28 + 4 * slot)
                if offset and not offset % 4:
                    yield _record(data, table, table + offset)


def _record(data: bytes, table: int, record: int) -> bytes:
    """The data of a record, which the values of its attributes follow."""
    size, length = _number(data, record), _number(data, record + 16)
    whole = data[record : record + size]
    found = whole[_DATA : _DATA + length]
    if len(found) < length:
        raise ValueError(f"a record of the table at {table} runs beyond the end")
    return found


def denied_and_known(settings: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """The SHA-1 of the certificates that trust settings deny, and of all that they know, in capital letters."""
    known: set[str] = set()
    denied: set[str] = set()
    listed = settings.get("trustList")
    for name, entry in listed.items() if isinstance(listed, Mapping) else ():
        known.add(str(name).upper())
        rules = entry.get("trustSettings") if isinstance(entry, Mapping) else None
        results = [rule.get("kSecTrustSettingsResult", 1) for rule in rules or () if isinstance(rule, Mapping)]
        if results and all(result == _DENY for result in results):
            denied.add(str(name).upper())
    return denied, known


def _number(data: bytes, at: int) -> int:
    if at + 4 > len(data):
        raise ValueError(f"it ends before {at + 4}")
    return int(struct.unpack_from(">I", data, at)[0])
