"""The page for the person who signs off: what it says, that nothing can run in it, and how it behaves in a browser."""

import base64
import hashlib
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.cli.diff_formats import write_html
from phaseout.judgement.diff import compare
from phaseout.model.findings import QuotedMeasure, QuotedMilestone, Report
from phaseout.model.nouns import Item, Unseen
from phaseout.model.rules import MilestoneKind, Reference
from phaseout.report import Page as Terminal
from phaseout.report.html_format import host_rows, several_page, write_inventory, write_report

from tests.support.chromium import PROGRAM, Page
from tests.unit.report.conftest import make_inventory, make_report

browser = pytest.mark.skipif(PROGRAM is None, reason="no Chromium here")
AXE = os.environ.get("PHASEOUT_AXE", "")
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
    sentence = "ada-laptop: 1 product should be replaced; the first date passed 783 days ago (2024-09-29)"
    order = (sentence, "Findings", "What was not seen", "About this report", "Signature", "Dates that matter here")
    assert [text.index(one) for one in order] == sorted(text.index(one) for one in order)
    assert dict(outline.tags)["h1"] == {"class": "replace"}


def test_dates_that_do_not_count_are_folded_and_those_of_other_products_left_out() -> None:
    report = quoting()
    (measure,) = report.measures
    other = msgspec.structs.replace(measure.milestones[1], text="text exchange", products=("exchange-server",))
    measure = msgspec.structs.replace(measure, milestones=(*measure.milestones, other))
    text = " ".join(Outline(page(msgspec.structs.replace(report, measures=(measure,)))).text.split())
    shown, folded = text.split("All 3 dates of these measures")
    assert "text update_cutoff" in shown
    assert "text sunset" not in shown
    assert "text sunset" in folded
    assert "text exchange" not in text[: text.index("What was scanned")]


def test_versions_are_capped_and_traces_folded() -> None:
    (finding,) = make_report().findings
    items = tuple(Item(kind="package", name="k", version=f"1.{at}") for at in range(3000))
    many_items = msgspec.structs.replace(finding, items=items, because=("",) * 3000)
    text = " ".join(Outline(page(msgspec.structs.replace(make_report(), findings=(many_items,)))).text.split())
    assert "1.0, 1.1, 1.2, 1.3, 1.4, and 2,995 more" in text
    assert "and 2,980 more" in text


def test_a_clean_report_says_what_was_looked_for_and_how_to_declare_a_role() -> None:
    text = " ".join(Outline(page(make_report(found=False))).text.split())
    assert "2 products of 1 vendor under 2 measures, among 2 traces of software from 1 source" in text
    assert 'A line such as roles = ["us_contractor"] in phaseout.toml declares one' in text


def test_several_hosts_have_the_gravest_on_top() -> None:
    reports = [make_report(found=False), make_report(found=False, name="bob-desk"), quoting()]
    text = "".join(several_page(map(host_rows, reports), "3 hosts", "replace"))
    assert re.findall(r'<td><span class="mark (\w+)"', text) == ["replace", "clean", "clean"]


def test_sources_with_nothing_in_them_take_one_sentence() -> None:
    (run,) = make_report(found=False).runs
    runs = tuple(msgspec.structs.replace(run, source=name, items=0) for name in ("rpm", "apk", "snap"))
    text = page(msgspec.structs.replace(make_report(found=False), runs=(run, *runs)))
    assert "<summary>4 sources: 4 ok</summary>" in text
    assert "Read to the end, with nothing in them: rpm, apk, snap." in text
    assert text.count('<th scope="row">') == 1


def test_moments_are_written_for_people() -> None:
    report = msgspec.structs.replace(make_report(), as_of="2024-09-01")
    text = page(report)
    assert re.search(r"<dt>Scanned</dt><dd><time[^>]*>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC</time>", text)
    assert '<dt>Days counted on</dt><dd><time datetime="2024-09-01">2024-09-01</time>' in text


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
    columns = ["verdict", "due", "state", "product", "version", "vendor"]
    assert way == ["Skip to the report", "search", "Show all", "Findings", *columns, "Steps and evidence"]
    shown.run("document.querySelector('input').focus()")
    shown.type("product 0499")
    settled = "new Promise(done => setTimeout(() => done(document.querySelector('[role=status]').textContent), 400))"
    assert shown.run(settled) == "11 of 5000 found"
    shown.key("Escape")
    assert shown.run(settled) == "5000 in all, the first 300 shown"
    shown.run("document.querySelectorAll('thead button')[3].focus()")
    first = "document.querySelector('.findings tbody th').textContent"
    shown.key("Enter", "\r")
    assert shown.run(first) == "Product 00000"
    shown.key("Enter", "\r")
    assert shown.run(first) == "Product 04999"
    assert shown.run("document.querySelectorAll('thead th')[3].getAttribute('aria-sort')") == "descending"
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
def test_on_a_phone_state_and_due_date_are_on_the_screen(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(quoting()), encoding="utf-8")
    with Page(tmp_path / "profile", file, width=390, height=844) as tab:
        assert tab.run("document.documentElement.scrollWidth") <= 390
        inside = "[...document.querySelector('.findings tbody tr').cells].every((cell) => {"
        inside += "const box = cell.getBoundingClientRect(); return box.right <= 390 && box.bottom <= 844; })"
        assert tab.run(inside)


def pages_of_every_kind() -> dict[str, str]:
    """A report, a clean one, an inventory, several hosts, and the proof of a removal."""
    before, after = make_inventory(), msgspec.structs.replace(make_inventory(), items=())
    after = msgspec.structs.replace(after, scanned_at="2026-11-22T12:00:00Z")
    reports = [quoting(), make_report(found=False)]
    return {
        "report": page(quoting()),
        "clean": page(make_report(found=False)),
        "inventory": "".join(write_inventory(before, Terminal())),
        "several": "".join(several_page(map(host_rows, reports), "2 hosts: 1 replace, 1 clean.", "replace")),
        "difference": "".join(write_html(compare(before, after), Terminal())),
    }


@pytest.mark.parametrize("kind", list(pages_of_every_kind()))
def test_every_kind_of_page_is_sound(kind: str) -> None:
    text = pages_of_every_kind()[kind]
    outline = Outline(text)
    assert [tag for tag, _ in outline.tags].count("h1") == 1
    assert re.findall(r'<h1 class="(\w+)"', text)
    assert not re.findall(r'(?:src|action)=|href="(?!#|https?:)', text)


@browser
@pytest.mark.slow
@pytest.mark.skipif(not AXE, reason="no axe-core here (PHASEOUT_AXE)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", list(pages_of_every_kind()))
def test_axe_finds_nothing(kind: str, scheme: str, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(pages_of_every_kind()[kind], encoding="utf-8")
    with Page(tmp_path / "profile", file) as tab:
        tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        tab.run("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        tab.run(f"{Path(AXE).read_text(encoding='utf-8')};0")
        found = "axe.run(document).then((result) => result.violations.map((one) => one.id + one.nodes[0].html))"
        assert tab.run(found) == []
        assert tab.complaints == []


@browser
@pytest.mark.slow
def test_the_proof_of_a_removal_fits_on_one_page(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(pages_of_every_kind()["difference"], encoding="utf-8")
    with Page(tmp_path / "profile", file, width=720, height=1040) as tab:  # A4 without its margins
        tab.call("Emulation.setEmulatedMedia", media="print")
        assert tab.run("document.querySelector('.annex').getBoundingClientRect().top") < 1040
        assert tab.run("getComputedStyle(document.querySelector('.sign')).display") == "grid"


@browser
@pytest.mark.slow
def test_what_is_printed_is_what_is_shown_and_steps_go_to_the_annex(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(many(400)), encoding="utf-8")
    with Page(tmp_path / "profile", file) as tab:
        tab.run("document.querySelector('input').focus()")
        tab.type("product 0039")
        assert tab.run("new Promise(done => setTimeout(() => done(1), 400))")
        tab.run("dispatchEvent(new Event('beforeprint'))")
        tab.call("Emulation.setEmulatedMedia", media="print")
        assert tab.run("document.querySelectorAll('.findings details').length") == 389
        assert tab.run("document.querySelectorAll('#printed > details[open]').length") == 11
        assert tab.run("document.querySelector('#printed h3').textContent") == "Product 00039"
        assert tab.run("document.querySelector('[role=status]').checkVisibility()")
        assert tab.run("document.querySelector('[role=status]').textContent") == "11 of 400 found"
        tab.run("dispatchEvent(new Event('afterprint'))")
        assert tab.run("document.querySelectorAll('.findings details:not([open])').length") == 400
        assert not tab.run("document.querySelector('#printed').checkVisibility()")


@browser
@pytest.mark.slow
def test_a_few_rows_have_no_search_and_print_on_one_page_before_the_annex(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(quoting()), encoding="utf-8")
    with Page(tmp_path / "profile", file, width=720, height=1040) as tab:  # A4 without its margins
        assert not tab.run("document.querySelector('input').checkVisibility()")
        tab.run("dispatchEvent(new Event('beforeprint'))")
        tab.call("Emulation.setEmulatedMedia", media="print")
        assert tab.run("document.querySelector('.annex').getBoundingClientRect().top") < 1040


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
