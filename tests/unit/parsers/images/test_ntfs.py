"""Records and the log of NTFS."""

from struct import pack_into

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.images.ntfs import is_marked_dirty, log_is_clean, reparse_tag

from tests.support.disk_writer import restart_page


def record(kind: int, value: bytes) -> bytes:
    """A record with one attribute, which the last two bytes of the first sector belong to."""
    data = bytearray(1024)
    data[:4] = b"FILE"
    pack_into("<HH", data, 4, 48, 3)
    pack_into("<H", data, 20, 56)
    pack_into("<IIB", data, 56, kind, 1024 - 64, 0)
    pack_into("<IH", data, 72, len(value), 24)
    data[80 : 80 + len(value)] = value
    pack_into("<I", data, 1016, 0xFFFFFFFF)
    for number in (1, 2):
        at = number * 512 - 2
        data[48 + 2 * number : 50 + 2 * number] = data[at : at + 2]
        data[at : at + 2] = data[48:50]
    return bytes(data)


def test_reparse_tag() -> None:
    assert reparse_tag(record(0xC0, (0xA000000C).to_bytes(4, "little") + bytes(8))) == 0xA000000C
    assert reparse_tag(record(0x80, b"else")) == 0
    assert reparse_tag(b"") == 0


@pytest.mark.parametrize(("flags", "dirty"), [(0, False), (1, True), (0x4000, False), (0x8001, True)])
def test_the_mark_of_a_volume(flags: int, dirty: bool) -> None:
    assert is_marked_dirty(record(0x70, bytes(8) + b"\3\1" + flags.to_bytes(2, "little"))) is dirty


def test_a_volume_that_says_nothing_is_dirty() -> None:
    assert is_marked_dirty(record(0x80, b""))
    assert is_marked_dirty(b"")


EMPTY = b"\xff" * 4096


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (EMPTY * 2, True),
        (restart_page(lsn=7, client=0xFFFF, flags=0) * 2, True),
        (restart_page(lsn=7, client=0, flags=2) * 2, True),
        (restart_page(lsn=7, client=0, flags=0) * 2, False),
        (restart_page(lsn=7, client=0xFFFF, flags=0) + restart_page(lsn=8, client=0, flags=0), False),
        (restart_page(lsn=9, client=0xFFFF, flags=0) + restart_page(lsn=8, client=0, flags=0), True),
        (EMPTY + restart_page(lsn=8, client=0, flags=0), False),
        (b"CHKD".ljust(4096, b"\0") * 2, True),
        (bytes(8192), False),
        (b"", False),
    ],
)
def test_the_newest_restart_page_counts(log: bytes, expected: bool) -> None:
    assert log_is_clean(log) is expected


@given(st.binary(max_size=2048))
def test_any_bytes(data: bytes) -> None:
    for function in (reparse_tag, is_marked_dirty, log_is_clean):
        function(data)
        function(b"RSTR" + data)
