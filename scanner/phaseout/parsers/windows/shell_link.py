"""Shortcuts (`.lnk`): what they start.

References:
    [MS-SHLLINK] 2.1 (header), 2.3 (LinkInfo), 2.4 (StringData), 2.5.4 (EnvironmentVariableDataBlock).
"""

from typing import NamedTuple

_HEADER = 76
_CLSID = bytes.fromhex("0114020000000000c000000000000046")
_HAS_IDS, _HAS_INFO = 1, 2
_STRINGS = (("description", 4), ("relative", 8), ("folder", 16), ("arguments", 32), ("icon", 64))
_UNICODE = 0x80
_NO_INFO = 0x100
_LOCAL = 1  # LinkInfo has a path on this machine
_ENVIRONMENT = 0xA0000001
_BLOCKS = 32


class Link(NamedTuple):
    """What a shortcut starts.

    Attributes:
        target: the file, as a path of the machine or with `%VARIABLES%`; empty where only the shell knows it (an
            advertised program, an app).
        arguments: for it.
        relative: the path of the file from the shortcut's folder.
        description: the shortcut's comment.
    """

    target: str
    arguments: str
    relative: str
    description: str


def link(data: bytes, codepage: str = "cp1252") -> Link:
    """What a shortcut starts. A truncated file gives as much as it has.

    Args:
        data: the file.
        codepage: for strings that are not Unicode; the file does not name it.

    Raises:
        ValueError: it is not a shortcut.
    """
    if len(data) < _HEADER or data[:4] != b"L\0\0\0" or data[4:20] != _CLSID:
        raise ValueError("no shortcut")
    flags = int.from_bytes(data[20:24], "little")
    at = _HEADER
    if flags & _HAS_IDS:
        at += 2 + _number(data, at, 2)
    target = ""
    if flags & _HAS_INFO and not flags & _NO_INFO:
        size = _number(data, at, 4)
        target = _local(data[at : at + size], codepage)
        at += max(size, 4)
    strings: dict[str, str] = {}
    for name, flag in _STRINGS:
        if flags & flag:
            count = _number(data, at, 2)
            size = count * 2 if flags & _UNICODE else count
            encoding = "utf-16-le" if flags & _UNICODE else codepage
            strings[name] = data[at + 2 : at + 2 + size].decode(encoding, "replace")
            at += 2 + size
    return Link(
        target=target or _environment(data[at:], codepage),
        arguments=strings.get("arguments", ""),
        relative=strings.get("relative", ""),
        description=strings.get("description", ""),
    )


def _local(info: bytes, codepage: str) -> str:
    """The local path in a LinkInfo: base and rest, in Unicode if it has them."""
    if len(info) < 28 or not _number(info, 8, 4) & _LOCAL:
        return ""
    if _number(info, 4, 4) >= 0x24:
        base, rest = (_utf16(info, _number(info, offset, 4)) for offset in (28, 32))
        if base:
            return base + rest
    base, rest = (_narrow(info, _number(info, offset, 4), codepage) for offset in (16, 24))
    return base + rest if base else ""


def _environment(blocks: bytes, codepage: str) -> str:
    """The target that was written with variables, in the blocks at the end."""
    for _ in range(_BLOCKS):
        size, signature = _number(blocks, 0, 4), _number(blocks, 4, 4)
        if size < 8:
            break
        if signature == _ENVIRONMENT:
            return _utf16(blocks[:size], 268) or _narrow(blocks[: min(size, 268)], 8, codepage)
        blocks = blocks[size:]
    return ""


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")


def _narrow(data: bytes, at: int, codepage: str) -> str:
    return data[at:].partition(b"\0")[0].decode(codepage, "replace") if at else ""


def _utf16(data: bytes, at: int) -> str:
    if not at or at >= len(data):
        return ""
    return data[at : at + (len(data) - at & ~1)].decode("utf-16-le", "replace").partition("\0")[0]
