"""ASN.1 values: lengths, the indefinite form, texts, damage."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.encodings.der import Value, children, string, value

from tests.support.pe_writer import der


def test_lengths() -> None:
    for size in (0, 1, 127, 128, 255, 256, 70_000):
        data = der(0x04, bytes(size))
        assert value(data) == Value(0x04, 0, len(data) - size, len(data), len(data))


def test_children_one_after_the_other() -> None:
    data = b"\xff" + der(0x30, der(0x02, b"\1"), der(0x31), der(0x0C, b"x" * 200)) + b"rest"
    parent = value(data, 1)
    assert parent is not None
    assert [child.tag for child in children(data, parent)] == [0x02, 0x31, 0x0C]
    assert data[parent.after :] == b"rest"


def test_indefinite_lengths_end_at_two_zeros() -> None:
    data = b"\x30\x80" + b"\x30\x80" + der(0x02, b"\0\0") + b"\0\0" + der(0x05) + b"\0\0" + b"rest"
    parent = value(data)
    assert parent is not None
    inner, last = children(data, parent)
    assert (inner.tag, data[inner.start : inner.end], last.tag) == (0x30, der(0x02, b"\0\0"), 0x05)
    assert data[parent.after :] == b"rest"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x05\x02\x01\x01",  # longer than the data
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x89" + bytes(9),
        b"\x30\x82\x01",
        b"\x1f\x81\x01\x00",  # a tag of several bytes
        b"\x04\x80\0\0",  # a text without a length
        b"\x30\x80\x02\x01\x01",  # no end
        b"\x30\x80" * 1000 + b"\0\0" * 1000,
    ],
)
def test_what_is_no_value(data: bytes) -> None:
    assert value(data) is None


def test_a_damaged_child_ends_the_list() -> None:
    data = der(0x30, der(0x02, b"\1"), b"\x02\x7f\x01")
    parent = value(data)
    assert parent is not None
    assert [child.tag for child in children(data, parent)] == [0x02]


@pytest.mark.parametrize(
    ("tag", "stored", "text"),
    [
        (0x0C, "АО Касперский".encode(), "АО Касперский"),
        (0x13, b"Acme\0", "Acme"),
        (0x14, b"Caf\xe9", "Café"),
        (0x1E, "卡巴".encode("utf-16-be"), "卡巴"),
        (0x1C, "卡".encode("utf-32-be"), "卡"),
        (0x0C, b"\xff", "\ufffd"),
        (0x1E, b"\xd8", "\ufffd"),
        (0x04, b"Acme", ""),
    ],
)
def test_texts(tag: int, stored: bytes, text: str) -> None:
    data = der(tag, stored)
    found = value(data)
    assert found is not None
    assert string(data, found) == text


def everything(data: bytes, parent: Value, depth: int = 4) -> Iterator[Value]:
    for child in children(data, parent):
        yield child
        if depth:
            yield from everything(data, child, depth - 1)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_raise_and_stay_inside(data: bytes) -> None:
    found = value(data)
    if found is not None:
        for one in (found, *everything(data, found)):
            assert 0 <= one.begin < one.start <= one.end <= one.after <= len(data)
            string(data, one)
