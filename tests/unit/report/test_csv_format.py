"""The CSV: its columns are a contract, its cells no formulas."""

import csv
import io
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.model.nouns import Item, Unseen
from phaseout.report import Page
from phaseout.report.csv_format import COLUMNS, write_inventory, write_report

from tests.unit.report.conftest import make_inventory, make_report


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_columns_are_as_published() -> None:
    assert ",".join(COLUMNS) == (
        "host,scanned_at,verdict,state,confidence,vendor,product,version,kind,name,path,user,source,measure,milestone,"
        "due,days_left,action,replacement,also,because,host_id,rules,begins,as_of,protection,cautions"
    )


def test_one_row_for_each_item() -> None:
    header, package, process = rows("".join(write_report(make_report(), Page())))
    assert header == list(COLUMNS)
    assert dict(zip(header, package, strict=True)) == {
        "host": "ada-laptop",
        "scanned_at": "2026-11-21T12:00:00Z",
        "verdict": "replace",
        "state": "installed",
        "confidence": "certain",
        "vendor": "Kaspersky",
        "product": "Kaspersky Endpoint Security for Linux",
        "version": "12.1.0-1543",
        "kind": "package",
        "name": "kesl",
        "path": "/opt/kaspersky",
        "user": "",
        "source": "dpkg",
        "measure": "us-commerce",
        "milestone": "update_cutoff",
        "due": "2024-09-29",
        "days_left": "-783",
        "action": "Replace it. Use is not penalised.",
        "replacement": "Microsoft Defender",
        "also": "us-far",
        "because": 'package with name "kesl"',
        "host_id": "serial:PF3ABC12",
        "rules": "0123456789ab 2026-11-20",
        "begins": "",
        "as_of": "2026-11-21T12:00:00Z",
        "protection": "",
        "cautions": "",
    }
    assert process[3] == "running"


def test_one_row_for_a_host_without_findings(denied: tuple[Unseen, ...]) -> None:
    _, clean = rows("".join(write_report(make_report(found=False), Page())))
    assert clean == [
        "ada-laptop",
        "2026-11-21T12:00:00Z",
        "clean",
        *[""] * 18,
        "serial:PF3ABC12",
        "0123456789ab 2026-11-20",
        "",
        "2026-11-21T12:00:00Z",
        "",
        "",
    ]
    _, incomplete = rows("".join(write_report(make_report(found=False, unseen=denied), Page())))
    assert incomplete[2] == "incomplete"
    assert incomplete[20] == "Running processes: processes: permission denied: the executable of 9"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "=cmd|' /C calc'!A0"])
def test_no_name_becomes_a_formula(name: str) -> None:
    (_, package, _) = rows("".join(write_report(make_report(name=name), Page())))
    assert package[9][0] in "'\\"


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "\x1b[31mred", "\u202e", "-1"])
def test_nothing_of_a_saved_inventory_becomes_a_formula(text: str) -> None:
    replace = msgspec.structs.replace
    whole = make_report()
    (finding,) = whole.findings
    applied = tuple(replace(one, id=text, due=text) for one in finding.measures)
    items = tuple(replace(item, source=text, user=text, version=text) for item in finding.items)
    finding = replace(
        finding,
        items=items,
        measures=applied,
        vendor=text,
        product=text,
        action=text,
        replacement=text,
        because=[text] * 2,
    )
    host = replace(whole.host, name=text)
    texts = (
        "".join(write_report(replace(whole, host=host, scanned_at=text, findings=(finding,)), Page())),
        "".join(write_report(replace(whole, host=host, scanned_at=text, findings=()), Page())),
        "".join(write_inventory(replace(make_inventory(), host=host, scanned_at=text, items=items), Page())),
    )
    for one in texts:
        cells = {each for row in rows(one) for each in row} - {"-783"}
        assert not [each for each in cells if each.startswith(("=", "-"))]
        assert not [each for each in cells if not each.isprintable()]
        assert one.count("HYPERLINK") == one.count("'=HYPERLINK")


@given(st.text(max_size=40))
def test_any_name_stays_one_row_of_as_many_cells_as_columns(name: str) -> None:
    text = "".join(write_report(make_report(name=name), Page()))
    assert [len(row) for row in rows(text)] == [len(COLUMNS)] * 3
    assert text.count("\r\n") == 3
    assert not any(ord(char) < 32 and char not in "\r\n" for char in text)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="no LibreOffice here")
def test_a_spreadsheet_makes_no_formula_of_it(tmp_path: Path) -> None:
    names = (
        "=1+1",
        "@SUM(A1)",
        "+49 30",
        '=HYPERLINK("http://x")',
        "a;b",
        'quote"x',
        "line\nbreak",
        "ünï 中文",
        "\u202ex",
    )
    items = tuple(Item(kind="program", name=name, path=name) for name in names)
    finding = msgspec.structs.replace(make_report().findings[0], items=items, because=names)
    text = "".join(write_report(msgspec.structs.replace(make_report(), findings=(finding,)), Page()))
    (tmp_path / "report.csv").write_text(text, encoding="utf-8", newline="")
    for filters in (("--infilter=CSV:44,34,76,1", "--convert-to", "fods"), ("--convert-to", _BACK, "--outdir", "out")):
        source = "report.fods" if _BACK in filters else "report.csv"
        command = [
            "soffice",
            "--headless",
            f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
            *filters,
            source,
        ]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=600)
    assert "table:formula" not in (tmp_path / "report.fods").read_text("utf-8")
    assert rows((tmp_path / "out" / "report.csv").read_bytes().decode()) == rows(text)


_BACK = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false"
