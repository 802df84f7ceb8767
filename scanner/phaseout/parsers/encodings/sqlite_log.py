"""What an SQLite database has only in the log beside it: pages that were committed and not yet written back.

References:
    https://www.sqlite.org/fileformat2.html#walformat, https://www.sqlite.org/fileformat2.html#the_rollback_journal
"""

from struct import unpack_from

_WAL = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_HEAD, _FRAME = 32, 24  # bytes
JOURNAL = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"  # begins a rollback journal that is in use


def committed(log: bytes) -> tuple[int, dict[int, int], int]:
    """What a write-ahead log holds: no pages where nothing was committed.

    Returns the size of a page, for each page where its newest committed content begins, and how many pages the database
    then has. The checksums are not checked: what a torn log holds is better read than overlooked.
    """
    size = int.from_bytes(log[8:12], "big")
    found: dict[int, int] = {}
    if log[:4] not in _WAL or not 512 <= size <= 65536 or size & (size - 1):
        return 0, found, 0
    pending: dict[int, int] = {}
    pages = 0
    for at in range(_HEAD, len(log) - _FRAME - size + 1, _FRAME + size):
        page, commit = unpack_from(">II", log, at)
        if log[at + 8 : at + 16] != log[16:24]:  # salts: from here on it is what an earlier use has left
            break
        pending[page] = at + _FRAME
        if commit:
            found |= pending
            pending.clear()
            pages = commit
    return size, {page: at for page, at in found.items() if 0 < page <= pages}, pages


def with_log(data: bytes, log: bytes, limit: int) -> bytes:
    """The database as it is with the pages of its write-ahead log.

    Raises:
        ValueError: the log is of another database, or the two are larger than `limit` bytes.
    """
    size, pages, count = committed(log)
    if not pages:
        return data
    own = int.from_bytes(data[16:18], "big") or size
    if own != (1 if size == 65536 else size):
        raise ValueError(f"its log has pages of {size} bytes, and it has not")
    if count * size > limit:
        raise ValueError(f"larger than {limit} bytes with its log")
    found = bytearray(data[: count * size].ljust(count * size, b"\0"))
    for page, at in pages.items():
        found[(page - 1) * size : page * size] = log[at : at + size]
    return bytes(found)


def is_behind(log: bytes) -> bool:
    """Whether a log holds pages that may be newer than those of its database."""
    return bool(committed(log)[1])
