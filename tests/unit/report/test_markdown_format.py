"""Markdown, as a parser of CommonMark with tables understands it."""

from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from phaseout.model.nouns import Unseen
from phaseout.report import Page
from phaseout.report.markdown_format import write_inventory, write_report

from tests.unit.report.conftest import make_inventory, make_report

PARSER = MarkdownIt("commonmark").enable("table")


def tokens(text: str) -> list[Token]:
    """All tokens of the document, those inside of a line too."""
    return [each for block in PARSER.parse(text) for each in (block, *(block.children or ()))]


def shape(text: str) -> list[str]:
    return [each.type for each in tokens(text)]


def test_what_a_ticket_needs(denied: tuple[Unseen, ...]) -> None:
    text = "".join(write_report(make_report(unseen=denied), Page()))
    assert text.startswith(
        "# `ada-laptop`: 1 product should be replaced; the first date passed 783 days ago (2024-09-29)"
    )
    assert "| **replace** | Kaspersky Endpoint Security for Linux | running | 783 days past (2024-09-29) |" in text
    assert "1. Remove the agent\n2. Remove the product\n\nInstead: Microsoft Defender\n" in text
    assert "- Running processes: `processes: permission denied: the executable of 9`. To see it: run as root.\n" in text


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), min_size=1, max_size=30).filter(str.strip))
@example("`` ` ``")
@example("a|b\\|c")
@example("](http://x) ![x](http://x) <img src=x> @everyone #1 www.x.org http://x.org")
@example("\n# x\n\n| a |\n")
def test_no_name_is_markup(name: str) -> None:
    usual, odd = ("".join(write_report(make_report(name=one), Page())) for one in ("kesl", name))
    assert shape(odd) == shape(usual)
    usual, odd = ("".join(write_inventory(make_inventory(name=one), Page())) for one in ("kesl", name))
    assert shape(odd) == shape(usual)


@given(st.text("abc|`\\<[ ", min_size=1, max_size=12).filter(str.strip))
def test_a_name_is_shown_as_it_is(name: str) -> None:
    shown = [
        each.content
        for each in tokens("".join(write_inventory(make_inventory(name=name), Page())))
        if each.type == "code_inline"
    ]
    assert name in shown


def test_text_of_rules_and_policy_is_escaped() -> None:
    text = "".join(write_report(make_report(unseen=(Unseen("<b>*x*</b> [y](http://z) www.q.org", "w"),)), Page()))
    assert not {"html_inline", "link_open", "em_open"} & set(shape(text))
    assert "www\\.q.org" in text
