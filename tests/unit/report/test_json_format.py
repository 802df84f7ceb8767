"""The JSON: everything, and nothing empty."""

import msgspec
from phaseout.model.findings import Report
from phaseout.report import Page
from phaseout.report.json_format import write_report

from tests.unit.report.conftest import make_report


def test_members_are_as_published() -> None:
    text = "".join(write_report(make_report(), Page()))
    decoded = msgspec.json.decode(text)
    assert decoded["schema"] == "phaseout-report/1"
    (finding,) = decoded["findings"]
    assert finding["measures"][0]["days_left"] == -783
    assert finding["items"][0] == {
        "kind": "package",
        "name": "kesl",
        "source": "dpkg",
        "vendor": "Kaspersky Lab",
        "version": "12.1.0-1543",
        "path": "/opt/kaspersky",
    }
    assert "suppressed" not in decoded
    assert msgspec.json.decode(text, type=Report) == make_report()
