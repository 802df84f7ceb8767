"""JSON with what browsers and editors let pass."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.encodings.lenient_json import decode, member, text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_comments_marks_and_commas() -> None:
    data = b'\xef\xbb\xbf// head\n{"a": "// no comment, ]", /* in\nside */ "b": [1, 2, // last\n ], "c\\"": "/*",}'
    assert decode(data) == {"a": "// no comment, ]", "b": [1, 2], 'c"': "/*"}


@pytest.mark.parametrize("data", [b"", b"{", b'{"a": 1', b"[1,,2]", b"\xff\xfe", b"[" * 100_000, b'{"a": "\\'])
def test_damage_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        decode(data)


@pytest.mark.slow
@pytest.mark.parametrize("part", [b"/*", b'"', b"//", b",", b"\\", b'\\"', b"/"])
def test_damage_takes_no_time(part: bytes) -> None:
    """Each would take hours if the time grew with the square of the length."""
    with pytest.raises(ValueError):
        decode(part * (1 << 21))


@given(JSON)
@settings(max_examples=60)
def test_plain_json_is_taken_as_it_is(value: object) -> None:
    assert decode(json.dumps(value).encode()) == value
    assert decode(b"/* x */" + json.dumps(value, indent=1).encode() + b"// y") == value


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes_raise_nothing_else(data: bytes) -> None:
    try:
        decode(data)
    except ValueError:
        return


def test_type_is_checked() -> None:
    with pytest.raises(ValueError):
        decode(b"[1]", dict[str, int])


def test_members_and_texts() -> None:
    assert member({"a": {"b": 1}}, "a", "b") == 1
    assert member({"a": [1]}, "a", "b") is None
    assert (text(" a\n b "), text(1.5), text(True), text(None), text({})) == ("a b", "1.5", "", "", "")
