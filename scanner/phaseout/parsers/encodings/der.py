"""ASN.1 values of certificates and signatures, in the distinguished and the basic encoding.

What is damaged or cut off has no value: nothing here raises.

References:
    ITU-T X.690 (8.1: identifier, length, the indefinite form; 8.23: character strings; 10: distinguished encoding).
"""

from collections.abc import Iterator
from typing import NamedTuple

_CONSTRUCTED = 0x20
_UNTIL_ZEROS = 0x80  # the length of what ends at two zero bytes
_DEPTH = 32  # levels of values of that kind
_TEXTS = {
    0x0C: "utf-8",  # UTF8String
    0x12: "ascii",  # NumericString
    0x13: "ascii",  # PrintableString
    0x14: "latin-1",  # TeletexString: certificates never hold T.61 in practice
    0x16: "ascii",  # IA5String
    0x1A: "ascii",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}


class Value(NamedTuple):
    """Where a value lies in its data.

    Attributes:
        tag: class, form and number as they stand in its first byte: 0x30 is a sequence.
        begin: offset of that byte.
        start: offset of the content.
        end: offset behind the content.
        after: offset behind the value.
    """

    tag: int
    begin: int
    start: int
    end: int
    after: int


def value(data: bytes, at: int = 0) -> Value | None:
    """The value that begins at an offset; `None` where none fits into the data."""
    return _value(data, at, len(data), 0)


def children(data: bytes, parent: Value) -> Iterator[Value]:
    """The values in the content of another one, up to the first that does not fit into it."""
    at = parent.start
    while at < parent.end:
        child = _value(data, at, parent.end, 0)
        if child is None:
            return
        yield child
        at = child.after


def string(data: bytes, text: Value) -> str:
    """A text of any of the types that names are written in; empty for every other type."""
    coding = _TEXTS.get(text.tag)
    return data[text.start : text.end].decode(coding, "replace").strip("\0 ") if coding else ""


def _value(data: bytes, at: int, limit: int, depth: int) -> Value | None:
    start = at + 2
    if start > limit or data[at] & 0x1F == 0x1F:  # tags of several bytes occur in no certificate
        return None
    size = data[at + 1]
    if size == _UNTIL_ZEROS:
        return _until_zeros(data, at, limit, depth)
    if size > _UNTIL_ZEROS:
        count = size & 0x7F
        if count > 8 or start + count > limit:
            return None
        size = int.from_bytes(data[start : start + count], "big")
        start += count
    end = start + size
    return Value(data[at], at, start, end, end) if end <= limit else None


def _until_zeros(data: bytes, at: int, limit: int, depth: int) -> Value | None:
    if not data[at] & _CONSTRUCTED or depth >= _DEPTH:
        return None
    here = at + 2
    while here + 2 <= limit:
        if data[here : here + 2] == b"\0\0":
            return Value(data[at], at, at + 2, here, here + 2)
        child = _value(data, here, limit, depth + 1)
        if child is None:
            return None
        here = child.after
    return None
