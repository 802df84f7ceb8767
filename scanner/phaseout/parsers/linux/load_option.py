"""Boot entries of UEFI firmware, as variables `Boot0000` hold them.

References:
    UEFI Specification 2.10, 3.1.3 (EFI_LOAD_OPTION), 10.3.5.4 (File Path Media Device Path)
"""

import struct
from typing import NamedTuple

_MEDIA, _FILE_PATH, _END = 4, 4, 0x7F
_ACTIVE = 1


class LoadOption(NamedTuple):
    """What people see of an entry, the file it starts below the system partition, and whether it is used."""

    name: str
    file: str
    active: bool


def load_option(data: bytes) -> LoadOption:
    """The entry in the content of a variable.

    Raises:
        ValueError: it is cut off.
    """
    if len(data) < 6:
        raise ValueError(f"only {len(data)} bytes")
    attributes, size = struct.unpack_from("<IH", data)
    at = 6
    while data[at : at + 2] != b"\0\0":
        at += 2
        if at >= len(data):
            raise ValueError("its name has no end")
    name = data[6:at].decode("utf-16-le", "replace")
    return LoadOption(name, _file(data[at + 2 : at + 2 + size]), bool(attributes & _ACTIVE))


def _file(path: bytes) -> str:
    """The file that a device path names; empty where it names none."""
    parts = []
    at = 0
    while at + 4 <= len(path):
        kind, subtype, size = struct.unpack_from("<BBH", path, at)
        if kind == _END or size < 4:
            break
        if (kind, subtype) == (_MEDIA, _FILE_PATH):
            parts.append(path[at + 4 : at + size].decode("utf-16-le", "replace").partition("\0")[0])
        at += size
    return "".join(parts)
