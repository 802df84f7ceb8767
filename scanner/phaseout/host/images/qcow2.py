"""Disks in the format of QEMU, qcow2, with clusters that are compressed and files that it builds upon.

libqcow reads compressed clusters as zeros, without an error: software in them would go unseen.

References:
    https://www.qemu.org/docs/master/interop/qcow2.html
"""

import errno
import zlib
from collections import OrderedDict
from struct import unpack, unpack_from

from phaseout.host.images.stored import Stored
from phaseout.host.images.unpacking import zstd_content

MAGIC = b"QFI\xfb"
_OFFSET = 0x00FFFFFFFFFFFE00  # bits of an entry that say where
_COMPRESSED, _ZERO = 1 << 62, 1
_TABLES = 32  # of the second level, that are kept
_LARGEST_TABLE = 32 << 20  # bytes of the first level, as QEMU allows
_DATA_ELSEWHERE, _EXTENDED, _KNOWN = 1 << 2, 1 << 4, 0b1111
_BACKING_FORMAT = 0xE2792ACA
_HEADER = 1 << 16


class UnreadableError(OSError):
    """It is not read, and why."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EINVAL, why)


class Qcow2(Stored):
    """The disk in such a file.

    Args:
        stored: the file.

    Attributes:
        backing: the file that it builds upon, and its format if that is named; empty if there is none.
        below: the disk in that file, to be set before it is read.

    Raises:
        UnreadableError: it has a feature that is not read, or is damaged.
    """

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self.below: Stored | None = None
        self._tables: OrderedDict[int, bytes] = OrderedDict()
        head = stored.read(0, _HEADER)
        if len(head) < 72:
            raise UnreadableError("damaged: it ends within its header")
        version, place, length, bits, self.size, encrypted, entries, table = unpack_from(">IQIIQIIQ", head, 4)
        features, compression, end = 0, 0, 72
        if version == 3 and len(head) >= 105:
            features, end = unpack_from(">Q", head, 72)[0], unpack_from(">I", head, 100)[0]
            compression = head[104] if end > 104 else 0
        if version not in (2, 3) or features & ~_KNOWN or features & _DATA_ELSEWHERE or compression > 1:
            raise UnreadableError(f"version {version} of qcow, or a feature of it, that is not read")
        if encrypted:
            raise UnreadableError("encrypted")
        if not 9 <= bits <= 21 or entries * 8 > _LARGEST_TABLE or length > 1023 or place + length > len(head):
            raise UnreadableError("damaged: its header has impossible numbers")
        self._zstd = compression == 1
        self._bits = bits
        self._cluster = 1 << bits
        data = stored.read(table, entries * 8)
        if len(data) < entries * 8 or entries << (2 * bits - 3) < self.size:
            raise UnreadableError("damaged: its table of clusters is cut off")
        self._first = unpack(f">{entries}Q", data)
        name = head[place : place + length].decode("utf-8", "surrogateescape") if place else ""
        self.backing = name, _extension(head, end)

    def read(self, offset: int, size: int) -> bytes:
        """At most so many bytes."""
        end = min(offset + size, self.size)
        parts: list[bytes] = []
        while offset < end:
            within = offset & (self._cluster - 1)
            length = min(self._cluster - within, end - offset)
            parts.append(self._part(offset >> self._bits, within, length))
            offset += length
        return b"".join(parts)

    def _part(self, cluster: int, within: int, length: int) -> bytes:
        entry = self._entry(cluster)
        if entry & _COMPRESSED:
            return self._unpacked(entry)[within : within + length].ljust(length, b"\0")
        place = entry & _OFFSET
        if entry & _ZERO or not place:
            data = b""
            if self.below is not None and not entry & _ZERO:
                data = self.below.read((cluster << self._bits) + within, length)
            return data.ljust(length, b"\0")
        data = self._stored.read(place + within, length)
        if len(data) < length:
            raise UnreadableError("the image is cut off: it ends before a part of its disk")
        return data

    def _entry(self, cluster: int) -> int:
        """The entry of the second level for a cluster."""
        index, within = divmod(cluster, self._cluster // 8)
        place = self._first[index] & _OFFSET
        if not place:
            return 0
        table = self._tables.pop(place, None)
        if table is None:
            table = self._stored.read(place, self._cluster)
            if len(table) < self._cluster:
                raise UnreadableError("the image is cut off: it ends before a table of its clusters")
            if len(self._tables) >= _TABLES:
                self._tables.popitem(last=False)
        self._tables[place] = table
        entry: int = unpack_from(">Q", table, within * 8)[0]
        return entry

    def _unpacked(self, entry: int) -> bytes:
        split = 62 - (self._bits - 8)
        place = entry & ((1 << split) - 1)
        sectors = (entry & (_COMPRESSED - 1)) >> split
        data = self._stored.read(place, (sectors + 1) * 512 - (place & 511))
        try:
            if self._zstd:
                return zstd_content(data, self._cluster)
            return zlib.decompressobj(-12).decompress(data, self._cluster)
        except zlib.error as error:
            raise UnreadableError(f"damaged: a compressed part of its disk: {error}") from error


def _extension(head: bytes, at: int) -> str:
    """The format of the file that it builds upon; empty where that is not named."""
    while at + 8 <= len(head):
        kind, length = unpack_from(">II", head, at)
        if kind == _BACKING_FORMAT:
            return head[at + 8 : at + 8 + length].decode("ascii", "replace")
        if not kind:
            break
        at += 8 + -(-length // 8) * 8
    return ""
