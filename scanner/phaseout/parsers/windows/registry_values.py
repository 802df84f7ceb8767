"""Values of the Windows registry: type and bytes as stored → text, number, texts or bytes.

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
    """The value as a Python value; types that are neither text nor number stay bytes.

    Texts end at the first NUL, as for every program that reads them with the Windows API; half surrogates stay as
    they are. Of a list, empty texts at the end are the terminator.

    Raises:
        ValueError: a number without enough bytes; one without any is 0.
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
    """A list of texts without the empty ones at its end."""
    while found and not found[-1]:
        found.pop()
    return tuple(found)


def _text(data: bytes) -> str:
    return data[: len(data) & ~1].decode("utf-16-le", "surrogatepass")
