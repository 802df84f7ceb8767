"""Differences of inventories and reports, trace by trace."""

from typing import Any

import pytest
from msgspec.structs import replace
from phaseout.judgement.diff import Change, compare
from phaseout.model.findings import Finding, Report, RulesUsed
from phaseout.model.nouns import INVENTORY_SCHEMA, HostInfo, Inventory, Item, Problem, RunStatus, SourceRun, Unseen


def item(name: str, **fields: Any) -> Item:
    return Item(**{"kind": "package", "name": name, "source": "dpkg", **fields})


def inventory(*items: Item, runs: tuple[SourceRun, ...] = (), unseen: tuple[Unseen, ...] = ()) -> Inventory:
    return Inventory(
        schema=INVENTORY_SCHEMA,
        tool="t",
        scanned_at="2026-01-01T00:00:00Z",
        host=HostInfo(name="h", platform="linux"),
        items=items,
        runs=runs,
        unseen=unseen,
    )


def report(
    *items: Item, at: str = "2026-01-02T00:00:00Z", product: str = "kesl", status: RunStatus = "ok", **more: Any
) -> Report:
    finding = Finding(
        vendor="Kaspersky",
        vendor_id="kaspersky",
        product=product.upper(),
        product_id=product,
        category="antivirus",
        role="covered",
        verdict="replace",
        state="installed",
        confidence="certain",
        items=items,
        because=("",) * len(items),
    )
    return Report(
        schema="phaseout-report/1",
        tool="t",
        scanned_at=at,
        as_of=at,
        host=HostInfo(name="h", platform="linux"),
        rules=RulesUsed(vendors=1, products=1, measures=1, digest="d"),
        verdict="replace" if items else "clean",
        findings=(finding,) if items else (),
        runs=(SourceRun(source="dpkg", status=status, **more),),
    )


def told(old: Inventory, new: Inventory) -> list[tuple[str, str, str, str]]:
    return [(one.what, one.name, one.old, one.new) for one in compare(old, new).changes]


def test_gone_new_state_version() -> None:
    old = inventory(item("a", version="1"), item("b", version="1"), item("c"), item("same", version="3"))
    new = inventory(item("a", version="2"), item("d"), item("c", state="leftover"), item("same", version="3"))
    assert told(old, new) == [
        ("new", "d", "", ""),
        ("state", "c", "installed", "leftover"),
        ("version", "a", "1", "2"),
        ("gone", "b", "1", ""),
    ]
    assert told(old, old) == []


def test_several_of_one_name() -> None:
    old = inventory(item("l", path="/a", version="1"), item("l", path="/b", version="2"))
    assert told(old, inventory(item("l", path="/b", version="2"), item("l", path="/a", version="9"))) == [
        ("version", "l", "1", "9")
    ]
    assert told(old, inventory(item("l", path="/b", version="2"))) == [("gone", "l", "1", "")]
    moved = inventory(item("l", path="/c", version="1"), item("l", path="/b", version="2"))
    assert told(old, moved) == []  # the same version elsewhere
    users = inventory(item("x", user="ada"))
    assert [one[0] for one in told(users, inventory(item("x", user="bob")))] == ["new", "gone"]
    arches = inventory(item("z", details={"arch": "amd64"}), item("z", details={"arch": "i386"}))
    assert told(arches, inventory(arches.items[0])) == [("gone", "z", "", "")]


def test_processes_come_and_go() -> None:
    one = item("p", kind="process", path="/p", command="p 1")
    two = item("p", kind="process", path="/p", command="p 2")
    assert told(inventory(one, two), inventory(two, item("p", kind="process", path="/p", command="p 3"))) == []
    assert told(inventory(one), inventory()) == [("gone", "p", "", "")]
    assert told(inventory(one), inventory(two)) == []


@pytest.mark.parametrize(("after", "blind"), [("failed", True), ("partial", True), ("skipped", True), ("ok", False)])
def test_newly_unseen(after: RunStatus, blind: bool) -> None:
    old = inventory(item("a"), runs=(SourceRun(source="dpkg", status="ok"),))
    new = inventory(runs=(SourceRun(source="dpkg", status=after, reason="why"),))
    difference = compare(old, new)
    assert [one.what for one in difference.newly_unseen] == (["dpkg"] if blind else [])
    assert len(difference.changes) == (0 if blind else 1)  # what cannot be seen is not said to be gone


def test_unseen_before_is_not_newly_unseen() -> None:
    part = Unseen("Services", "no", source="s")
    run = (SourceRun(source="s", status="partial"),)
    assert compare(inventory(runs=run, unseen=(part,)), inventory(runs=run, unseen=(part,))).newly_unseen == ()
    assert compare(inventory(), inventory(unseen=(part,))).newly_unseen == (part,)


def test_proof() -> None:
    before = report(item("kesl"), at="2026-01-01T00:00:00Z")
    assert compare(before, report()).proof == "proven"
    assert compare(before, report()).removed == ("KESL",)
    assert compare(before, report(item("kesl", state="leftover"))).proof == "left"
    assert compare(before, report(item("agent"), product="klnagent")).proof == "left"  # another of the vendor
    assert compare(before, report(status="failed")).proof == "not_proven"
    assert compare(report(), report()).proof == "not_proven"
    assert compare(before, replace(report(), host=HostInfo(name="other", platform="linux"))).proof == "not_proven"
    assert compare(before, replace(report(), scanned_at=before.scanned_at)).proof == "not_proven"
    other_rules = replace(report(), rules=RulesUsed(vendors=1, products=1, measures=1, digest="e"))
    assert "different rules" in compare(before, other_rules).reasons[0]


def test_waived_since_is_left() -> None:
    before = report(item("kesl"), at="2026-01-01T00:00:00Z")
    after = report(item("kesl"))
    waived = replace(after, findings=(), suppressed=(replace(after.findings[0], verdict="exempt"),))
    assert compare(before, waived).proof == "left"


def test_a_source_that_reads_less_than_before_proves_nothing() -> None:
    known, fresh = Problem("/a", "denied"), Problem("/b", "denied")
    before = report(item("kesl"), at="2026-01-01T00:00:00Z", status="partial", problems=(known,))
    assert compare(before, report(status="partial", problems=(known,))).proof == "proven"
    doubtful = compare(before, report(status="partial", problems=(known, fresh)))
    assert doubtful.proof == "not_proven"
    assert "/b: denied" in doubtful.reasons[0]


def test_a_report_and_an_inventory_compare_findings_only() -> None:
    seen = inventory(item("bash"), runs=(SourceRun(source="dpkg", status="ok"),))
    changes = compare(report(item("kesl")), seen).changes
    assert [(one.what, one.name, one.product) for one in changes] == [("gone", "kesl", "KESL")]
    assert isinstance(changes[0], Change)
