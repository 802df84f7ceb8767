"""Members of tar archives: where they lie, so that any of them can be read without unpacking the others.

The tarfile of the standard library reads extended headers of any size into memory and keeps a kilobyte for each member;
a layer of a container image may have a million.

References:
    POSIX, pax, "ustar Interchange Format" and "pax Header Block"; GNU tar manual, "Basic Tar Format", "Storing Sparse
    Files" (formats 0.0, 0.1, 1.0 and type `S`)
"""

import re
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from phaseout.model.quoting import quoted

BLOCK = 512
MEMBERS = 1_000_000
_HEADER = 1 << 20  # bytes of an extended header
_LONGEST = 1 << 14  # bytes of a name
_PARTS = 100_000  # of a sparse file
_ZERO = bytes(BLOCK)
_CHUNK = 1 << 16  # bytes that are read at once: most files of a system are small
_RECORD = re.compile(rb"(\d{1,7}) ([^=\n]{1,256})=")
_MAP = re.compile(rb"\d{1,19}(?:,\d{1,19})*")
MemberKind = Literal["file", "dir", "link", "hard link", "device", "FIFO"]
_KINDS: dict[bytes, MemberKind] = {
    b"1": "hard link",
    b"2": "link",
    b"3": "device",
    b"4": "device",
    b"5": "dir",
    b"6": "FIFO",
    b"D": "dir",
}
_NO_CONTENT = frozenset(("hard link", "link", "device", "FIFO", "dir"))
Read = Callable[[int, int], bytes]
Parts = tuple[tuple[int, int], ...]


class BrokenTarError(ValueError):
    """What follows in the archive cannot be read; the text says where it breaks off, and why."""


class Member(NamedTuple):
    """A member of an archive.

    Attributes:
        name: as it is stored; invalid bytes are surrogates.
        kind: what it is.
        size: of its content, in bytes.
        offset: where the content begins in the archive.
        target: of a link or hard link.
        mode: permission bits.
        uid: number of the owner.
        mtime: time of the last change, in seconds since 1970.
        device: number of a device, -1 for anything else.
        parts: offset and length of what is stored of a sparse file; the rest is zeros. Empty if all of it is stored.
    """

    name: str
    kind: MemberKind
    size: int
    offset: int
    target: str = ""
    mode: int = 0
    uid: int = -1
    mtime: float = 0.0
    device: int = -1
    parts: Parts = ()


def is_tar(head: bytes) -> bool:
    """Whether what begins so is a tar archive."""
    return len(head) >= BLOCK and head[:BLOCK] != _ZERO and _checksum_fits(head[:BLOCK])


def members(read: Read, size: int) -> Iterator[Member]:
    """The members of an archive, in order.

    Args:
        read: gives at most so many bytes (second) from an offset (first) on.
        size: bytes of the archive.

    Raises:
        BrokenTarError: what follows cannot be read.
    """
    blocks = _Blocks(read, size)
    common: dict[bytes, bytes] = {}  # of a global header
    own: dict[bytes, bytes] = {}  # of the next member
    sparse: list[tuple[bytes, bytes]] = []
    at = count = 0
    while True:
        header = blocks.read(at, BLOCK)
        if len(header) < BLOCK:
            raise BrokenTarError(f"it ends after {size} bytes, without the mark of its end")
        if header == _ZERO:
            if blocks.read(at + BLOCK, BLOCK).strip(b"\0"):
                raise BrokenTarError(f"something follows its end at byte {at}")
            return
        if not _checksum_fits(header):
            raise BrokenTarError(f"no header at byte {at}")
        kind, length, at = header[156:157], _number(header[124:136]), at + BLOCK
        if length < 0:
            raise BrokenTarError(f"a negative size before byte {at}")
        if kind in b"LKxXg":
            if length > _HEADER:
                raise BrokenTarError(f"an extended header of {length} bytes at byte {at}")
            data = blocks.read(at, length)
            if len(data) < length:
                raise BrokenTarError(f"it ends after {size} bytes, within a header")
            if kind in b"LK":
                own[b"path" if kind == b"L" else b"linkpath"] = data.partition(b"\0")[0]
            else:
                records = _records(data, at)
                (common if kind == b"g" else own).update(records)
                sparse += [record for record in records if record[0].startswith(b"GNU.sparse.")]
            at += -(-length // BLOCK) * BLOCK
            continue
        count += 1
        if count > MEMBERS:
            raise BrokenTarError(f"more than {MEMBERS} members")
        found, at = _member(blocks, header, {**common, **own} if common else own, sparse, at)
        own, sparse = {}, []
        if at > size:
            raise BrokenTarError(f"{quoted(found.name, 200)} is cut off: the archive ends after {size} bytes")
        yield found


def _member(
    blocks: "_Blocks", header: bytes, own: dict[bytes, bytes], sparse: list[tuple[bytes, bytes]], at: int
) -> tuple[Member, int]:
    """A member, and where the next header is."""
    flag = header[156:157]
    name = own.get(b"path") or _text(header[:100])
    if b"path" not in own and header[257:262] == b"ustar" and header[262:263] == b"\0" and (prefix := header[345:500]):
        folder = _text(prefix)
        name = folder + b"/" + name if folder else name
    kind: MemberKind = _KINDS.get(flag, "file")
    if kind == "file" and flag in b"\x000" and name.endswith(b"/"):
        kind = "dir"
    stored = _decimal(own.get(b"size"), _number(header[124:136]))
    content = 0 if kind in _NO_CONTENT else stored
    size, start = content, at
    parts: Parts = ()
    target = own.get(b"linkpath") or _text(header[157:257])
    if len(name) > _LONGEST or len(target) > _LONGEST:
        raise BrokenTarError(f"a name of {max(len(name), len(target))} bytes before byte {at}")
    if flag == b"S" or sparse:
        parts, size, start = _sparse(blocks, header, dict(sparse), sparse, at)
        name = own.get(b"GNU.sparse.name") or name
        size = size or content
        begin = start if flag == b"S" else at  # the size of type S does not count the blocks that hold its map
        if sum(length for _, length in parts) > begin + stored - start or any(sum(part) > size for part in parts):
            raise BrokenTarError(f"a damaged sparse file before byte {at}")
        at = begin
    device = -1
    if kind == "device":
        device = _number(header[329:337]) << 8 | _number(header[337:345])
    member = Member(
        name.decode("utf-8", "surrogateescape"),
        kind,
        max(size, 0),
        start,
        target.decode("utf-8", "surrogateescape") if kind in ("link", "hard link") else "",
        _number(header[100:108]) & 0o7777,
        _decimal(own.get(b"uid"), _number(header[108:116])),
        _time(own.get(b"mtime"), _number(header[136:148])),
        device,
        parts,
    )
    return member, at + -(-content // BLOCK) * BLOCK


class _Blocks:
    """Reads an archive in larger pieces."""

    def __init__(self, read: Read, size: int) -> None:
        self._read = read
        self._size = size
        self._start = 0
        self._data = b""

    def read(self, at: int, size: int) -> bytes:
        """So many bytes, fewer at the end."""
        begin = at - self._start
        if begin < 0 or begin + size > len(self._data):
            if at >= self._size:
                return b""
            self._start, begin = at, 0
            self._data = self._read(at, max(min(_CHUNK, self._size - at), min(size, self._size - at)))
        return self._data[begin : begin + size]


def _sparse(
    blocks: _Blocks, header: bytes, values: dict[bytes, bytes], records: list[tuple[bytes, bytes]], at: int
) -> tuple[Parts, int, int]:
    """The parts of a sparse file, its size, and where the first of them is stored."""
    size = _decimal(values.get(b"GNU.sparse.realsize") or values.get(b"GNU.sparse.size"), 0)
    if header[156:157] == b"S":
        pairs = [(header[place : place + 12], header[place + 12 : place + 24]) for place in range(386, 482, 24)]
        more, start = header[482], at
        while more:
            block = blocks.read(start, BLOCK)
            if len(block) < BLOCK or len(pairs) > _PARTS:
                raise BrokenTarError(f"a damaged sparse file before byte {at}")
            pairs += [(block[place : place + 12], block[place + 12 : place + 24]) for place in range(0, 504, 24)]
            more, start = block[504], start + BLOCK
        numbers = [(_number(offset), _number(length)) for offset, length in pairs if offset.strip(b"\0 ")]
        return _in_order(numbers, at), _number(header[483:495]), start
    if values.get(b"GNU.sparse.major") == b"1":
        return _map_in_content(blocks, size, at)
    if text := values.get(b"GNU.sparse.map"):
        numbers_in_map = [int(one) for one in text.split(b",")] if _MAP.fullmatch(text) else [1]
        if len(numbers_in_map) % 2 or len(numbers_in_map) > 2 * _PARTS:
            raise BrokenTarError(f"a damaged sparse file before byte {at}")
        return _in_order(list(zip(numbers_in_map[::2], numbers_in_map[1::2], strict=True)), at), size, at
    offsets = [_decimal(value, 0) for key, value in records if key == b"GNU.sparse.offset"]
    lengths = [_decimal(value, 0) for key, value in records if key == b"GNU.sparse.numbytes"]
    if len(offsets) != len(lengths):
        raise BrokenTarError(f"a damaged sparse file before byte {at}")
    return _in_order(list(zip(offsets, lengths, strict=True)), at), size, at


def _map_in_content(blocks: _Blocks, size: int, at: int) -> tuple[Parts, int, int]:
    """Format 1.0: decimal numbers, one a line, before the content: how many parts, then offset and length of each."""
    lines: list[bytes] = []
    rest, start, wanted = b"", at, 1
    while len(lines) < wanted:
        block = blocks.read(start, BLOCK)
        *more, rest = (rest + block).split(b"\n")
        lines += more
        start += BLOCK
        numeric = all(len(line) < 20 and line.isdigit() for line in lines[:wanted])
        if len(block) < BLOCK or not numeric or (len(lines) < wanted and len(rest) > 20):
            raise BrokenTarError(f"a damaged sparse file before byte {at}")
        if lines:
            wanted = 1 + 2 * int(lines[0])
        if wanted > 2 * _PARTS:
            raise BrokenTarError(f"a sparse file of {wanted // 2} parts before byte {at}")
        rest = b"" if len(lines) >= wanted else rest
    numbers = [int(line) for line in lines[1:wanted]]
    return _in_order(list(zip(numbers[::2], numbers[1::2], strict=True)), at), size, start


def _in_order(parts: list[tuple[int, int]], at: int) -> Parts:
    end = 0
    for offset, length in parts:
        if offset < end or length < 0:
            raise BrokenTarError(f"a damaged sparse file before byte {at}")
        end = offset + length
    return tuple(parts)


def _records(data: bytes, at: int) -> list[tuple[bytes, bytes]]:
    """The records of an extended header: length, key and value, and a line feed."""
    found: list[tuple[bytes, bytes]] = []
    position = 0
    while position < len(data) and data[position]:
        record = _RECORD.match(data, position)
        end = position + int(record[1]) if record else 0
        if record is None or not record.end() < end <= len(data) or data[end - 1 : end] != b"\n":
            raise BrokenTarError(f"a damaged extended header before byte {at + len(data)}")
        found.append((record[2], data[record.end() : end - 1]))
        position = end
    return found


def _checksum_fits(header: bytes) -> bool:
    """Whether the header has its checksum, of unsigned bytes or of signed ones, as some old programs add them up."""
    stated = _number(header[148:156])
    total = sum(header) - sum(header[148:156]) + 8 * 0x20
    return stated == total or stated == total - 256 * sum(byte > 127 for byte in header[:148] + header[156:])


def _number(field: bytes) -> int:
    """A number in octal digits, or in binary where the first bit is set."""
    if field[:1] > b"\x7f":
        value = int.from_bytes(field, "big") & ((1 << (8 * len(field) - 1)) - 1)
        return value - (1 << (8 * len(field) - 1)) if field[0] & 0x40 else value
    digits = field.partition(b"\0")[0].strip(b" ")
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        return -1


def _decimal(text: bytes | None, otherwise: int) -> int:
    return int(text) if text and len(text) < 20 and text.isdigit() else otherwise


def _time(text: bytes | None, otherwise: int) -> float:
    try:
        return float(text) if text and len(text) < 40 else float(otherwise)
    except ValueError:
        return float(otherwise)


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]
