"""Files of group policies that hold registry values."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.registry_pol import PolicyValue, values

HEAD = b"PReg\x01\x00\x00\x00"


def entry(key: str, name: str, value: str | int) -> bytes:
    """One value, as [MS-GPREG] 2.2.1 has it."""
    is_text = isinstance(value, str)
    data = f"{value}\0".encode("utf-16-le") if is_text else struct.pack("<I", value)
    head = f"[{key}\0;{name}\0;".encode("utf-16-le") + struct.pack("<I", 1 if is_text else 4)
    marks = ";".encode("utf-16-le")
    return head + marks + struct.pack("<I", len(data)) + marks + data + "]".encode("utf-16-le")


def pol(*entries: tuple[str, str, str | int]) -> bytes:
    """A file with these values."""
    return HEAD + b"".join(entry(*one) for one in entries)


def test_texts_and_numbers() -> None:
    made = pol((r"Software\Policies\Made", "Text", "a;b]c"), (r"Software\Policies\Made", "Number", 7))
    assert [*values(made)] == [
        PolicyValue(r"Software\Policies\Made", "Text", "a;b]c"),
        PolicyValue(r"Software\Policies\Made", "Number", 7),
    ]


def test_what_only_deletes_is_left_out() -> None:
    assert [*values(pol(("k", "**del.Text", " "), ("k", "**delvals.", " "), ("k", "*kept", "x")))] == [
        PolicyValue("k", "*kept", "x")
    ]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "does not begin"),
        (b"PReg\x02\0\0\0", "does not begin"),
        (HEAD + b"x", "byte 8"),
        (pol(("k", "v", "text"))[:-6], "cut off in a value"),
        (pol(("k", "v", "text"))[:-2], 'no "\\]"'),
        (HEAD + "[key without end".encode("utf-16-le"), "without an end"),
        (HEAD + ("[" + "k" * 20_000 + "\0;").encode("utf-16-le"), "without an end"),
    ],
)
def test_damaged_files(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        [*values(data)]


def test_what_comes_before_the_damage_is_given() -> None:
    found = values(pol(("k", "v", "x")) + b"[\0")
    assert next(found) == PolicyValue("k", "v", "x")
    with pytest.raises(ValueError, match="end"):
        next(found)


@given(st.binary(max_size=200))
def test_nothing_but_value_errors(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        for one in values(HEAD + data):
            assert not one.name.startswith("**")
