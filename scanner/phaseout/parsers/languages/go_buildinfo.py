"""What Go's linker puts into every program: the module that it was built of, its version, and that of Go.

The file is read in pieces: its head, the table of its sections, and what is in the one that counts.

References:
    https://go.dev/src/debug/buildinfo/buildinfo.go (layout; since Go 1.18 the strings themselves);
    https://go.dev/src/runtime/debug/mod.go (text of the modules); ELF-64 object file format 3 and 4; Microsoft, "PE
    Format"; /usr/include/mach-o/loader.h and fat.h of Apple.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

Reader = Callable[[int, int], bytes]  # offset, size → so many bytes, fewer at the end of the file

_MAGIC = b"\xff Go buildinf:"
_HEADER = 32
_ALIGN = 16
_SEARCHED = 1 << 16  # bytes of the data of a PE file, which has no section for it alone
_TEXT = 1 << 12  # of the modules: what counts is in the first lines
_SENTINEL = 16  # bytes before the text of the modules
_SECTIONS = 1 << 16
_FAT = (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")
_MACH = {b"\xcf\xfa\xed\xfe": "<", b"\xfe\xed\xfa\xcf": ">"}


class BuildInfo(NamedTuple):
    """`package` is what was compiled (`golang.org/x/tools/gopls`), `module` where it is from, `version` of the module.

    All but `go` is empty for a program that was built without modules, or by a Go older than 1.18.
    """

    go: str
    package: str
    module: str
    version: str


def build_info(read: Reader) -> BuildInfo | None:
    """The build info of a Go binary; `None` for other files and for damaged ones."""
    try:
        for at, size in _places(read):
            found = _found(read, at, size)
            if found is not None:
                return found
    except (struct.error, IndexError, OverflowError):
        pass  # shorter than its own tables say
    return None


def _found(read: Reader, at: int, size: int) -> BuildInfo | None:
    data = read(at, min(size, _SEARCHED))
    start = data.find(_MAGIC)
    while start >= 0 and start % _ALIGN:
        start = data.find(_MAGIC, start + 1)
    if start < 0:
        return None
    if len(data) < start + _HEADER:
        return None
    if not data[start + 15] & 2:  # pointers instead of the strings themselves
        return BuildInfo("", "", "", "")
    data = read(at + start + _HEADER, _TEXT)
    go, rest = _string(data)
    modules, _ = _string(rest)
    return _modules(go, modules[_SENTINEL:])


def _modules(go: bytes, text: bytes) -> BuildInfo:
    package = module = version = ""
    for line in text.decode("utf-8", "backslashreplace").split("\n"):
        key, *values = line.split("\t")
        if key == "path" and values:
            package = values[0]
        elif key == "mod" and values:
            module, version = values[0], values[1] if len(values) > 1 else ""
            break
    return BuildInfo(go.decode("utf-8", "backslashreplace"), package, module, version)


def _string(data: bytes) -> tuple[bytes, bytes]:
    """A string with its length before it, seven bits a byte, and what follows it."""
    length = shift = at = 0
    while True:
        byte = data[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80 or shift > 56:
            break
    return data[at : at + length], data[at + length :]


def _places(read: Reader) -> list[tuple[int, int]]:
    """Offset and size of where it may be."""
    head = read(0, 4096)
    if head[:4] == b"\x7fELF":
        return _elf(head, read)
    if head[:2] == b"MZ":
        return _pe(head, read)
    if head[:4] in _FAT:
        wide = head[3:4] == b"\xbf"
        (count,) = struct.unpack_from(">I", head, 4)
        slices = [
            struct.unpack_from(">8xQ" if wide else ">8xI", head, 8 + index * (32 if wide else 20))[0]
            for index in range(min(count, 16))  # more are a Java class, which begins alike
        ]
        return [place for start in slices for place in _mach(read(start, 1 << 15), start)]
    return _mach(read(0, 1 << 15), 0) if head[:4] in _MACH else []


def _elf(head: bytes, read: Reader) -> list[tuple[int, int]]:
    order = ">" if head[5] == 2 else "<"
    if head[4] == 2:
        (table,) = struct.unpack_from(order + "Q", head, 40)
        each, count, names = struct.unpack_from(order + "HHH", head, 58)
        layout = order + "I20xQQ"
    else:
        (table,) = struct.unpack_from(order + "I", head, 32)
        each, count, names = struct.unpack_from(order + "HHH", head, 46)
        layout = order + "I12xII"
    if each < struct.calcsize(layout):
        return []
    sections = read(table, min(each * count, _SECTIONS))
    _, start, size = struct.unpack_from(layout, sections, names * each)
    texts = read(start, min(size, _SECTIONS))
    found = []
    for index in range(len(sections) // each):
        name, start, size = struct.unpack_from(layout, sections, index * each)
        if texts.startswith(b".go.buildinfo\0", name):
            found.append((start, size))
    return found


def _pe(head: bytes, read: Reader) -> list[tuple[int, int]]:
    (start,) = struct.unpack_from("<I", head, 60)
    header = read(start, 24)
    if header[:4] != b"PE\0\0":
        return []
    count, optional = struct.unpack_from("<6xH12xH", header)
    sections = read(start + 24 + optional, min(count, 96) * 40)
    found = []
    for at in range(0, len(sections) - 39, 40):
        size, place, flags = struct.unpack_from("<II12xI", sections, at + 16)
        if flags & 0x80000000 and size:  # may be written to: the data
            found.append((place, size))
    return found


def _mach(head: bytes, start: int) -> list[tuple[int, int]]:
    order = _MACH.get(head[:4])
    if order is None:
        return []
    (commands,) = struct.unpack_from(order + "I", head, 16)
    at = 32
    found = []
    for _ in range(min(commands, 1000)):
        command, size = struct.unpack_from(order + "II", head, at)
        if command == 0x19:  # LC_SEGMENT_64
            (sections,) = struct.unpack_from(order + "I", head, at + 64)
            for index in range(min(sections, 256)):
                section = at + 72 + index * 80
                if head[section : section + 16].rstrip(b"\0") == b"__go_buildinfo":
                    length, place = struct.unpack_from(order + "QI", head, section + 40)
                    found.append((start + place, length))
        if size < 8:
            break
        at += size
    return found
