"""OCSF events, checked against the framework's own schema of the stated version and of the newest one."""

from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from phaseout.model.nouns import Unseen
from phaseout.report import Page
from phaseout.report.ocsf_format import VERSION, write_inventory, write_report

from tests.unit.report.conftest import make_inventory, make_report
from tests.unit.report.test_formats import REPORTS
from tests.unit.report.test_html_format import quoting

CLASSES = {2003: "compliance_finding", 5020: "software_info"}
pytestmark = pytest.mark.slow  # to load the checker of the schema takes three seconds


@cache
def validator(uid: int, version: str) -> Any:
    from jsonschema import Draft202012Validator

    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version))
    return Draft202012Validator(schema.get_class_schema(CLASSES[uid], ["host"]))


def valid(text: str, version: str = VERSION) -> list[dict[str, Any]]:
    events = [msgspec.json.decode(line) for line in text.splitlines()]
    for event in events:
        errors = list(validator(event["class_uid"], version).iter_errors(event))
        assert not errors, errors[0]
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert event["metadata"]["version"] == VERSION
    return events


@pytest.mark.parametrize("version", [VERSION, "1.8.0"])
@pytest.mark.parametrize("which", REPORTS)
def test_reports_are_compliance_findings(which: str, version: str) -> None:
    events = valid("".join(write_report(REPORTS[which], Page())), version)
    assert {event["class_uid"] for event in events} == {2003}


@pytest.mark.parametrize("version", [VERSION, "1.8.0"])
def test_an_inventory_is_software_inventory_info(version: str, denied: tuple[Unseen, ...]) -> None:
    (event,) = valid("".join(write_inventory(make_inventory(unseen=denied), Page())), version)
    assert event["class_uid"] == 5020
    package, process = event["sbom"]["software_components"]
    assert package == {
        "name": "kesl",
        "version": "12.1.0-1543",
        "type_id": 99,
        "type": "package",
        "author": "Kaspersky Lab",
    }
    assert process["version"] == "unknown"
    assert event["unmapped"]["unseen"][0]["what"] == "Running processes"


def test_a_finding_says_what_a_responder_needs() -> None:
    (event,) = valid("".join(write_report(quoting(), Page())))
    assert event["time"] == 1795262400000
    assert event["severity"] == "High"  # to be replaced, and overdue
    assert (event["compliance"]["status"], event["compliance"]["control"]) == ("Fail", "us-commerce")
    assert event["remediation"] == {
        "desc": "Remove the agent\nRemove the product",
        "references": ["https://example.org/k2"],
    }
    assert event["evidences"][0]["data"]["because"] == 'package with name "kesl"'
    assert event["device"]["hostname"] == "ada-laptop"


def test_a_host_without_findings_is_an_event_too(denied: tuple[Unseen, ...]) -> None:
    (clean,) = valid("".join(write_report(make_report(found=False), Page())))
    assert clean["compliance"]["status"] == "Pass"
    (incomplete,) = valid("".join(write_report(make_report(found=False, unseen=denied), Page())))
    assert incomplete["compliance"]["status"] == "Warning"
    assert incomplete["compliance"]["status_details"][0].startswith("Not seen: Running processes")


def test_what_is_exempt_is_suppressed() -> None:
    events = valid("".join(write_report(REPORTS["full"], Page())))
    assert [event["status"] for event in events] == ["New", "Suppressed"]


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(), max_size=20))
def test_any_name_is_valid(name: str) -> None:
    valid("".join(write_report(make_report(name=name), Page())))
    valid("".join(write_inventory(make_inventory(name=name), Page())))
