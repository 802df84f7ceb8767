"""The record in which Windows keeps a certificate."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.certificate_blob import stored_certificate

from tests.support.certificates import blob


def test_the_certificate_wherever_it_stands() -> None:
    assert stored_certificate(blob(b"der", (3, b"x" * 20), (11, b""))) == b"der"
    assert stored_certificate(blob(b"der") + blob(b"later")) == b"der"


def test_a_record_without_certificate() -> None:
    assert stored_certificate(b"") is None
    assert stored_certificate(struct.pack("<III", 34, 1, 3) + b"ctl") is None


def test_a_length_beyond_the_end() -> None:
    with pytest.raises(ValueError, match="property 32 runs beyond the end"):
        stored_certificate(blob(b"der")[:-1])


@given(st.binary(max_size=200))
def test_anything(data: bytes) -> None:
    try:
        found = stored_certificate(data)
    except ValueError:
        return
    assert found is None or found in data
