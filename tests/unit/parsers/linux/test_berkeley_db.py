"""Berkeley DB hash files: pages, overflow chains, both byte orders, and what damage costs."""

import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phaseout.parsers.linux.berkeley_db import records

from tests.support.places import CORPORA

REAL = CORPORA / "osquery/rpm/rpm-bdb/Packages"
SIZE = 512
ROOM = SIZE - 26


def written(values: dict[int, bytes], order: str = "<") -> bytes:
    """A hash file of one bucket, with rpm's counter as record 0 and values over 100 bytes on pages of their own."""
    pages = [b""]
    buckets: list[list[tuple[bytes, bytes]]] = [[]]
    for number, value in {0: struct.pack(order + "I", len(values)), **values}.items():
        item = b"\1" + value
        if len(value) > 100:
            first = len(pages)
            item = struct.pack(order + "B3xII", 3, first, len(value))
            parts = [value[at : at + ROOM] for at in range(0, len(value), ROOM)]
            for index, part in enumerate(parts, 1):
                following = first + index if index < len(parts) else 0
                head = struct.pack(order + "8xIIIHHBB", len(pages), 0, following, 1, len(part), 0, 7)
                pages.append((head + part).ljust(SIZE, b"\0"))
        if len(buckets[-1]) == 4:
            buckets.append([])
        buckets[-1].append((b"\1" + struct.pack(order + "I", number), item))
    first = len(pages)
    for index, bucket in enumerate(buckets):
        items = [item for pair in bucket for item in pair]
        starts = [SIZE - sum(map(len, items[: end + 1])) for end in range(len(items))]
        following = len(pages) + 1 if index + 1 < len(buckets) else 0
        head = struct.pack(order + "8xIIIHHBB", len(pages), 0, following, len(items), starts[-1], 0, 13)
        head += struct.pack(f"{order}{len(starts)}H", *starts)
        body = b"".join(reversed(items))
        pages.append(head + bytes(SIZE - len(head) - len(body)) + body)
    meta = struct.pack(order + "8xIIIIBBBB", 0, 0x61561, 9, SIZE, 0, 8, 0, 0)
    meta += struct.pack(order + "III", 0, len(pages) - 1, 0) + bytes(32)
    meta += struct.pack(order + "6I", 0, 0, 0, 0, len(values) + 1, 0) + struct.pack(order + "I", first)
    pages[0] = meta.ljust(SIZE, b"\0")
    return b"".join(pages)


@given(st.dictionaries(st.integers(1, 1 << 31), st.binary(max_size=1200), max_size=8), st.sampled_from("<>"))
@settings(max_examples=50)
def test_what_was_written_is_read(values: dict[int, bytes], order: str) -> None:
    assert list(records(written(values, order))) == list(values.items())


def test_broken_chain_costs_one_record() -> None:
    data = bytearray(written({1: bytes(1000), 2: b"two", 3: bytes(600)}))
    struct.pack_into("<I", data, SIZE + 16, 1)  # the first page of record 1 is followed by itself
    assert list(records(bytes(data))) == [(1, "broken off after 486 of 1000 bytes"), (2, b"two"), (3, bytes(600))]


def test_impossible_length_costs_one_record() -> None:
    data = written({1: bytes(1000), 2: b"two"}).replace(struct.pack("<II", 1, 1000), struct.pack("<II", 1, 1 << 31))
    assert list(records(data)) == [(1, "broken off after 1000 of 2147483648 bytes"), (2, b"two")]


def test_damaged_page_costs_that_page() -> None:
    data = bytearray(written(dict.fromkeys(range(1, 8), b"x")))
    struct.pack_into("<H", data, SIZE + 26, 5)
    assert list(records(bytes(data))) == [
        (0, "page 1 is damaged"),
        *((number, b"x") for number in range(4, 8)),
    ]


def test_strange_items_cost_one_record() -> None:
    data = written({1: b"one", 2: b"two", 3: b"three"}).replace(b"\1two", b"\4two")
    data = data.replace(b"\1" + struct.pack("<I", 3), b"\3" + struct.pack("<I", 3))
    assert list(records(data)) == [
        (1, b"one"),
        (2, "neither on page 1 nor on pages of its own"),
        (0, "a record of page 1 has no number for a key"),
    ]


def test_cut_off_file_is_said() -> None:
    data = written(dict.fromkeys(range(1, 8), b"x"))
    assert list(records(data[:-SIZE])) == [(None, "cut off after 2 of 3 pages"), (1, b"x"), (2, b"x"), (3, b"x")]


@pytest.mark.parametrize(
    ("at", "value", "why"),
    [
        (12, b"\x62\x31\5\0", "no Berkeley DB hash file"),
        (20, b"\1\2\0\0", "impossible page size 513"),
        (20, b"\0\0\0\x80", "impossible page size 2147483648"),
        (24, b"\1", "encrypted"),
    ],
)
def test_other_files_are_none(at: int, value: bytes, why: str) -> None:
    data = written({1: b"one"})
    assert list(records(data[:at] + value + data[at + len(value) :])) == [(None, why)]
    assert list(records(b"bogus")) == [(None, "no Berkeley DB hash file")]


@given(st.binary(max_size=1500), st.sampled_from("<>"))
@example(b"\15" * 1024, "<")
def test_arbitrary_bytes_never_raise(content: bytes, order: str) -> None:
    list(records(content))
    list(records(written({}, order)[:SIZE] + content))


@pytest.mark.skipif(not REAL.is_file(), reason=f"the real database is not here: {REAL}")
@given(
    st.dictionaries(st.integers(0, 4 * 4096), st.integers(0, 255), max_size=20),
    st.lists(st.tuples(st.integers(0, 31), st.integers(0, 25), st.integers(0, 255)), max_size=10),
    st.integers(0, 131072),
)
@settings(max_examples=50)
def test_damage_of_a_real_database_never_raises(
    changes: dict[int, int], heads: list[tuple[int, int, int]], length: int
) -> None:
    data = bytearray(REAL.read_bytes())
    for at, value in changes.items():
        data[at] = value
    for page, at, value in heads:
        data[page * 4096 + at] = value
    list(records(bytes(data)))
    list(records(bytes(data[:length])))
