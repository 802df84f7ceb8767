"""The difference between two scans of a host: what went, what came, and whether a removal is proven. Pure.

Two reports are compared by the items of their findings, two inventories by all their items; of a report and an
inventory, the findings are compared. Inventories are judged first where there are rules, so that the product of an item
is known. `removal_proof` says when a removal is proven.
"""

import datetime as dt
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from phaseout.judgement.removal_proof import doubts
from phaseout.model.findings import Finding, Report
from phaseout.model.nouns import HostInfo, Inventory, Item, SourceRun, Unseen
from phaseout.model.rules import Ruleset
from phaseout.parsers.encodings.identity import Comparison, Sameness
from phaseout.parsers.encodings.identity import compare as compare_hosts

SCHEMA = "phaseout-diff/1"
What = Literal["gone", "new", "state", "version"]
Proof = Literal["proven", "left", "not_proven"]
_ORDER: tuple[What, ...] = ("new", "state", "version", "gone")
_LISTED = 20_000  # changes
_RANKS = {"ok": 2, "partial": 1}  # all other runs saw nothing that counts


class ScanSummary(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One of the two scans: when, by what, and how much of the host it saw."""

    scanned_at: str
    tool: str
    items: int = 0  # compared
    sources: tuple[str, ...] = ()  # that are complete
    unseen: tuple[Unseen, ...] = ()


class Change(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One item that differs. `old` and `new` are its states or versions; of what went or came, the version."""

    what: What
    kind: str
    name: str
    product: str = ""
    product_id: str = ""
    old: str = ""
    new: str = ""
    path: str = ""
    user: str = ""
    source: str = ""


class Left(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An item of a product that was to be removed and is still there."""

    product: str
    product_id: str
    item: Item


class Difference(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Everything that differs, and what follows for a removal. `proof` is empty where no product is known.

    `machine` says whether both are of one machine, `notes` what a reader should know about that.
    """

    schema: str
    host: HostInfo
    old: ScanSummary
    new: ScanSummary
    changes: tuple[Change, ...]
    newly_unseen: tuple[Unseen, ...] = ()
    machine: Sameness = "unknown"
    notes: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()  # products that OLD found and NEW did not
    left: tuple[Left, ...] = ()
    proof: Proof | Literal[""] = ""
    reasons: tuple[str, ...] = ()  # why it is not proven


def _outline(item: Item) -> Item:
    arch = item.details.get("arch")
    return Item(
        kind=item.kind,
        name=item.name,
        source=item.source,
        state=item.state,
        version=item.version,
        path=item.path,
        user=item.user,
        command=item.command,
        details={"arch": arch} if arch else {},
    )


_Trace = tuple[str, str, Item]  # product, its id, the item


def compare(old: Report | Inventory, new: Report | Inventory, now: dt.datetime | None = None) -> Difference:
    """The difference between two scans of a host.

    Args:
        old: the earlier one.
        new: the later one.
        now: what the clock says: what is dated later proves nothing.
    """
    found_only = isinstance(old, Report) or isinstance(new, Report)
    before, after = list(_traces(old, found_only)), list(_traces(new, found_only))
    unseen = tuple(_newly_unseen(old, new))
    blind = {one.source for one in unseen}  # what such a source showed before may still be there
    changes = [change for change in _changes(before, after) if change.what != "gone" or change.source not in blind]
    machines = compare_hosts(old.host, new.host)
    difference = Difference(
        schema=SCHEMA,
        host=new.host,
        old=_summary(old, len(before)),
        new=_summary(new, len(after)),
        changes=tuple(sorted(changes, key=_order)),
        newly_unseen=unseen,
        machine=machines.sameness,
        notes=tuple(_notes(old.host, new.host, machines)),
    )
    if isinstance(old, Report) and isinstance(new, Report):
        return _with_proof(difference, old, new, now=now)
    return difference


def _notes(old: HostInfo, new: HostInfo, machines: Comparison) -> Iterator[str]:
    """What a reader should know about the two hosts."""
    if machines.words and machines.same_machine:
        yield machines.words
    if old.root != new.root:
        yield f"OLD is of {_place(old)}, and NEW of {_place(new)}; make sure that both hold the same system"


def _place(host: HostInfo) -> str:
    return f"the root {host.root}" if host.root not in ("", "/") else "the running system"


def outlined(inventory: Inventory) -> Inventory:
    """The inventory with as much of its items as `compare` looks at: about half of the memory."""
    return replace(inventory, items=tuple(map(_outline, inventory.items)))


def with_products(
    difference: Difference,
    old: Report,
    new: Report,
    *,
    seen: Inventory | None,
    ruleset: Ruleset,
    now: dt.datetime | None = None,
) -> Difference:
    """A difference with the proof that the judged scans give, and the product beside each item.

    Args:
        difference: what `compare` gave.
        old: the judged earlier scan.
        new: the judged later scan.
        seen: the inventory of the later scan; `None` where there is only a report.
        ruleset: the rules that judged.
        now: what the clock says.
    """
    known = {
        _same(item): (product, identifier) for one in (old, new) for product, identifier, item in _traces(one, True)
    }
    changes: list[Change] = []
    for change in difference.changes:
        key = (change.kind, change.name, change.path, change.user, change.source)
        product, identifier = known.get(key, ("", ""))
        changes.append(replace(change, product=product, product_id=identifier))
    changed = replace(difference, changes=tuple(sorted(changes, key=_order)))
    return _with_proof(changed, old, new, seen, ruleset, now)


def shortened(difference: Difference) -> Difference:
    """The difference with as many changes as anybody can use, those of products first; the rest is counted."""
    more = len(difference.changes) - _LISTED
    if more <= 0:
        return difference
    left_out = Unseen("Changes", f"{more:,} more are not listed", cause="limit")
    return replace(
        difference,
        changes=difference.changes[:_LISTED],
        newly_unseen=(*difference.newly_unseen, left_out),
    )


def _with_proof(
    difference: Difference,
    old: Report,
    new: Report,
    seen: Inventory | None = None,
    ruleset: Ruleset | None = None,
    now: dt.datetime | None = None,
) -> Difference:
    products = {finding.product_id: finding.product for finding in old.findings}
    vendors = {finding.vendor_id for finding in old.findings}
    waived = [finding for finding in new.suppressed if finding.product_id in products]
    standing = [finding for finding in new.findings if finding.vendor_id in vendors]
    left = tuple(
        Left(product=finding.product, product_id=finding.product_id, item=item)
        for finding in (*standing, *waived)
        for item in finding.items
    )
    there = {one.product_id for one in left}
    machines = compare_hosts(old.host, new.host)
    reasons = tuple(doubts(old, new, machines, difference.newly_unseen, seen=seen, ruleset=ruleset, now=now))
    proof: Proof = "left" if left else "not_proven" if reasons else "proven"
    removed = tuple(name for identifier, name in sorted(products.items()) if identifier not in there)
    return replace(difference, removed=removed, left=left, proof=proof, reasons=reasons)


def _newly_unseen(old: Report | Inventory, new: Report | Inventory) -> Iterator[Unseen]:
    """What OLD saw and NEW did not."""
    runs = {run.source: run for run in new.runs}
    named: set[str] = set()
    for before in old.runs:
        after = runs.get(before.source)
        if _rank(after) < _rank(before):
            named.add(before.source)
            reason = "it did not run" if after is None else after.reason or _problem(after) or after.status
            kinds = next((one.kinds for one in new.unseen if one.source == before.source), ())
            yield Unseen(before.source, reason, source=before.source, kinds=kinds)
    known = {(one.what, one.source, one.cause) for one in old.unseen}
    for one in new.unseen:
        if (one.what, one.source, one.cause) not in known and one.source not in named:
            yield one


def _rank(run: SourceRun | None) -> int:
    return _RANKS.get(run.status, 0) if run is not None else 0


def _problem(run: SourceRun) -> str:
    return f"{run.problems[0].where}: {run.problems[0].why}" if run.problems else ""


def _summary(of: Report | Inventory, compared: int) -> ScanSummary:
    sources = tuple(run.source for run in of.runs if run.status == "ok")
    return ScanSummary(scanned_at=of.scanned_at, tool=of.tool, items=compared, sources=sources, unseen=of.unseen)


def _traces(of: Report | Inventory, found_only: bool) -> Iterator[_Trace]:
    if isinstance(of, Inventory):
        if not found_only:
            for item in of.items:
                yield "", "", item
        return
    findings: Sequence[Finding] = (*of.findings, *of.suppressed)
    for finding in findings:
        for item in finding.items:
            yield finding.product, finding.product_id, item


def _changes(before: list[_Trace], after: list[_Trace]) -> Iterator[Change]:
    """Pairs items by kind, name, user, source and architecture; duplicates are paired by path."""
    groups: dict[tuple[str, ...], tuple[list[_Trace], list[_Trace]]] = {}
    for side, traces in enumerate((before, after)):
        for trace in traces:
            item = trace[2]
            key = (item.kind, item.name, item.user, item.source, item.details.get("arch", ""))
            groups.setdefault(key, ([], []))[side].append(trace)
    for old, new in groups.values():
        yield from _paired(old, new)


def _paired(old: list[_Trace], new: list[_Trace]) -> Iterator[Change]:
    for alike in (_exact, _placed, _versioned):
        here: dict[tuple[str, ...], deque[_Trace]] = {}
        for trace in new:
            here.setdefault(alike(trace[2]), deque()).append(trace)
        rest: list[_Trace] = []
        for trace in old:
            candidates = here.get(alike(trace[2]))
            if candidates:
                yield from _changed(trace, candidates.popleft())
            else:
                rest.append(trace)
        old, new = rest, [trace for traces in here.values() for trace in traces]
    if len(old) == len(new) == 1:
        yield from _changed(old[0], new[0])
        return
    if old and old[0][2].kind == "process" and new:  # processes of one program come and go
        return
    for trace in old:
        yield _change("gone", trace, trace[2].version, "")
    for trace in new:
        yield _change("new", trace, "", trace[2].version)


def _exact(item: Item) -> tuple[str, ...]:
    return item.path, item.version, item.state, item.command


def _placed(item: Item) -> tuple[str, ...]:
    return (item.path,)


def _versioned(item: Item) -> tuple[str, ...]:
    return (item.version,)


def _changed(old: _Trace, new: _Trace) -> Iterator[Change]:
    if old[2].state != new[2].state:
        yield _change("state", new, old[2].state, new[2].state)
    if old[2].version != new[2].version:
        yield _change("version", new, old[2].version, new[2].version)


def _change(what: What, trace: _Trace, old: str, new: str) -> Change:
    product, identifier, item = trace
    return Change(
        what=what,
        kind=item.kind,
        name=item.name,
        product=product,
        product_id=identifier,
        old=old,
        new=new,
        path=item.path,
        user=item.user,
        source=item.source,
    )


def _same(item: Item) -> tuple[str, ...]:
    return item.kind, item.name, item.path, item.user, item.source


def _order(change: Change) -> tuple[bool, str, int, str, str, str, str]:
    """Products first; within each, what came before what went."""
    product = change.product_id
    return not product, product, _ORDER.index(change.what), change.kind, change.name, change.path, change.user
