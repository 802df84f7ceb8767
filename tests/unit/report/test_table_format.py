"""The table that a person reads."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.model.nouns import Item, Unseen
from phaseout.report import Page
from phaseout.report.table_format import write_report

from tests.unit.report.conftest import make_report


@pytest.mark.parametrize("width", [80, 100, 200])
def test_fits_the_terminal(width: int) -> None:
    text = "".join(write_report(make_report(), Page(width)))
    assert max(len(line) for line in text.splitlines()) <= width
    assert "REPLACE" in text
    assert "783 days past" in " ".join(text.split())


def test_findings_first_then_seen_then_unseen(denied: tuple[Unseen, ...]) -> None:
    text = "".join(write_report(make_report(unseen=denied), Page(200)))
    assert text.index("REPLACE") < text.index("Replace it.") < text.index("Seen: 2 items") < text.index("Not seen:")
    assert "To see it: run as root." in text
    assert "About the rules: us-commerce: was to be reviewed" in text


def test_clean_and_incomplete_are_said(denied: tuple[Unseen, ...]) -> None:
    assert "nothing found; the one source for Debian GNU/Linux complete." in "".join(
        write_report(make_report(found=False), Page())
    )
    assert "nothing found, but not everything was seen." in "".join(
        write_report(make_report(found=False, unseen=denied), Page())
    )


@given(st.text(max_size=40))
def test_no_name_moves_the_cursor(name: str) -> None:
    text = "".join(write_report(make_report(name=name), Page()))
    assert all(char == "\n" or char.isprintable() or char.isspace() for char in text)
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("count", [5, 6, 3000])
def test_no_number_or_length_of_versions_fills_the_screen(count: int) -> None:
    replace = msgspec.structs.replace
    (finding,) = make_report().findings
    items = tuple(
        Item(kind="package", name="k", version=f"{number}{'v' * 8000}", path=f"/{'p' * 8000}")
        for number in range(count)
    )
    long = replace(finding, product="P" * 8000, items=items, because=("",) * count)
    table, _, _ = "".join(write_report(replace(make_report(), findings=(long,)), Page(80))).partition("\n\n")
    assert [number for number in range(8) if f"{number}v" in table] == list(range(5))
    assert ("more" in table) == (count > 5)
    assert len(table) < 20_000


def test_a_few_versions_are_all_shown() -> None:
    replace = msgspec.structs.replace
    (finding,) = make_report().findings
    items = tuple(Item(kind="package", name="k", version=f"1.{number % 5}") for number in range(9))
    few = replace(finding, items=items, because=("",) * 9)
    text = "".join(write_report(replace(make_report(), findings=(few,)), Page(200)))
    assert "1.0, 1.1, 1.2, 1.3, 1.4  running" in text


def test_no_product_of_foreign_rules_moves_the_cursor() -> None:
    (finding,) = make_report().findings
    named = msgspec.structs.replace(finding, product="A\x1b[31m\u202eB")
    text = "".join(write_report(msgspec.structs.replace(make_report(), findings=(named,)), Page(200)))
    assert r"A\x1b[31m\u202eB" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
