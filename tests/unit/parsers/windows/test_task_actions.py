"""Actions of tasks as the registry holds them."""

import contextlib
import struct
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.task_actions import actions
from phaseout.parsers.windows.task_xml import Action


def text(value: str) -> bytes:
    data = value.encode("utf-16-le")
    return struct.pack("<I", len(data)) + data


def stored(version: int, *found: Action) -> bytes:
    data = struct.pack("<H", version) + (text("Author") if version > 1 else b"")
    for action in found:
        if action.clsid:
            data += struct.pack("<H", 0x7777) + text("") + uuid.UUID(action.clsid).bytes_le + text("data")
        else:
            data += struct.pack("<H", 0x6666) + text("") + text(action.command) + text(action.arguments) + text("C:\\")
            data += b"\0\0" if version == 3 else b""
    return data


def test_the_bytes_of_a_published_example() -> None:
    """`cmd.exe /c notepad.exe`, as Windows 10 and Windows 8.1 store it."""
    command = "0e000000 63006d0064002e00650078006500"
    arguments = "1c000000 2f00630020006e006f00740065007000610064002e00650078006500"
    new = bytes.fromhex(f"0300 0c000000 41007500740068006f007200 6666 00000000 {command} {arguments} 00000000 0000")
    old = bytes.fromhex(
        f"0100 6666 00000000 {command} {arguments} 16000000 63003a005c00770069006e0064006f00770073005c00"
    )
    assert actions(new) == actions(old) == (Action("cmd.exe", "/c notepad.exe"),)


def test_several() -> None:
    found = (Action("x.exe", "/a"), Action(clsid="{84F0FAE1-C27B-4F6F-807B-28CF6F96287D}"), Action("y.exe"))
    for version in (1, 2, 3):
        assert actions(stored(version, *found)) == found
    assert actions(stored(3, found[0]) + b"\x99\x99rest") == found[:1]
    assert len(actions(stored(3, *[Action("x.exe")] * 100))) == 64


@pytest.mark.parametrize("data", [b"", b"\x03", b"\x04\0", b"\x03\0\xff\xff\xff\xff", stored(3, Action("x.exe"))[:-3]])
def test_damaged(data: bytes) -> None:
    with pytest.raises(ValueError):
        actions(data)


@given(st.binary())
def test_nothing_else_is_raised(data: bytes) -> None:
    for whole in (data, b"\x03\0\0\0\0\0\x66\x66" + data):
        with contextlib.suppress(ValueError):
            actions(whole)
