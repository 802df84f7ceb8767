"""Reports with every hostile character in every text, and with as many findings as one may have."""

import csv
import datetime as dt
import io
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from phaseout.cli.fleet_formats import hosts_text, status_text, trend_text
from phaseout.fleet.answers import of_json
from phaseout.fleet.assets import Asset, replace_assets
from phaseout.fleet.evidence import evidence
from phaseout.fleet.html_page import write_page
from phaseout.fleet.status import Wanted, hosts, status, trend
from phaseout.fleet.store import Store, opened
from phaseout.fleet.tables import as_csv, tables
from phaseout.inventories.document import BrokenError

from tests.unit.fleet.test_hosts import add

HOSTILE = "<script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}\x1b[31m\r\n\"',;\0\x85\N{GRINNING FACE}"
NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
_RAW = re.compile("[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\N{RIGHT-TO-LEFT OVERRIDE}]")


def finding(number: int, text: str) -> dict[str, Any]:
    return {
        "vendor": f"={text}", "vendor_id": text, "product": f"={text}{number}", "product_id": f"{text}{number}",
        "verdict": "replace", "state": "installed", "action": f"+{text}", "replacement": f"-{text}",
        "items": [{"version": f"@{text}", "user": f"={text}", "path": f"\t{text}"}],
        "measures": [{"id": text, "applies": "reaches", "milestone": text, "due": "2024-09-29"}],
    }  # fmt: skip


def report(text: str, findings: int) -> bytes:
    value = {
        "schema": "phaseout-report/1",
        "scanned_at": "2026-01-01T06:00:00Z",
        "tool": text,
        "host": {
            "name": f"={text}",
            "platform": "linux",
            "os": text,
            "identity": [{"kind": "serial", "value": f"={text}"}],
        },
        "rules": {"digest": text, "as_of": text, "cautions": [text]},
        "verdict": "replace",
        "findings": [finding(number, text) for number in range(findings)],
        "unseen": [{"what": text, "why": text, "remedy": text}],
        "protection": {"state": text},
    }
    return json.dumps(value).encode()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(str(tmp_path / "fleet.db"), make=True) as found:
        add(found, [of_json(report(HOSTILE, 2), "a.json")])
        with found.changing():
            word = f"={HOSTILE}"
            replace_assets(found, [Asset(word, word, word, word, word, word, retired=False, line=1)])
        yield found


def texts(store: Store) -> Iterator[tuple[str, str]]:
    """Everything that is written about the fleet, with its form."""
    kinds: tuple[Literal["state", "product", "measure", "group"], ...] = ("state", "product", "measure", "group")
    for form in ("table", "csv", "json"):
        if form != "csv":
            yield form, "".join(status_text(status(store, NOW), form, 100))
        yield form, "".join(hosts_text(hosts(store, NOW, Wanted()), form, 100))
        for by in kinds:
            yield form, "".join(trend_text(trend(store, NOW, by=by), form, 100))
    yield "html", "".join(write_page(store, NOW, 14))
    for name, data in evidence(store, NOW, 14):
        yield name.rpartition(".")[2], data.decode()
    for table in tables(store, NOW, 14):
        yield "csv", as_csv(table).decode()


def test_nothing_that_is_written_holds_what_a_terminal_or_a_spreadsheet_acts_on(store: Store) -> None:
    count = 0
    for form, text in texts(store):
        count += 1
        found = _RAW.search(text.replace("\r\n", "\n") if form == "csv" else text)
        assert found is None, (form, text[found.start() - 80 : found.end() + 20])
        if form == "csv":
            rows = list(csv.reader(io.StringIO(text, newline="")))
            assert {len(row) for row in rows} == {len(rows[0])}
            assert not [one for one in itertools.chain(*rows) if one.startswith(("=", "+", "-", "@"))]
        if form == "html":
            assert "<script>alert" not in text
    assert count > 20


def test_the_host_is_found_by_its_name(store: Store) -> None:
    (line,) = hosts(store, NOW, Wanted(name=f"={HOSTILE}"))
    assert (line.name, len(line.products)) == (f"={HOSTILE}", 2)


@pytest.mark.slow
def test_ten_thousand_findings_on_one_host(store: Store) -> None:
    add(store, [of_json(report("many", 10_000), "b.json")])
    (line,) = hosts(store, NOW, Wanted(name="=many"))
    assert len(line.products) == 10_000
    assert "and 9,902 further products" in "".join(write_page(store, NOW, 14))
    with pytest.raises(BrokenError, match="more than 10,000 findings on one host"):
        of_json(report("many", 10_001), "c.json")
