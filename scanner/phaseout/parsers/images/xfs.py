"""Whether the log of an XFS ends with the record of an unmount, so that nothing is only in it.

References:
    "XFS Algorithms & Data Structures" (superblocks; journaling log); Linux, fs/xfs/xfs_log_recover.c (xlog_find_head,
    xlog_check_unmount_rec) and fs/xfs/libxfs/xfs_log_format.h
"""

from collections.abc import Callable
from struct import unpack_from

Read = Callable[[int, int], bytes]
_BLOCK = 512  # bytes in which the log counts
_MAGIC = b"\xfe\xed\xba\xbe"
_CYCLES = 32 << 10  # bytes of a record whose cycles one header holds
_AT_ONCE = 128  # blocks that are read together
_LONGEST = 8192  # blocks in which the last record must begin: the buffers of the log take 2 MiB
_UNMOUNT = 0x20


def log_is_clean(read: Read) -> bool:
    """Whether the file system was unmounted; false also for a log on another device or one that cannot be understood.

    Args:
        read: gives at most so many bytes (second) from an offset (first) on.
    """
    top = read(0, _BLOCK)
    if len(top) < _BLOCK:
        return False
    size, group_blocks, count = (unpack_from(">I", top, at)[0] for at in (4, 84, 96))
    start = unpack_from(">Q", top, 48)[0]
    group, within = start >> top[124], start & ((1 << top[124]) - 1)
    length = count * size // _BLOCK
    if not start or not length:
        return False
    log = _Log(read, (group * group_blocks + within) * size, length)
    if not log.cycle(0):
        return True  # nothing was ever written to it
    head = log.head()
    at = log.last_record(head)
    if at is None:
        return False
    record = log.block(at)
    version, written = unpack_from(">II", record, 8)
    operations, buffer = unpack_from(">I", record, 40)[0], unpack_from(">I", record, 320)[0]
    headers = max(1, -(-buffer // _CYCLES)) if version & 2 else 1
    end = at + headers + -(-written // _BLOCK)
    operation = log.block((at + headers) % length)
    return operations == 1 and end % length == head % length and bool(operation[9] & _UNMOUNT)


class _Log:
    """The blocks of a log, which is written round and round: each begins with the number of its round."""

    def __init__(self, read: Read, offset: int, length: int) -> None:
        self._read = read
        self._offset = offset
        self._length = length

    def block(self, number: int) -> bytes:
        return self._blocks(number, 1)

    def cycle(self, number: int) -> int:
        data = self.block(number)
        return int.from_bytes(data[4:8] if data[:4] == _MAGIC else data[:4], "big")

    def head(self) -> int:
        """The block that will be written next: the first one that is not of the newest round."""
        first, low, high = self.cycle(0), 0, self._length - 1
        if self.cycle(high) == first:
            return 0
        while high - low > 1:
            middle = (low + high) // 2
            if self.cycle(middle) == first:
                low = middle
            else:
                high = middle
        return high

    def last_record(self, head: int) -> int | None:
        """Where the record before a block begins."""
        end = head or self._length
        left = min(_LONGEST, self._length)
        while left > 0:
            count = min(_AT_ONCE, left, end)
            data = self._blocks(end - count, count)
            for number in reversed(range(count)):
                if data[number * _BLOCK : number * _BLOCK + 4] == _MAGIC:
                    return end - count + number
            left -= count
            end = end - count or self._length
        return None

    def _blocks(self, number: int, count: int) -> bytes:
        return self._read(self._offset + number * _BLOCK, count * _BLOCK).ljust(count * _BLOCK, b"\0")
