"""rpm headers: what a small writer wrote is read again, and no damage is more than damage."""

import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phaseout.parsers.linux.rpm_header import Header, file_names, header

from tests.support.places import CORPORA

TAGS = {
    "name": 1000,
    "version": 1001,
    "release": 1002,
    "epoch": 1003,
    "installed": 1008,
    "vendor": 1011,
    "packager": 1015,
    "arch": 1022,
    "file": 1117,
}
SUMMARY = 1004
REAL = CORPORA / "rpmdb/go-rpmdb/blob.bin"


def written(**values: str | int | None) -> bytes:
    """A header as rpm's databases keep it: two lengths, the index, the store."""
    index = [struct.pack(">IIII", SUMMARY, 9, 0, 1)]
    store = b"A summary\0"
    for field, value in values.items():
        if isinstance(value, int):
            store += bytes(-len(store) % 4)
            index.append(struct.pack(">IIII", TAGS[field], 4, len(store), 1))
            store += struct.pack(">I", value)
        elif value is not None:
            index.append(struct.pack(">IIII", TAGS[field], 6, len(store), 1))
            store += value.encode() + b"\0"
    return struct.pack(">II", len(index), len(store)) + b"".join(index) + store


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
numbers = st.none() | st.integers(0, 0xFFFFFFFF)


@given(texts, texts, texts, numbers, texts, texts, texts, numbers)
@settings(max_examples=50)
def test_what_was_written_is_read(
    name: str,
    version: str,
    release: str,
    epoch: int | None,
    arch: str,
    vendor: str,
    packager: str,
    installed: int | None,
) -> None:
    wanted = Header(name, version, release, epoch, arch, vendor, packager, installed, damage="")
    fields = wanted._asdict()
    del fields["damage"]
    assert header(written(**fields)) == wanted


def test_absent_is_empty() -> None:
    assert header(written(name="foo")) == Header("foo", "", "", None, "", "", "", None, damage="")


def test_bytes_that_are_no_utf8_are_spelled_out() -> None:
    blob = written(name="foo", vendor="Societe").replace(b"Societe\0", b"Soci\xe9t\xe9\0")
    assert header(blob).vendor == "Soci\\xe9t\\xe9"


def test_cut_off_header_keeps_what_is_there() -> None:
    found = header(written(name="foo", version="1", vendor="Ada")[:-3])
    assert (found.name, found.version, found.vendor) == ("foo", "1", "")
    assert found.damage == "cut off after 89 of 92 bytes; tag 1011 is not text"


def test_wrong_types_and_places_are_damage() -> None:
    index = struct.pack(">IIII", 1000, 4, 0, 1) + struct.pack(">IIII", 1003, 6, 0, 1)
    index += struct.pack(">IIII", 1001, 6, 0xFFFFFFFF, 1) + struct.pack(">IIII", 1008, 4, 2, 1)
    found = header(struct.pack(">II", 4, 4) + index + b"foo\0")
    assert found[:8] == ("", "", "", None, "", "", "", None)
    assert (
        found.damage == "tag 1000 is not text; tag 1001 is not text; tag 1003 is not a number; tag 1008 is not a number"
    )


def test_index_that_claims_billions_is_not_read() -> None:
    assert header(struct.pack(">II", 0xFFFFFFFF, 16) + bytes(64)).damage == "4294967295 entries, more than rpm allows"


@given(st.binary(max_size=400))
@example(b"")
@example(bytes(8))
@example(struct.pack(">II", 0xFFFF, 0xFFFFFFFF))
def test_arbitrary_bytes_never_raise(blob: bytes) -> None:
    assert isinstance(header(blob), Header)


@pytest.mark.skipif(not REAL.is_file(), reason=f"the real header is not here: {REAL}")
class TestReal:
    def test_every_field(self) -> None:
        assert header(REAL.read_bytes()) == Header(
            name="publicsuffix-list-dafsa",
            version="20210518",
            release="2.fc35",
            epoch=None,
            arch="noarch",
            vendor="Fedora Project",
            packager="Fedora Project",
            installed=1645426073,
            damage="",
        )

    @given(st.dictionaries(st.integers(0, 5255), st.integers(0, 255), max_size=20), st.integers(0, 5256))
    @settings(max_examples=50)
    def test_damage_never_raises(self, changes: dict[int, int], length: int) -> None:
        blob = bytearray(REAL.read_bytes())
        for at, value in changes.items():
            blob[at] = value
        assert isinstance(header(bytes(blob[:length])), Header)


@given(texts)
def test_names_of_files_are_read_again(name: str) -> None:
    assert file_names(written(name="x", file=name)) == {name.encode()}


@given(st.binary(max_size=200))
@example(written(name="x"))
@example(written(name="x")[:20])
@example(struct.pack(">IIIIII", 1, 9, 1117, 8, 4_000_000_000, 0xFFFFFFFF) + b"a\0b\0")
def test_names_of_files_of_arbitrary_bytes_never_raise(blob: bytes) -> None:
    assert b"" not in file_names(blob) or blob


@pytest.mark.skipif(not REAL.is_file(), reason="the corpora are not here")
def test_names_of_files_of_a_real_package() -> None:
    assert file_names(REAL.read_bytes())
