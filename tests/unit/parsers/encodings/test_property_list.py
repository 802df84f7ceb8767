"""Property lists in every form and encoding, and damaged ones."""

import plistlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.encodings.property_list import mapping, property_list, text, texts

VALUE = {"CFBundleName": "Käse 漢字", "CFBundleVersion": "1.0"}
XML = '<?xml version="1.0" encoding="{}"?>\n<plist version="1.0"><dict><key>a</key><string>Käse</string></dict></plist>'


@pytest.mark.parametrize("fmt", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_both_forms(fmt: plistlib.PlistFormat) -> None:
    assert property_list(plistlib.dumps(VALUE, fmt=fmt)) == VALUE


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        ("UTF-32", "utf-32"),
        ("ISO-8859-1", "latin-1"),
        ("x-mac-roman", "mac_roman"),
        ("macintosh", "mac_roman"),
        ("windows-1252", "cp1252"),
    ],
)
def test_encodings(name: str, codec: str) -> None:
    assert property_list(XML.format(name).encode(codec)) == {"a": "Käse"}


def test_encodings_of_several_bytes() -> None:
    document = XML.format("GB18030").replace("Käse", "腾讯").encode("gb18030")
    assert property_list(document) == {"a": "腾讯"}


def test_a_mistake_costs_no_more_than_itself() -> None:
    latin = XML.format("UTF-8").encode("latin-1")
    assert property_list(latin) == {"a": "K�se"}
    assert property_list(b"\n  " + XML.format("UTF-8").encode()) == {"a": "Käse"}
    old = "<plist><dict><key>when</key><date>0000-12-30T00:00:00Z</date><key>b</key><data>!</data></dict></plist>"
    assert property_list(old.encode()) == {"when": "0000-12-30T00:00:00Z", "b": "!"}


def test_what_is_none() -> None:
    assert property_list(b"") is None
    assert property_list(b"bplist00\xff\xff") is None
    assert property_list(b"{ old = style; }") is None
    assert property_list(b'<!DOCTYPE x [<!ENTITY a "b">]><plist><string>&a;</string></plist>') is None
    assert mapping(plistlib.dumps(["a"])) is None


def test_a_key_that_is_no_text_makes_it_none() -> None:
    whole = plistlib.dumps({"a": {"key": 1}}, fmt=plistlib.FMT_BINARY)
    assert mapping(whole.replace(b"\x53key", b"\x43key")) is None  # 0x5n is a text, 0x4n is data


def test_texts_of_other_types() -> None:
    values: list[object] = [" a ", 1, 1.5, True, None, [], b"x"]
    assert [text(value) for value in values] == ["a", "1", "1.5", "", "", "", ""]
    assert texts(["a", 1, "b"]) == ["a", "b"]
    assert texts("a") == []


def test_real_files(corpora: Path) -> None:
    files = [*(corpora / "plaso/test_data/plist").iterdir(), *(corpora / "osquery/plist").iterdir()]
    unread = {file.name for file in files if property_list(file.read_bytes()) is None}
    assert unread == {"empty.plist", "truncated.plist"}


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda tail: b"bplist00" + tail))
def test_arbitrary_bytes(data: bytes) -> None:
    property_list(data)


@given(st.text(max_size=80))
def test_arbitrary_text(content: str) -> None:
    property_list(f"<plist><dict><key>a</key>{content}</dict></plist>".encode("utf-8", "surrogatepass"))
