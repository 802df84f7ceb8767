"""Thrift's binary protocol: known bytes, round trips, and arbitrary bytes."""

import contextlib
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.encodings.thrift import (
    CALL,
    I32,
    I64,
    REPLY,
    Fields,
    Message,
    ThriftError,
    read_message,
    write_message,
)

NUMBERS = st.integers(-(2**31), 2**31 - 1).map(I32) | st.integers(-(2**63), 2**63 - 1).map(I64)
SCALARS = st.text() | NUMBERS | st.booleans() | st.floats(allow_nan=False)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.dictionaries(st.text(), st.text(), max_size=3)
        | st.lists(st.text(), max_size=3)
        | st.dictionaries(st.integers(1, 99), inner, max_size=3).map(Fields)
    ),
    max_leaves=5,
)


def read(data: bytes | bytearray) -> Message:
    stream = io.BytesIO(data)

    def exactly(size: int) -> bytes:
        part = stream.read(size)
        if len(part) < size:
            raise EOFError
        return part

    return read_message(exactly)


def test_bytes_of_a_ping_as_the_specification_has_them() -> None:
    data = bytes.fromhex("80010001 00000004 70696e67 00000007 00")
    assert write_message(Message("ping", CALL, 7, Fields())) == data
    assert read(data) == Message("ping", CALL, 7, Fields())


def test_bytes_of_a_status() -> None:
    status = Fields({1: I32(0), 2: "OK", 3: I64(-2)})
    data = write_message(Message("ping", REPLY, 0, Fields({0: status})))
    assert data[16:] == bytes.fromhex("0c0000080001 000000000b0002 00000002 4f4b0a0003 fffffffffffffffe0000")


@given(st.text(max_size=5), st.integers(-9, 9), st.dictionaries(st.integers(1, 9), VALUES, max_size=3).map(Fields))
def test_what_is_written_is_read(name: str, sequence: int, fields: Fields) -> None:
    written = Message(name, CALL, sequence, fields)
    assert read(write_message(written)) == written


@given(st.binary(max_size=200))
def test_arbitrary_bytes(data: bytes) -> None:
    for head in (b"", write_message(Message("call", CALL, 0, Fields()))[:-1]):
        with contextlib.suppress(ThriftError, EOFError):
            read(head + data)


def nested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value


def test_what_is_too_deep_or_too_large() -> None:
    with pytest.raises(ThriftError, match="too deep"):
        read(write_message(Message("call", CALL, 0, Fields({1: nested("x", 40)}))))
    with pytest.raises(ThriftError, match="more than 16777216 bytes"):
        read(bytes.fromhex("80010001 7fffffff"))
    with pytest.raises(ThriftError, match="values"):
        read(bytes.fromhex("80010001 00000000 00000000 0f0001 0b 7fffffff"))


def test_half_of_a_surrogate_pair_is_written_out() -> None:
    written = write_message(Message("x", CALL, 0, Fields({1: "a\ud800"})))
    assert read(written).fields == {1: "a\\ud800"}
