"""Firmware tables: the system's serial number and UUID."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.smbios import System, system

U = UUID("4c4c4544-0042-3510-8052-b4c04f4a3132")


def structure(kind: int, formatted: bytes, *strings: bytes) -> bytes:
    return bytes((kind, len(formatted) + 4, 0, 0)) + formatted + b"\0".join(strings) + b"\0\0"


def raw(*structures: bytes) -> bytes:
    tables = b"".join(structures)
    return b"\0\x03\x00\0" + len(tables).to_bytes(4, "little") + tables


BIOS = structure(0, bytes(20), b"Maker", b"1.2")
SYSTEM = structure(1, bytes((1, 2, 3, 4)) + U.bytes_le + bytes(3), b"Maker", b"Model", b"1", b" PF3ABC12 ")


def test_serial_and_uuid() -> None:
    assert system(raw(BIOS, SYSTEM, BIOS)) == System("PF3ABC12", str(U))
    assert system(raw(structure(1, bytes((1, 2, 3, 0)) + U.bytes_le, b"Maker"))) == System("", str(U))
    assert system(raw(structure(1, bytes((0, 0, 0, 9)), b"Maker"))) == System("", "")


def test_without_a_system() -> None:
    for data in (b"", raw(), raw(BIOS), raw(SYSTEM)[:40], raw(b"\x01\0\0\0")):
        assert system(data) is None


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    found = system(data)
    assert found is None or isinstance(found.serial, str)
