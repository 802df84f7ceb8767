"""Mach-O headers: both widths, both byte orders, fat files, and what only looks alike."""

import struct
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.macos.macho import slices

from tests.support.macho_writer import fat, signed_macho


def part(data: bytes, offset: int, size: int) -> bytes:
    return data[offset : offset + size]


@pytest.mark.parametrize("arch", ["arm64", "arm64e", "x86_64", "i386", "ppc", "ppc64"])
def test_thin(arch: str) -> None:
    data = signed_macho("com.example", arch=arch)
    (one,) = slices(partial(part, data))
    assert (one.arch, one.offset) == (arch, 0)
    assert struct.unpack_from(">I", data, one.signature) == (0xFADE0CC0,)
    assert one.signature + one.size == len(data)


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("wide", [True, False])
def test_fat(order: str, wide: bool) -> None:
    data = fat(signed_macho(arch="x86_64"), signed_macho("com.example", arch="arm64"), order=order, wide=wide)
    first, second = slices(partial(part, data))
    assert (first.arch, first.signature) == ("x86_64", 0)
    assert second.arch == "arm64"
    assert struct.unpack_from(">I", data, second.signature) == (0xFADE0CC0,)


def test_java_classes_are_no_fat_files() -> None:
    assert slices(partial(part, b"\xca\xfe\xba\xbe\x00\x00\x00\x34" + bytes(100))) == ()


def test_commands_beyond_the_first_piece() -> None:
    many = struct.pack("<2I", 0x19, 4096) + bytes(4088)
    data = signed_macho("com.example")
    size = 6 * len(many)
    (place,) = struct.unpack_from("<I", data, 56)
    head = data[:16] + struct.pack("<2I", 8, 32 + size) + data[24:32] + many * 6
    moved = data[32:56] + struct.pack("<I", place + size) + data[60:]
    (one,) = slices(partial(part, head + moved))
    assert one.signature == place + size


@given(st.binary(max_size=300))
def test_arbitrary_bytes(tail: bytes) -> None:
    for magic in (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xbf\xba\xfe\xca", b""):
        slices(partial(part, magic + tail))
