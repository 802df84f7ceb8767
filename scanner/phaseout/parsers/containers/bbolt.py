"""bbolt, the database in one file that containerd keeps: buckets within buckets, and values under keys.

References:
    https://github.com/etcd-io/bbolt: internal/common/page.go, meta.go, bucket.go, inode.go, and db.go (which of the two
    meta pages counts)
"""

import struct
from collections.abc import Iterator

_HEADER = struct.Struct("<QHHI")  # id, flags, count, overflow
_META = struct.Struct("<IIIIQQQQQQ")
_LEAF = struct.Struct("<IIII")  # flags, position, size of the key, size of the value
_BRANCH = struct.Struct("<IIQ")  # position, size of the key, page
_BUCKET = struct.Struct("<QQ")  # root page, sequence
_IS_BRANCH, _IS_LEAF, _IS_META = 1, 2, 4
_MAGIC, _VERSION = 0xED0CDAED, 2
_DEPTH = 32  # of pages in one bucket
_SMALLEST, _LARGEST = 512, 1 << 20  # bytes of a page
_PAGES = 1_000_000  # visits, so that a damaged file ends


class Database:
    """A database, as the last finished transaction left it.

    Args:
        data: the file, which its daemon may be writing: a page that does not fit is an error of that place alone.

    Attributes:
        root: the outermost bucket.

    Raises:
        ValueError: it is no such database.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._visits = 0
        found = [meta for meta in (self._meta(0), *(self._meta(size) for size in self._sizes())) if meta is not None]
        if not found:
            raise ValueError("no bbolt database: no meta page is whole")
        _, self._size, page = max(found)
        self.root = Bucket(self, page, b"")

    def _sizes(self) -> Iterator[int]:
        size = _SMALLEST
        while size <= _LARGEST:
            yield size
            size *= 2

    def _meta(self, at: int) -> tuple[int, int, int] | None:
        """Transaction, page size and root page of a meta page; `None` if there is no whole one."""
        start = at + _HEADER.size
        if len(self._data) < start + _META.size or not _HEADER.unpack_from(self._data, at)[1] & _IS_META:
            return None
        magic, version, size, _, root, _, _, _, transaction, checksum = _META.unpack_from(self._data, start)
        if (magic, version) != (_MAGIC, _VERSION) or not _SMALLEST <= size <= _LARGEST:
            return None
        if checksum != _fnv(self._data[start : start + _META.size - 8]):
            return None
        return transaction, size, root

    def page(self, number: int) -> bytes:
        """A page with those that it overflows into.

        Raises:
            ValueError: it is not there, or says that it is another one.
        """
        self._visits += 1
        at = number * self._size
        if self._visits > _PAGES or at + _HEADER.size > len(self._data):
            raise ValueError(f"page {number} is not there, or pages run in a circle")
        found, _, _, overflow = _HEADER.unpack_from(self._data, at)
        end = at + (overflow + 1) * self._size
        if found != number or end > len(self._data):
            raise ValueError(f"page {number} is damaged")
        return self._data[at:end]


class Bucket:
    """Keys with their values, and further buckets."""

    def __init__(self, database: Database, page: int, inline: bytes) -> None:
        self._database = database
        self._page = page
        self._inline = inline

    def items(self) -> "Iterator[tuple[str, bytes | Bucket]]":
        """Each key with its value or bucket, in the order of the keys.

        Raises:
            ValueError: a page of it is damaged; what came before was right.
        """
        yield from self._elements(self._inline if self._page == 0 else self._database.page(self._page), _DEPTH)

    def buckets(self) -> "Iterator[tuple[str, Bucket]]":
        """Each bucket in it.

        Raises:
            ValueError: as for `items`.
        """
        for name, value in self.items():
            if isinstance(value, Bucket):
                yield name, value

    def values(self) -> dict[str, bytes]:
        """Its values by their keys, without the buckets.

        Raises:
            ValueError: as for `items`.
        """
        return {name: value for name, value in self.items() if isinstance(value, bytes)}

    def bucket(self, *names: str) -> "Bucket | None":
        """The bucket at the end of a path of names.

        Raises:
            ValueError: as for `items`.
        """
        found: Bucket | None = self
        for name in names:
            found = next((one for key, one in found.buckets() if key == name), None) if found is not None else None
        return found

    def _elements(self, page: bytes, depth: int) -> "Iterator[tuple[str, bytes | Bucket]]":
        if len(page) < _HEADER.size or not depth:
            raise ValueError("a page is too short, or too deep")
        _, flags, count, _ = _HEADER.unpack_from(page)
        if flags & _IS_BRANCH:
            for number in range(count):
                _, _, below = self._element(_BRANCH, page, number)
                yield from self._elements(self._database.page(below), depth - 1)
        elif flags & _IS_LEAF:
            for number in range(count):
                kind, position, key_size, size = self._element(_LEAF, page, number)
                start = _HEADER.size + number * _LEAF.size + position
                if start + key_size + size > len(page):
                    raise ValueError("an element lies outside of its page")
                key = page[start : start + key_size].decode("utf-8", "backslashreplace")
                value = page[start + key_size : start + key_size + size]
                yield key, self._inner(value) if kind & 1 else value
        else:
            raise ValueError(f"a page of an unknown kind: {flags}")

    def _inner(self, value: bytes) -> "Bucket":
        if len(value) < _BUCKET.size:
            raise ValueError("a bucket is too short")
        return Bucket(self._database, _BUCKET.unpack_from(value)[0], value[_BUCKET.size :])

    @staticmethod
    def _element(layout: struct.Struct, page: bytes, number: int) -> tuple[int, ...]:
        at = _HEADER.size + number * layout.size
        if at + layout.size > len(page):
            raise ValueError("a page has fewer elements than it says")
        return layout.unpack_from(page, at)


def _fnv(data: bytes) -> int:
    """FNV-1a of 64 bits."""
    found = 0xCBF29CE484222325
    for byte in data:
        found = (found ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return found
