"""Records of rpm's own database format NDB (`Packages.db`), as SUSE uses it.

A file is a list of slots, each saying in which blocks of 16 bytes a record lies, and the records. All numbers are
little-endian.

References:
    https://github.com/rpm-software-management/rpm/blob/master/lib/backend/ndb/rpmpkg.c
"""

from collections.abc import Iterator
from struct import Struct

from phaseout.model.counting import counted

_FILE = Struct("<4sIIIII8x")  # magic, version, generation, pages of slots, next number, reserved
_SLOT = Struct("<4sIII")  # magic, number of the record, first block, blocks
_HEAD = Struct("<4sIII")  # magic, number of the record, time, bytes
_TAIL = 12  # checksum, bytes, magic
_BLOCK = 16
_PAGE = 4096


def records(data: bytes) -> Iterator[tuple[int | None, bytes | str]]:
    """Every record with its number; what is damaged as a text that says so.

    The number is `None` where the damage is the file's and not a record's.
    """
    if len(data) < _FILE.size or data[:4] != b"RpmP":
        yield None, "no rpm database of the format NDB"
        return
    _, version, _, pages, _, _ = _FILE.unpack_from(data)
    if version:
        yield None, f"version {version} of the format NDB is not known"
        return
    if pages * _PAGE > len(data):
        yield None, f"cut off after {len(data)} bytes, within the list of records"
    end = min(pages * _PAGE, len(data) - len(data) % _SLOT.size)
    slots: list[tuple[int, int, int]] = []
    lost = 0
    for magic, number, block, blocks in _SLOT.iter_unpack(data[_FILE.size : end]):
        if magic != b"Slot":
            lost += 1
        elif block:
            slots.append((block, blocks, number))
    if lost:
        yield None, f"{counted(lost, 'damaged entry', 'damaged entries')} in the list of records"
    slots.sort()
    free = pages * _PAGE  # records do not overlap: that also bounds what a hostile list can make us read
    for block, blocks, number in slots:
        start = block * _BLOCK
        stop = start + blocks * _BLOCK
        if stop > len(data):
            yield number, "lies behind the end of the file"
            continue
        if start < free or stop - start < _HEAD.size + _TAIL:
            yield number, "overlaps with another record"
            continue
        magic, own, _, size = _HEAD.unpack_from(data, start)
        if magic != b"BlbS" or data[stop - 4 : stop] != b"BlbE" or own != number:
            yield number, "is not where the list of records says"
            continue
        if size > stop - start - _HEAD.size - _TAIL:
            yield number, "is longer than its blocks"
            continue
        free = stop
        yield number, data[start + _HEAD.size : start + _HEAD.size + size]
