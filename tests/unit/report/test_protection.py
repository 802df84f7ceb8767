"""Every format for people, and those that keep one value of a machine, say whether something protects it."""

import pytest
from msgspec.structs import replace
from phaseout.model.findings import Protection
from phaseout.report import FORMATS, Page

from tests.unit.report.conftest import make_report

PROTECTION = Protection(state="passive", product="Made Product", text="Made Product is there and passive.")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("table", "Protection: Made Product is there and passive."),
        ("markdown", "- Protection: Made Product is there and passive."),
        ("html", "<dt>Protection</dt><dd>Made Product is there and passive.</dd>"),
        ("json", '"state": "passive"'),
        ("line", "; protection passive; rules "),
        ("csv", ",passive"),
    ],
)
@pytest.mark.parametrize("found", [True, False])
def test_it_is_shown(name: str, shown: str, found: bool) -> None:
    (form,) = (form for form in FORMATS if form.name == name)
    report = make_report(found=found)
    assert shown not in "".join(form.write_report(report, Page()))
    assert shown in "".join(form.write_report(replace(report, protection=PROTECTION), Page()))


def test_a_long_line_keeps_it() -> None:
    (form,) = (form for form in FORMATS if form.name == "line")
    report = replace(make_report(name="x" * 3000), protection=PROTECTION)
    report = replace(report, findings=(replace(report.findings[0], product="y" * 3000),))
    assert "; protection passive; rules " in "".join(form.write_report(report, Page()))
