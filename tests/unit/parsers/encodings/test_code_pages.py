"""Text that was read in the wrong code page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.encodings.code_pages import repaired
from phaseout.rules.normalise import normal


@pytest.mark.parametrize(
    ("text", "written", "read"),
    [
        ("Антивирус Касперского 2013", "cp1251", "cp1252"),
        ("Лаборатория Касперского", "cp1251", "latin-1"),
        ("Ёлка Ltd.", "cp1251", "cp1252"),
        ("Лаборатория Касперского", "utf-8", "cp1251"),
        ("Käse & Brot", "utf-8", "cp1252"),
        ("卡巴斯基安全软件 2013", "gb2312", "cp1252"),
    ],
)
def test_what_was_meant(text: str, written: str, read: str) -> None:
    shown = text.encode(written).decode(read)
    assert shown != text
    assert repaired(shown) == text
    assert normal(shown) == normal(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Käse",
            "Çà et là",
            "Ååå ÄÖÜ",
            "naïve façade",
            "Éditions Hervé",
            "São João",
            "Übergrößenträger",
            "Fußball – Spaß",
        ),
        *(
            "Лаборатория Касперского",
            "カスペルスキー",
            "卡巴斯基",
            "Škoda",
            "è vero",
            "Acme® Tool™ 5×3",
            "ÅÄÖ",
            "ÂŠ",  # UTF-8 for a control character
            "",
            "abc",
        ),
    ],
)
def test_text_that_is_right_stays(text: str) -> None:
    assert repaired(text) == text


@given(st.text(max_size=40))
def test_arbitrary_text(text: str) -> None:
    repaired(text)
