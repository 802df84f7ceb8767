"""The JSON: everything, and nothing empty."""

import msgspec
import pytest
from phaseout.model.findings import Report
from phaseout.model.nouns import Evidence, Item
from phaseout.report import Page
from phaseout.report.json_format import write_inventory, write_report
from phaseout.report.safe import json_text

from tests.unit.report.conftest import make_inventory, make_report

ODD = Item(
    kind="file",
    name='"items": []\n  "findings": []',
    details={"items": '\n  "items": []'},
    evidence=(Evidence("\n", "\x7f"),),
)


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


@pytest.mark.slow
@pytest.mark.parametrize("count", [0, 1, 2, 260])
def test_pieces_are_the_same_text_as_the_whole(count: int) -> None:
    """Long lists are written in pieces, so that they need no memory."""
    items = (ODD,) * count
    inventory = msgspec.structs.replace(make_inventory(), items=items)
    assert "".join(write_inventory(inventory, Page())) == json_text(inventory, indent=2) + "\n"
    report = make_report()
    finding = msgspec.structs.replace(report.findings[0], items=items, because=("",) * count)
    for listed in ({"findings": (finding,) * count}, {"findings": (), "suppressed": (finding,) * min(count, 3)}):
        changed = msgspec.structs.replace(report, **listed)
        assert "".join(write_report(changed, Page())) == json_text(changed, indent=2) + "\n"
