"""What records of NTFS say that its library does not: reparse tags, and whether a volume was closed.

References:
    libfsntfs, "New Technologies File System (NTFS)" (MFT entry, fix-up values, $REPARSE_POINT, $VOLUME_INFORMATION);
    ntfs-3g, include/ntfs-3g/logfile.h (restart pages) and libntfs-3g/logfile.c (ntfs_is_logfile_clean)
"""

from collections.abc import Iterator

RESTART = 1 << 17  # bytes of `$LogFile` in which both restart pages lie, whatever the size of a page
_STRIDE = 512
_REPARSE_POINT = 0xC0
_VOLUME_INFORMATION = 0x70
_END = 0xFFFFFFFF
_DIRTY = 0x1
_CLEAN = 0x2
_NOBODY = 0xFFFF
_PAGES = (0, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536)  # where a restart page may begin


def reparse_tag(record: bytes) -> int:
    """The tag of a reparse point, by the record of the file; 0 if it is not there."""
    return next((_little(value[:4]) for value in _values(record, _REPARSE_POINT)), 0)


def is_marked_dirty(record: bytes) -> bool:
    """Whether the record of `$Volume` says that the volume must be checked; true also where it says nothing."""
    flags = next((value[10:12] for value in _values(record, _VOLUME_INFORMATION)), b"")
    return len(flags) < 2 or bool(_little(flags) & _DIRTY)


def log_is_clean(start: bytes) -> bool:
    """Whether the volume was dismounted, by the beginning of `$LogFile`.

    True also for a log that was emptied or left by `chkdsk`; false for one that cannot be understood.
    """
    if not start.strip(b"\xff"):
        return bool(start)
    newest, clean = -1, False
    for place in _PAGES:
        page = start[place : place + 512]
        if page[:4] == b"CHKD":
            return True
        area = page[_little(page[24:26]) :]
        if page[:4] == b"RSTR" and len(area) >= 16 and _little(area[:8]) > newest:
            newest = _little(area[:8])
            clean = _little(area[12:14]) == _NOBODY or bool(_little(area[14:16]) & _CLEAN)
    return clean


def _values(record: bytes, wanted: int) -> Iterator[bytes]:
    """The values of the attributes of a type that lie in a record."""
    data = _with_own_bytes(record)
    at = _little(data[20:22])
    while at + 24 <= len(data):
        kind, length = _little(data[at : at + 4]), _little(data[at + 4 : at + 8])
        if kind == _END or length < 24:
            return
        if kind == wanted and not data[at + 8]:
            start = at + _little(data[at + 20 : at + 22])
            yield data[start : start + _little(data[at + 16 : at + 20])]
        at += length


def _with_own_bytes(record: bytes) -> bytes:
    """A record with the last bytes of each of its sectors, which NTFS keeps elsewhere."""
    data = bytearray(record)
    fixes, count = _little(record[4:6]), _little(record[6:8])
    for index in range(1, min(count, len(data) // _STRIDE + 1)):
        own = data[fixes + 2 * index : fixes + 2 * index + 2]
        data[index * _STRIDE - 2 : index * _STRIDE] = own.ljust(2, b"\0")
    return bytes(data)


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
