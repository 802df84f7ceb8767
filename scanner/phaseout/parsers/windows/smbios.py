r"""Serial number and UUID out of the firmware tables that Windows keeps (`mssmbios\Data`, `GetSystemFirmwareTable`).

References:
    DMTF DSP0134, "System Information (Type 1)", "Structure standards"; Microsoft, RawSMBIOSData
"""

from typing import NamedTuple
from uuid import UUID

_HEADER = 8  # bytes before the tables: calling method, versions, length
_SYSTEM = 1
_STRUCTURES = 10_000


class System(NamedTuple):
    """What the firmware says of the computer; empty where it says nothing."""

    serial: str
    uuid: str


def system(data: bytes) -> System | None:
    """The system information in a RawSMBIOSData; `None` if it has none, or is damaged."""
    tables = data[_HEADER : _HEADER + int.from_bytes(data[4:_HEADER], "little")]
    at = 0
    for _ in range(_STRUCTURES):
        kind, length = tables[at : at + 1], tables[at + 1 : at + 2]
        if not length or length[0] < 4:
            return None
        end = at + length[0]
        strings_end = tables.find(b"\0\0", end)
        if strings_end < 0:
            return None
        if kind[0] == _SYSTEM:
            strings = tables[end:strings_end].split(b"\0")
            number = tables[at + 7] if length[0] > 7 else 0
            serial = strings[number - 1].decode("latin-1") if 0 < number <= len(strings) else ""
            raw = tables[at + 8 : at + 24] if length[0] >= 24 else b""
            return System(serial.strip(), str(UUID(bytes_le=raw)) if len(raw) == 16 else "")
        at = strings_end + 2
    return None
