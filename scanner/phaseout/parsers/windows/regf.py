"""Keys and values of a registry hive file, each read only when needed.

A hive is a tree of cells that point to each other by offset. Only requested keys are read, and no offset, size or
count is trusted: a record outside of the file, in a free cell or of another kind is left out, and the caller notices
by the count that the key stores. A key counts as a subkey only of the key that it names as its parent, so even a
damaged hive is a tree: nothing in it can be reached in two ways, and no walk through it is endless.

Names are as stored: with case, with NULs, with half surrogates.

References:
    https://github.com/msuhanov/regf (Windows registry file format specification).
"""

from collections.abc import Iterator
from struct import Struct, error

BASE = 4096  # bytes of the base block; all offsets count from its end
_SEGMENT = 16344  # bytes of a value in one cell, beyond which it is cut into segments

_HEAD = Struct("<4sII8xII")  # signature, sequence numbers, version
_ROOT = Struct("<36xI")
_NODE = Struct("<i2sHQ4xII4xI4xII28xH")  # size of the cell, nk, flags, written, parent, subkeys, values, length of name
_VALUE = Struct("<i2sHIIIH")  # size of the cell, vk, length of name, size, offset or data, type, flags
_LIST = Struct("<i2sH")  # size of the cell, signature, number of elements
_SIZE = Struct("<i")
_OFFSET = Struct("<I")
_SEGMENTS = Struct("<i2sHI")  # size of the cell, db, number, offset of their list
_WITH_HINT = Struct("<I4x")

_LINK, _LATIN_KEY, _HANDLE = 0x10, 0x20, 0x40  # flags of a key
_LATIN_VALUE = 1
_LONGEST = 512  # bytes of the name of a key
_INLINE = 0x80000000


class Node:
    """A key.

    Attributes:
        data: the hive file that it is in.
        name: its name.
        modified: when it was last written, as FILETIME.
        is_link: whether it is a symbolic link to the key that its value `SymbolicLinkValue` names.
        subkey_count: how many keys should be below it.
        value_count: how many values it should have.
    """

    __slots__ = (
        *("_list", "_offset", "_parent", "_values"),
        *("data", "is_link", "modified", "name", "subkey_count", "value_count"),
    )

    def __init__(self, data: bytes, offset: int) -> None:
        """Reads the key at an offset.

        Raises:
            ValueError: there is no key.
        """
        at = BASE + offset
        try:
            size, kind, flags, modified, parent, subkeys, first, values, values_at, length = _NODE.unpack_from(data, at)
        except error:
            raise ValueError("a key beyond the end") from None
        start, end = at + 80, at - size  # the size of a cell in use is negative
        if kind != b"nk" or length > _LONGEST or not start + length <= end <= len(data):
            raise ValueError("not a key")
        self.name = _name(data[start : start + length], flags & _LATIN_KEY)
        self.modified: int = modified
        self.is_link = bool(flags & _LINK)
        self.subkey_count: int = subkeys
        self.value_count: int = 0 if flags & _HANDLE else values  # a predefined handle stands in place of the number
        self.data = data
        self._offset = offset
        self._parent: int = parent
        self._list: int = first
        self._values: int = values_at

    def subkeys(self, limit: int) -> Iterator["Node"]:
        """The keys below it that can be read, in stored order; of the first `limit` that it lists."""
        seen: set[int] = set()
        for kind, start, end in self._lists():
            elements = self.data[start:end]
            for (offset,) in (_OFFSET if kind == b"li" else _WITH_HINT).iter_unpack(elements):
                if offset in seen:
                    continue
                if len(seen) == limit:
                    return
                seen.add(offset)
                child = self._child(offset)
                if child is not None:
                    yield child

    def child(self, name: str) -> "Node | None":
        """The key of that name right below it, in any case of letters.

        Raises:
            ValueError: it was not found, but a key that may be the one cannot be read.
        """
        folded, listed, damaged = name.lower(), 0, False
        for kind, start, end in self._lists():
            listed += (end - start) // (4 if kind == b"li" else 8)
            for offset in _candidates(self.data, kind, start, end, name):
                child = self._child(offset)
                if child is None:
                    damaged = True
                elif child.name.lower() == folded:
                    return child
        if damaged or listed < self.subkey_count:
            raise ValueError("not all subkeys can be read")
        return None

    def values(self, limit: int, largest: int) -> Iterator[tuple[str, int, bytes | int]]:
        """Name, type and bytes of the values that can be read, in stored order; of the first `limit` that it lists.

        A value of more than `largest` bytes is given as its size. All values of a key together cannot be larger than
        the file, unless they share bytes: beyond that the rest is left out.
        """
        if not self.value_count:
            return
        data = self.data
        rest = len(data)
        try:
            first, end = _cell(data, self._values)
        except ValueError:
            return
        count = min(self.value_count, limit, (end - first) // 4)
        for (offset,) in _OFFSET.iter_unpack(data[first : first + 4 * count]):
            at = BASE + offset
            content: bytes | int = b""
            try:
                size, kind, length, stored, place, value_type, flags = _VALUE.unpack_from(data, at)
                start, end = at + 24, at - size
                if kind != b"vk" or not start + length <= end <= len(data) or stored > _INLINE + 4:
                    continue
                if stored > _INLINE:
                    content = data[at + 12 : at + 12 + stored - _INLINE]
                elif 0 < stored < _INLINE:
                    content = _content(data, place, stored, largest)
            except (error, ValueError):
                continue
            rest -= length + (len(content) if isinstance(content, bytes) else 0)
            if rest < 0:
                return
            yield _name(data[start : start + length], flags & _LATIN_VALUE), value_type, content

    def _child(self, offset: int) -> "Node | None":
        try:
            child = Node(self.data, offset)
        except ValueError:
            return None
        return child if child._parent == self._offset else None

    def _lists(self) -> Iterator[tuple[bytes, int, int]]:
        """Kind, start and end of the elements of each list of its subkeys; together no larger than the file."""
        if not self.subkey_count:
            return
        data = self.data
        found = _list(data, self._list)
        if found is None:
            return
        if found[0] != b"ri":
            yield found
            return
        rest = len(data)
        for (offset,) in _OFFSET.iter_unpack(data[found[1] : found[2]]):
            leaf = _list(data, offset)
            if leaf is not None and leaf[0] != b"ri":
                rest -= leaf[2] - leaf[1]
                if rest < 0:
                    return
                yield leaf


def root(data: bytes) -> Node:
    """The first key of a hive file.

    Raises:
        ValueError: it has none; the text says what is wrong with the file.
    """
    if len(data) < BASE or data[:4] != b"regf":
        raise ValueError("not a registry hive")
    *_, major, minor = _HEAD.unpack_from(data)
    if major != 1 or minor < 2:  # 1.0 and 1.1 are of Windows NT 3.1, whose cells are different
        raise ValueError(f"a registry hive of the unknown version {major}.{minor}")
    try:
        return Node(data, _ROOT.unpack_from(data)[0])
    except ValueError:
        raise ValueError("damaged: its first key cannot be read") from None


def checksum(base: bytes) -> bytes:
    """The checksum of a base block, which is stored at offset 508."""
    found = 0
    for (word,) in _OFFSET.iter_unpack(base[:508]):
        found ^= word
    return _OFFSET.pack({0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(found, found))


def _cell(data: bytes, offset: int) -> tuple[int, int]:
    """Start and end of a cell's content."""
    at = BASE + offset
    try:
        end = at - _SIZE.unpack_from(data, at)[0]
    except error:
        raise ValueError("a cell beyond the end") from None
    if not at + 4 <= end <= len(data):
        raise ValueError("not a cell in use")
    return at + 4, end


def _list(data: bytes, offset: int) -> tuple[bytes, int, int] | None:
    at = BASE + offset
    try:
        size, kind, count = _LIST.unpack_from(data, at)
    except error:
        return None
    width = {b"lh": 8, b"lf": 8, b"li": 4, b"ri": 4}.get(kind)
    if width is None or size > -8 or at - size > len(data):
        return None
    return kind, at + 8, at + 8 + width * min(count, (-size - 8) // width)


def _candidates(data: bytes, kind: bytes, start: int, end: int, name: str) -> Iterator[int]:
    """The elements of a list that may be the key of that name.

    A hash is that of the name in capitals, a hint its first four letters. Which capitals Windows uses outside of ASCII
    depends on its own tables, so for such names all elements are candidates.
    """
    hint = name[:4]
    if kind == b"lh" and name.isascii():
        number = 0
        for letter in name.upper().encode():
            number = number * 37 + letter
        wanted, elements = _OFFSET.pack(number & 0xFFFFFFFF), data[start:end]
    elif kind == b"lf" and hint.isascii():
        wanted, elements = hint.lower().encode().ljust(4, b"\0"), data[start:end].lower()
    else:
        for (offset,) in (_OFFSET if kind == b"li" else _WITH_HINT).iter_unpack(data[start:end]):
            yield offset
        return
    at = elements.find(wanted)
    while at >= 0:
        if at % 8 == 4:
            yield _OFFSET.unpack_from(data, start + at - 4)[0]
        at = elements.find(wanted, at + 1)


def _content(data: bytes, offset: int, size: int, largest: int) -> bytes | int:
    """The bytes of a value that has a cell of its own, or their number if they are more than `largest`."""
    start, end = _cell(data, offset)
    if start + size <= end:
        return data[start : start + size] if size <= largest else size
    _, kind, count, place = _SEGMENTS.unpack_from(data, start - 4)
    needed = -(-size // _SEGMENT)
    if kind != b"db" or size <= _SEGMENT or needed > count:
        raise ValueError("fewer bytes than it should have")
    if size > largest:
        return size
    start, end = _cell(data, place)
    parts = []
    for (segment,) in _OFFSET.iter_unpack(data[start : min(end, start + 4 * needed)]):
        start, end = _cell(data, segment)
        parts.append(data[start : min(end, start + _SEGMENT)])
    content = b"".join(parts)
    if len(content) < size:
        raise ValueError("fewer bytes than it should have")
    return content[:size]


def _name(stored: bytes, latin: int) -> str:
    if latin:
        return stored.decode("latin-1")
    return stored[: len(stored) & ~1].decode("utf-16-le", "surrogatepass")
