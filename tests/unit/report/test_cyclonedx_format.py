"""CycloneDX, checked against the schema of the standard by its reference library."""

from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.model.nouns import Evidence, Item, Unseen
from phaseout.report import Page
from phaseout.report.cyclonedx_format import write_inventory, write_report

from tests.unit.report.conftest import make_inventory, make_report

pytestmark = pytest.mark.slow  # to load the checker of the schema takes three seconds


@cache
def validator() -> Any:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    return JsonStrictValidator(SchemaVersion.V1_6)


def valid(text: str) -> dict[str, Any]:
    error = validator().validate_str(text)
    assert error is None, error
    decoded: dict[str, Any] = msgspec.json.decode(text)
    return decoded


def properties(component: dict[str, Any]) -> dict[str, str]:
    return {one["name"].removeprefix("phaseout:"): one["value"] for one in component["properties"]}


def test_a_component_carries_its_finding_and_its_evidence() -> None:
    bom = valid("".join(write_report(make_report(), Page())))
    package, process = bom["components"]
    assert (package["name"], package["version"], package["publisher"]) == ("kesl", "12.1.0-1543", "Kaspersky Lab")
    told = properties(package)
    assert (told["verdict"], told["due"], told["days_left"]) == ("replace", "2024-09-29T00:00:00-04:00", "-783")
    assert package["evidence"]["occurrences"] == [{"location": "/opt/kaspersky"}]
    assert package["evidence"]["identity"][0]["methods"][0]["value"] == 'package with name "kesl"'
    assert process["evidence"]["identity"][0]["methods"][0]["technique"] == "dynamic-analysis"
    assert bom["compositions"] == [{"aggregate": "incomplete", "assemblies": ["host"]}]


def test_an_inventory_says_whether_it_is_everything(denied: tuple[Unseen, ...]) -> None:
    assert valid("".join(write_inventory(make_inventory(), Page())))["compositions"][0]["aggregate"] == "complete"
    bom = valid("".join(write_inventory(make_inventory(unseen=denied), Page())))
    assert bom["compositions"][0]["aggregate"] == "incomplete"
    assert properties(bom["metadata"])["unseen"].startswith("Running processes: ")


def test_identifiers_and_details_are_kept() -> None:
    item = Item(
        kind="library",
        name="requests",
        ids={"purl": "pkg:pypi/requests@2.0"},
        details={"arch": "amd64"},
        evidence=(Evidence("/usr/lib/METADATA:3", "Name: requests"),),
    )
    (component,) = valid("".join(write_inventory(msgspec.structs.replace(make_inventory(), items=(item,)), Page())))[
        "components"
    ]
    assert (component["type"], component["purl"]) == ("library", "pkg:pypi/requests@2.0")
    assert properties(component)["detail:arch"] == "amd64"
    occurrence = {"location": "/usr/lib/METADATA:3", "additionalContext": "Name: requests"}
    assert component["evidence"]["occurrences"] == [occurrence]


def test_the_same_content_has_the_same_serial_number() -> None:
    one, again, other = ("".join(write_inventory(make_inventory(name=name), Page())) for name in ("a", "a", "b"))
    assert one == again
    assert valid(one)["serialNumber"] != valid(other)["serialNumber"]


@settings(max_examples=15, deadline=None)
@given(st.text(st.characters(), max_size=20))
def test_any_name_is_valid(name: str) -> None:
    valid("".join(write_report(make_report(name=name), Page())))
    valid("".join(write_inventory(make_inventory(name=name), Page())))
