"""Makes small hive files for the tests: the readers of hives do not write any.

A tree is a mapping of key path → values, and a value is a `str`, `int`, `bytes`, a tuple of strings, or `Raw` for
anything else. A file is what Windows itself would have written for it, security descriptors left out.

References:
    https://github.com/msuhanov/regf (Windows registry file format specification),
    https://github.com/libyal/libregf (documentation/Windows NT Registry File (REGF) format).
"""

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from phaseout.parsers.windows.regf_log import marvin32

FILETIME = 132223104000000000  # 2020-01-01T00:00:00Z, the last write of every key
_NONE = 0xFFFFFFFF
_SZ, _BINARY, _DWORD, _MULTI_SZ, _QWORD = 1, 3, 4, 7, 11


class Raw(NamedTuple):
    """A value with a type of its own and its bytes as stored."""

    type: int
    data: bytes


Value = str | int | bytes | tuple[str, ...] | Raw
Tree = Mapping[str, Mapping[str, Value]]


def stored(value: Value) -> Raw:
    """Type and bytes of a value."""
    match value:
        case Raw():
            return value
        case str():
            return Raw(_SZ, utf16(value + "\0"))
        case int():
            return Raw(_DWORD, struct.pack("<I", value)) if value < 1 << 32 else Raw(_QWORD, struct.pack("<Q", value))
        case bytes():
            return Raw(_BINARY, value)
        case _:
            return Raw(_MULTI_SZ, utf16("".join(f"{one}\0" for one in value) + "\0"))


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


def hive(tree: Tree, *, sequence: tuple[int, int] = (1, 1), links: tuple[str, ...] = ()) -> bytes:
    """The file of a hive. `links` are keys that are symbolic links; two different numbers make it a dirty hive."""
    cells = _Cells()
    root: _Node = ({}, {}, "")
    for path, values in tree.items():
        here = root
        for name in path.split("\\") if path else ():
            here = here[0].setdefault(name, ({}, {}, f"{here[2]}\\{name}"))
        here[1].update({name: stored(value) for name, value in values.items()})
    offset = cells.key("ROOT", root, _NONE, frozenset(f"\\{link}" for link in links))
    return base_block(offset, len(cells.bins()), sequence) + cells.bins()


def base_block(root: int, size: int, sequence: tuple[int, int], kind: int = 0) -> bytes:
    """The first 4096 bytes; `kind` is 0 for a hive, 1 or 6 for its transaction log."""
    head = struct.pack("<4sIIQIIIIIII", b"regf", *sequence, FILETIME, 1, 5, kind, 1, root, size, 1).ljust(508, b"\0")
    checksum = 0
    for (word,) in struct.iter_unpack("<I", head):
        checksum ^= word
    return (head + struct.pack("<I", checksum)).ljust(4096, b"\0")


def transaction_log(first: int, entries: Sequence[bytes]) -> bytes:
    """A log whose entries, numbered from `first`, each write all bins of the hive anew."""
    parts = [base_block(32, 0, (first, first), 6)[:512]]
    for number, bins in enumerate(entries, first):
        content = (struct.pack("<II", 0, len(bins)) + bins).ljust(-(-(len(bins) + 48) // 512) * 512 - 40, b"\0")
        head = struct.pack("<4sIIIII", b"HvLE", len(content) + 40, 0, number, len(bins), 1) + marvin32(content)
        parts.append(head + marvin32(head) + content)
    return b"".join(parts)


_Node = tuple[dict[str, "_Node"], dict[str, Raw], str]


class _Cells:
    """The cells of the one bin that follows the base block; offsets count from the start of the bin."""

    def __init__(self) -> None:
        self._data = bytearray(32)

    def bins(self) -> bytes:
        size = -(-len(self._data) // 4096) * 4096
        rest = size - len(self._data)
        data = bytearray(self._data)
        if rest:
            data += struct.pack("<i", rest).ljust(rest, b"\0")
        data[:32] = struct.pack("<4sII8xQ4x", b"hbin", 0, size, FILETIME)
        return bytes(data)

    def add(self, content: bytes) -> int:
        offset = len(self._data)
        size = -(-(len(content) + 4) // 8) * 8
        self._data += struct.pack("<i", -size) + content.ljust(size - 4, b"\0")
        return offset

    def key(self, name: str, node: _Node, parent: int, links: frozenset[str]) -> int:
        children, values, path = node
        stored_name, compressed = _name(name)
        flags = (0x20 if compressed else 0) | (0x2C if parent == _NONE else 0) | (0x10 if path in links else 0)
        offset = self.add(b"nk" + bytes(74) + stored_name)
        ordered = sorted(children.items(), key=lambda item: item[0].upper())
        below = [(child, self.key(child, child_node, offset, links)) for child, child_node in ordered]
        subkeys = _NONE
        if below:
            entries = b"".join(struct.pack("<II", child_offset, _hash(child)) for child, child_offset in below)
            subkeys = self.add(struct.pack("<2sH", b"lh", len(below)) + entries)
        value_list = _NONE
        if values:
            offsets = [self._value(value_name, value) for value_name, value in values.items()]
            value_list = self.add(struct.pack(f"<{len(offsets)}I", *offsets))
        head = struct.pack(
            "<2sHQIIIIIIIIIIIIIIIHH",
            *(b"nk", flags, FILETIME, 0, parent, len(below), 0, subkeys, _NONE, len(values), value_list, _NONE, _NONE),
            *(0, 0, 0, 0, 0, len(stored_name), 0),
        )
        self._data[offset + 4 : offset + 4 + len(head)] = head
        return offset

    def _value(self, name: str, value: Raw) -> int:
        stored_name, compressed = _name(name)
        size = len(value.data)
        if size <= 4:
            size, data = size | 0x80000000, int.from_bytes(value.data.ljust(4, b"\0"), "little")
        elif size <= 16344:
            data = self.add(value.data)
        else:
            parts = [self.add(value.data[at : at + 16344] + bytes(4)) for at in range(0, size, 16344)]
            listed = self.add(struct.pack(f"<{len(parts)}I", *parts))
            data = self.add(struct.pack("<2sHI", b"db", len(parts), listed))
        head = struct.pack("<2sHIIIHH", b"vk", len(stored_name), size, data, value.type & _NONE, int(compressed), 0)
        return self.add(head + stored_name)


def _name(name: str) -> tuple[bytes, bool]:
    try:
        return name.encode("latin-1"), True
    except UnicodeEncodeError:
        return utf16(name), False


def _hash(name: str) -> int:
    found = 0
    for letter in name.upper():
        found = (found * 37 + ord(letter)) & _NONE
    return found
