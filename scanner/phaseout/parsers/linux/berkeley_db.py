"""Records of a Berkeley DB hash file whose keys are integers, as rpm's `Packages` was until 2020.

The pages are read one after the other, not bucket by bucket: no chain of a damaged file can lead in circles or away
from what is there. Both byte orders are read.

References:
    https://github.com/berkeleydb/libdb/blob/master/src/dbinc/db_page.h (DBMETA, PAGE, HKEYDATA, HOFFPAGE)
"""

from collections.abc import Iterator
from struct import Struct, unpack_from

_MAGIC = 0x00061561
_HASH_PAGES = (2, 13)  # unsorted, as before 4.6, and sorted
_OVERFLOW_PAGE = 7
_PAGE_HEADER = 26
_META = 512


def records(data: bytes) -> Iterator[tuple[int | None, bytes | str]]:
    """Every record with its number; what is damaged as a text that says so.

    The number is `None` where the damage is the file's and not a record's, and 0 where the record does not tell it.
    The real record 0 is where rpm counts, and is not given.
    """
    if len(data) < _META:
        yield None, "no Berkeley DB hash file"
        return
    order = "<" if int.from_bytes(data[12:16], "little") == _MAGIC else ">"
    magic, _, size = unpack_from(order + "III", data, 12)
    if magic != _MAGIC:
        yield None, "no Berkeley DB hash file"
        return
    if data[24]:
        yield None, "encrypted"
        return
    if not 512 <= size <= 65536 or size & (size - 1):
        yield None, f"impossible page size {size}"
        return
    pages = len(data) // size
    (last,) = unpack_from(order + "I", data, 32)
    if last >= pages:
        yield None, f"cut off after {pages} of {last + 1} pages"
    overflow = _Overflow(data, order, size, pages)
    kinds = data[25 : pages * size : size]
    for page in [page for page, kind in enumerate(kinds) if kind in _HASH_PAGES]:
        yield from _pairs(data, order, size, page, overflow)


def _pairs(
    data: bytes, order: str, size: int, page: int, overflow: "_Overflow"
) -> Iterator[tuple[int | None, bytes | str]]:
    """The records of one page. Its items lie one before the other from its end on: key, value, and so on."""
    base = page * size
    own, count = unpack_from(order + "I8xH", data, base + 8)
    if own != page or count > (size - _PAGE_HEADER) // 2:
        yield 0, f"page {page} is damaged"
        return
    floor = _PAGE_HEADER + 2 * count
    end = size
    starts = unpack_from(f"{order}{count}H", data, base + _PAGE_HEADER)
    for at_key, at_value in zip(starts[::2], starts[1::2], strict=False):
        if not floor <= at_value < at_key < end:
            yield 0, f"page {page} is damaged"
            return
        key = data[base + at_key + 1 : base + end]
        value = data[base + at_value : base + at_key]
        end = at_value
        if data[base + at_key] != 1 or len(key) != 4:
            yield 0, f"a record of page {page} has no number for a key"
            continue
        (number,) = unpack_from(order + "I", key)
        if not number:
            continue
        if value[0] == 1:
            yield number, value[1:]
        elif value[0] == 3 and len(value) == 12:
            yield number, overflow.read(*unpack_from(order + "II", value, 4))
        else:
            yield number, f"neither on page {page} nor on pages of its own"


class _Overflow:
    """Values too long for a page lie on a chain of their own pages. Every page is read at most once."""

    def __init__(self, data: bytes, order: str, size: int, pages: int) -> None:
        self._data = data
        self._size = size
        self._pages = pages
        self._links = Struct(order + "I2xH")  # next page, bytes on this one
        self._used = bytearray(pages)

    def read(self, page: int, length: int) -> bytes | str:
        parts: list[bytes] = []
        left = length
        while left:
            base = page * self._size
            if not 0 < page < self._pages or self._used[page] or self._data[base + 25] != _OVERFLOW_PAGE:
                return f"broken off after {length - left} of {length} bytes"
            self._used[page] = 1
            page, here = self._links.unpack_from(self._data, base + 16)
            if not 0 < here <= min(left, self._size - _PAGE_HEADER):
                return f"broken off after {length - left} of {length} bytes"
            parts.append(self._data[base + _PAGE_HEADER : base + _PAGE_HEADER + here])
            left -= here
        return b"".join(parts)
