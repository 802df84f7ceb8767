"""From recognised items to findings: which measures apply, which date counts, and what is to be done.

The words follow the law. A past update cutoff means loss of protection, not that using the software is forbidden; a
measure that binds nobody here is named, and drives nothing.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase

from phaseout.model.findings import (
    CONFIDENCES,
    REPORT_SCHEMA,
    Applied,
    Finding,
    Hit,
    HostVerdict,
    QuotedMeasure,
    QuotedMilestone,
    Report,
    RulesUsed,
    Verdict,
)
from phaseout.model.nouns import STATES, Inventory, Item
from phaseout.model.rules import Measure, Milestone, Policy, Precision, Product, Ruleset, Step, Waiver

# Consequences that reach the machine of everybody who uses the software, whoever must act.
_EVERYBODY = frozenset(("update_cutoff", "cloud_service_cutoff", "vendor_end_of_service"))
# Consequences that ask whoever must act to be rid of the software, and those that ask something else of him.
_REMOVAL = frozenset(("use_ban", "removal_begins", "removal_due", "contracting_ban", "waiver_ends"))
_TRADE = frozenset(("procurement_ban", "funding_ban", "resale_ban", "integration_ban", "licensing_ban"))
# Where a role is at home: a cutoff in one country says nothing about the machines of another.
_HOMES = {
    "us": "US",
    "texas": "US",
    "vermont": "US",
    "canada": "CA",
    "australia": "AU",
    "lithuania": "LT",
    "germany": "DE",
    "italy": "IT",
    "netherlands": "NL",
    "uk": "GB",
    "romania": "RO",
}
# Not ours to remove: a sign of equipment, and what is not restricted.
_NO_PLAN = frozenset(("indicator", "successor"))
_UNVERIFIED = frozenset(("unverified",))
_DEAD = frozenset(("revoked", "expired", "proposed", "superseded"))
OWN_CUTOFF = "policy"
_AFTERWARDS = frozenset(("restart", "clean", "block", "verify"))  # steps that follow the uninstallation

_STATE_ORDER = {state: rank for rank, state in enumerate(STATES)}
_CONFIDENCE_ORDER = {confidence: rank for rank, confidence in enumerate(CONFIDENCES)}


def judge(
    inventory: Inventory,
    hits: Sequence[Hit],
    ruleset: Ruleset,
    policy: Policy,
    as_of: dt.datetime | dt.date,
) -> Report:
    """The report on an inventory.

    Args:
        inventory: what the host showed.
        hits: the items that are products of the rules.
        ruleset: where the measures come from.
        policy: roles, own deadlines, waivers and replacements of the operator.
        as_of: the instant that days are counted from; a date is taken at the start of that day, in the zone of each
            milestone.
    """
    warnings = [
        *inventory.host.notes,
        *_clock_warnings(ruleset, inventory.scanned_at, as_of),
        *_rule_warnings(ruleset, hits, as_of),
    ]
    used: set[int] = set()
    findings: list[Finding] = []
    suppressed: list[Finding] = []
    for group in _by_product(hits, inventory):
        finding = _finding(group, inventory, ruleset, policy, as_of, used)
        (suppressed if finding.verdict == "exempt" else findings).append(finding)
    warnings += _waiver_warnings(policy, used, ruleset, inventory.host.name, _day(as_of))
    findings.sort(key=_urgency)
    suppressed.sort(key=_urgency)
    return Report(
        schema=REPORT_SCHEMA,
        tool=inventory.tool,
        scanned_at=inventory.scanned_at,
        as_of=_rfc3339(as_of) if isinstance(as_of, dt.datetime) else as_of.isoformat(),
        host=inventory.host,
        rules=RulesUsed(
            vendors=len(ruleset.vendors),
            products=sum(len(vendor.product) for vendor in ruleset.vendors),
            measures=len(ruleset.measures),
            digest=ruleset.digest,
            roles=policy.roles,
            warnings=tuple(warnings),
        ),
        verdict=_host_verdict(findings, inventory, ruleset),
        findings=tuple(findings),
        suppressed=tuple(suppressed),
        runs=inventory.runs,
        unseen=inventory.unseen,
        items=len(inventory.items),
        peak_memory=inventory.peak_memory,
        measures=tuple(_quoted([*findings, *suppressed], ruleset)),
    )


def _quoted(findings: Sequence[Finding], ruleset: Ruleset) -> Iterator[QuotedMeasure]:
    """The measures that the findings name, with what a reader needs to look them up himself."""
    named = {applied.id for finding in findings for applied in finding.measures}
    for measure in ruleset.measures:
        if measure.id not in named:
            continue
        cited = {reference for milestone in measure.milestone for reference in milestone.references}
        yield QuotedMeasure(
            id=measure.id,
            title=measure.title,
            issuer=measure.issuer,
            jurisdiction=measure.jurisdiction,
            force=measure.force,
            citation=measure.citation,
            status=measure.status.state,
            status_as_of=measure.status.as_of.isoformat(),
            milestones=tuple(
                QuotedMilestone(
                    kind=milestone.kind,
                    text=milestone.text,
                    actor=milestone.actor,
                    verified=milestone.verified,
                    due=milestone.at.isoformat() if milestone.at else "",
                    when=milestone.when,
                    products=milestone.products,
                    references=milestone.references,
                )
                for milestone in measure.milestone
            ),
            references=tuple(reference for reference in measure.reference if reference.id in cited),
        )


def _by_product(hits: Sequence[Hit], inventory: Inventory) -> Iterator[list[Hit]]:
    """The hits of each product; the folder of a vendor belongs to the product that lies in it."""
    groups: dict[str, list[Hit]] = {}
    paths = [inventory.items[hit.item].path.replace("\\", "/").lower() for hit in hits]
    folders = {
        (hit.vendor.id, path)
        for hit, path in zip(hits, paths, strict=True)
        if hit.product.role == "vendor" and inventory.items[hit.item].kind == "file"
    }
    lengths = {len(path) for _, path in folders}  # a path may have thousands of folders above it, and each item another
    inside: dict[tuple[str, str], str] = {}  # such a folder above an item of a named product → that product
    for hit, path in zip(hits, paths, strict=True):
        if hit.product.role != "vendor":
            for length in lengths:
                above = (hit.vendor.id, path[:length])
                if path[length : length + 1] == "/" and above in folders:
                    inside.setdefault(above, hit.product.id)
    for hit, path in zip(hits, paths, strict=True):
        within = hit.product.role == "vendor" and inventory.items[hit.item].kind == "file"
        product = inside.get((hit.vendor.id, path)) if within else None
        groups.setdefault(product or hit.product.id, []).append(hit)
    for key in sorted(groups):
        yield sorted(groups[key], key=lambda hit: hit.product.id != key)


def _finding(
    hits: Sequence[Hit],
    inventory: Inventory,
    ruleset: Ruleset,
    policy: Policy,
    as_of: dt.datetime | dt.date,
    used: set[int],
) -> Finding:
    vendor, product = hits[0].vendor, hits[0].product
    items = [inventory.items[hit.item] for hit in hits]
    confidence = max((hit.confidence for hit in hits if hit.product is product), key=_CONFIDENCE_ORDER.__getitem__)
    state = max((item.state for item in items), key=_STATE_ORDER.__getitem__)
    measures = [measure for measure in ruleset.measures if _concerns(measure, vendor.id, product)]
    applied = [_apply(measure, product, policy, as_of) for measure in measures if _covers(measure, product)]
    own = _own_cutoff(policy, vendor.id, product.id, as_of)
    applied = sorted([*applied, *own], key=_driving_order)
    waiver = _waiver(policy, product.id, inventory.host.name, _day(as_of), used)
    verdict, action = _decide(product, measures, applied, confidence, waiver)
    return Finding(
        vendor=vendor.name,
        vendor_id=vendor.id,
        product=product.name,
        product_id=product.id,
        category=product.category,
        role=product.role,
        verdict=verdict,
        state=state,
        confidence=confidence,
        items=tuple(items),
        because=tuple(hit.because for hit in hits),
        measures=tuple(applied) if product.role != "successor" else (),
        action=action,
        remove=_plan(product.remove or vendor.remove, items, inventory) if product.role not in _NO_PLAN else (),
        replacement=policy.replacements.get(product.id, policy.replacements.get(vendor.id, "")),
    )


def _plan(steps: Sequence[Step], items: Sequence[Item], inventory: Inventory) -> tuple[str, ...]:
    """The steps for this platform and, after the one that uninstalls, the commands that the machine itself records.

    The commands are quoted for a person to read and never run: anyone may have written that registry value.
    """
    here = [step for step in steps if step.platform in ("", inventory.host.platform)]
    asked = any(step.shown_by for step in here)
    names = {item.name.lower() for item in inventory.items} if asked else set()
    recorded: dict[str, str] = {}  # command → name of the first entry that has it
    for item in items:
        if command := item.details.get("uninstall", ""):
            recorded.setdefault(command, item.name)
    quoted = [f"Recorded on this machine to uninstall {name}: {command}" for command, name in recorded.items()]
    texts = [_worded(step, names) for step in here]
    uninstalls = [number for number, step in enumerate(here, 1) if step.step == "uninstall"]
    afterwards = [number for number, step in enumerate(here) if step.step in _AFTERWARDS]
    at = next(iter([*uninstalls, *afterwards]), len(here))
    return (*texts[:at], *quoted, *texts[at:])


def _worded(step: Step, names: Collection[str]) -> str:
    """A step that takes something for granted is a question where no item shows it."""
    if not step.shown_by or any(fnmatchcase(name, pattern.lower()) for pattern in step.shown_by for name in names):
        return step.text
    return f"Nothing here shows whether this is needed, so find out first: {step.text}"


def _concerns(measure: Measure, vendor_id: str, product: Product) -> bool:
    if vendor_id not in measure.vendors or measure.status.state in _DEAD:
        return False
    return not measure.products or product.id in measure.products


def _covers(measure: Measure, product: Product) -> bool:
    """Whether the measure reaches this category, and embedded code if that is what the product has."""
    if _exempts(measure, product):
        return False
    if measure.covers and product.category not in measure.covers and product.role != "vendor":
        return False  # what a catch-all found may be of any category
    return product.role != "embedded" or measure.components != "branded_only"


def _exempts(measure: Measure, product: Product) -> bool:
    return any(product.category in exemption.categories for exemption in measure.exempts)


def _apply(measure: Measure, product: Product, policy: Policy, as_of: dt.datetime | dt.date) -> Applied:
    """The milestone that counts for us: what reaches every user or asks us for removal first, then by date."""
    binds = any(bound.role in policy.roles for bound in measure.bound)
    reaches = not policy.roles or any(_home(role) == measure.jurisdiction[:2] for role in policy.roles)
    counting = [
        milestone
        for milestone in measure.milestone
        if (not milestone.products or product.id in milestone.products)
        and (
            (reaches and milestone.kind in _EVERYBODY and milestone.at is not None)
            or (milestone.actor in policy.roles and milestone.kind in _REMOVAL | _TRADE)
        )
    ]
    first = min(counting, key=_weight, default=None)
    return Applied(
        id=measure.id,
        title=measure.title,
        binds=binds,
        force=measure.force,
        milestone=first.kind if first else "",
        due=first.at.isoformat() if first and first.at else "",
        days_left=days_left(first.at, as_of, first.precision) if first and first.at else None,
        text=measure.action if binds else measure.user,
        status=measure.status.state,
        verified=first.verified if first else "",
    )


def _weight(milestone: Milestone) -> tuple[bool, float, bool]:
    at = milestone.at.timestamp() if milestone.at is not None else float("inf")
    return milestone.kind in _TRADE, at, milestone.kind != "update_cutoff"


def _home(role: str) -> str:
    return _HOMES.get(role.partition("_")[0], "")


def _own_cutoff(policy: Policy, vendor_id: str, product_id: str, as_of: dt.datetime | dt.date) -> Iterator[Applied]:
    for cutoff in policy.cutoff:
        if cutoff.product in (product_id, vendor_id):
            zone = as_of.tzinfo if isinstance(as_of, dt.datetime) else dt.UTC
            at = dt.datetime.combine(cutoff.at, dt.time(), zone)
            yield Applied(
                id=OWN_CUTOFF,
                title=cutoff.reason or "Own deadline",
                binds=True,
                force="binding",
                milestone="removal_due",
                due=at.isoformat(),
                days_left=days_left(at, as_of, "day"),
                text="Remove it: the deadline is our own.",
                status="in_force",
            )


def _driving_order(applied: Applied) -> tuple[bool, bool, bool, int, str]:
    """What asks for removal first, in it what has a date, the earliest on top."""
    dated = applied.days_left is not None
    return not applied.milestone, applied.milestone in _TRADE, not dated, applied.days_left or 0, applied.id


def _decide(
    product: Product, measures: Sequence[Measure], applied: Sequence[Applied], confidence: str, waiver: Waiver | None
) -> tuple[Verdict, str]:
    if product.role == "successor":
        return "exempt", f"Not restricted. {product.note or 'It took the place of the restricted product.'}".strip()
    if waiver is not None:
        return "exempt", f"Waived until {waiver.expires} by {waiver.approver}: {waiver.reason}"
    exempting = [measure.id for measure in measures if _exempts(measure, product)]
    if exempting and not any(one.milestone or one.binds for one in applied):
        others = ", ".join(one.id for one in applied)
        return "exempt", (
            f"Its category, {product.category.replace('_', ' ')}, is exempt under {', '.join(exempting)}."
            + (f" Not exempt for those whom these bind: {others}." if others else "")
        )
    if product.role == "indicator":
        return "review", "Check for covered equipment of this vendor: the software itself is only a sign of it."
    if product.role == "embedded":
        return "review", "Find out whether this build carries the restricted engine; ask its maker for a build without."
    if product.role == "vendor":
        return "review", "Software of a restricted vendor that no rule names: find out what it is."
    if confidence == "possible":
        return "review", "Only the name fits: confirm what it is."
    driving = applied[0] if applied else None
    if driving is None:
        return "review", "No measure in force is known for it: decide whether to keep it."
    if driving.milestone in _EVERYBODY or (driving.milestone in _REMOVAL and driving.force != "advisory"):
        return "replace", f"Replace it. {driving.text}"
    if driving.milestone or driving.binds:
        return "review", f"Decide whether to replace it. {driving.text}"
    return "review", f"No declared role is bound. {driving.text}"


def _waiver(policy: Policy, product_id: str, host: str, day: dt.date, used: set[int]) -> Waiver | None:
    for number, waiver in enumerate(policy.waiver):
        if fnmatchcase(product_id, waiver.product) and _on_host(waiver, host):
            used.add(number)
            if waiver.expires >= day:
                return waiver
    return None


def _on_host(waiver: Waiver, host: str) -> bool:
    patterns = (waiver.hosts,) if isinstance(waiver.hosts, str) else waiver.hosts
    return any(fnmatchcase(host.lower(), pattern.lower()) for pattern in patterns)


def _waiver_warnings(policy: Policy, used: set[int], ruleset: Ruleset, host: str, day: dt.date) -> Iterator[str]:
    products = [product.id for vendor in ruleset.vendors for product in vendor.product]
    for number, waiver in enumerate(policy.waiver):
        name = f"waiver[{number}] for {waiver.product!r}"
        covered = sum(fnmatchcase(product, waiver.product) for product in products)
        if not covered:
            yield f"{name}: no rule knows such a product"
        elif covered > 1 and "*" in (waiver.hosts, *waiver.hosts):
            yield f"{name}: covers {covered} products on every host, which is more than a waiver should"
        if waiver.expires < day:
            yield f"{name}: expired on {waiver.expires} and has no effect"
        elif covered and number not in used and _on_host(waiver, host):
            yield f"{name}: unused, nothing of it was found here"


def _clock_warnings(ruleset: Ruleset, scanned_at: str, as_of: dt.datetime | dt.date) -> Iterator[str]:
    """Days that are counted from the machine's own clock are worth what the clock is worth."""
    known = max((measure.status.as_of for measure in ruleset.measures), default=None)
    if known is None or not isinstance(as_of, dt.datetime) or not scanned_at.startswith(_rfc3339(as_of)[:10]):
        return  # the operator gave the date
    if known - as_of.date() > dt.timedelta(days=1):
        yield f"the clock says {as_of.date()}, before the rules were written: no number of days can be trusted"
    elif as_of.date() - known > dt.timedelta(days=3650):
        yield f"the clock says {as_of.date()}, ten years after the rules were written: no number of days can be trusted"


def _rule_warnings(ruleset: Ruleset, hits: Sequence[Hit], as_of: dt.datetime | dt.date) -> Iterator[str]:
    """What a reader must know of the measures that were used: parts that nobody verified, reviews that are due."""
    day = _day(as_of)
    found: dict[str, set[str]] = {}
    for hit in hits:
        found.setdefault(hit.vendor.id, set()).add(hit.product.id)
    for measure in ruleset.measures:
        if measure.status.state in _DEAD or not any(
            found.get(vendor) and (not measure.products or found[vendor] & set(measure.products))
            for vendor in measure.vendors
        ):
            continue
        unverified = [milestone.id for milestone in measure.milestone if milestone.verified in _UNVERIFIED]
        if unverified:
            yield f"{measure.id}: not verified in a source: {', '.join(unverified)}"
        if measure.status.review_by < day:
            yield f"{measure.id}: was to be reviewed by {measure.status.review_by}"
        if measure.status.state == "under_review":
            yield f"{measure.id}: under review. {measure.status.note}".rstrip()


def days_left(due: dt.datetime, as_of: dt.datetime | dt.date, precision: Precision) -> int:
    """Calendar days from `as_of` to `due`, in the zone of `due`; negative once it has passed.

    Args:
        due: the instant, with offset.
        as_of: an instant, or a day in the zone of `due`.
        precision: "day" if the whole day belongs to it ("by 1 April"), "minute" if it has passed after the instant.
    """
    if not isinstance(as_of, dt.datetime):
        return (due.date() - as_of).days
    days = (due.date() - as_of.astimezone(due.tzinfo).date()).days
    return -1 if days == 0 and precision == "minute" and as_of > due else days


def _day(as_of: dt.datetime | dt.date) -> dt.date:
    return as_of.date() if isinstance(as_of, dt.datetime) else as_of


def _rfc3339(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _urgency(finding: Finding) -> tuple[bool, int, int, int, str]:
    """The most overdue on top: replace before review, then by days left, then what runs before what is left over."""
    driving = finding.driving.days_left if finding.driving else None
    return (
        finding.verdict != "replace",
        driving if driving is not None else 1_000_000,
        -_STATE_ORDER[finding.state],
        -_CONFIDENCE_ORDER[finding.confidence],
        finding.product_id,
    )


def _host_verdict(findings: Sequence[Finding], inventory: Inventory, ruleset: Ruleset) -> HostVerdict:
    """Clean only if nothing was found and nothing that could have shown a ruled product was left unseen."""
    if findings:
        return "replace" if any(finding.verdict == "replace" for finding in findings) else "review"
    ruled = _ruled_kinds(ruleset)
    hidden = any(not unseen.kinds or ruled is None or not ruled.isdisjoint(unseen.kinds) for unseen in inventory.unseen)
    return "incomplete" if hidden else "clean"


def _ruled_kinds(ruleset: Ruleset) -> frozenset[str] | None:
    """The kinds that some rule looks at; `None` if a rule looks at all."""
    kinds: set[str] = set()
    for vendor in ruleset.vendors:
        for product in vendor.product:
            for match in product.match:
                if not match.kind:
                    return None
                kinds.update((match.kind,) if isinstance(match.kind, str) else match.kind)
    return frozenset(kinds)
