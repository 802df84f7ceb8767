"""Stanzas of fields: lines, damage, and nothing raises."""

from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.deb822 import maintainer_name, stanzas

NAMES = ("package", "status", "version")


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    for line, fields in stanzas(text.split("\n"), NAMES):
        assert 1 <= line <= text.count("\n") + 1
        assert set(fields) <= {"", *NAMES}


def test_fields_and_lines() -> None:
    text = "\nPackage: a\nDescription: x\n Package: not\nVersion: 1\n\n\nPackage: b\nVersion: 1\nVersion: 2\n"
    assert list(stanzas(text.split("\n"), NAMES)) == [
        (2, {"package": "a", "version": "1"}),
        (8, {"package": "b", "version": "2"}),
    ]
    assert list(stanzas(["Package: a\n", "rubbish\n"], NAMES)) == [(1, {"package": "a", "": "rubbish"})]
    assert list(stanzas(["# only", "# comments", "", " continued", "PACKAGE:a\r"], NAMES)) == [
        (4, {"package": "a", "": " continued"})
    ]


@given(st.text(st.sampled_from("Pa: #\t\r\nx"), max_size=60))
def test_lines_with_and_without_their_breaks(text: str) -> None:
    kept = [f"{line}\n" for line in text.split("\n")]
    assert list(stanzas(kept, NAMES)) == list(stanzas(text.split("\n"), NAMES))


def test_maintainer_name() -> None:
    assert maintainer_name("Kaspersky Lab <support@kaspersky.com>") == "Kaspersky Lab"
    assert maintainer_name('"Lab, Inc." <x@y>') == "Lab, Inc."
    assert maintainer_name("<x@y>") == "<x@y>"
