"""JUnit XML: what a pipeline counts, and that it is well-formed whatever a thing is called."""

from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.model.nouns import Problem, SourceRun, Unseen
from phaseout.report import Page
from phaseout.report.junit_format import write_report

from tests.unit.report.conftest import make_report
from tests.unit.report.test_formats import REPORTS


def suites(text: str) -> dict[str, ET.Element]:
    """The suites by name, once their counts are what is in them."""
    root = ET.fromstring(text)
    total = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in root:
        found = {
            "tests": len(suite.findall("testcase")),
            "failures": len(suite.findall("testcase/failure")),
            "errors": len(suite.findall("testcase/error")),
            "skipped": len(suite.findall("testcase/skipped")),
        }
        assert {name: int(suite.attrib[name]) for name in found} == found
        total = {name: total[name] + found[name] for name in total}
    assert {name: int(root.attrib[name]) for name in total} == total
    return {suite.attrib["name"]: suite for suite in root}


@pytest.mark.parametrize("which", REPORTS)
def test_the_counts_are_those_of_the_cases(which: str) -> None:
    assert list(suites("".join(write_report(REPORTS[which], Page())))) == ["products", "sources"]


def test_a_product_to_replace_fails_and_an_exempt_one_is_skipped() -> None:
    products = suites("".join(write_report(REPORTS["full"], Page())))["products"]
    failure = products.find("testcase/failure")
    assert failure is not None
    assert failure.attrib == {"type": "replace", "message": "replace: running, 783 days past (2024-09-29)"}
    assert "1. Remove the agent" in (failure.text or "")
    skipped = products.find("testcase/skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == "Waived."


def test_a_clean_host_passes_and_what_was_not_seen_is_an_error() -> None:
    products = suites("".join(write_report(make_report(found=False), Page())))["products"]
    assert [(case.tag, len(case)) for case in products] == [("properties", 1), ("testcase", 0)]
    denied = SourceRun(
        source="processes", status="partial", problems=(Problem("/proc/1", "permission denied", "permission"),)
    )
    skipped = SourceRun(source="rpm", status="skipped", reason="not for this host")
    unseen = (Unseen("Running processes", "x", source="processes"), Unseen("Users", "no /etc/passwd"))
    of = msgspec.structs.replace(make_report(found=False, unseen=unseen), runs=(denied, skipped))
    sources = suites("".join(write_report(of, Page())))["sources"]
    messages = [error.attrib["message"] for error in sources.iterfind("testcase/error")]
    assert messages == ["/proc/1: permission denied", "no /etc/passwd"]


@given(st.text(st.characters(), max_size=40))
def test_any_name_is_well_formed(name: str) -> None:
    suites("".join(write_report(make_report(name=name), Page())))
