"""Packed GUIDs: there and back."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.packed_guid import guid, pack, unpack

OFFICE = "{90120000-0010-0409-0000-0000000FF1CE}"


def test_office() -> None:
    assert unpack("00002109010090400000000000F01FEC") == OFFICE
    assert pack(OFFICE.lower()) == "00002109010090400000000000F01FEC"


@given(st.uuids())
def test_round_trip(one: UUID) -> None:
    text = f"{{{one}}}".upper()
    assert guid(text.lower()) == text
    assert unpack(pack(text).lower()) == text


@given(st.text())
def test_everything_else_is_empty(text: str) -> None:
    for found in (guid(text), unpack(text), pack(text)):
        assert found == ""
    assert unpack("٣" * 32) == ""
