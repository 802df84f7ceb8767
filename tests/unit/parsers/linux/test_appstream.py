"""Metadata of applications for software centres."""

from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.appstream import Component, component

NEW = b"""<?xml version="1.0" encoding="UTF-8"?>
<component type="desktop">
  <id>org.example.Hello</id>
  <name xml:lang="de">Hallo</name>
  <name>Hello &amp;
     World</name>
  <provides><name>no</name></provides>
  <developer id="org.example"><name xml:lang="de">Nein</name><name>Example AG</name></developer>
  <releases><release version="1.2.3"><description><name>no</name></description></release>
  <release version="1.0"/></releases>
</component>"""
BOMB = b"""<?xml version="1.0"?><!DOCTYPE c [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>
<component><name>&b;</name></component>"""


def test_name_version_and_developer() -> None:
    assert component(NEW) == Component("Hello & World", "1.2.3", "Example AG")


def test_older_developer_name_within_components() -> None:
    xml = b"<components><component><developer_name>A</developer_name></component><component><name>B</name></component>"
    assert component(xml) == Component("", "", "A")


def test_entities_are_refused() -> None:
    assert component(BOMB) is None


def test_the_encoding_a_file_claims_is_not_looked_up() -> None:
    assert component('<?xml version="1.0" encoding="rot13"?><component><name>é</name>'.encode()) is None
    claimed = '<?xml version="1.0" encoding="rot13"?><component><name>é</name></component>'.encode()
    assert component(claimed) == Component("é", "", "")


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    found = component(data)
    assert found is None or b"<" in data


@given(st.lists(st.sampled_from([b"<component>", b"<name>", b"</name>", b"</component>", b"<a>", b"x"]), max_size=12))
def test_any_nesting(parts: list[bytes]) -> None:
    found = component(b"".join(parts))
    assert found is None or set(found.name) <= {"x", " "}
