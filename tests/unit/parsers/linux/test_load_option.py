"""Boot entries of UEFI firmware."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.load_option import LoadOption, load_option

FILE = r"\EFI\made\made.efi"


def option(name: str = "Made", file: str = FILE, attributes: int = 1) -> bytes:
    """The content of a variable: the entry names a partition and a file on it."""
    text = f"{file}\0".encode("utf-16-le")
    path = struct.pack("<BBH", 4, 1, 42) + bytes(38) + struct.pack("<BBH", 4, 4, 4 + len(text)) + text
    path += struct.pack("<BBH", 0x7F, 0xFF, 4)
    return struct.pack("<IH", attributes, len(path)) + f"{name}\0".encode("utf-16-le") + path + b"optional"


def test_name_and_file() -> None:
    assert load_option(option()) == LoadOption("Made", FILE, active=True)
    assert load_option(option(attributes=0)).active is False


def test_an_entry_that_names_no_file() -> None:
    assert load_option(struct.pack("<IH", 1, 0) + "Network\0".encode("utf-16-le")) == ("Network", "", True)


@pytest.mark.parametrize(("data", "why"), [(b"", "0 bytes"), (option()[:9], "no end")])
def test_cut_off(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        load_option(data)


@given(st.binary(max_size=100))
def test_nothing_but_value_errors(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert load_option(data).name is not None
