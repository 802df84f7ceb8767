"""What a scan out of a file must hold: removing anything from it never makes it cleaner."""

from typing import Any

import pytest
from msgspec.structs import replace
from phaseout import __version__
from phaseout.model.nouns import INVENTORY_SCHEMA, HostInfo, Inventory, Item, Platform, Problem, SourceRun, Unseen
from phaseout.scan.completeness import checked
from phaseout.sources import load, names


def saved(*runs: SourceRun, tool: str = f"phaseout {__version__}", **more: Any) -> Inventory:
    members = {"host": HostInfo(name="h", platform="linux"), "unseen": (), **more}
    items = (Item(kind="package", name="bash", source="dpkg"),)
    return Inventory(
        schema=INVENTORY_SCHEMA, tool=tool, scanned_at="2026-01-01T00:00:00Z", items=items, runs=runs, **members
    )


def run(name: str, **more: Any) -> SourceRun:
    count = int(name == "dpkg")
    return SourceRun(**{"source": name, "status": "ok", "items": count, "rows": count, **more})


WHOLE = tuple(run(name) for name in names("linux"))


@pytest.mark.parametrize("platform", ["linux", "macos", "windows"])
def test_the_names_are_those_of_the_sources(platform: Platform) -> None:
    assert names(platform) == tuple(source.name for source in load(platform))
    assert all(platform in source.platforms for source in load(platform))


def test_a_whole_scan_lacks_nothing() -> None:
    assert checked(saved(*WHOLE)) == saved(*WHOLE)


@pytest.mark.parametrize("name", names("linux"))
def test_a_run_that_was_taken_out_is_named(name: str) -> None:
    found = checked(saved(*(one for one in WHOLE if one.source != name))).unseen
    assert [one.what for one in found if one.source] == [name]


def test_a_scan_of_another_version_has_at_least_the_floor() -> None:
    assert checked(saved(run("dpkg"), tool="phaseout 0.1.0")).unseen == ()
    for runs in ((run("snap"),), (run("dpkg", items=0, rows=0),), (run("snap"), run("cron", items=3, rows=3))):
        (found,) = checked(saved(*runs, tool="phaseout 0.1.0")).unseen
        assert found.what == "Packages of the system"
    (found,) = checked(saved(tool="")).unseen
    assert found.what == "All software"


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "failed", "reason": "why"},
        {"status": "timeout", "reason": "why"},
        {"status": "partial", "problems": (Problem("/x", "why", "damaged"),)},
        {"status": "ok", "problems": (Problem("/x", "why", "damaged"),)},
    ],
)
def test_what_a_run_did_not_see_stays_unseen(changed: dict[str, Any]) -> None:
    runs = (*(one for one in WHOLE if one.source != "snap"), run("snap", **changed))
    (found,) = checked(saved(*runs)).unseen
    assert (found.source, found.why.endswith("why")) == ("snap", True)
    said = (Unseen("Snaps", "why", source="snap"),)
    assert checked(saved(*runs, unseen=said)).unseen == said
    harmless = (
        *(one for one in WHOLE if one.source != "snap"),
        run("snap", problems=(Problem("/x", "y", "damaged", hides=False),)),
    )
    assert checked(saved(*harmless)).unseen == ()


def test_every_run_of_a_source_counts_and_every_row() -> None:
    twice = checked(saved(run("snap", status="failed", reason="why"), *WHOLE))
    assert [one.source for one in twice.unseen] == ["snap"]
    rows = checked(saved(*(one for one in WHOLE if one.source != "snap"), run("snap", rows=7)))
    assert [one.why for one in rows.unseen] == ["7 rows read, and not all of them accounted for"]
    for reason, missing in (("", ["snap"]), ("not asked for", ["snap"]), ("an offline root has no processes", [])):
        absent = (*(one for one in WHOLE if one.source != "snap"), run("snap", status="skipped", reason=reason))
        assert [one.source for one in checked(saved(*absent)).unseen] == missing


def test_other_platforms_and_other_tools() -> None:
    phone = HostInfo(name="h", platform="ios")
    assert checked(saved(run("discovered apps"), host=phone)).unseen
    shown = (Unseen("Processes", "an SBOM has none", cause="not_shown"),)
    foreign = replace(saved(run("components"), tool="syft"), unseen=shown)
    assert checked(foreign) == foreign
