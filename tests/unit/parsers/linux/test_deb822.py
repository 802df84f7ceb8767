"""Stanzas of fields: lines, damage, and nothing raises."""

from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.deb822 import maintainer_name, stanzas

NAMES = ("package", "status", "version")


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    for line, fields in stanzas(text, NAMES):
        assert 1 <= line <= text.count("\n") + 1
        assert set(fields) <= {"", *NAMES}


def test_fields_and_lines() -> None:
    text = "\nPackage: a\nDescription: x\n Package: not\nVersion: 1\n\n\nPackage: b\nVersion: 1\nVersion: 2\n"
    assert list(stanzas(text, NAMES)) == [
        (2, {"package": "a", "version": "1"}),
        (8, {"package": "b", "version": "2"}),
    ]
    assert list(stanzas("Package: a\nrubbish\n", NAMES)) == [(1, {"package": "a", "": "rubbish"})]
    assert list(stanzas("# only\n# comments\n\n continued\nPACKAGE:a\r\n", NAMES)) == [
        (4, {"package": "a", "": " continued"})
    ]


def test_maintainer_name() -> None:
    assert maintainer_name("Kaspersky Lab <support@kaspersky.com>") == "Kaspersky Lab"
    assert maintainer_name('"Lab, Inc." <x@y>') == "Lab, Inc."
    assert maintainer_name("<x@y>") == "<x@y>"
