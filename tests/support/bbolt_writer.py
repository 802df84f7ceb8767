"""Databases of bbolt for the parser: buckets inline or in pages of their own, leaves below branches, long values."""

import struct
from typing import Union

Tree = dict[str, Union[bytes, "Tree"]]
PAGE = 4096
_INLINE = PAGE // 4
_PER_LEAF = 20  # elements: more make a branch


class _Writer:
    def __init__(self) -> None:
        self.pages: list[bytes] = [b"", b"", b""]  # two meta pages and the list of free ones

    def add(self, flags: int, count: int, body: bytes) -> int:
        number = len(self.pages)
        extra = (16 + len(body) - 1) // PAGE
        self.pages.append(struct.pack("<QHHI", number, flags, count, extra) + body)
        self.pages.extend(b"" for _ in range(extra))
        return number

    def bucket(self, tree: Tree) -> tuple[int, bytes]:
        """Root page and inline page; the first is 0 where the second is used."""
        elements = [self.element(name.encode(), value) for name, value in sorted(tree.items())]
        body = leaf(elements)
        nested = any(isinstance(value, dict) for value in tree.values())
        if len(body) < _INLINE and not nested:
            return 0, struct.pack("<QHHI", 0, 2, len(elements), 0) + body
        groups = [elements[at : at + _PER_LEAF] for at in range(0, len(elements), _PER_LEAF)] or [[]]
        leaves = [(group[0][1] if group else b"", self.add(2, len(group), leaf(group))) for group in groups]
        if len(leaves) == 1:
            return leaves[0][1], b""
        return self.add(1, len(leaves), branch(leaves)), b""

    def element(self, name: bytes, value: bytes | Tree) -> tuple[int, bytes, bytes]:
        if isinstance(value, bytes):
            return 0, name, value
        root, inline = self.bucket(value)
        return 1, name, struct.pack("<QQ", root, 0) + inline


def leaf(elements: list[tuple[int, bytes, bytes]]) -> bytes:
    heads, data = b"", b""
    for number, (flags, key, value) in enumerate(elements):
        position = (len(elements) - number) * 16 + len(data)
        heads += struct.pack("<IIII", flags, position, len(key), len(value))
        data += key + value
    return heads + data


def branch(leaves: list[tuple[bytes, int]]) -> bytes:
    heads, data = b"", b""
    for number, (key, page) in enumerate(leaves):
        heads += struct.pack("<IIQ", (len(leaves) - number) * 16 + len(data), len(key), page)
        data += key
    return heads + data


def checksum(data: bytes) -> int:
    found = 0xCBF29CE484222325
    for byte in data:
        found = (found ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return found


def meta(number: int, root: int, transaction: int, most: int) -> bytes:
    body = struct.pack("<IIIIQQQQQ", 0xED0CDAED, 2, PAGE, 0, root, 0, 2, most, transaction)
    return struct.pack("<QHHI", number, 4, 0, 0) + body + struct.pack("<Q", checksum(body))


def bbolt(tree: Tree) -> bytes:
    """The file of a database with these buckets and values."""
    writer = _Writer()
    root, inline = writer.bucket(tree)
    if inline:
        root = writer.add(2, len(tree), inline[16:])
    writer.pages[0] = meta(0, root, 7, len(writer.pages))
    writer.pages[1] = meta(1, 99, 6, len(writer.pages))  # of the transaction before it
    writer.pages[2] = struct.pack("<QHHI", 2, 16, 0, 0)
    pieces = bytearray(len(writer.pages) * PAGE)
    for number, page in enumerate(writer.pages):
        pieces[number * PAGE : number * PAGE + len(page)] = page
    return bytes(pieces)
