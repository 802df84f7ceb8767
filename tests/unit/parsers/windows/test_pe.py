"""Headers, resources and certificate table of executables: made ones, real ones, damaged ones."""

import os
import struct
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.windows import authenticode, pe, version_resource

from tests.support.pe_writer import ENGLISH, executable, resources

TEXTS = {ENGLISH: {"CompanyName": "Acme", "ProductName": "Anvil"}}


class Counted:
    """Bytes as a file, and how many of them were asked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.total = 0

    def __call__(self, offset: int, size: int) -> bytes:
        assert offset >= 0
        assert size >= 0
        found = self.data[offset : offset + size]
        self.total += len(found)
        return found


def everything(data: bytes) -> tuple[pe.Image | None, list[version_resource.Version | None], list[str], int]:
    read = Counted(data)
    image = pe.image(read)
    if image is None:
        return None, [], [], read.total
    versions = [version_resource.version(one) for one in pe.version_resources(read, image)]
    names = [one.organisation for one in authenticode.signers(pe.certificate_table(read, image))]
    return image, versions, names, read.total


@pytest.mark.parametrize("machine", ["x86", "x64", "ARM64"])
def test_made_executables(machine: str) -> None:
    data = executable(TEXTS, [("Acme Ltd", "Acme")], machine=machine, managed=machine == "x86")
    image, (version,), names, _ = everything(data)
    assert image is not None
    assert (image.machine, image.dll, image.managed) == (machine, False, machine == "x86")
    assert version is not None
    assert version.text("productname") == "Anvil"
    assert names == ["Acme Ltd"]


def test_what_is_no_executable() -> None:
    data = executable(TEXTS)
    for bad in (b"", b"MZ", b"MZ" + bytes(100), b"#!/bin/sh\n" * 20, data[:100], data[:200], b"ZM" + data[2:]):
        assert everything(bad)[0] is None
    old = bytearray(data)
    old[64:66] = b"NE"
    assert everything(bytes(old))[0] is None


def test_unknown_machine_is_named_by_its_number() -> None:
    data = bytearray(executable())
    data[68:70] = b"\x64\x62"
    image = everything(bytes(data))[0]
    assert image is not None
    assert image.machine == "machine 0x6264"


def test_headers_far_behind_the_start() -> None:
    data = bytearray(executable(TEXTS))
    moved = bytearray(b"MZ".ljust(60, b"\0") + struct.pack("<I", 100_000)).ljust(100_000, b"\0")
    moved += data[64:0x400]
    image = everything(bytes(moved))[0]
    assert image is not None
    assert image.machine == "x64"


def test_resources_without_end_have_one() -> None:
    """Every name and language leads to the same place, again and again."""
    data = bytearray(executable(TEXTS))
    level = struct.pack("<IIHHHH", 0, 0, 0, 0, 0, 4000) + struct.pack("<II", 16, 0x80000000) * 4000
    data[0x400:] = level
    section = data.index(b".rsrc")
    struct.pack_into("<4I", data, section + 8, len(level), 0x1000, len(level), 0x400)
    image, versions, _, total = everything(bytes(data))
    assert image is not None
    assert versions == []
    assert total < 1 << 26


def test_a_certificate_table_that_is_too_large_is_not_read() -> None:
    data = executable(table=bytes(1 << 20))
    image, _, names, total = everything(data)
    assert image is not None
    assert image.certificates == (0x400, 1 << 20)
    assert names == []
    assert total < 10_000


def test_several_languages_are_several_resources() -> None:
    first, second = (version_resource_of(name) for name in ("One", "Two"))
    data = executable({})
    section = resources(first, second)
    data = data[:0x400] + section
    at = data.index(b".rsrc")
    patched = bytearray(data)
    struct.pack_into("<4I", patched, at + 8, len(section), 0x1000, len(section), 0x400)
    found = [version.text("ProductName") for version in everything(bytes(patched))[1] if version]
    assert found == ["One", "Two"]


def version_resource_of(name: str) -> bytes:
    from tests.support.pe_writer import version_resource as make

    return make({ENGLISH: {"ProductName": name}})


@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    everything(data)
    everything(b"MZ" + data)


WHOLE = executable(TEXTS, [("Acme Ltd", "Acme"), ("Second", "")], numbers=(1, 2, 3, 4))


@pytest.mark.slow
@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=8), st.integers(0, len(WHOLE)))
def test_mutated_and_truncated_never_raise(changes: list[tuple[int, int]], end: int) -> None:
    data = bytearray(WHOLE)
    for at, byte in changes:
        data[at] = byte
    everything(bytes(data))
    everything(bytes(data[:end]))


@pytest.fixture
def real() -> list[Path]:
    folder = Path(os.environ.get("PHASEOUT_WINE", "/none")) / "python"
    if not folder.is_dir():
        pytest.skip("no Windows Python: scripts/wine_python FOLDER makes one, and PHASEOUT_WINE names it")
    return sorted(path for path in folder.iterdir() if path.suffix in {".exe", ".dll", ".pyd"})


def test_real_executables(real: list[Path]) -> None:
    """Python's own files and those of Microsoft that it brings along: all signed, all but one with a version."""
    seen = {}
    for path in real:
        image, versions, names, total = everything(path.read_bytes())
        assert image is not None
        assert image.machine == "x64"
        assert image.dll == (path.suffix != ".exe")
        assert total < 64 << 10
        seen[path.name] = (versions[0].text("CompanyName") if versions and versions[0] else "", names)
    assert len(seen) > 20
    assert seen["python.exe"] == ("Python Software Foundation", ["Python Software Foundation"])
    assert seen["vcruntime140.dll"] == ("Microsoft Corporation", ["Microsoft Corporation"] * 2)  # with two certificates
    assert all(names for _, names in seen.values())
    assert sum(not company for company, _ in seen.values()) == 1  # libffi has none


def test_damaged_real_executable(real: list[Path]) -> None:
    data = next(path for path in real if path.name == "python.exe").read_bytes()
    for end in range(0, len(data), 997):
        everything(data[:end])
    for start, stop in pairwise(range(0, len(data), 1499)):
        everything(data[:start] + b"\xff" * (stop - start) + data[stop:])
    half = data[: len(data) // 2]
    assert everything(half)[2] == []
