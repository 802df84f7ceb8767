"""XML in whatever encoding, and what is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.encodings.xml_elements import Element, decoded, elements

TEXT = '<?xml version="1.0" encoding="{}"?>\n<a x="ж"><p:b>Ключ &amp; x</p:b><c/></a>'


@pytest.mark.parametrize(
    "data",
    [
        TEXT.format("UTF-16").encode("utf-16"),
        TEXT.format("UTF-16").encode("utf-16-le"),
        TEXT.format("UTF-16").encode("utf-16-be"),
        b"\xfe\xff" + TEXT.format("UTF-16").encode("utf-16-be"),
        TEXT.format("UTF-8").encode(),
        TEXT.format("UTF-8").encode("utf-8-sig"),
        TEXT.format("UTF-16").encode(),  # not what it says
        TEXT.format("windows-1251").encode("cp1251"),
        TEXT.format("ISO-8859-5").encode("iso8859-5"),
    ],
)
def test_encodings(data: bytes) -> None:
    assert list(elements(data)) == [
        Element("a/b", {}, "Ключ & x"),
        Element("a/c", {}, ""),
        Element("a", {"x": "ж"}, ""),
    ]


def test_unknown_bytes_are_taken_for_western_ones() -> None:
    assert decoded(b"<a>caf\xe9</a>") == "<a>café</a>"
    assert decoded(b'<?xml version="1.0" encoding="iso-8859-99"?><a>caf\xe9</a>').endswith("<a>café</a>")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no element found"),
        (b"<a><b></a>", "mismatched tag"),
        (b"<a>" * 65, "too deep"),
        (b"<a>" + b"<b/>" * 50_001, "too many"),
        (b'<!DOCTYPE a [<!ENTITY x "xxxxxxxx">]><a>&x;</a>', "document type"),
    ],
)
def test_refused(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        list(elements(data))


def test_whoever_has_enough_does_not_meet_what_is_broken_behind() -> None:
    found = elements(b"<a><b>1</b>" + b" " * 9000 + b"</x>")
    assert next(found) == Element("a/b", {}, "1")
    with pytest.raises(ValueError, match="mismatched"):
        next(found)


@given(st.one_of(st.binary(), st.text().map(str.encode), st.text().map(lambda text: f"<a>{text}</a>".encode("utf-16"))))
def test_nothing_else_is_raised(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert list(elements(data))[-1].path


def test_a_document_type_without_declarations_is_skipped_and_never_fetched() -> None:
    data = b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a><b>1</b><c>&x;</c></a>'
    assert [element.text for element in elements(data)] == ["1", "&x;", ""]
