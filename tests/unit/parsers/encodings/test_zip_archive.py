"""Members of ZIP archives: found, bounded, damaged."""

import io
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.encodings.zip_archive import Archive


def packed(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.comment = comment
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def read(data: bytes, name: str, limit: int = 1 << 20) -> bytes | None:
    return Archive(io.BytesIO(data)).read(name, limit)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\n" * 10])
def test_members_by_their_exact_name(method: int, before: bytes) -> None:
    members = {"xmanifest.json": b"1", "manifest.json": b"2" * 5000, "a/manifest.json": b"3", "manifest.jsonx": b"4"}
    data = before + packed(members, method, b"a comment that names PK\x05\x06")
    if b"PK\x05\x06" in data[-4:]:
        data = data[:-4] + b"...."
    archive = Archive(io.BytesIO(data))
    assert archive.read("manifest.json") == b"2" * 5000
    assert archive.read("a/manifest.json") == b"3"
    assert archive.read("manifest") is None


def test_names_are_never_paths() -> None:
    data = packed({"../../etc/passwd": b"x", "/etc/shadow": b"y", "manifest.json": b"z"})
    assert read(data, "manifest.json") == b"z"
    assert read(data, "etc/passwd") is None


@pytest.mark.slow
def test_a_bomb_is_refused() -> None:
    data = packed({"manifest.json": b"\0" * (64 << 20)})
    assert len(data) < 100_000
    with pytest.raises(ValueError, match="more than 1048576 bytes"):
        read(data, "manifest.json")


def test_a_bomb_that_lies_about_its_size_is_refused() -> None:
    data = bytearray(packed({"manifest.json": b"\0" * (64 << 20)}))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    with pytest.raises(ValueError, match="more than 1048576 bytes"):
        read(bytes(data), "manifest.json")


@pytest.mark.parametrize(
    ("at", "value", "why"),
    [(8, b"\x01\0", "encrypted"), (10, b"\x0c\0", "method 12"), (42, b"\xff\xff\0\0", "without a header")],
)
def test_members_that_cannot_be_read(at: int, value: bytes, why: str) -> None:
    data = bytearray(packed({"m": b"x" * 100}))
    central = data.rindex(b"PK\x01\x02")
    data[central + at : central + at + len(value)] = value
    with pytest.raises(ValueError, match=why):
        read(bytes(data), "m")


@pytest.mark.parametrize("data", [b"", b"PK", b"x" * 100, b"PK\x05\x06" + b"\xff" * 18, b"PK\x05\x06" + b"\xfe" * 18])
def test_what_is_no_archive(data: bytes) -> None:
    with pytest.raises(ValueError):
        Archive(io.BytesIO(data))


MEMBERS = st.dictionaries(st.text(alphabet="ab/.", min_size=1, max_size=6), st.binary(max_size=40), max_size=4)


@given(MEMBERS, st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
@settings(max_examples=60)
def test_the_same_as_the_standard_library(members: dict[str, bytes], method: int) -> None:
    archive = Archive(io.BytesIO(packed(members, method)))
    assert {name: archive.read(name) for name in members} == members


@given(MEMBERS, st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6), st.integers(0, 400))
@settings(max_examples=150)
def test_damage_raises_value_errors_only(members: dict[str, bytes], changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(packed(members))
    for at, value in changes:
        data[at % len(data)] = value
    try:
        archive = Archive(io.BytesIO(bytes(data[: len(data) - cut] if cut % 3 == 0 else data)))
        for name in members:
            archive.read(name)
    except ValueError:
        return


@given(st.binary(max_size=100))
@settings(max_examples=60)
def test_any_bytes_raise_value_errors_only(data: bytes) -> None:
    try:
        Archive(io.BytesIO(data)).read("a")
    except ValueError:
        return
