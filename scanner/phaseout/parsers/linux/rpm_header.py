"""The header of one package as rpm's databases keep it: an index of tags over a store of values.

References:
    https://rpm-software-management.github.io/rpm/manual/format_header.html (a database leaves out its magic),
    https://rpm-software-management.github.io/rpm/manual/tags.html
"""

from struct import Struct
from typing import NamedTuple

_LENGTHS = Struct(">II")
_ENTRY = Struct(">IIII")
_MOST_ENTRIES = 0xFFFF  # rpm's own limit
_LONGEST = 1 << 16  # of a text; names and versions have some tens of characters
_TEXTS = frozenset((6, 8, 9))  # string, string array, translated string: of the last two the first one counts
_NUMBERS = {2: Struct(">B"), 3: Struct(">H"), 4: Struct(">I"), 5: Struct(">Q")}
_NAME, _VERSION, _RELEASE, _EPOCH = 1000, 1001, 1002, 1003
_INSTALLED, _VENDOR, _PACKAGER, _ARCH = 1008, 1011, 1015, 1022
_BASE_NAMES = 1117
_MOST_FILES = 1_000_000
_WANTED = frozenset((_NAME, _VERSION, _RELEASE, _EPOCH, _INSTALLED, _VENDOR, _PACKAGER, _ARCH))


class Header(NamedTuple):
    """What a package says of itself; empty or `None` where it says nothing.

    `installed` is in seconds since 1970. `damage` says in words what of the header could not be read.
    """

    name: str
    version: str
    release: str
    epoch: int | None
    arch: str
    vendor: str
    packager: str
    installed: int | None
    damage: str


def header(blob: bytes) -> Header:
    """The header in a blob, as far as it is intact."""
    damage: list[str] = []
    if len(blob) < _LENGTHS.size:
        return Header("", "", "", None, "", "", "", None, "shorter than a header")
    entries, size = _LENGTHS.unpack_from(blob)
    if entries > _MOST_ENTRIES:
        return Header("", "", "", None, "", "", "", None, f"{entries} entries, more than rpm allows")
    store = _LENGTHS.size + entries * _ENTRY.size
    end = store + size
    if end > len(blob):
        damage.append(f"cut off after {len(blob)} of {end} bytes")
        end = len(blob)
    whole = min(entries, (len(blob) - _LENGTHS.size) // _ENTRY.size)
    index = blob[_LENGTHS.size : _LENGTHS.size + whole * _ENTRY.size]
    found = {tag: (kind, at, count) for tag, kind, at, count in _ENTRY.iter_unpack(index) if tag in _WANTED}

    def text(tag: int) -> str:
        if tag not in found:
            return ""
        kind, at, _ = found[tag]
        start = store + at
        stop = blob.find(b"\0", start, min(start + _LONGEST, end))
        if kind not in _TEXTS or stop < 0:
            damage.append(f"tag {tag} is not text")
            return ""
        return blob[start:stop].decode("utf-8", "backslashreplace")

    def number(tag: int) -> int | None:
        if tag not in found:
            return None
        kind, at, count = found[tag]
        form = _NUMBERS.get(kind)
        if form is None or not count or store + at + form.size > end:
            damage.append(f"tag {tag} is not a number")
            return None
        value: int = form.unpack_from(blob, store + at)[0]
        return value

    return Header(
        name=text(_NAME),
        version=text(_VERSION),
        release=text(_RELEASE),
        epoch=number(_EPOCH),
        arch=text(_ARCH),
        vendor=text(_VENDOR),
        packager=text(_PACKAGER),
        installed=number(_INSTALLED),
        damage="; ".join(damage),
    )


def file_names(blob: bytes) -> set[bytes]:
    """What the files of a package are called, without their folders; none where the header does not say it."""
    if len(blob) < _LENGTHS.size:
        return set()
    entries, _ = _LENGTHS.unpack_from(blob)
    store = _LENGTHS.size + entries * _ENTRY.size
    if store > len(blob):
        return set()
    for tag, kind, at, count in _ENTRY.iter_unpack(blob[_LENGTHS.size : store]):
        if tag == _BASE_NAMES and kind in _TEXTS and count <= _MOST_FILES:
            return set(blob[store + at :].split(b"\0", count)[:count])
    return set()
