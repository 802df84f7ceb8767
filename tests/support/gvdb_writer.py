"""Writes databases of dconf.

References:
    gvdb-format.h of https://gitlab.gnome.org/GNOME/gvdb
"""

import struct
from collections.abc import Mapping


def database(values: Mapping[str, str | int | bool], order: str = "<") -> bytes:
    """A database with these settings; each has one folder above, whose items point to no children."""
    items: list[tuple[int, bytes, bytes]] = []
    folders: dict[str, int] = {}
    for name, value in values.items():
        top, _, last = name.rpartition("/")
        if top not in folders:
            folders[top] = len(items)
            items.append((0xFFFFFFFF, f"{top}/".encode(), b""))
        items.append((folders[top], last.encode(), _variant(value, order)))
    first = 24 + 8
    at = first + 24 * len(items)
    table = content = b""
    for parent, key, variant in items:
        start = at + len(content) + len(key)
        kind = b"v" if variant else b"L"
        table += struct.pack(
            f"{order}IIIHcxII", 0, parent, at + len(content), len(key), kind, start, start + len(variant)
        )
        content += key + variant
    signature = b"GVariant" if order == "<" else b"raVGtnai"
    head = signature + struct.pack(f"{order}IIII", 0, 0, 24, at) + struct.pack(f"{order}II", 0, 0)
    return head + table + content


def _variant(value: str | int | bool, order: str) -> bytes:
    if isinstance(value, bool):
        return bytes((value,)) + b"\0b"
    if isinstance(value, int):
        return struct.pack(f"{order}i", value) + b"\0i"
    return value.encode() + b"\0\0s"
