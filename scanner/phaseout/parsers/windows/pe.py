"""The parts of a Windows executable that identify it: headers, version resources, certificate table.

A file is given as a function that reads bytes at an offset, so that little of a large file is read. Damaged or missing
parts read as absent: nothing here raises.

References:
    Microsoft, "PE Format" (COFF File Header, Optional Header, Section Table, The .rsrc Section, The Attribute
    Certificate Table).
"""

import struct
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

Read = Callable[[int, int], bytes]  # offset, size → the bytes there, fewer at the end of the file

_MACHINES = {
    0x014C: "x86",
    0x0200: "Itanium",
    0x01C0: "ARM",
    0x01C2: "ARM",
    0x01C4: "ARM",
    0x8664: "x64",
    0xA641: "ARM64EC",
    0xA64E: "ARM64X",
    0xAA64: "ARM64",
}
_DLL = 0x2000
_WIDE, _NARROW = 0x20B, 0x10B  # magic of the optional header: PE32+, PE32
_RESOURCES, _CERTIFICATES, _MANAGED = 2, 4, 14  # data directories
_HEAD = 4096
_SECTIONS = 96  # as many as Windows loads
_ENTRIES = 4096  # of one level of resources
_VERSION = 16  # type of a resource
_VERSIONS = 64  # languages
_VERSION_SIZE = 1 << 16
_TABLE_SIZE = 1 << 19
_BELOW = 0x80000000  # an entry leads to a further level


class Section(NamedTuple):
    """Where a part of the file is put in memory."""

    address: int
    size: int
    offset: int
    stored: int


class Image(NamedTuple):
    """What the headers say.

    Attributes:
        machine: `x86`, `x64`, `ARM64`, …, or the number of any other machine.
        dll: whether it is a library.
        managed: whether it is a .NET assembly.
        sections: the parts of the file.
        resources: address in memory of the resources, 0 for none.
        certificates: offset and size in the file of the certificate table, 0 for none.
    """

    machine: str
    dll: bool
    managed: bool
    sections: tuple[Section, ...]
    resources: int
    certificates: tuple[int, int]


def image(read: Read) -> Image | None:
    """The headers; `None` if the file is not a portable executable or ends within its headers."""
    head = read(0, _HEAD)
    if head[:2] != b"MZ" or len(head) < 64:
        return None
    (start,) = struct.unpack_from("<I", head, 60)
    if start + 1024 > len(head):
        head, start = read(start, _HEAD), 0
    try:
        signature, machine, sections, size, flags = struct.unpack_from("<4sHH12xHH", head, start)
        optional = start + 24
        (magic,) = struct.unpack_from("<H", head, optional)
        if signature != b"PE\0\0" or magic not in (_WIDE, _NARROW):
            return None
        directories = optional + (112 if magic == _WIDE else 96)
        (count,) = struct.unpack_from("<I", head, directories - 4)
        managed, resources, certificates = (
            struct.unpack_from("<II", head, directories + 8 * index) if index < min(count, 16) else (0, 0)
            for index in (_MANAGED, _RESOURCES, _CERTIFICATES)
        )
    except struct.error:
        return None
    return Image(
        machine=_MACHINES.get(machine, f"machine {machine:#06x}"),
        dll=bool(flags & _DLL),
        managed=bool(managed[0]),
        sections=tuple(_sections(head, optional + size, min(sections, _SECTIONS))),
        resources=resources[0],
        certificates=certificates if all(certificates) else (0, 0),
    )


def version_resources(read: Read, found: Image) -> Iterator[bytes]:
    """The version resources of all languages; see `phaseout.parsers.windows.version_resource`."""
    base = _offset(found, found.resources) if found.resources else None
    if base is None:
        return
    count = 0
    for kind, names in _entries(read, base, base):
        if kind != _VERSION or not names & _BELOW:
            continue
        for _, languages in islice(_entries(read, base, base + (names & ~_BELOW)), _VERSIONS):
            for _, leaf in islice(_entries(read, base, base + (languages & ~_BELOW)), _VERSIONS):
                count += 1
                if count > _VERSIONS:
                    return
                entry = read(base + leaf, 8)
                if len(entry) == 8:
                    address, size = struct.unpack("<II", entry)
                    offset = _offset(found, address)
                    if offset is not None:
                        yield read(offset, min(size, _VERSION_SIZE))
        return


def certificate_table(read: Read, found: Image) -> bytes:
    """The certificate table; empty if there is none, or if it is larger than any real one."""
    offset, size = found.certificates
    return read(offset, size) if 8 < size <= _TABLE_SIZE else b""


def _sections(head: bytes, at: int, count: int) -> Iterator[Section]:
    for index in range(count):
        if at + 40 * (index + 1) > len(head):
            return
        size, address, stored, offset = struct.unpack_from("<IIII", head, at + 40 * index + 8)
        yield Section(address, max(size, stored), offset & ~0x1FF, stored)  # as Windows rounds it


def _offset(found: Image, address: int) -> int | None:
    """The offset in the file of what is loaded at an address."""
    for section in found.sections:
        inside = address - section.address
        if 0 <= inside < section.size:
            return section.offset + inside if inside < section.stored else None
    return None


def _entries(read: Read, base: int, at: int) -> Iterator[tuple[int, int]]:
    """The entries of one level of the resources: id (or offset of the name), and offset of the content."""
    head = read(at, 16) if at >= base else b""
    if len(head) < 16:
        return
    named, numbered = struct.unpack_from("<HH", head, 12)
    table = read(at + 16, 8 * min(named + numbered, _ENTRIES))
    yield from struct.iter_unpack("<II", table[: len(table) & ~7])
