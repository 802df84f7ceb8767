"""NDJSON: each line stands alone, and the last one sums up."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from phaseout.report import Page
from phaseout.report.ndjson_format import write_inventory, write_report

from tests.unit.report.conftest import make_inventory, make_report


def lines(text: str) -> list[dict[str, Any]]:
    assert text.endswith("\n")
    return [msgspec.json.decode(line) for line in text[:-1].split("\n")]


def test_one_line_a_finding_and_one_that_sums_up() -> None:
    finding, summary = lines("".join(write_report(make_report(), Page())))
    assert (finding["type"], finding["host"], finding["product_id"]) == (
        "finding",
        {"name": "ada-laptop"},
        "kaspersky-kesl",
    )
    assert summary["type"] == "summary"
    assert summary["host"]["name"] == "ada-laptop"
    assert summary["counts"] == {"items": 2, "findings": 1, "suppressed": 0}
    assert summary["runs"][0]["source"] == "dpkg"
    assert "findings" not in summary


def test_one_line_an_item() -> None:
    package, process, summary = lines("".join(write_inventory(make_inventory(), Page())))
    assert (package["type"], package["name"], process["state"]) == ("item", "kesl", "running")
    assert summary["schema"] == "phaseout-inventory/1"
    assert summary["counts"] == {"items": 2}


@given(st.text(st.characters(), max_size=40))
def test_any_name_stays_in_its_line(name: str) -> None:
    finding, _ = lines("".join(write_report(make_report(name=name), Page())))
    assert finding["items"][0]["name"] == name.encode("utf-8", "backslashreplace").decode()
