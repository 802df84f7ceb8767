"""The page for the person who signs off: what it says, that nothing can run in it, and how it behaves in a browser."""

import base64
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.model.findings import QuotedMeasure, QuotedMilestone, Report
from phaseout.model.nouns import Unseen
from phaseout.model.rules import MilestoneKind, Reference
from phaseout.report import Page as Terminal
from phaseout.report.html_format import write_inventory, write_report

from tests.support.chromium import PROGRAM, Page
from tests.unit.report.conftest import make_inventory, make_report

browser = pytest.mark.skipif(PROGRAM is None, reason="no Chromium here")
_VOID = {"meta", "input", "br"}


class Outline(HTMLParser):
    """Tags in their order; fails on one that is closed without having been opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data


def page(of: Report) -> str:
    return "".join(write_report(of, Terminal()))


def quoting() -> Report:
    """A report with a measure that has a date before and one after today."""
    dates: tuple[tuple[MilestoneKind, str], ...] = (
        ("update_cutoff", "2024-09-29T00:00:00-04:00"),
        ("sunset", "2027-05-01T00:00:00-04:00"),
    )
    measure = QuotedMeasure(
        id="us-commerce",
        title="Final Determination",
        issuer="US Department of Commerce",
        jurisdiction="US",
        force="binding",
        citation=("89 FR 52434",),
        status="in_force",
        status_as_of="2026-11-21",
        milestones=tuple(
            QuotedMilestone(
                kind=kind, text=f"text {kind}", actor="vendor", verified="copy", due=due, references=("k2",)
            )
            for kind, due in dates
        ),
        references=(Reference(id="k2", tier="copy", url="https://example.org/k2", citation="A copy"),),
    )
    return msgspec.structs.replace(make_report(), measures=(measure,))


def many(number: int) -> Report:
    """A report with that many findings."""
    one = make_report().findings[0]
    found = (
        msgspec.structs.replace(one, product_id=f"p{at}", product=f"Product {at:05}", vendor=f"Vendor {at % 7}")
        for at in range(number)
    )
    return msgspec.structs.replace(make_report(), findings=tuple(found))


def test_the_verdict_comes_first() -> None:
    outline = Outline(page(make_report()))
    text = " ".join(outline.text.split())
    sentence = "ada-laptop: 1 product must be replaced; the first date passed 783 days ago (2024-09-29)"
    assert text.index(sentence) < text.index("Timeline") < text.index("Findings") < text.index("What was not seen")
    assert dict(outline.tags)["h1"] == {"class": "replace"}


def test_today_stands_between_what_has_passed_and_what_is_to_come() -> None:
    text = " ".join(Outline(page(quoting())).text.split())
    passed, today, later = (text.index(words) for words in ("text update_cutoff", "2026-11-21 Today", "text sunset"))
    assert passed < today < later
    assert "update cutoff (drives a finding)" in text
    assert "sunset (drives" not in text


def test_measures_are_quoted_with_citation_and_provenance() -> None:
    outline = Outline(page(quoting()))
    text = " ".join(outline.text.split())
    assert "US Department of Commerce, US; binding; in force as of 2026-11-21. 89 FR 52434" in text
    assert "read in a copy of the official text: k2" in text
    assert ("a", {"href": "https://example.org/k2", "rel": "noreferrer noopener"}) in outline.tags


def test_what_was_not_seen_is_said_with_its_remedy(denied: tuple[Unseen, ...]) -> None:
    text = " ".join(Outline(page(make_report(unseen=denied))).text.split())
    assert "Running processes: processes: permission denied: the executable of 9. To see it: run as root" in text


def test_its_policy_lets_only_its_own_style_and_script_run() -> None:
    text = page(make_report())
    policy = next(attrs["content"] for tag, attrs in Outline(text).tags if "http-equiv" in attrs)
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


USUAL = [tag for tag, _ in Outline(page(make_report())).tags]


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(), max_size=40))
def test_no_name_becomes_a_tag(name: str) -> None:
    text = page(make_report(name=name))
    assert [tag for tag, _ in Outline(text).tags] == USUAL
    assert text.encode()
    assert "\u202e" not in text


def test_an_inventory_is_a_table_of_its_items() -> None:
    outline = Outline("".join(write_inventory(make_inventory(), Terminal())))
    assert [tag for tag, _ in outline.tags].count("table") == 2
    assert "/opt/kaspersky/kesl/libexec/kesl" in outline.text


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[Page]:
    """A report of 5,000 findings in a browser."""
    file = tmp_path / "report.html"
    file.write_text(page(many(5000)), encoding="utf-8")
    with Page(tmp_path / "profile", file) as tab:
        yield tab


@pytest.mark.slow
@browser
def test_five_thousand_findings_are_searched_and_sorted_by_keyboard_alone(shown: Page) -> None:
    focus = "((document.activeElement.ariaLabel ?? document.activeElement.textContent) || document.activeElement.type)"
    way = []
    for _ in range(11):
        shown.key("Tab")
        way.append(shown.run(focus))
    columns = ["verdict", "product", "version", "state", "due", "vendor"]
    assert way == ["Skip to the report", "search", "Show all", "Findings", *columns, "What to do, and why"]
    shown.run("document.querySelector('input').focus()")
    shown.type("product 0499")
    settled = "new Promise(done => setTimeout(() => done(document.querySelector('[role=status]').textContent), 400))"
    assert shown.run(settled) == "11 of 5000 found"
    shown.key("Escape")
    assert shown.run(settled) == "5000 in all, the first 300 shown"
    shown.run("document.querySelectorAll('thead button')[1].focus()")
    first = "document.querySelector('.findings tbody th').textContent"
    shown.key("Enter", "\r")
    assert shown.run(first) == "Product 00000"
    shown.key("Enter", "\r")
    assert shown.run(first) == "Product 04999"
    assert shown.run("document.querySelectorAll('thead th')[1].getAttribute('aria-sort')") == "descending"
    shown.run("document.querySelector('.tools button').click()")
    assert shown.run("document.querySelectorAll('.findings tbody:not([hidden])').length") == 5000
    assert shown.complaints == []


@pytest.mark.slow
@browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(tmp_path: Path, denied: tuple[Unseen, ...], scheme: str) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(msgspec.structs.replace(quoting(), unseen=denied)), encoding="utf-8")
    with Page(tmp_path / "profile", file) as tab:
        tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        tab.run("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert tab.run(_LEAST_CONTRAST) >= 4.5  # WCAG 2.2, 1.4.3
        assert tab.complaints == []
        assert tab.printed().startswith(b"%PDF")
        assert tab.run("document.querySelectorAll('details[open]').length") > 0


@pytest.mark.slow
@browser
def test_hostile_names_run_nothing(tmp_path: Path) -> None:
    name = "</code></script><script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
    file = tmp_path / "report.html"
    file.write_text(page(make_report(name=name)), encoding="utf-8")
    with Page(tmp_path / "profile", file) as tab:
        assert tab.run("document.title").startswith("ada-laptop:")
        assert tab.run("document.querySelectorAll('img').length") == 0
        assert tab.complaints == []


# The least contrast of any text to what is behind it, by the formula of WCAG 2.2.
_LEAST_CONTRAST = """
(() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = parse(colour).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (parse(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  let least = 21;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const pair = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => b - a);
    least = Math.min(least, (pair[0] + 0.05) / (pair[1] + 0.05));
  }
  return least;
})()
"""
