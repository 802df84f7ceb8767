"""Prometheus metrics, read by the parser of the Prometheus client."""

import shutil
import subprocess

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.model.nouns import Unseen
from phaseout.report import Page
from phaseout.report.prometheus_format import write_inventory, write_report
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.report.conftest import make_inventory, make_report
from tests.unit.report.test_formats import REPORTS

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: str) -> Samples:
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found
            found[key] = sample.value
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    (found,) = [
        number
        for (each, told), number in samples.items()
        if each == f"phaseout_{name}" and labels.items() <= dict(told).items()
    ]
    return found


def test_what_an_alert_needs(denied: tuple[Unseen, ...]) -> None:
    samples = read("".join(write_report(make_report(unseen=denied), Page())))
    assert value(samples, "days_left", product="kaspersky-kesl", measure="us-commerce") == -783
    assert value(samples, "due_timestamp_seconds", product="kaspersky-kesl") == 1727582400
    assert value(samples, "findings", verdict="replace", state="running") == 1
    assert value(samples, "findings", verdict="review", state="installed") == 0
    assert value(samples, "verdict", verdict="replace") == 1
    assert value(samples, "verdict", verdict="clean") == 0
    assert value(samples, "last_scan_timestamp_seconds") == 1795262400
    assert value(samples, "complete") == 0
    assert value(samples, "source_status", source="dpkg", status="ok") == 1
    assert value(samples, "source_items", source="dpkg") == 2


def test_an_inventory_is_counted_by_kind() -> None:
    samples = read("".join(write_inventory(make_inventory(), Page())))
    assert value(samples, "inventory_items", kind="process") == 1
    assert value(samples, "inventory_items", kind="driver") == 0
    assert value(samples, "complete") == 1


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here")
@pytest.mark.parametrize("which", REPORTS)
def test_promtool_has_nothing_else_to_say(which: str) -> None:
    """It would have seconds instead of days; those are in another metric, and law counts in days."""
    text = "".join(write_report(REPORTS[which], Page()))
    result = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    said = [line for line in (result.stdout + result.stderr).splitlines() if not line.startswith("phaseout_days_left ")]
    assert said == []
    assert result.returncode in (0, 3)


@given(st.text(st.characters(), max_size=40))
def test_any_host_is_a_label(name: str) -> None:
    of = make_report()
    host = msgspec.structs.replace(of.host, name=name, os=name)
    samples = read("".join(write_report(msgspec.structs.replace(of, host=host), Page())))
    assert value(samples, "scan_info", platform="linux") == 1
