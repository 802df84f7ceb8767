"""The `.modinfo` section of kernel modules, and `/proc/modules`."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.modinfo import Loaded, loaded, modinfo

INFO = (
    b"version=1.2\0author=Kaspersky Lab <a@b>\0author=Else\0\0\0description=Anti-virus = filter\0novalue\0name=kl\xff\0"
)
SAID = {
    "version": ["1.2"],
    "author": ["Kaspersky Lab <a@b>", "Else"],
    "description": ["Anti-virus = filter"],
    "name": ["kl\\xff"],
}


def module(info: bytes, bits: int = 64, order: str = "<") -> bytes:
    """An ELF file with a `.modinfo`, a `.shstrtab`, and the table of sections at its end."""
    names = b"\0.modinfo\0.shstrtab\0"
    head = 64 if bits == 64 else 52
    table = head + len(info) + len(names)
    ident = b"\x7fELF" + bytes([2 if bits == 64 else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    if bits == 64:
        rest = struct.pack(f"{order}HHIQQQIHHHHHH", 1, 62, 1, 0, 0, table, 0, 64, 0, 0, 64, 3, 2)
        section = struct.Struct(f"{order}IIQQQQIIQQ")
    else:
        rest = struct.pack(f"{order}HHIIIIIHHHHHH", 1, 3, 1, 0, 0, table, 0, 52, 0, 0, 40, 3, 2)
        section = struct.Struct(f"{order}IIIIIIIIII")
    return (
        ident
        + rest
        + info
        + names
        + section.pack(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        + section.pack(1, 1, 0, 0, head, len(info), 0, 0, 1, 0)
        + section.pack(10, 3, 0, 0, head + len(info), len(names), 0, 0, 1, 0)
    )


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_modinfo(bits: int, order: str) -> None:
    assert modinfo(module(INFO, bits, order)) == SAID


def test_cut_off_module_says_nothing() -> None:
    whole = module(INFO)
    for end in range(len(whole) - 1):
        assert modinfo(whole[:end]) in ({}, SAID)
    assert modinfo(whole[:200]) == {}


@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    assert modinfo(data) == {} or data.startswith(b"\x7fELF")


@given(st.data())
def test_damaged_modules_are_read(data: st.DataObject) -> None:
    whole = bytearray(module(INFO, data.draw(st.sampled_from([32, 64]))))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(modinfo(bytes(whole)), dict)


def test_loaded_modules() -> None:
    text = (
        "kl_flt 49152 2 - Live 0x0000000000000000 (OE)\nnf_nat 57344 3 nft_nat,xt_MASQUERADE, Live 0xffffffff\n"
        "bad line\n"
    )
    assert list(loaded(text)) == [
        Loaded("kl_flt", "49152", "", "OE"),
        Loaded("nf_nat", "57344", "nft_nat xt_MASQUERADE", ""),
        None,
    ]


@given(st.text(max_size=200))
def test_every_line_is_accounted_for(text: str) -> None:
    assert len(list(loaded(text))) == len(text.splitlines())
