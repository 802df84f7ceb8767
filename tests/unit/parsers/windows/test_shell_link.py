"""Shortcuts, written here as the specification has them."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.shell_link import Link, link

CLSID = bytes.fromhex("0114020000000000c000000000000046")
IDS = struct.pack("<H", 6) + b"\x04\0ab\0\0"


def header(flags: int) -> bytes:
    return (struct.pack("<I", 76) + CLSID + struct.pack("<I", flags)).ljust(76, b"\0")


def info(base: str, rest: str = "", *, wide: bool = False) -> bytes:
    narrow = base.encode("cp1252", "replace") + b"\0" + rest.encode("cp1252", "replace") + b"\0"
    size = 36 if wide else 28
    at = size + len(narrow)
    wider = f"{base}\0".encode("utf-16-le"), f"{rest}\0".encode("utf-16-le")
    head = struct.pack("<IIIII", size, 1, 0, size, 0) + struct.pack("<I", size + len(base) + 1)
    if wide:
        head += struct.pack("<II", at, at + len(wider[0]))
    body = head + narrow + (b"".join(wider) if wide else b"")
    return struct.pack("<I", len(body) + 4) + body


def string(text: str, *, unicode: bool = True) -> bytes:
    return struct.pack("<H", len(text)) + text.encode("utf-16-le" if unicode else "cp1252")


def environment(target: str) -> bytes:
    narrow = target.encode("cp1252", "replace").ljust(260, b"\0")
    return struct.pack("<II", 0x314, 0xA0000001) + narrow + target.encode("utf-16-le").ljust(520, b"\0")


def test_a_whole_shortcut() -> None:
    data = header(1 | 2 | 4 | 8 | 16 | 32 | 64 | 0x80) + IDS + info(r"C:\Program Files\Kaspersky Lab\avpui.exe")
    for text in ("Schutz für alle", r"..\avpui.exe", r"C:\Program Files", "-tray", r"C:\x.ico"):
        data += string(text)
    assert link(data + b"\0\0\0\0") == Link(
        r"C:\Program Files\Kaspersky Lab\avpui.exe", "-tray", r"..\avpui.exe", "Schutz für alle"
    )


def test_other_forms() -> None:
    assert link(header(2) + info("C:\\Users\\", "ada\\x.exe")).target == r"C:\Users\ada\x.exe"
    assert link(header(2) + info("C:\\Программы\\", "x.exe", wide=True)).target == r"C:\Программы\x.exe"
    assert link(header(32) + string("-x", unicode=False)).arguments == "-x"
    assert link(header(0x200) + environment(r"%ProgramFiles%\a.exe")).target == r"%ProgramFiles%\a.exe"
    other = struct.pack("<II", 12, 0xA0000005) + b"spec"
    assert link(header(0x200) + other + environment("x")).target == "x"
    assert link(header(1) + IDS) == Link("", "", "", "")
    assert link(header(2 | 0x100)).target == ""


def test_what_is_none() -> None:
    for data in (b"", b"L\0\0\0", header(0)[:75], b"[InternetShortcut]".ljust(100)):
        with pytest.raises(ValueError):
            link(data)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), st.text(max_size=9))
def test_paths_survive(path: str, arguments: str) -> None:
    arguments = arguments.encode("utf-16-le", "replace").decode("utf-16-le")
    count = len(arguments.encode("utf-16-le")) // 2
    data = header(2 | 32 | 0x80) + info(path, wide=True) + struct.pack("<H", count) + arguments.encode("utf-16-le")
    assert link(data) == Link(path, arguments, "", "")


@given(st.integers(0, 0x3FF), st.binary())
def test_damaged_ones_raise_nothing(flags: int, data: bytes) -> None:
    link(header(flags) + data)
    link((header(flags | 2) + info("C:\\x", wide=True) + data)[: 76 + len(data)])
