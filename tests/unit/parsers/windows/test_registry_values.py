"""Values as they are stored in the registry."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.registry_values import DWORD, DWORD_BIG_ENDIAN, MULTI_SZ, QWORD, SZ, as_text, decode


@given(st.text(st.characters(blacklist_characters="\0")))
def test_texts(text: str) -> None:
    stored = text.encode("utf-16-le", "surrogatepass")
    assert decode(SZ, stored) == decode(SZ, stored + b"\0\0rest") == decode(SZ, stored + b"\0") == text


@given(st.lists(st.text(st.characters(blacklist_characters="\0"), min_size=1)))
def test_lists(texts: list[str]) -> None:
    stored = "".join(f"{text}\0" for text in texts).encode("utf-16-le", "surrogatepass")
    assert decode(MULTI_SZ, stored) == decode(MULTI_SZ, stored + bytes(2)) == tuple(texts)


@given(st.integers(0, (1 << 32) - 1))
def test_numbers(number: int) -> None:
    assert decode(DWORD, struct.pack("<I", number)) == number
    assert decode(DWORD_BIG_ENDIAN, struct.pack(">I", number)) == number
    assert decode(QWORD, struct.pack("<Q", number << 32)) == number << 32


def test_numbers_that_are_cut() -> None:
    assert decode(DWORD, b"") == decode(QWORD, b"") == 0
    for kind, data in ((DWORD, b"abc"), (DWORD_BIG_ENDIAN, b"a"), (QWORD, b"abcd")):
        with pytest.raises(ValueError, match="bytes instead of"):
            decode(kind, data)


@given(st.integers(0, 0xFFFFFFFF), st.binary(max_size=40))
def test_only_value_errors(kind: int, data: bytes) -> None:
    try:
        assert isinstance(decode(kind, data), (str, int, bytes, tuple))
    except ValueError:
        assert kind in (DWORD, DWORD_BIG_ENDIAN, QWORD)


@pytest.mark.parametrize(
    "text", ["Kaspersky Password Manager", "Лаборатория Касперского", "卡巴斯基", "A", "9.1", "Käse"]
)
def test_text_stored_as_bytes(text: str) -> None:
    assert as_text(text.encode("utf-16-le") + b"\0\0") == text
    assert as_text(text.encode("utf-16-le") + b"\0\0garbage!") in {text, None}
    if text.isascii():
        assert as_text(text.encode("utf-16-le")) == text
        assert as_text(text.encode()) == as_text(text.encode() + b"\0") == text


@pytest.mark.parametrize("data", [b"\1\0\0\0", b"\x80\x81\x82", bytes(range(16)), b"\xcb\xe0\xe1\xee\0", b"a\1b\0"])
def test_bytes_that_are_no_text(data: bytes) -> None:
    assert as_text(data) is None


def test_no_bytes_are_no_text() -> None:
    assert as_text(b"") == as_text(b"\0") == as_text(b"\0\0\0\0") == ""


@given(st.binary(max_size=40))
def test_arbitrary_bytes_as_text(data: bytes) -> None:
    found = as_text(data)
    assert found is None or "\0" not in found
