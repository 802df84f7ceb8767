"""Applies the changes of a registry hive that Windows had written only to the logs beside it.

Since Windows 8.1 a log (`.LOG1`, `.LOG2`) is a series of entries with consecutive numbers; an entry holds pages of the
hive, and their hash. Both logs are used in turn. The changes applied are those that Windows itself would apply when it
loads the hive. The older format of logs is not read.

References:
    https://github.com/msuhanov/regf ("New format of transaction log files", "Multiple transaction log files");
    https://github.com/microsoft/SymCrypt (lib/marvin32.c).
"""

from collections.abc import Iterator
from struct import Struct

from phaseout.parsers.windows.regf import BASE, checksum

_NEW_FORMAT = 6
_SECTOR = 512  # of its own base block; the unit of the entries that follow
_MOST = 32 << 20  # bytes of entries of one log, and by which a hive grows; the hashes of 5 MiB take a second
_BASE_BLOCK = Struct("<4sII16xI")  # signature, numbers of the write begun and the write ended, type of the file
_ENTRY = Struct("<4sI4xIII8s8s")  # signature, size, number, size of the hive's bins, number of pages, two hashes
_PAGE = Struct("<II")  # place in the bins, size
_WORD = Struct("<I")
_SEED = 0x7A4E55C5, 0x82EF4D88

_Entry = tuple[int, list[tuple[int, bytes]]]  # size of the file, pages with their place in it


def recovered(data: bytes, logs: list[bytes]) -> tuple[bytes, bool]:
    """A hive file with the changes of its logs, and whether there were any and none is missing."""
    ended = _BASE_BLOCK.unpack_from(data)[2]
    fitting = sorted((first, log) for log in logs if (first := _first(log)) >= ended)
    if not fitting:
        return data, False
    hive, number, whole = bytearray(data), fitting[0][0], True
    for first, log in fitting:
        whole = first == number
        if not whole:
            break
        for entry in _entries(log, first, len(data) + _MOST):
            whole = entry is not None
            if entry is None:
                break
            size, pages = entry
            hive += bytes(max(0, size - len(hive)))
            for at, page in pages:
                hive[at : at + len(page)] = page
            number += 1
    return bytes(hive), whole


def _first(log: bytes) -> int:
    """The number of the first entry of a log; -1 if the data is no log."""
    if len(log) < _SECTOR + _ENTRY.size or log[508:_SECTOR] != checksum(log):
        return -1
    signature, begun, ended, kind = _BASE_BLOCK.unpack_from(log)
    return begun if (signature, begun, kind) == (b"regf", ended, _NEW_FORMAT) else -1


def _entries(log: bytes, number: int, largest: int) -> Iterator[_Entry | None]:
    """The entries of a log, up to remains of its earlier use; a broken entry is `None` and the last one."""
    at = _SECTOR
    while at + _ENTRY.size <= len(log):
        signature, size, own, bins, count, content_hash, head_hash = _ENTRY.unpack_from(log, at)
        if at > _SECTOR and (signature, own) != (b"HvLE", number):
            return
        end = at + size
        if (
            (signature, own) != (b"HvLE", number)
            or end > min(len(log), _MOST)
            or size % _SECTOR
            or _ENTRY.size + count * _PAGE.size > size
            or BASE + bins > largest
            or marvin32(log[at : at + 32]) != head_hash
            or marvin32(log[at + _ENTRY.size : end]) != content_hash
        ):
            yield None
            return
        start = at + _ENTRY.size + count * _PAGE.size
        pages = []
        for place, length in _PAGE.iter_unpack(log[at + _ENTRY.size : start]):
            if start + length > end or place + length > bins:
                yield None
                return
            pages.append((BASE + place, log[start : start + length]))
            start += length
        yield BASE + bins, pages
        at, number = end, number + 1


def marvin32(data: bytes) -> bytes:
    """The hash of an entry's bytes, whose number is a multiple of four."""
    low, high = _SEED
    for (word,) in _WORD.iter_unpack(data + b"\x80" + bytes(7)):
        low = (low + word) & 0xFFFFFFFF
        high ^= low
        low = ((low << 20 | low >> 12) + high) & 0xFFFFFFFF
        high = ((high << 9 | high >> 23) & 0xFFFFFFFF) ^ low
        low = ((low << 27 | low >> 5) + high) & 0xFFFFFFFF
        high = (high << 19 | high >> 13) & 0xFFFFFFFF
    return _WORD.pack(low) + _WORD.pack(high)
