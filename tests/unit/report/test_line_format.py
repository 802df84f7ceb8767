"""The line: its beginning cannot be forged, it is ASCII, and it has an end."""

import re

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from phaseout.model.nouns import Unseen
from phaseout.report import Page
from phaseout.report.line_format import LIMIT, write_report
from phaseout.report.table_format import write_lines
from phaseout.report.wording import verdict

from tests.unit.report.conftest import make_report

BEGINNING = re.compile(r"(REPLACE|REVIEW|INCOMPLETE|CLEAN) \((all sources complete|not everything seen)\) ")

RULES = "; rules 0123456789ab 2026-11-20\n"


def line(**options: object) -> str:
    return "".join(write_report(make_report(**options), Page()))  # type: ignore[arg-type]


def test_found() -> None:
    assert line() == (
        "REPLACE (all sources complete) replace: Kaspersky Endpoint Security for Linux 12.1.0-1543, running, "
        "783 days past (2024-09-29)" + RULES
    )


def test_nothing_found() -> None:
    said = "CLEAN (all sources complete) nothing found in 2 items; the one source for Debian GNU/Linux complete"
    said += "; what no source can see: phaseout sources" + RULES
    assert line(found=False) == said


def test_what_is_waived_was_found() -> None:
    """Who reads only the line, or the row of a fleet, must not take a waived product for none."""
    waived = structs.replace(make_report().findings[0], verdict="waived")
    report = structs.replace(make_report(found=False), suppressed=(waived,))
    assert "".join(write_report(report, Page())) == (
        "CLEAN (all sources complete) nothing found that counts (not counted: 1 waived) in 2 items; "
        "the one source for Debian GNU/Linux complete; what no source can see: phaseout sources" + RULES
    )
    assert verdict(report).startswith("nothing found that counts (not counted: 1 waived); the one source")
    assert "nothing found that counts (not counted: 1 waived); " in "".join(write_lines(report, Page()))


def test_not_everything_seen() -> None:
    unseen = (Unseen(what="processes", why="needs root"),)
    assert (
        line(found=False, unseen=unseen) == "INCOMPLETE (not everything seen) not seen: processes: needs root" + RULES
    )
    assert line(unseen=unseen).startswith("REPLACE (not everything seen) replace: Kaspersky")


@given(st.text(max_size=40), st.integers(0, 200))
def test_whatever_was_not_seen_it_stays_one_line_of_ascii(text: str, times: int) -> None:
    unseen = (Unseen(what=text, why=text),) * (times + 1)
    said = line(found=False, unseen=unseen)
    assert re.fullmatch(rf"[ -~]{{1,{LIMIT}}}\n", said)
    match = BEGINNING.match(said)
    assert match
    assert match.groups() == ("INCOMPLETE", "not everything seen")


def test_a_flood_of_versions_does_not_push_the_next_finding_out() -> None:
    report = make_report()
    (finding,) = report.findings
    items = tuple(structs.replace(finding.items[0], version=f"{number}{'x' * 80}") for number in range(1_000))
    flooded = structs.replace(finding, product="First", items=items, because=("",) * 1_000)
    text = "".join(write_report(structs.replace(report, findings=(flooded, finding)), Page()))
    assert "and 995 more, running" in text
    assert "Kaspersky Endpoint Security for Linux" in text
