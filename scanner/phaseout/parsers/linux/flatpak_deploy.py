"""The `deploy` file that flatpak writes beside what it deployed: a GVariant of type `(ssasta{sv})`.

References:
    https://developer.gnome.org/documentation/specifications/gvariant-specification-1.0.html;
    FLATPAK_DEPLOY_DATA_GVARIANT_FORMAT in https://github.com/flatpak/flatpak/blob/main/common/flatpak-dir-private.h
"""

from typing import NamedTuple


class Deploy(NamedTuple):
    """What flatpak noted: the remote, the commit, and those of its further values that are strings.

    `values` has `appdata-name` and `appdata-version` since flatpak 1.2, `runtime`, `alt-id`, `eol`.
    """

    origin: str
    commit: str
    values: dict[str, str]


def deploy(data: bytes) -> Deploy | None:
    """What the file says; `None` where it is not such a file."""
    try:
        width = _width(len(data))
        origin, commit, subpaths = (_offset(data, len(data) - width * index, width) for index in (1, 2, 3))
        if not 0 < origin <= commit <= subpaths:
            return None
        start = _aligned(subpaths) + 8  # after the installed size
        return Deploy(_text(data[:origin]), _text(data[origin:commit]), _values(data[start : len(data) - 3 * width]))
    except ValueError:
        return None


def _values(data: bytes) -> dict[str, str]:
    """The strings in a dictionary of type `a{sv}`; the ends of its entries stand behind them."""
    if not data:
        return {}
    width = _width(len(data))
    table = _offset(data, len(data) - width, width)
    found: dict[str, str] = {}
    start = 0
    for place in range(table, len(data), width):
        end = _offset(data, place, width)
        if end < start:
            raise ValueError("entries that overlap")
        entry = data[start:end]
        start = _aligned(end)
        inner = _width(len(entry))
        after_key = _offset(entry, len(entry) - inner, inner)
        value, _, kind = entry[_aligned(after_key) : len(entry) - inner].rpartition(b"\0")
        if kind == b"s":
            found[_text(entry[:after_key])] = _text(value)
    return found


def _offset(data: bytes, place: int, width: int) -> int:
    if place < 0 or place + width > len(data):
        raise ValueError("an offset outside")
    value = int.from_bytes(data[place : place + width], "little")
    if value > len(data):
        raise ValueError("an offset that leads outside")
    return value


def _width(size: int) -> int:
    """Bytes of an offset in a container of that many bytes."""
    return 1 if size <= 0xFF else 2 if size <= 0xFFFF else 4 if size <= 0xFFFFFFFF else 8


def _aligned(offset: int) -> int:
    return (offset + 7) & ~7


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "backslashreplace")
