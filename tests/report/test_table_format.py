"""The table that a person reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.model import Unseen
from scanner.report.table_format import report
from tests.report.conftest import make_report


@pytest.mark.parametrize("width", [80, 100, 200])
def test_fits_the_terminal(width: int) -> None:
    text = "".join(report(make_report(), width))
    assert max(len(line) for line in text.splitlines()) <= width
    assert "REPLACE" in text
    assert "783 days past" in " ".join(text.split())


def test_findings_first_then_seen_then_unseen(denied: tuple[Unseen, ...]) -> None:
    text = "".join(report(make_report(unseen=denied), 200))
    assert text.index("REPLACE") < text.index("Replace it.") < text.index("Seen: 2 items") < text.index("Not seen:")
    assert "To see it: run as root." in text
    assert "About the rules: us-commerce: was to be reviewed" in text


def test_clean_and_incomplete_are_said(denied: tuple[Unseen, ...]) -> None:
    assert "and everything was seen." in "".join(report(make_report(found=False), 100))
    assert "but not everything was seen." in "".join(report(make_report(found=False, unseen=denied), 100))


@given(st.text(max_size=40))
def test_no_name_moves_the_cursor(name: str) -> None:
    text = "".join(report(make_report(name=name), 100))
    assert all(char == "\n" or char.isprintable() or char.isspace() for char in text)
    assert "\x1b" not in text
    assert "\u202e" not in text
