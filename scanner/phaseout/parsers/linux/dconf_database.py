"""The settings of a GNOME desktop, as dconf keeps them: a table of names, and values of GLib's types.

References:
    The format is that of GVDB: https://gitlab.gnome.org/GNOME/gvdb (gvdb-format.h: header, hash table, items; the name
    of an item stands behind that of its parent); values are variants, whose type is the text behind the last NUL:
    https://docs.gtk.org/glib/gvariant-specification-1.0.html
"""

import struct
from typing import NamedTuple

_SIGNATURES = {b"GVariant": "<", b"raVGtnai": ">"}
_ITEM = struct.Struct("IIIHBxII").size
_FEW_WORDS = 0x07FFFFFF  # of the filter before the table; the other bits are a shift
_NO_PARENT = 0xFFFFFFFF
_DEPTH = 32  # folders of a setting
Value = str | int | bool


class _Item(NamedTuple):
    digest: int
    parent: int
    name_start: int
    name_size: int
    kind: int
    start: int
    end: int


def settings(data: bytes, folder: str) -> dict[str, Value]:
    """The texts, whole numbers and switches whose names begin so, by their whole names.

    Args:
        data: the database.
        folder: such as `/system/proxy/`.

    Raises:
        ValueError: it is no such database, or is damaged.
    """
    order = _SIGNATURES.get(data[:8])
    if order is None:
        raise ValueError("is no database of dconf")
    try:
        table = _part(data, *struct.unpack_from(f"{order}II", data, 16))
        words, buckets = struct.unpack_from(f"{order}II", table)
    except struct.error as error:
        raise ValueError("it ends before its table of names") from error
    first = 8 + 4 * ((words & _FEW_WORDS) + buckets)
    if first > len(table) or (len(table) - first) % _ITEM:
        raise ValueError("its table of names is damaged")
    items = [_Item(*one) for one in struct.iter_unpack(f"{order}IIIHBxII", table[first:])]
    found = {}
    for item in items:
        if item.kind == ord("v") and (name := _name(data, items, item)).startswith(folder):
            value = _value(_part(data, item.start, item.end), order)
            if value is not None:
                found[name] = value
    return found


def _name(data: bytes, items: list[_Item], item: _Item) -> str:
    parts = [item]
    while parts[-1].parent != _NO_PARENT:
        if parts[-1].parent >= len(items) or len(parts) > _DEPTH:
            raise ValueError("a name has no beginning")
        parts.append(items[parts[-1].parent])
    names = (_part(data, one.name_start, one.name_start + one.name_size) for one in reversed(parts))
    return b"".join(names).decode("utf-8", "replace")


def _value(variant: bytes, order: str) -> Value | None:
    content, _, kind = variant.rpartition(b"\0")
    if kind == b"s":
        return content.rstrip(b"\0").decode("utf-8", "replace")
    if kind == b"b" and len(content) == 1:
        return content != b"\0"
    if kind in (b"i", b"u") and len(content) == 4:
        return int(struct.unpack(f"{order}{'i' if kind == b'i' else 'I'}", content)[0])
    return None


def _part(data: bytes, start: int, end: int) -> bytes:
    if not start <= end <= len(data):
        raise ValueError("a part of it lies beyond its end")
    return data[start:end]
