"""The log of XFS."""

from collections.abc import Sequence
from struct import pack_into

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.images.xfs import log_is_clean

_START = 8 * 4096  # where the log begins


def xfs(blocks: Sequence[bytes], start: int = 8) -> bytes:
    """A superblock and a log."""
    top = bytearray(_START)
    pack_into(">I", top, 4, 512)
    pack_into(">Q", top, 48, (1 << 4 | 0) if start else 0)  # the first block of the second group
    pack_into(">II", top, 84, _START // 512, 4)
    pack_into(">I", top, 96, len(blocks))
    top[124] = 4
    return bytes(top) + b"".join(blocks)


def record(cycle: int, *, unmount: bool = False, size: int = 1, buffer: int = 32768) -> list[bytes]:
    """A record of the log: its headers, and blocks that begin with the cycle as every block of a log does."""
    header = bytearray(512)
    header[:4] = b"\xfe\xed\xba\xbe"
    pack_into(">III", header, 4, cycle, 2, size * 512)
    pack_into(">I", header, 40, 1 if unmount else 5)
    pack_into(">I", header, 320, buffer)
    further = [cycle.to_bytes(4, "big").ljust(512, b"\0")] * (buffer // 32768 - 1)
    body = bytearray(cycle.to_bytes(4, "big").ljust(512, b"\0"))
    body[9] = 0x20 if unmount else 0
    return [bytes(header), *further, bytes(body), *[cycle.to_bytes(4, "big").ljust(512, b"\0")] * (size - 1)]


def clean(blocks: Sequence[bytes], start: int = 8) -> bool:
    data = xfs(blocks, start)
    return log_is_clean(lambda offset, size: data[offset : offset + size])


ZERO = [bytes(512)]
OLD = record(1)


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        (ZERO * 8, True),
        (record(1, unmount=True) + ZERO * 6, True),
        (record(1) + record(1, unmount=True) + ZERO * 6, True),
        (record(1, unmount=True) + record(1) + ZERO * 6, False),
        (record(1) + ZERO * 6, False),
        # the second round has begun
        (record(2, unmount=True) + OLD * 3, True),
        (record(2) + OLD * 2 + record(1, unmount=True), False),
        # the last record ends with the log, or goes on at its beginning
        (OLD * 3 + record(1, unmount=True), True),
        (record(2, unmount=True)[1:] + OLD * 3 + record(2, unmount=True)[:1], False),
        (record(2)[1:] + record(2, unmount=True) + OLD * 2 + record(1)[:1], True),
        # a record of several headers, and one that is padded
        (record(1, unmount=True, buffer=131072) + ZERO * 6, True),
        (record(1, unmount=True, size=4) + ZERO * 6, True),
        # something else was written behind it
        (record(1, unmount=True) + record(1)[1:] + ZERO * 6, False),
    ],
)
def test_an_unmount_is_the_last_record(blocks: list[bytes], expected: bool) -> None:
    assert clean(blocks) is expected


def test_a_log_on_another_device_is_not_known() -> None:
    assert not clean(record(1, unmount=True) + ZERO * 6, start=0)


@given(st.binary(max_size=2048))
def test_any_bytes(data: bytes) -> None:
    log_is_clean(lambda offset, size: data[offset : offset + size])
