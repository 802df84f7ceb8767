"""Partitions of a disk: GPT, and MBR with logical ones.

References:
    UEFI Specification, section 5 (GUID Partition Table); https://wiki.osdev.org/MBR_(x86), …/Partition_Table (extended
    partitions); https://uapi-group.org/specifications/specs/discoverable_partitions_specification/;
    Microsoft, "PARTITION_INFORMATION_GPT" (types)
"""

import zlib
from collections.abc import Callable, Iterator
from struct import unpack_from
from typing import NamedTuple
from uuid import UUID

Read = Callable[[int, int], bytes]

_SECTORS = (512, 4096)
_MOST = 1024  # partitions
_ENTRY = 4096  # bytes of an entry
_EXTENDED = frozenset((0x05, 0x0F, 0x85))
_PROTECTIVE = 0xEE
# Partitions in which no system keeps software: of the firmware, of boot loaders, of recovery, and memory that was
# swapped out.
_WITHOUT_SOFTWARE = frozenset(
    (
        "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",  # EFI system
        "21686148-6449-6e6f-744e-656564454649",  # BIOS boot
        "e3c9e316-0b5c-4db8-817d-f92df00215ae",  # Microsoft reserved
        "de94bba4-06d1-4d40-a16a-bfd50179d6ac",  # Windows recovery
        "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f",  # Linux swap
        "bc13c2ff-59e6-4262-a352-b275fd6f7172",  # Linux extended boot
        *("ef", "27", "82"),  # the same in MBR: EFI system, Windows recovery, Linux swap
    )
)


class BrokenTableError(ValueError):
    """The table cannot be read; the text says why."""


class Partition(NamedTuple):
    """A partition.

    Attributes:
        number: as Linux counts: from 1 on, logical ones from 5 on.
        offset: where it begins, in bytes.
        size: in bytes.
        id: its GUID, or signature of the disk and number, as in `PARTUUID` of Linux.
        name: that GPT gives to it.
        may_hold_software: whether its type is one that systems keep software in.
    """

    number: int
    offset: int
    size: int
    id: str
    name: str = ""
    may_hold_software: bool = True


class Table(NamedTuple):
    """The partitions of a disk.

    Attributes:
        partitions: in the order of their numbers.
        signature: of an MBR disk; 0 for GPT.
        damage: what is wrong with the table, though the partitions could be read; empty if nothing is.
    """

    partitions: tuple[Partition, ...]
    signature: int = 0
    damage: str = ""


def partition_table(read: Read, size: int) -> Table | None:
    """The partitions of a disk; `None` if it has no table.

    Args:
        read: gives at most so many bytes (second) from an offset (first) on.
        size: bytes of the disk.

    Raises:
        BrokenTableError: there is a table, and it cannot be read.
    """
    boot = read(0, 512)
    if len(boot) < 512 or boot[510:] != b"\x55\xaa":
        return _gpt(read, size) if any(read(sector, 8) == b"EFI PART" for sector in _SECTORS) else None
    entries = [_mbr_entry(boot, place) for place in range(446, 510, 16)]
    if any(kind == _PROTECTIVE for kind, _, _ in entries):
        return _gpt(read, size)
    if any(status not in (0, 0x80) for status in boot[446:510:16]) or not any(kind for kind, _, _ in entries):
        return None
    signature: int = unpack_from("<I", boot, 440)[0]
    return Table(tuple(_mbr(read, size, entries, signature)), signature)


def _mbr_entry(sector: bytes, place: int) -> tuple[int, int, int]:
    start, count = unpack_from("<II", sector, place + 8)
    return sector[place + 4], start, count


def _mbr(read: Read, size: int, entries: list[tuple[int, int, int]], signature: int) -> Iterator[Partition]:
    for number, (kind, start, count) in enumerate(entries, 1):
        if kind in _EXTENDED:
            yield from _logical(read, size, start, signature)
        elif kind and count:
            yield _of_mbr(number, kind, start, count, signature)


def _logical(read: Read, size: int, first: int, signature: int) -> Iterator[Partition]:
    """The partitions in an extended one: each has a table of its own, which leads to the next."""
    at, seen, number = first, set[int](), 5
    while at not in seen:
        seen.add(at)
        sector = read(at * 512, 512) if at * 512 < size else b""
        if len(sector) < 512 or sector[510:] != b"\x55\xaa" or len(seen) > _MOST:
            raise BrokenTableError(f"the table of logical partitions is damaged at sector {at}")
        kind, start, count = _mbr_entry(sector, 446)
        if kind and count:
            yield _of_mbr(number, kind, at + start, count, signature)
            number += 1
        kind, start, count = _mbr_entry(sector, 462)
        if kind not in _EXTENDED or not count:
            return
        at = first + start
    raise BrokenTableError(f"the table of logical partitions leads back to sector {at}")


def _of_mbr(number: int, kind: int, start: int, count: int, signature: int) -> Partition:
    own_id = f"{signature:08x}-{number:02x}"
    return Partition(number, start * 512, count * 512, own_id, "", f"{kind:02x}" not in _WITHOUT_SOFTWARE)


def _gpt(read: Read, size: int) -> Table:
    """The table at the beginning, or where that is damaged, its copy at the end."""
    why = "no table of GPT where the first sector promises one"
    for at_end in (False, True):
        for sector in _SECTORS:
            place = size // sector * sector - sector if at_end else sector
            header = read(place, 92) if place > 0 else b""
            if header[:8] != b"EFI PART" or len(header) < 92:
                continue
            length: int = unpack_from("<I", header, 12)[0]
            whole = read(place, min(length, sector))
            summed = zlib.crc32(whole[:16] + bytes(4) + whole[20:])
            first, count, each, stated = unpack_from("<QIII", header, 72)
            if not 92 <= length <= sector or summed != unpack_from("<I", header, 16)[0]:
                why = "the header of GPT is damaged"
            elif not 128 <= each <= _ENTRY or count > _MOST:
                why = f"a table of GPT with {count} entries of {each} bytes"
            else:
                entries = read(first * sector, count * each) if first * sector < size else b""
                if len(entries) == count * each and zlib.crc32(entries) == stated:
                    damage = "the table of GPT is damaged, and was read from its copy" if at_end else ""
                    return Table(tuple(_of_gpt(entries, each, sector)), 0, damage)
                why = "the entries of GPT are damaged"
    raise BrokenTableError(why)


def _of_gpt(entries: bytes, each: int, sector: int) -> Iterator[Partition]:
    for number, place in enumerate(range(0, len(entries), each), 1):
        kind, own_id = (str(UUID(bytes_le=entries[at : at + 16])) for at in (place, place + 16))
        first, last = unpack_from("<QQ", entries, place + 32)
        if not any(entries[place : place + 16]) or last < first:
            continue
        name = entries[place + 56 : place + 128].decode("utf-16-le", "replace").partition("\0")[0]
        size = (last - first + 1) * sector
        yield Partition(number, first * sector, size, own_id, name, kind not in _WITHOUT_SOFTWARE)
