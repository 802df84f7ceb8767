"""From recognised items to findings: the verdict on each product and on the host, and the words for it.

The words follow the law. Updates that ended mean that protection decays, not that using the software is forbidden; and
a measure that binds no declared role is never called an obligation.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from msgspec import structs

from phaseout.judgement.applied import (
    EVERYBODY,
    OWN_CUTOFF,
    REMOVAL,
    Declared,
    applied,
    concerns,
    declared,
    has_ended,
    own_cutoffs,
    reaches_further,
)
from phaseout.judgement.protection import protection
from phaseout.judgement.readiness import Readiness
from phaseout.judgement.removal import Names, plan
from phaseout.judgement.warnings import (
    cautions,
    clock_warnings,
    dating_doubts,
    day,
    not_looked_for,
    nothing_read,
    rule_warnings,
    waiver_of,
    waiver_warnings,
)
from phaseout.model.counting import counted
from phaseout.model.findings import (
    CONFIDENCES,
    REPORT_SCHEMA,
    SUPPRESSED,
    Applied,
    Confidence,
    Finding,
    Hit,
    Hits,
    HostVerdict,
    QuotedMeasure,
    QuotedMilestone,
    Report,
    RulesUsed,
    Verdict,
)
from phaseout.model.nouns import STATES, Inventory, Unseen
from phaseout.model.recording import saved_form
from phaseout.model.rules import Measure, Policy, Product, Ruleset, Vendor, Waiver
from phaseout.parsers.encodings.sha256 import sha256

# Products whose updates are protection. What ends for others leaves their flaws open.
_PROTECTING = frozenset(("antivirus", "endpoint_security", "security_management", "security_tool", "embedded_engine"))
_ENDS = {
    "update_cutoff": ("updates ended", "updates end"),
    "cloud_service_cutoff": ("its cloud service ended", "its cloud service ends"),
    "vendor_end_of_service": ("the vendor ended its service", "the vendor ends its service"),
}
# What is said of a measure of which it is open whether it still counts, or that does not at the moment.
_DOUBTS = {"under_review": ", as far as it still holds (under review)", "suspended": ", once it is no longer suspended"}
_EMBEDDED = "Find out whether this build carries the restricted engine; ask its maker for a build without."
_EMBEDDED_LEFT = "Nothing of it is installed any more: delete what is left, which may hold the restricted engine."
_STATE_ORDER = {state: rank for rank, state in enumerate(STATES)}
_CONFIDENCE_ORDER = {confidence: rank for rank, confidence in enumerate(CONFIDENCES)}


def judge(
    inventory: Inventory,
    hits: Hits,
    ruleset: Ruleset,
    policy: Policy,
    as_of: dt.datetime | dt.date,
    now: dt.datetime | None = None,
    digest: str | None = None,
) -> Report:
    """The report on an inventory.

    Args:
        inventory: what the host showed.
        hits: the items that are products of the rules, and the budget that is left.
        ruleset: where the measures come from.
        policy: roles, own deadlines, waivers and replacements of the operator.
        as_of: the instant that days are counted from; a date is taken as that day in the zone of each milestone.
        now: what the clock says, if that is to be compared with the date of the inventory.
        digest: SHA-256 of the inventory as it is saved, where that is known; empty where nobody will ask for it.
    """
    who = declared(policy, ruleset.roles)
    used: set[int] = set()
    names = Names(inventory.items)
    ready = Readiness(inventory.items, hits)
    judged: list[Finding] = []
    limits = list(hits.unseen)
    hits.budget.begin_step()
    groups = _by_product(hits, inventory)
    for number, group in enumerate(groups):
        why = hits.budget.out_of_time or ("the rules say too much of each" if hits.budget.overdrawn else "")
        if why:
            others = f" and {len(groups) - number - 1:,} more" if number < len(groups) - 1 else ""
            limits.append(Unseen(f"{group[0].product.name}{others}", f"found and not judged: {why}", cause="limit"))
            break
        judged.append(_finding(group, inventory, names, ready, ruleset, policy, who, as_of, used))
        hits.budget.take(sum(len(one.text) + len(one.title) for one in judged[-1].measures))
    judged.sort(key=_urgency)
    findings = tuple(finding for finding in judged if finding.verdict not in SUPPRESSED)
    suppressed = tuple(finding for finding in judged if finding.verdict in SUPPRESSED)
    waived = [finding for finding in suppressed if finding.verdict == "waived"]
    dating = tuple(dating_doubts("the inventory", inventory.scanned_at, now))
    unseen = (*inventory.unseen, *limits, *nothing_read(inventory), *not_looked_for(ruleset, who))
    return Report(
        schema=REPORT_SCHEMA,
        tool=inventory.tool,
        scanned_at=inventory.scanned_at,
        scanned_by=inventory.scanned_by,
        protection=protection(inventory, judged),
        inventory_sha256=digest_of(inventory) if digest is None else digest,
        as_of=_rfc3339(as_of) if isinstance(as_of, dt.datetime) else as_of.isoformat(),
        host=inventory.host,
        rules=RulesUsed(
            vendors=len(ruleset.vendors),
            products=ruleset.products,
            measures=len(ruleset.measures),
            digest=ruleset.digest,
            as_of=ruleset.as_of,
            added=ruleset.added,
            replaced=ruleset.replaced,
            serial=ruleset.serial,
            made=ruleset.made,
            review_by=ruleset.review_by,
            roles=policy.roles,
            cautions=(*dating, *cautions(ruleset, inventory.scanned_at, as_of)),
            warnings=(
                *inventory.host.notes,
                *dating,
                *clock_warnings(ruleset, inventory.scanned_at, as_of),
                *rule_warnings(ruleset, judged, who, as_of),
                *waiver_warnings(policy, used, ruleset, inventory, waived, day(as_of)),
            ),
        ),
        verdict=_host_verdict(findings, unseen, ruleset),
        findings=findings,
        suppressed=suppressed,
        runs=inventory.runs,
        unseen=unseen,
        items=len(inventory.items),
        peak_memory=inventory.peak_memory,
        measures=tuple(_quoted(judged, ruleset)),
    )


def digest_of(inventory: Inventory, saved: bytes | None = None) -> str:
    """The SHA-256 of an inventory as it is saved, in hexadecimal digits.

    Args:
        inventory: the inventory.
        saved: its items as they are saved, where that is known.
    """
    digest = sha256()
    for piece in saved_form(inventory, saved):
        digest.update(piece)
    return digest.hexdigest()


def _quoted(findings: Sequence[Finding], ruleset: Ruleset) -> Iterator[QuotedMeasure]:
    """The measures that the findings name, with what a reader needs to look them up."""
    named = {applied.id for finding in findings for applied in finding.measures}
    applying = {applied.id for finding in findings for applied in finding.applying}
    for measure in ruleset.measures if named else ():
        if measure.id not in named:
            continue
        whole = measure.id in applying
        cited = {reference for milestone in measure.milestone for reference in milestone.references}
        quoted = QuotedMeasure(
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
                    vendors=milestone.vendors,
                    products=milestone.products,
                    references=milestone.references,
                )
                for milestone in measure.milestone
            ),
            references=tuple(reference for reference in measure.reference if whole or reference.id in cited),
        )
        yield _with_texts(quoted, measure) if whole else quoted


def _with_texts(quoted: QuotedMeasure, measure: Measure) -> QuotedMeasure:
    """A measure that applies is quoted with all that an auditor asks for; those that only name a product stay short."""
    return structs.replace(
        quoted,
        duties=measure.bound,
        user=measure.user,
        action=measure.action,
        waiver=measure.waiver,
        exempts=measure.exempts,
        unclear=measure.unclear,
        reason=measure.reason,
        reports=measure.report,
        not_looked_for=measure.unruled_vendors,
        unlisted=measure.unlisted,
        note=measure.note,
        status_note=measure.status.note,
        review_by=measure.status.review_by.isoformat(),
    )


def _by_product(hits: Sequence[Hit], inventory: Inventory) -> list[list[Hit]]:
    """The hits of each product; the folder of a vendor belongs to the product that lies in it."""
    if not hits:
        return []
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
    return [sorted(groups[key], key=lambda hit: hit.product.id != key) for key in sorted(groups)]


def _finding(
    hits: Sequence[Hit],
    inventory: Inventory,
    names: Names,
    ready: Readiness,
    ruleset: Ruleset,
    policy: Policy,
    who: Declared,
    as_of: dt.datetime | dt.date,
    used: set[int],
) -> Finding:
    vendor, product = hits[0].vendor, hits[0].product
    items = [inventory.items[hit.item] for hit in hits]
    confidence = max((hit.confidence for hit in hits if hit.product is product), key=_CONFIDENCE_ORDER.__getitem__)
    state = max((item.state for item in items), key=_STATE_ORDER.__getitem__)
    measures: list[Applied] = []
    measures_now = [measure for measure in ruleset.measures if not has_ended(measure, as_of)]
    if product.role != "successor":
        concerning = [measure for measure in measures_now if concerns(measure, vendor, product)]
        own = list(own_cutoffs(policy, vendor.id, product.id, as_of))
        measures = applied(concerning, vendor, product, own, who, as_of)
    covered = _covered(product, measures, ruleset)
    waiver = waiver_of(policy, product.id, inventory.host.name, day(as_of), used)
    further = tuple(reaches_further(measures_now, product, who))
    titles = tuple(who.titles.get(role, role) for role in policy.roles)
    judged = _Judged(vendor, covered, measures, confidence, state == "leftover", further, titles)
    verdict, action = _decide(judged)
    if waiver is not None and product.role != "successor":
        knows_none = [one.id for one in _binding(measures) if not _waivable(one, ruleset)]
        verdict, action = _waived(waiver, verdict, action, measures, knows_none)
    waived = waiver if verdict == "waived" else None
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
        measures=tuple(measures),
        action=action,
        remove=plan(vendor, covered, items, inventory.host.platform, names, ready),
        replacement=policy.replacements.get(product.id, policy.replacements.get(vendor.id, "")),
        waived_by=waived.approver if waived else "",
        waived_until=waived.expires.isoformat() if waived else "",
        waiver_id=waived.id if waived else "",
        waiver_granted=waived.granted.isoformat() if waived and waived.granted else "",
        waiver_authority=waived.authority if waived else "",
        waiver_reason=waived.reason if waived else "",
    )


def _covered(product: Product, measures: Sequence[Applied], ruleset: Ruleset) -> Product:
    """The product as the driving measure takes it: some ban the software of a vendor, others its equipment only."""
    if product.role != "indicator" or not measures or measures[0].applies != "binds":
        return product
    covers = any(one.id == measures[0].id and one.clients == "covered" for one in ruleset.measures)
    return structs.replace(product, role="covered") if covers else product


class _Judged(NamedTuple):
    """What the verdict on a product follows from.

    Attributes:
        gone: only leftovers of it were found.
        further: ids of measures that bind the operator and reach more than the rules know by name.
        declared: the roles that the operator declares, in words.
    """

    vendor: Vendor
    product: Product
    measures: Sequence[Applied]
    confidence: Confidence
    gone: bool
    further: tuple[str, ...]
    declared: tuple[str, ...]


def _decide(judged: _Judged) -> tuple[Verdict, str]:
    """The verdict without regard to waivers, and what is to be done."""
    vendor, product, measures, confidence, gone, *_ = judged
    if product.role == "successor":
        return "successor", f"Not restricted. {product.note or 'It took the place of the restricted product.'}".strip()
    driving = measures[0] if measures and measures[0].applies != "names" else None
    if driving is not None and driving.applies == "exempts":
        return _exempt(product, driving, measures)
    obliges = _obligation(judged)
    if product.role == "trace":
        return "review", f"Software of {vendor.name} brought it: find out which, and whether that is gone. {obliges}"
    if product.role == "indicator":
        sign = f"Check for covered equipment of this vendor: the software is only a sign of it. {obliges}"
        return "review", f"{sign} {driving.text} {driving.unclear}".rstrip() if driving else sign
    if product.role == "embedded":
        return "review", _EMBEDDED_LEFT if gone else _EMBEDDED
    if product.role == "vendor" and confidence == "certain":
        if gone:
            return "review", f"Software of {vendor.name} that no rule names has left it: delete it. {obliges}"
        return "review", f"It is software of {vendor.name}, though no rule names it: decide on it. {obliges}"
    if product.role == "vendor":
        bound = f" {obliges}" if confidence == "likely" and next(_binding(measures), None) else ""
        return "review", f"Software of a restricted vendor that no rule names: find out what it is.{bound}"
    if confidence == "possible":
        return "review", "Only the name fits: confirm what it is."
    if gone:
        return _left(driving, obliges)
    if not measures:
        return "review", "No measure in force is known for it: decide whether to keep it."
    if driving is None:
        return "review", f"Decide whether to keep it. {obliges}"
    if driving.id == OWN_CUTOFF:
        return "replace", f"Replace it by {_spelled(driving.day)}, our own deadline: {driving.title}. {obliges}"
    if driving.milestone in EVERYBODY:
        return "replace", f"Replace it: {_ended(driving, product)}. {obliges} {driving.unclear}".rstrip()
    if driving.milestone in REMOVAL and driving.force != "advisory":
        if product.category == "developer_library" and driving.unclear:
            return "review", f"Find out whether it is meant. {obliges} {driving.unclear}"
        return "replace", f"Replace it. {obliges} {driving.text} {driving.unclear}".rstrip()
    return "review", f"Decide whether to replace it. {obliges} {driving.text} {driving.unclear}".rstrip()


def _left(driving: Applied | None, obliges: str) -> tuple[Verdict, str]:
    """What is left of a product that is no longer installed: there is nothing to replace, and nothing that protects."""
    removal = driving is not None and (
        driving.id == OWN_CUTOFF
        or driving.milestone in EVERYBODY
        or (driving.milestone in REMOVAL and driving.force != "advisory")
    )
    by = f" by {_spelled(driving.day)}, our own deadline" if driving and driving.id == OWN_CUTOFF else ""
    text = f"Delete what is left of it{by}: nothing of it is installed any more. {obliges}"
    return ("replace" if removal else "review"), text


def _waived(
    waiver: Waiver, verdict: Verdict, action: str, measures: Sequence[Applied], knows_none: Sequence[str]
) -> tuple[Verdict, str]:
    """The verdict on a product for which the operator has a waiver: it has no effect on a duty that knows none."""
    if not knows_none:
        granted = f"Waived until {waiver.expires} by {waiver.approver}{_granted(waiver)}: {waiver.reason}"
        text = f"{granted}{_not_lifted(measures)}"
        return "waived", text
    them = "it" if len(knows_none) == 1 else "them"
    text = (
        f"The waiver by {waiver.approver} lifts no duty under {', '.join(knows_none)}: no exception to {them} is known."
    )
    return ("review" if verdict in SUPPRESSED else verdict), f"{action} {text}"


def _granted(waiver: Waiver) -> str:
    """Number, day and authority of a waiver, as far as the policy gives them."""
    parts = (waiver.id, f"granted on {waiver.granted}" if waiver.granted else "", waiver.authority)
    known = ", ".join(filter(None, parts))
    return f" ({known})" if known else ""


def _binding(measures: Sequence[Applied]) -> Iterator[Applied]:
    """The measures with something that counts for a declared role: neither own deadlines nor advice."""
    binding = (one for one in measures if one.applies == "binds" and one.milestone)
    return (one for one in binding if one.id != OWN_CUTOFF and one.force != "advisory")


def _waivable(one: Applied, ruleset: Ruleset) -> bool:
    """Whether the measure knows a waiver, granted by others than the operator."""
    return any(measure.waiver for measure in ruleset.measures if measure.id == one.id)


def _exempt(product: Product, driving: Applied, measures: Sequence[Applied]) -> tuple[Verdict, str]:
    """A condition that a machine cannot check is for a person to decide."""
    others = sum(one.applies == "names" for one in measures)
    category = product.category.replace("_", " ")
    verb = "names" if others == 1 else "name"
    not_free = f" {counted(others, 'other measure')} {verb} its vendor and may not exempt it." if others else ""
    if driving.text:
        return "review", (
            f"Its category, {category}, is exempt under {driving.id} on a condition that no scan can check: "
            f"“{driving.text}”. Find out whether it holds.{not_free}"
        )
    return "exempt", f"Its category, {category}, is exempt under {driving.id}.{not_free}"


def _not_lifted(measures: Sequence[Applied]) -> str:
    """The measures that an internal waiver cannot lift."""
    binding = [one.id for one in _binding(measures)]
    return f". This lifts no duty under {', '.join(binding)}." if binding else ""


def _obligation(judged: _Judged) -> str:
    """Which measure obliges whom to give the software up; where none does, what another asks of a declared role."""
    measures = judged.measures
    obliging = next((one for one in _binding(measures) if one.milestone in REMOVAL), None)
    if obliging is not None:
        if obliging.begins:
            begins = _spelled(obliging.begins)
            return f"Not in force yet, and binding for {obliging.who} from {begins} on: {obliging.title}."
        return f"Binding for {obliging.who}{_DOUBTS.get(obliging.status, '')}: {obliging.title}."
    other = next((one for one in measures if one.applies == "binds" and one.id != OWN_CUTOFF), None)
    reach = "reaches" if len(judged.further) == 1 else "reach"
    further = f", but {', '.join(judged.further)} {reach} more than these rules know by name"
    more = further if judged.further else ""
    if other is not None:
        since = f"from {_spelled(other.begins)} on" if other.begins else ""
        if other.force == "advisory":
            return f"Advice for {' '.join(filter(None, (other.who, since)))}: {other.title}."
        asks = f"{f'F{since[1:]}, for' if since else 'For'} {other.who} ({other.title}): {other.duty}"
        ends = measures[0].milestone in EVERYBODY
        return f"No measure is known to oblige you to remove it{more}. {asks}" if ends or more else asks
    return f"No measure is known to oblige you ({' and '.join(judged.declared) or 'no role declared'}){more}."


def _ended(driving: Applied, product: Product) -> str:
    past, ahead = _ENDS[driving.milestone]
    if driving.days_left is not None and driving.days_left >= 0:
        return f"{ahead} on {_spelled(driving.day)}"
    after = "protection decays" if product.category in _PROTECTING else "its flaws stay open"
    return f"{past} on {_spelled(driving.day)}, so {after}"


def _spelled(day_text: str) -> str:
    """A day such as 29 September 2024."""
    spelled = dt.date.fromisoformat(day_text)
    return f"{spelled.day} {spelled:%B %Y}"


@lru_cache(maxsize=16)
def _rfc3339(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _urgency(finding: Finding) -> tuple[bool, int, int, int, str]:
    """The most overdue on top: replace before review, then by days left, then what runs before what is left over."""
    days = finding.driving.days_left if finding.driving else None
    return (
        finding.verdict != "replace",
        days if days is not None else 1_000_000,
        -_STATE_ORDER[finding.state],
        -_CONFIDENCE_ORDER[finding.confidence],
        finding.product_id,
    )


def _host_verdict(findings: Sequence[Finding], unseen: Sequence[Unseen], ruleset: Ruleset) -> HostVerdict:
    """Clean only if nothing was found and nothing that could have shown a ruled product was left unseen."""
    if findings:
        return "replace" if any(finding.verdict == "replace" for finding in findings) else "review"
    ruled = ruleset.kinds
    hidden = any(not one.kinds or ruled is None or not ruled.isdisjoint(one.kinds) for one in unseen)
    return "incomplete" if hidden else "clean"
