"""rpm's NDB: slots, records, and what damage costs."""

import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phaseout.parsers.linux.rpm_ndb import records

from tests.support.places import CORPORA

REAL = CORPORA / "osquery/rpm/rpm-ndb/Packages.db"


def written(blobs: dict[int, bytes]) -> bytes:
    """A database with one page of slots."""
    slots = b""
    content = b""
    for number, blob in blobs.items():
        blocks = -(-(16 + len(blob) + 12) // 16)
        slots += struct.pack("<4sIII", b"Slot", number, (4096 + len(content)) // 16, blocks)
        padding = bytes(blocks * 16 - 28 - len(blob))
        content += struct.pack("<4sIII", b"BlbS", number, 1, len(blob)) + blob + padding
        content += struct.pack("<II4s", 0, len(blob), b"BlbE")
    slots += struct.pack("<4sIII", b"Slot", 0, 0, 0) * (254 - len(blobs))
    return struct.pack("<4sIIIIIII", b"RpmP", 0, 1, 1, len(blobs) + 1, 0, 0, 0) + slots + content


@given(st.dictionaries(st.integers(1, 1 << 31), st.binary(max_size=80), max_size=5))
@settings(max_examples=50)
def test_what_was_written_is_read(blobs: dict[int, bytes]) -> None:
    assert dict(records(written(blobs))) == blobs


def test_each_damage_costs_one_record() -> None:
    data = bytearray(written({1: b"one" * 9, 2: b"two", 3: b"three", 4: b"four", 5: b"five", 6: b"six"}))
    slot = [32 + 16 * number for number in range(6)]
    block = [struct.unpack_from("<I", data, at + 8)[0] for at in slot]
    struct.pack_into("<I", data, slot[1] + 8, block[0] + 1)  # into the first record
    struct.pack_into("<I", data, slot[2] + 12, 1 << 31)  # beyond the end
    data[block[3] * 16] = 0
    struct.pack_into("<I", data, block[4] * 16 + 12, 1 << 30)
    assert dict(records(bytes(data))) == {
        1: b"one" * 9,
        2: "overlaps with another record",
        3: "lies behind the end of the file",
        4: "is not where the list of records says",
        5: "is longer than its blocks",
        6: b"six",
    }


def test_damaged_slots_are_counted() -> None:
    data = bytearray(written({1: b"one"}))
    data[64:68] = data[80:84] = b"\0\0\0\0"
    assert list(records(bytes(data))) == [(None, "2 damaged entries in the list of records"), (1, b"one")]


def test_cut_off_list_is_said() -> None:
    found = list(records(written({1: b"one"})[:100]))
    assert found == [
        (None, "cut off after 100 bytes, within the list of records"),
        (1, "lies behind the end of the file"),
    ]


def test_other_files_are_none() -> None:
    assert list(records(b"bogus")) == [(None, "no rpm database of the format NDB")]
    assert list(records(b"RpmP\1" + bytes(40))) == [(None, "version 1 of the format NDB is not known")]


@given(st.binary(max_size=300), st.integers(0, 1 << 32))
@example(b"Slot" * 80, 1)
def test_arbitrary_bytes_never_raise(content: bytes, pages: int) -> None:
    list(records(content))
    list(records(b"RpmP" + bytes(8) + (pages % (1 << 32)).to_bytes(4, "little") + bytes(16) + content))


@pytest.mark.skipif(not REAL.is_file(), reason=f"the real database is not here: {REAL}")
@given(st.dictionaries(st.integers(0, 5000), st.integers(0, 255), max_size=20), st.integers(0, 470832))
@settings(max_examples=50)
def test_damage_of_a_real_database_never_raises(changes: dict[int, int], length: int) -> None:
    data = bytearray(REAL.read_bytes())
    for at, value in changes.items():
        data[at] = value
    assert len(list(records(bytes(data)))) <= 256 + 2
    list(records(bytes(data[:length])))
