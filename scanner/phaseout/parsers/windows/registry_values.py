"""Values of the Windows registry: type and bytes as stored → string, number, strings or bytes.

References:
    Microsoft, "Registry Value Types" (winnt.h); [MS-RRP] 2.2.
"""

from typing import Literal

Value = str | int | bytes | tuple[str, ...]

SZ, EXPAND_SZ, BINARY, DWORD, DWORD_BIG_ENDIAN, LINK, MULTI_SZ, QWORD = 1, 2, 3, 4, 5, 6, 7, 11

_NUMBERS: dict[int, tuple[int, Literal["little", "big"]]] = {
    DWORD: (4, "little"),
    DWORD_BIG_ENDIAN: (4, "big"),
    QWORD: (8, "little"),
}


def decode(kind: int, data: bytes) -> Value:
    """The value as a Python value; types that are neither strings nor numbers stay bytes.

    Strings end at the first NUL, as for every program that reads them with the Windows API; half surrogates stay as
    they are. Empty strings at the end of a list are its terminator.

    Raises:
        ValueError: a number has too few bytes; without any it is 0.
    """
    if kind in (SZ, EXPAND_SZ, LINK):
        return _text(data).partition("\0")[0]
    if kind in _NUMBERS:
        size, order = _NUMBERS[kind]
        if 0 < len(data) < size:
            raise ValueError(f"a number of {len(data)} bytes instead of {size}")
        return int.from_bytes(data[:size], order)
    if kind == MULTI_SZ:
        return texts(_text(data).split("\0"))
    return data


def texts(found: list[str]) -> tuple[str, ...]:
    """A list of strings without the empty ones at its end."""
    while found and not found[-1]:
        found.pop()
    return tuple(found)


def as_text(data: bytes) -> str | None:
    """The string in bytes that an installer stored as REG_NONE or REG_BINARY; `None` where they hold none.

    ASCII, or else UTF-16 that ends with a NUL or is mostly Latin; both up to the first NUL.
    """
    narrow = data.rstrip(b"\0")
    if narrow.isascii() and b"\0" not in narrow:
        text = narrow.decode()
        if _is_printable(text) and len(data) - len(narrow) < 3:
            return text
    if len(data) % 2 == 0 and (data.endswith(b"\0\0") or data[1::2].count(0) * 4 > len(data)):
        text = _text(data).partition("\0")[0]
        if text and _is_printable(text):
            return text
    return "" if not narrow else None


def _is_printable(text: str) -> bool:
    return all(char.isprintable() or char in "\t\r\n" for char in text)


def _text(data: bytes) -> str:
    return data[: len(data) & ~1].decode("utf-16-le", "surrogatepass")
