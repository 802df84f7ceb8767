"""Text of others in our sentences."""

import re
from pathlib import Path

import phaseout
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.model.quoting import quoted, visible

PACKAGE = Path(phaseout.__file__).parent
FOR_PYTHON = {"scan/worker_process.py"}  # writes source code


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("kesl", '"kesl"'),
        (r"C:\Program Files\AVP", r'"C:\Program Files\AVP"'),
        ("it's", '"it\'s"'),
        ('say "x"', '"say "x""'),
        ("卡巴斯基", '"卡巴斯基"'),
        ("two\r\nlines", '"two  lines"'),
        ("\x1b[2J\u202e", r'"\x1b[2J\u202e"'),
        ("", '""'),
        ("x" * 100, f'"{"x" * 80}…"'),
    ],
)
def test_quotations(text: str, shown: str) -> None:
    assert quoted(text) == shown


@given(st.text(st.characters(), max_size=200), st.integers(1, 100))
def test_any_text_is_one_printable_line_of_bounded_length(text: str, most: int) -> None:
    one = quoted(text, most)
    assert one == visible(one)
    assert "\n" not in one
    assert len(one) <= most * 10 + 3


def test_no_sentence_quotes_as_python_does() -> None:
    """`repr` doubles backslashes, changes its quotes, and writes umlauts of a surrogate pair as escapes."""
    found = [
        f"{file.relative_to(PACKAGE)}:{number}"
        for file in PACKAGE.rglob("*.py")
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        if re.search(r"\{[^{}]*!r\}", line) and file.relative_to(PACKAGE).as_posix() not in FOR_PYTHON
    ]
    assert not found
