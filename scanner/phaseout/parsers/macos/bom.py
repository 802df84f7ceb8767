"""The bill of materials of an installer package: which files and folders it put on the disk.

References:
    The format is not documented by Apple: https://github.com/hogliux/bomutils (src/bom.h),
    https://github.com/igankevich/stuckliste (docs/bom-file-format-reference.md); bom(5), lsbom(8).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

_FOLDER = 2


class Entry(NamedTuple):
    """A path below the root of the package (`Contents/Info.plist`), and whether it is a folder."""

    path: str
    folder: bool


def bill(data: bytes, limit: int = 1000) -> tuple[Entry, ...]:
    """The first entries, folders before their content; none if the data is no bill of materials."""
    try:
        return tuple(_entries(data, limit))
    except (struct.error, ValueError):  # shorter than it says
        return ()


def _entries(data: bytes, limit: int) -> Iterator[Entry]:
    magic, _, _, table, _, names, _ = struct.unpack_from(">8s6I", data)
    if magic != b"BOMStore":
        return
    tree = _block(data, table, _named(data, names, b"Paths"))
    paths: dict[int, str] = {}
    count = 0
    for first, second in _leaves(data, table, struct.unpack_from(">4s2I", tree)[2]):
        number, about = struct.unpack_from(">2I", _block(data, table, first))
        file = _block(data, table, second)
        (parent,) = struct.unpack_from(">I", file)
        name = file[4:].partition(b"\0")[0].decode("utf-8", "backslashreplace")
        above = paths.get(parent) if parent else ""
        if above is None:  # a tree that is not in order
            continue
        paths[number] = path = "" if name == "." and not parent else f"{above}/{name}" if above else name
        if path:
            yield Entry(path, _block(data, table, about)[0] == _FOLDER)
            count += 1
        if count >= limit:
            return


def _named(data: bytes, at: int, wanted: bytes) -> int:
    """The number of the block that has a name."""
    (count,) = struct.unpack_from(">I", data, at)
    at += 4
    for _ in range(min(count, 64)):
        number, length = struct.unpack_from(">IB", data, at)
        if data[at + 5 : at + 5 + length].rstrip(b"\0") == wanted:
            return int(number)
        at += 5 + length
    raise ValueError("no such block")


def _block(data: bytes, table: int, number: int) -> bytes:
    count, *_ = struct.unpack_from(">I", data, table)
    if number >= count:
        raise ValueError("no such block")
    start, size = struct.unpack_from(">2I", data, table + 4 + 8 * number)
    found = data[start : start + size]
    if len(found) < size or not found:
        raise ValueError("a block that is cut off")
    return found


def _leaves(data: bytes, table: int, number: int) -> Iterator[tuple[int, int]]:
    """The pairs of blocks that the leaves of a tree hold, from the first on."""
    node = _block(data, table, number)
    for _ in range(64):  # down to the first leaf
        if struct.unpack_from(">H", node)[0]:
            break
        (number,) = struct.unpack_from(">I", node, 12)
        node = _block(data, table, number)
    seen: set[int] = set()
    while number not in seen:
        seen.add(number)
        _, count, forward, _ = struct.unpack_from(">2H2I", node)
        yield from struct.iter_unpack(">2I", node[12 : 12 + 8 * count])
        if not forward:
            return
        number, node = forward, _block(data, table, forward)
