"""Differences of inventories and reports, trace by trace."""

import datetime as dt
from typing import Any

import pytest
from msgspec.structs import replace
from phaseout.judgement.diff import Change, Difference, compare, outlined, shortened, with_products
from phaseout.model.findings import Finding, Report, RulesUsed
from phaseout.model.nouns import (
    INVENTORY_SCHEMA,
    HostInfo,
    IdentityKind,
    Inventory,
    Item,
    Kind,
    RunStatus,
    SourceRun,
    Unseen,
)
from phaseout.model.rules import Match, Product, Ruleset, Vendor
from phaseout.parsers.encodings.identity import identities

MACHINE = "3d1219c7c4c5404aaa1f6d2a48adfda4"
KASPERSKY = Vendor(
    id="kaspersky",
    name="Kaspersky",
    names=("Kaspersky Lab",),
    product=(
        Product(
            id="kesl",
            name="KESL",
            category="antivirus",
            platforms=("linux",),
            match=(Match(kind=("package", "service", "file", "driver"), name="kesl"),),
            hit=(),
        ),
    ),
)


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
        host=HostInfo(
            name="h", platform="linux", identity=identities((("serial", "PF3ABC12"), ("machine_id", MACHINE)))
        ),
        rules=RulesUsed(vendors=1, products=1, measures=1, digest="d"),
        verdict="replace" if items else "clean",
        findings=(finding,) if items else (),
        runs=(SourceRun(source="dpkg", status=status, **more),),
    )


def told(old: Inventory, new: Inventory) -> list[tuple[str, str, str, str]]:
    difference = compare(old, new)
    assert compare(outlined(old), new) == difference, "an outline has all that is compared"
    return [(one.what, one.name, one.old, one.new) for one in difference.changes]


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


def proof(
    old: Report, new: Report, *items: Item, vendors: tuple[Vendor, ...] = (), now: dt.datetime | None = None
) -> Difference:
    """What is proven where NEW is an inventory of these items."""
    seen = replace(inventory(*items, runs=new.runs, unseen=new.unseen), host=new.host, scanned_at=new.scanned_at)
    ruleset = Ruleset(vendors=vendors, measures=(), digest="d")
    return with_products(compare(old, new), old, new, seen=seen, ruleset=ruleset, now=now)


BEFORE = report(item("kesl", path="/srv/av/kesl"), at="2026-01-01T00:00:00Z")


def test_proof() -> None:
    assert proof(BEFORE, report()).proof == "proven"
    assert proof(BEFORE, report()).removed == ("KESL",)
    assert proof(BEFORE, report(item("kesl", state="leftover"))).proof == "left"
    assert proof(BEFORE, report(item("agent"), product="klnagent")).proof == "left"  # another of the vendor
    assert proof(BEFORE, report(status="failed")).proof == "not_proven"
    assert proof(report(), report()).proof == "not_proven"
    for at in (BEFORE.scanned_at, "2026-01-01T01:00:00+02:00", "", "yesterday"):
        assert proof(BEFORE, replace(report(), scanned_at=at)).proof == "not_proven", at
    other_rules = replace(report(), rules=RulesUsed(vendors=1, products=1, measures=1, digest="e"))
    assert "different rules" in proof(BEFORE, other_rules).reasons[0]


def test_where_old_found_nothing_nothing_is_proven() -> None:
    """That alone is a reason, whatever else holds."""
    before = report(at="2026-01-01T00:00:00Z")
    assert proof(before, report()).reasons == ("OLD found nothing, so there is nothing whose removal could be proven",)


@pytest.mark.parametrize("source", ["dpkg", ""])
def test_what_new_no_longer_sees_is_said_once(source: str) -> None:
    hidden = Unseen("Debian packages", "permission denied", source=source)
    assert len(proof(BEFORE, replace(report(), unseen=(hidden,))).reasons) == 1
    both = proof(replace(BEFORE, unseen=(hidden,)), replace(report(), unseen=(hidden,))).reasons
    assert [reason.split()[0] for reason in both] == ["OLD", "NEW"]


def test_a_date_in_the_future_proves_nothing() -> None:
    now = dt.datetime(2026, 1, 3, tzinfo=dt.UTC)
    for at, proven in (("2026-01-02T00:00:00Z", True), ("2026-01-03T23:00:00Z", True), ("2026-01-05T00:00:00Z", False)):
        after = replace(report(), scanned_at=at)
        difference = proof(BEFORE, after, now=now)
        assert (difference.proof == "proven") == proven
        assert proven or difference.reasons == (f"NEW is dated {at}, which is in the future",)
        assert any("future" in reason for reason in compare(BEFORE, after, now).reasons) != proven


@pytest.mark.parametrize(
    ("name", "raw", "machine", "proven"),
    [
        ("h", {"serial": "PF3ABC12", "machine_id": MACHINE}, "same", True),
        ("h2", {"serial": "PF3ABC12", "machine_id": MACHINE}, "renamed", True),
        ("h", {"serial": "PF3ABC12", "machine_id": MACHINE.replace("a", "b")}, "reimaged", True),
        ("h", {"serial": "PF3ABC13", "machine_id": MACHINE}, "cloned", False),
        ("h", {"serial": "PF3ABC13", "machine_id": MACHINE.replace("a", "b")}, "other", False),
        ("h2", {"machine_id": MACHINE}, "unknown", False),
        ("h", {}, "unknown", False),
    ],
)
def test_a_name_is_no_identity(name: str, raw: dict[IdentityKind, str], machine: str, proven: bool) -> None:
    new = replace(report(), host=HostInfo(name=name, platform="linux", identity=identities(raw.items())))
    difference = proof(BEFORE, new)
    assert (difference.machine, difference.proof) == (machine, "proven" if proven else "not_proven")
    said = difference.notes if proven else difference.reasons
    assert bool(said) == (machine != "same")


@pytest.mark.parametrize("side", ["old", "new"])
@pytest.mark.parametrize(
    ("kinds", "proven"),
    [((), False), (("service",), False), (("certificate",), False), (("setting",), False), (("extension",), True)],
)
def test_both_must_be_complete_for_the_kinds_concerned(side: str, kinds: tuple[Kind, ...], proven: bool) -> None:
    hidden = (Unseen("Part", "why", kinds=kinds),)
    old = replace(BEFORE, unseen=hidden if side == "old" else ())
    new = replace(report(), unseen=hidden if side == "new" else ())
    difference = proof(old, new, vendors=(KASPERSKY,))
    assert (difference.proof == "proven") == proven
    assert proven or any("Part: why" in reason for reason in difference.reasons)


@pytest.mark.parametrize(
    "residue",
    [
        item("kaspersky", kind="file", path="/etc/opt/kaspersky", state="leftover"),
        item("Kaspersky Lab", kind="file", path="C:\\ProgramData\\Kaspersky Lab", state="leftover"),
        item("KasperskyLab", kind="file", path="/Library/Application Support/KasperskyLab/x"),
        item("com.kaspersky.agent", kind="service", path="/Library/LaunchDaemons/com.kaspersky.agent.plist"),
        item("a", kind="driver", signer="CN=AO Kaspersky Lab, O=AO Kaspersky Lab"),
        item("x", kind="file", path="/srv/av/kesl/var/x"),  # where the product was
        item("kaspersky", kind="file", path="/usr/share/kaspersky", state="leftover"),
        item("kesl", kind="file", path="/var/log/kesl", state="leftover", version="another"),
        item(
            "Kaspersky Anti-Virus Personal Root Certificate",
            kind="certificate",
            vendor="AO Kaspersky Lab",
            state="leftover",
            path="/etc/ssl/certs/x.pem",
        ),
        item("made", kind="setting", vendor="Kaspersky Lab", path="C:\\Windows\\System32\\made.dll"),
        item("proxy.pac", kind="setting", path="C:\\ProgramData\\Kaspersky Lab\\proxy.pac", state="leftover"),
        item("kesl-logs", kind="file", path="/var/cache/kesl-logs", state="leftover"),
        item(
            "Pane", kind="app", path="/Library/PreferencePanes/Pane.prefPane", ids={"bundle_id": "com.kaspersky.pane"}
        ),
        item("com.kaspersky.agent", kind="package", ids={"receipt_id": "com.kaspersky.agent"}),
        item("kesl", kind="program", path="/srv/kesl"),
    ],
)
def test_what_no_rule_names_is_left_all_the_same(residue: Item) -> None:
    difference = proof(BEFORE, report(), residue, vendors=(KASPERSKY,))
    assert difference.proof == "not_proven"
    assert difference.reasons[0].startswith("no rule names it")
    assert residue.path in difference.reasons[0]


@pytest.mark.parametrize(
    "harmless",
    [
        item("kaspersky-api", kind="library", path="/usr/lib/python3/kaspersky_api"),
        item("av", kind="file", path="/srv/av", state="leftover"),
        item("bash", path="/opt/other"),
        item("kasperskyish", kind="file", path="/opt/kasperskyish"),
    ],
)
def test_what_only_looks_like_it_proves_nothing(harmless: Item) -> None:
    assert proof(BEFORE, report(), harmless, vendors=(KASPERSKY,)).proof == "proven"


@pytest.mark.parametrize(
    ("place", "left", "proven"),
    [
        ("/opt/av", "/opt/av", False),
        ("/opt/av", "/opt/av/bin/x", False),
        ("/opt", "/opt/other", True),  # everybody's
        ("C:\\av", "C:\\av\\x", True),
        ("C:\\Programs\\av", "C:\\Programs\\av\\x", False),
        ("", "/srv/x", True),
    ],
)
def test_what_lies_where_the_product_was_is_left(place: str, left: str, proven: bool) -> None:
    before = report(item("kesl", path=place), at="2026-01-01T00:00:00Z")
    assert (proof(before, report(), item("x", kind="file", path=left)).proof == "proven") == proven


@pytest.mark.parametrize(
    ("name", "names"),
    [("Anti", ("Doctor Web Ltd",)), ("Anti", ("Doctor Web",)), ("doctor-web-ltd", ()), ("360 Safe", ()), ("安全", ())],
)
def test_a_vendor_is_known_by_each_of_its_names(name: str, names: tuple[str, ...]) -> None:
    vendor = replace(KASPERSKY, name=name, names=names)
    called = (*names, name)[0]
    for residue in (item("x", kind="file", path=f"/etc/{called}/x"), item("x", kind="driver", vendor=f"{called}, Inc")):
        assert proof(BEFORE, report(), residue, vendors=(vendor,)).proof == "not_proven"


def test_a_rule_for_every_kind_needs_everything_seen() -> None:
    for kind, proven in (("package", True), (("package", "service"), True), ("", False), ("extension", False)):
        match = Match(kind=kind, name="kesl")  # type: ignore[arg-type]
        vendor = replace(KASPERSKY, product=(replace(KASPERSKY.product[0], match=(match,)),))
        after = replace(report(), unseen=(Unseen("Part", "why", kinds=("extension",)),))
        assert (proof(BEFORE, after, vendors=(vendor,)).proof == "proven") == proven, kind


def test_a_place_on_a_skipped_mount_proves_nothing() -> None:
    new = report()
    for mount, proven in (("/srv (nfs4)", False), ("/srv/a (nfs4)", True)):
        skipped = replace(new, host=replace(new.host, skipped_mounts=(mount,)))
        assert (proof(BEFORE, skipped).proof == "proven") == proven


def test_a_report_alone_proves_nothing() -> None:
    assert "a report, which lists only what rules recognise" in compare(BEFORE, report()).reasons[-1]


def test_waived_since_is_left() -> None:
    after = report(item("kesl"))
    waived = replace(after, findings=(), suppressed=(replace(after.findings[0], verdict="exempt"),))
    assert proof(BEFORE, waived).proof == "left"


def test_a_report_and_an_inventory_compare_findings_only() -> None:
    seen = inventory(item("bash"), runs=(SourceRun(source="dpkg", status="ok"),))
    changes = compare(report(item("kesl")), seen).changes
    assert [(one.what, one.name, one.product) for one in changes] == [("gone", "kesl", "KESL")]
    assert isinstance(changes[0], Change)


@pytest.mark.slow
def test_more_changes_than_anybody_reads_are_counted() -> None:
    old = inventory(*(item(f"old{number}") for number in range(10_001)))
    new = inventory(*(item(f"new{number}") for number in range(10_001)))
    difference = shortened(compare(old, new))
    assert len(difference.changes) == 20_000
    assert difference.newly_unseen[-1] == Unseen("Changes", "2 more are not listed", cause="limit")
    assert shortened(compare(old, old)) == compare(old, old)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("/mnt/a", "/mnt/a", ""),
        ("", "", ""),
        ("/mnt/a", "/mnt/b", "OLD is of the root /mnt/a, and NEW of the root /mnt/b"),
        ("", "/mnt/b", "OLD is of the running system, and NEW of the root /mnt/b"),
    ],
)
def test_scans_of_different_roots_are_noted(before: str, after: str, said: str) -> None:
    old, new = (replace(report(), host=HostInfo(name="h", platform="linux", root=root)) for root in (before, after))
    notes = "; ".join(note for note in compare(old, new).notes if note.startswith("OLD is of"))
    assert notes.startswith(said) if said else not notes
