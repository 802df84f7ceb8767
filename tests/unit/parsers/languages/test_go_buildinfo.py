"""What Go's linker puts into programs: made files of each format, and those that a real Go builds."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.languages.go_buildinfo import BuildInfo, Reader, build_info

MODULES = "path\texample.org/ada/tool/cmd/tool\nmod\texample.org/ada/tool\tv1.2.3\th1:x=\ndep\texample.org/b\tv0.1.0\n"
EXPECTED = BuildInfo("go1.24.3", "example.org/ada/tool/cmd/tool", "example.org/ada/tool", "v1.2.3")


def varint(number: int) -> bytes:
    found = b""
    while number >= 0x80:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def blob(modules: str = MODULES, flags: int = 2) -> bytes:
    """The section as Go writes it since 1.18."""
    text = b"0" * 16 + modules.encode() + b"1" * 16
    version = b"go1.24.3"
    head = (b"\xff Go buildinf:" + bytes([8, flags])).ljust(32, b"\0")
    return head + varint(len(version)) + version + varint(len(text)) + text


def elf(section: bytes, name: bytes = b".go.buildinfo") -> bytes:
    """A 64-bit file with two sections and the table of their names."""
    names = b"\0" + name + b"\0.shstrtab\0"
    start = 64
    table = start + len(section) + len(names)
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 2, 62, 1, 0, 0, table, 0, 64, 0, 0, 64, 3, 2
    )
    rows = [
        struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        struct.pack("<IIQQQQIIQQ", 1, 1, 3, 0, start, len(section), 0, 0, 16, 0),
        struct.pack("<IIQQQQIIQQ", len(name) + 2, 3, 0, 0, start + len(section), len(names), 0, 0, 1, 0),
    ]
    return head + section + names + b"".join(rows)


def reader(data: bytes) -> Reader:
    return lambda offset, size: data[offset : offset + size] if offset >= 0 else b""


def test_elf() -> None:
    assert build_info(reader(elf(blob()))) == EXPECTED
    assert build_info(reader(elf(blob(), b".other"))) is None


def test_without_modules_and_before_go_1_18() -> None:
    assert build_info(reader(elf(blob("")))) == BuildInfo("go1.24.3", "", "", "")
    assert build_info(reader(elf(blob(flags=0)))) == BuildInfo("", "", "", "")


def test_a_long_list_of_modules() -> None:
    many = MODULES + "".join(f"dep\texample.org/m{number}\tv1.0.0\n" for number in range(5000))
    assert build_info(reader(elf(blob(many)))) == EXPECTED


def pe(section: bytes) -> bytes:
    """A Windows program whose second section is its data."""
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 2, 0, 0, 0, 16, 0) + b"\0" * 16
    start = len(head) + len(coff) + 80
    row = "<8sIIIIIIHHI"
    text = struct.pack(row, b".text", 0, 0, 16, start, 0, 0, 0, 0, 0x60000020)
    data = struct.pack(row, b".data", 0, 0, len(section) + 32, start + 16, 0, 0, 0, 0, 0xC0000040)
    return head + coff + text + data + b"\0" * 16 + b"\0" * 32 + section


def mach(section: bytes, order: str = "<") -> bytes:
    """A 64-bit macOS program with another load command before the segment."""
    start = 32 + 16 + 152
    head = struct.pack(order + "IIIIIIII", 0xFEEDFACF, 0x0100000C, 0, 2, 2, 168, 0, 0)
    other = struct.pack(order + "IIQ", 0x1B, 16, 0)
    segment = struct.pack(order + "II16sQQQQIIII", 0x19, 152, b"__DATA", 0, 0, 0, 0, 0, 0, 1, 0)
    row = struct.pack(
        order + "16s16sQQIIIIIIII", b"__go_buildinfo", b"__DATA", 0, len(section), start, 0, 0, 0, 0, 0, 0, 0
    )
    return head + other + segment + row + section


def fat(*programs: bytes) -> bytes:
    """A program for several processors."""
    start = 8 + 20 * len(programs)
    rows = b""
    for program in programs:
        rows += struct.pack(">IIIII", 0, 0, start, len(program), 0)
        start += len(program)
    return b"\xca\xfe\xba\xbe" + struct.pack(">I", len(programs)) + rows + b"".join(programs)


def test_other_systems() -> None:
    assert build_info(reader(pe(blob()))) == EXPECTED
    assert build_info(reader(mach(blob()))) == EXPECTED
    assert build_info(reader(mach(blob(), ">"))) == EXPECTED
    assert build_info(reader(fat(mach(b"x" * 64), mach(blob())))) == EXPECTED


PROGRAMS = ("go", "gofmt", "docker", "gh", "kubectl", "podman", "terraform")


@pytest.mark.parametrize("program", PROGRAMS)
def test_as_go_tells(program: str) -> None:
    go, path = shutil.which("go"), shutil.which(program)
    if go is None or path is None:
        pytest.skip(f"no go or no {program} here")
    told = subprocess.run([go, "version", "-m", os.path.realpath(path)], capture_output=True, text=True, check=True)
    lines = [line.split("\t") for line in told.stdout.splitlines()]
    found = build_info(reader(Path(path).read_bytes()))
    assert found is not None
    assert found.go == lines[0][0].partition(": ")[2]
    assert [found.package] == [line[2] for line in lines if line[1:2] == ["path"]]
    assert [[found.module, found.version]] == [line[2:4] for line in lines if line[1:2] == ["mod"]] or not found.module


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for begin in (b"", b"\x7fELF\x02\x01", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"):
        assert build_info(reader(begin + data)) is None


@given(st.integers(0, 200), st.binary(min_size=1, max_size=8))
def test_any_damage(at: int, bytes_: bytes) -> None:
    data = bytearray(elf(blob()))
    data[at : at + len(bytes_)] = bytes_
    found = build_info(reader(bytes(data)))
    assert found is None or all(isinstance(field, str) for field in found)


@given(st.integers(0, 600))
def test_a_file_that_ends_too_early(size: int) -> None:
    found = build_info(reader(elf(blob())[:size]))
    assert found is None or found == EXPECTED
