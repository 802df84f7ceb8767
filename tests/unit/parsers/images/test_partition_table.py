"""Partition tables."""

import contextlib
from struct import pack
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.images.file_systems import FileSystem, file_system
from phaseout.parsers.images.partition_table import BrokenTableError, Table, partition_table

from tests.support.disk_writer import gpt, mbr

ONE, TWO = b"1" * 4096, b"2" * 8192


def read(data: bytes) -> Table | None:
    return partition_table(lambda offset, size: data[offset : offset + size], len(data))


def test_gpt() -> None:
    table = read(gpt([ONE, TWO], [UUID(int=7)]))
    assert table is not None
    assert [(one.number, one.size, one.id, one.name) for one in table.partitions] == [
        (1, 4096, str(UUID(int=7)), "part1"),
        (2, 8192, str(UUID(int=2)), "part2"),
    ]
    assert all(one.may_hold_software for one in table.partitions)


def test_mbr() -> None:
    table = read(mbr([ONE, TWO], 0x27, signature=0xAB))
    assert table is not None
    assert [(one.number, one.offset, one.size, one.id) for one in table.partitions] == [
        (1, 1 << 20, 4096, "000000ab-01"),
        (2, (1 << 20) + 4096, 8192, "000000ab-02"),
    ]
    assert not any(one.may_hold_software for one in table.partitions)
    assert table.signature == 0xAB


def test_logical_partitions_follow_each_other() -> None:
    """Each table counts its own partition from where it lies, and the next table from the first one."""
    data = bytearray(mbr([bytes(1 << 16)], 0x05))
    first = (1 << 20) // 512
    for at, next_at in ((0, 32), (32, 64), (64, 0)):
        table = (first + at) * 512
        data[table + 510 : table + 512] = b"\x55\xaa"
        data[table + 446 : table + 462] = bytes((0, 0, 0, 0, 0x83, 0, 0, 0)) + pack("<II", 8, 8)
        if next_at:
            data[table + 462 : table + 478] = bytes((0, 0, 0, 0, 5, 0, 0, 0)) + pack("<II", next_at, 32)
    found = read(bytes(data))
    assert found is not None
    places = [(5, (first + 8) * 512), (6, (first + 40) * 512), (7, (first + 72) * 512)]
    assert [(one.number, one.offset) for one in found.partitions] == places


def test_gpt_of_a_disk_with_sectors_of_4096_bytes() -> None:
    small = gpt([bytes(1 << 20)])
    data = bytearray(len(small) * 8)
    data[:512] = small[:512]
    data[4096:4608], data[8192 : 8192 + 128 * 128] = small[512:1024], small[1024 : 1024 + 128 * 128]
    found = read(bytes(data))
    assert found is not None
    assert [(one.offset, one.size) for one in found.partitions] == [(2048 * 4096, 2048 * 4096)]


def test_logical_partitions_that_lead_in_a_circle() -> None:
    data = bytearray(mbr([bytes(1 << 16)], 0x05))
    inside = 1 << 20
    data[inside + 510 : inside + 512] = b"\x55\xaa"
    data[inside + 462 + 4] = 5
    data[inside + 462 + 12] = 1
    try:
        read(bytes(data))
    except BrokenTableError as error:
        assert "leads back" in str(error)  # noqa: PT017
    else:
        raise AssertionError


def test_no_table() -> None:
    assert read(b"") is None
    assert read(bytes(4096)) is None
    assert read(b"x" * 4096) is None


def test_signatures() -> None:
    assert file_system(b"") == FileSystem("")
    assert file_system(bytes(4096)) == FileSystem("")
    assert file_system(b"x" * 4096) == FileSystem("unknown")
    assert file_system(b"\xeb\x52\x90NTFS    ".ljust(512, b"\1")).kind == "NTFS"
    assert file_system(b"hsqs").kind == "SquashFS"


@given(st.binary(max_size=4096), st.data())
def test_damage(noise: bytes, data: st.DataObject) -> None:
    file_system(noise)
    whole = bytearray(gpt([ONE]) if data.draw(st.booleans()) else mbr([ONE], 5))
    for _ in range(4):
        whole[data.draw(st.integers(0, 2048))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BrokenTableError):
        read(bytes(whole))
