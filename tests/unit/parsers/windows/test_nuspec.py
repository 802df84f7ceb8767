"""Descriptions of NuGet packages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.nuspec import metadata


def test_what_is_read() -> None:
    data = """\ufeff<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2015/06/nuspec.xsd">
  <metadata>
    <id>kav</id> <version>21.3</version> <title>Kaspersky &amp; more</title>
    <authors>Kaspersky
      Lab</authors>
    <dependencies><dependency id="x" /></dependencies>
    <description><id>not this</id></description>
  </metadata>
  <files><id>nor this</id></files>
</package>"""
    expected = {"id": "kav", "version": "21.3", "title": "Kaspersky & more", "authors": "Kaspersky Lab"}
    assert metadata(data.encode()) == expected
    utf16 = data.removeprefix("\ufeff").replace("utf-8", "utf-16").encode("utf-16")
    assert metadata(utf16) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello world",
        b"<package><metadata><id>x</id>",
        b"\xff\xfe\x00",
        b'<!DOCTYPE x [<!ENTITY a "b">]><package><metadata><id>&a;</id></metadata></package>',
    ],
)
def test_what_is_none(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        metadata(data)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_raise_anything_else(data: bytes) -> None:
    for one in (data, b"<package><metadata><id>" + data):
        try:
            metadata(one)
        except ValueError:
            continue
