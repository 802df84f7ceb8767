"""Columns of a terminal."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.report.columns import cell_width, cut, paragraph, table, wrapped

TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=60)


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("abc", 3),
        ("卡巴斯基", 8),
        ("é", 1),
        ("e\u0301", 1),
        ("ｋ", 2),
        ("", 0),
        ("👩", 2),
        ("❤\ufe0f", 2),
        ("\u1100\u1161", 2),
    ],
)
def test_widths(text: str, width: int) -> None:
    assert cell_width(text) == width


def test_paths_break_behind_their_separators() -> None:
    assert wrapped("/opt/kaspersky/kesl/libexec/kesl", 21) == ["/opt/kaspersky/kesl/", "libexec/kesl"]
    assert wrapped(r"C:\Program Files\Kaspersky Lab\avp.exe", 20) == [
        "C:\\Program Files\\",
        "Kaspersky Lab\\",
        "avp.exe",
    ]
    assert wrapped("service /opt/kaspersky/kesl", 20) == ["service", "/opt/kaspersky/kesl"]
    assert wrapped("12.1.0-1543+deb12u1", 12) == ["12.1.0-", "1543+deb12u1"]
    assert wrapped("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]


@given(TEXTS, st.integers(8, 40))
def test_no_line_is_too_wide_and_nothing_but_spaces_is_lost(text: str, limit: int) -> None:
    lines = wrapped(text, limit)
    assert all(cell_width(line) <= limit for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert cell_width(cut(text, limit)) <= limit


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=5), st.integers(40, 200))
def test_a_table_is_as_wide_as_it_may_be(rows: list[tuple[str, str, str]], width: int) -> None:
    lines = list(table(("one", "two", "three"), rows, width))
    assert all(cell_width(line.rstrip("\n")) <= width for line in lines)


@given(TEXTS, st.integers(40, 100))
def test_a_paragraph_too(text: str, width: int) -> None:
    assert all(cell_width(line.rstrip("\n")) <= width for line in paragraph(f"  {text}", width))


@pytest.mark.parametrize("width", range(40, 201))
def test_no_word_and_no_name_of_a_path_is_broken(width: int) -> None:
    words = ("Kaspersky Endpoint Security", "installed", "/opt/kaspersky/kesl/libexec/kesl", "klnagent64")
    text = "".join(table(("product", "state", "where", "package"), [words], width))
    missing = {name for word in words for name in re.findall(r"[^ /]+", word) if name not in text}
    assert not missing


def test_a_narrow_terminal_has_a_line_for_each_column() -> None:
    rows = [("Kaspersky Endpoint Security", "installed", "12.1.0-1543"), ("b", "", "2")]
    lines = "".join(table(("product", "state", "version"), rows, 27)).splitlines()
    assert lines == [
        "product  Kaspersky Endpoint",
        "         Security",
        "state    installed",
        "version  12.1.0-1543",
        "",
        "product  b",
        "version  2",
    ]


def test_cjk_columns_are_aligned() -> None:
    _, _, first, second = table(("name", "state"), [("卡巴斯基", "x"), ("kesl", "x")], 80)
    assert cell_width(first[: first.index("x")]) == cell_width(second[: second.index("x")])
