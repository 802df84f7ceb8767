"""The architectures of a Mach-O file, and where each has its code signature.

References:
    <mach-o/loader.h>, <mach-o/fat.h>, <mach/machine.h> in https://github.com/apple-oss-distributions/xnu
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

Read = Callable[[int, int], bytes | None]  # offset, size → the bytes there, fewer at the end of the file

_FAT = {b"\xca\xfe\xba\xbe": (">", False), b"\xbe\xba\xfe\xca": ("<", False)}
_FAT |= {b"\xca\xfe\xba\xbf": (">", True), b"\xbf\xba\xfe\xca": ("<", True)}
_THIN = {b"\xfe\xed\xfa\xce": (">", 28), b"\xce\xfa\xed\xfe": ("<", 28)}
_THIN |= {b"\xfe\xed\xfa\xcf": (">", 32), b"\xcf\xfa\xed\xfe": ("<", 32)}
_CPUS = {7: "i386", 0x01000007: "x86_64", 12: "arm", 0x0100000C: "arm64", 0x0200000C: "arm64_32"}
_CPUS |= {18: "ppc", 0x01000012: "ppc64"}
_ARM64, _ARM64E = 0x0100000C, 2
_CODE_SIGNATURE = 0x1D
_ARCHITECTURES = 16  # a Java class has the magic of a fat file, and its version (45 and above) in place of the count
_HEAD = 1 << 14
_COMMANDS = 1 << 20


class Slice(NamedTuple):
    """The program for one architecture; `signature` is the offset in the file, 0 where it has none."""

    arch: str
    offset: int
    signature: int
    size: int  # of the signature


def slices(read: Read) -> tuple[Slice, ...]:
    """One for each architecture; none if the file is not Mach-O, or is damaged."""
    try:
        head = read(0, _HEAD) or b""
        if head[:4] in _THIN:
            return (_slice(read, 0, head),)
        if head[:4] in _FAT:
            return tuple(_slice(read, offset, read(offset, _HEAD) or b"") for offset in _offsets(head))
    except struct.error:  # shorter than it says
        pass
    return ()


def _offsets(head: bytes) -> list[int]:
    order, wide = _FAT[head[:4]]
    (count,) = struct.unpack_from(order + "I", head, 4)
    entry = struct.Struct(order + ("IIQQII" if wide else "IIIII"))
    return [entry.unpack_from(head, 8 + at * entry.size)[2] for at in range(count)] if count <= _ARCHITECTURES else []


def _slice(read: Read, offset: int, head: bytes) -> Slice:
    order, start = _THIN.get(head[:4], ("<", 0))
    if not start:
        return Slice("", offset, 0, 0)
    cpu, subtype, _, count, length = struct.unpack_from(order + "5I", head, 4)
    arch = "arm64e" if cpu == _ARM64 and subtype & 0xFF == _ARM64E else _CPUS.get(cpu, f"cpu {cpu}")
    end = start + min(length, _COMMANDS)
    if end > len(head):
        head = read(offset, end) or b""
    at = start
    for _ in range(count):
        if at + 16 > min(end, len(head)):
            break
        command, size, data, data_size = struct.unpack_from(order + "4I", head, at)
        if command == _CODE_SIGNATURE:
            return Slice(arch, offset, offset + data, data_size)
        if size < 8:
            break
        at += size
    return Slice(arch, offset, 0, 0)
