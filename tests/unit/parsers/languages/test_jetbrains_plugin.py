"""plugin.xml of JetBrains plugins."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.languages.jetbrains_plugin import Plugin, plugin

XML = """\
<?xml version="1.0" encoding="UTF-8"?>
<idea-plugin url="https://x">
  <id>com.example.p</id>
  <name>A &amp; <![CDATA[B]]></name>
  <vendor email="a@b" url="https://x">Example
    Ltd</vendor>
  <depends><id>no.such</id></depends>
  <version>1.2</version><version>9</version>
  <description><![CDATA[<b>x</b>]]></description>
</idea-plugin>
"""


def test_a_whole_description() -> None:
    assert plugin(XML.encode()) == Plugin("com.example.p", "A & B", "1.2", "Example Ltd")


def test_name_and_identifier_stand_for_each_other() -> None:
    assert plugin(b"<idea-plugin><name>N</name></idea-plugin>") == Plugin("N", "N", "", "")
    assert plugin(b"<idea-plugin><id>i</id></idea-plugin>") == Plugin("i", "i", "", "")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not XML: no element found"),
        (b"<html/>", 'not a plugin but "html"'),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><idea-plugin/>', "document type"),
        (b"<idea-plugin><id>x</idea-plugin>", "not XML: mismatched tag"),
    ],
)
def test_damage_is_a_value_error(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        plugin(data)


def test_nothing_is_fetched_for_an_entity_from_elsewhere() -> None:
    data = b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><idea-plugin><id>&a;</id></idea-plugin>'
    assert plugin(data) == Plugin("&a;", "&a;", "", "")


def test_a_depth_that_no_plugin_has_is_damage() -> None:
    with pytest.raises(ValueError, match="too deep"):
        plugin(b"<idea-plugin>" + b"<a>" * 50_000 + b"</a>" * 50_000 + b"<id>i</id></idea-plugin>")


@given(st.binary(max_size=200) | st.text(alphabet="<>/idaplugn-vero &;'\"", max_size=60).map(str.encode))
@settings(max_examples=150)
def test_any_bytes_raise_value_errors_only(data: bytes) -> None:
    try:
        plugin(data)
    except ValueError:
        return


@given(
    st.text(
        alphabet=st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn"], exclude_characters="\ufffe\uffff"),
        max_size=20,
    )
)
@settings(max_examples=60)
def test_every_name_is_read_back(name: str) -> None:
    from xml.sax.saxutils import escape

    found = plugin(f"<idea-plugin><id>i</id><name>{escape(name)}</name></idea-plugin>".encode())
    assert found.name == (" ".join(name.split()) or "i")
