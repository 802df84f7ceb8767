"""The version resource of a Windows executable: maker, product and version, in one or more languages.

References:
    Microsoft, "VS_VERSIONINFO", "VS_FIXEDFILEINFO", "StringFileInfo", "StringTable", "String" (winver.h).
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

_FIXED = 0xFEEF04BD
_LANGUAGE = re.compile(r"[0-9a-fA-F]{8}")
_ENGLISH = 0x09  # primary language
_NODES = 512
_WANTED = frozenset(
    ("companyname", "filedescription", "fileversion", "originalfilename", "productname", "productversion")
)


class Version(NamedTuple):
    """What a version resource says.

    Attributes:
        file: `21.3.10.391` as a number, without regard to the texts; empty for none.
        product: the same of the product.
        tables: language (0x0409 is English of the USA) → name in lower case → text, in the order of the file.
    """

    file: str
    product: str
    tables: dict[int, dict[str, str]]

    def text(self, name: str) -> str:
        """A string (`CompanyName`, `ProductName`, …) in English, or else in the first language that has it."""
        tables = sorted(self.tables.items(), key=lambda table: table[0] & 0x3FF != _ENGLISH)
        return next((text for _, table in tables if (text := table.get(name.lower(), ""))), "")


class _Node(NamedTuple):
    key: str
    value: int  # offset
    length: int  # of the value, in units of its type
    end: int


def version(data: bytes) -> Version | None:
    """The facts in a version resource; `None` for other data. One that was cut off gives as much as it has."""
    root = next(_nodes(data, 0, len(data)), None)
    if root is None or root.key != "VS_VERSION_INFO":
        return None
    file = product = ""
    if root.length >= 24 and root.value + 24 <= root.end:
        signature, _, *numbers = struct.unpack_from("<6I", data, root.value)
        if signature == _FIXED:
            file, product = _dotted(*numbers[:2]), _dotted(*numbers[2:])
    tables: dict[int, dict[str, str]] = {}
    for kind in _nodes(data, _aligned(root.value + root.length), root.end):
        if kind.key == "StringFileInfo":
            for table in _nodes(data, kind.value, kind.end):
                if _LANGUAGE.fullmatch(table.key):
                    texts = tables.setdefault(int(table.key[:4], 16), {})
                    for text in _nodes(data, table.value, table.end):
                        if text.key.lower() in _WANTED:
                            texts.setdefault(text.key.lower(), _text(data[text.value : text.end]))
    return Version(file, product, tables)


def _nodes(data: bytes, at: int, end: int) -> Iterator[_Node]:
    """The nodes of a level. The stored length of strings is ignored: compilers count bytes or characters."""
    for _ in range(_NODES):
        if at + 8 > end:
            return
        size, length, _ = struct.unpack_from("<3H", data, at)
        if size < 8:
            return
        stop = min(at + size, end)
        key, after = _key(data, at + 6, stop)
        yield _Node(key, min(_aligned(after), stop), length, stop)
        at = _aligned(at + size)


def _key(data: bytes, at: int, end: int) -> tuple[str, int]:
    """The string up to its zero, and the offset after it."""
    stop = min(end, at + 128)
    zero = data.find(b"\0\0", at, stop)
    while zero >= 0 and (zero - at) & 1:
        zero = data.find(b"\0\0", zero + 1, stop)
    return (data[at:zero].decode("utf-16-le", "replace"), zero + 2) if zero >= 0 else ("", end)


def _text(stored: bytes) -> str:
    text = stored[: len(stored) & ~1].decode("utf-16-le", "replace")
    return " ".join(text.partition("\0")[0].split())


def _dotted(high: int, low: int) -> str:
    return f"{high >> 16}.{high & 0xFFFF}.{low >> 16}.{low & 0xFFFF}" if high or low else ""


def _aligned(offset: int) -> int:
    return offset + 3 & ~3
