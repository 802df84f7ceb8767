"""What holds for every format, whichever are in the table."""

import csv
import io

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.model.findings import Report, RulesUsed
from phaseout.model.nouns import HostInfo, Item, Unseen
from phaseout.report import FORMATS, CannotWriteError, Format, format_named, format_of_file

from tests.unit.report.conftest import make_inventory, make_report

DENIED = Unseen("Running processes", "processes: permission denied: the executable of 9", "run as root")
EMPTY = Report(
    schema="phaseout-report/1",
    tool="",
    scanned_at="",
    as_of="",
    host=HostInfo(name="", platform="linux"),
    rules=RulesUsed(vendors=0, products=0, measures=0, digest=""),
    verdict="clean",
    findings=(),
)
FULL = msgspec.structs.replace(
    make_report(unseen=(DENIED,)),
    suppressed=(
        msgspec.structs.replace(
            make_report().findings[0], product_id="other", verdict="exempt", action="Waived.", measures=(), remove=()
        ),
    ),
)
REPORTS = {
    "empty": EMPTY,
    "clean": make_report(found=False),
    "incomplete": make_report(found=False, unseen=(DENIED,)),
    "full": FULL,
}
names = st.text(st.characters(), max_size=20)
every_format = pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)


def harmless(text: str) -> bool:
    """Whether it can be stored as UTF-8 and shown in a terminal."""
    return bool(text.encode()) and all(char in "\r\n" or char.isprintable() or char.isspace() for char in text)


@every_format
@pytest.mark.parametrize("which", REPORTS)
def test_all_formats_render(one: Format, which: str) -> None:
    text = "".join(one.write_report(REPORTS[which]))
    assert text.endswith("\n") or one.name == "html"
    assert harmless(text)
    assert text == "".join(one.write_report(REPORTS[which]))
    if which == "full":
        assert "Kaspersky Endpoint Security for Linux" in text or one.name in ("table", "prometheus")


@every_format
def test_a_format_says_whether_it_names_the_digest_of_the_inventory(one: Format) -> None:
    digest = "5e4dc0" * 10 + "d1ce"
    text = "".join(one.write_report(msgspec.structs.replace(FULL, inventory_sha256=digest)))
    assert (digest in text) == one.digest


@every_format
def test_a_measure_that_is_not_in_force_yet_is_called_so(one: Format) -> None:
    report = make_report()
    finding = report.findings[0]
    driving = msgspec.structs.replace(finding.measures[0], begins="2031-05-17")
    early = msgspec.structs.replace(finding, measures=(driving, *finding.measures[1:]))
    text = "".join(one.write_report(msgspec.structs.replace(report, findings=(early,))))
    assert ("2031-05-17" in text) or (one.name == "prometheus" and "} 1936742400\n" in text)


@every_format
def test_all_formats_render_an_inventory_or_say_which_do(one: Format) -> None:
    if "inventory" not in one.holds:
        with pytest.raises(CannotWriteError, match=f"{one.name} has no place for an inventory; these have: table, csv"):
            one.check("inventory")
        return
    for inventory in (make_inventory(), make_inventory(unseen=(DENIED,))):
        assert harmless("".join(one.write_inventory(inventory)))


@every_format
@settings(max_examples=25, deadline=None)
@given(name=names)
def test_no_name_is_more_than_a_name(one: Format, name: str) -> None:
    hostile = Item(kind="program", name=name, vendor=name, version=name, path=name, user=name, command=name)
    report = make_report(name=name)
    finding = msgspec.structs.replace(report.findings[0], items=(hostile,), because=(name,))
    host = msgspec.structs.replace(report.host, name=name, os=name, skipped_mounts=(name,))
    seen = (Unseen(name, name, name),)
    assert harmless(
        "".join(one.write_report(msgspec.structs.replace(report, findings=(finding,), host=host, unseen=seen)))
    )
    if "inventory" in one.holds:
        inventory = msgspec.structs.replace(make_inventory(), items=(hostile,), host=host, unseen=seen)
        assert harmless("".join(one.write_inventory(inventory)))


def test_each_has_its_name_and_endings_for_itself() -> None:
    assert len({one.name for one in FORMATS}) == len(FORMATS)
    endings = [ending for one in FORMATS for ending in one.endings]
    assert len(set(endings)) == len(endings)
    for one in FORMATS:
        assert format_named(one.name) is one
        for ending in one.endings:
            assert format_of_file(f"/tmp/Report{ending.upper()}") is one
    assert format_of_file("report.pdf") is None


def test_pandas_style_readers_get_one_type_for_each_column() -> None:
    """What such readers guess from: the same number of cells everywhere, and nothing but numbers in `days_left`."""
    one = format_named("csv")
    assert one is not None
    text = "".join(one.write_report(FULL))
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert all(None not in row and None not in row.values() for row in rows)
    assert {row["days_left"] for row in rows} == {"-783", ""}


@pytest.mark.parametrize("found", [True, False])
@pytest.mark.parametrize("one", [one for one in FORMATS if "report" in one.holds], ids=lambda one: one.name)
def test_each_format_names_serial_date_and_digest_of_the_rules(one: Format, found: bool) -> None:
    import msgspec.structs

    report = make_report(found=found)
    rules = msgspec.structs.replace(report.rules, digest="0123456789ab" * 5, serial=4711, made="2026-03-14")
    text = "".join(one.write_report(msgspec.structs.replace(report, rules=rules)))
    assert all(part in text for part in ("0123456789ab", "4711", "2026-03-14")), text
