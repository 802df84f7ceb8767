"""What a kernel module says about itself, and the kernel's list of those that are loaded.

References:
    elf(5); https://docs.kernel.org/kbuild/modules.html; modinfo(8) (`.modinfo` holds `key=value` strings, each ended
    by a zero byte); proc(5) `/proc/modules`; https://docs.kernel.org/admin-guide/tainted-kernels.html
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

_SECTIONS = 8192
_SIZE = 1 << 20  # of `.modinfo`: a driver for many devices has an alias for each


class Loaded(NamedTuple):
    """A module in the kernel. `taint` are the letters that mark a module from outside the kernel (`OE`)."""

    name: str
    size: str
    used_by: str
    taint: str


def modinfo(data: bytes) -> dict[str, list[str]]:
    """Key → values of a module's `.modinfo`; empty where the bytes are not an ELF file or end before that section."""
    try:
        start, end = _section(data, b".modinfo")
    except struct.error:  # shorter than its header says
        return {}
    found: dict[str, list[str]] = {}
    for entry in data[start : min(end, start + _SIZE)].split(b"\0"):
        key, equals, value = entry.decode("utf-8", "backslashreplace").partition("=")
        if equals and key:
            found.setdefault(key, []).append(value)
    return found


def loaded(text: str) -> Iterator[Loaded | None]:
    """Every line of `/proc/modules`; `None` for one that is damaged."""
    for line in text.splitlines():
        fields = line.split()
        if len(fields) < 6 or not fields[1].isdecimal():
            yield None
            continue
        taint = fields[6].strip("()") if len(fields) > 6 else ""
        yield Loaded(fields[0], fields[1], fields[3].strip(",-").replace(",", " "), taint)


def _section(data: bytes, wanted: bytes) -> tuple[int, int]:
    """Start and end of a section; an empty range if it is missing."""
    order = {1: "<", 2: ">"}.get(data[5] if len(data) > 5 else 0)
    if order is None or not data.startswith(b"\x7fELF") or data[4] not in (1, 2):
        return 0, 0
    if data[4] == 2:
        (table,) = struct.unpack_from(f"{order}Q", data, 0x28)
        size, count, names_at = struct.unpack_from(f"{order}3H", data, 0x3A)
        header = struct.Struct(f"{order}I20xQQ")
    else:
        (table,) = struct.unpack_from(f"{order}I", data, 0x20)
        size, count, names_at = struct.unpack_from(f"{order}3H", data, 0x2E)
        header = struct.Struct(f"{order}I12xII")
    _, names, names_size = header.unpack_from(data, min(table + names_at * size, len(data)))
    texts = data[names : names + min(names_size, _SIZE)]
    for index in range(min(count, _SECTIONS)):
        name, offset, length = header.unpack_from(data, min(table + index * size, len(data)))
        if texts.startswith(wanted + b"\0", name):
            return offset, offset + length
    return 0, 0
