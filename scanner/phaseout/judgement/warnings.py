"""What a reader must know about rules, clock and policy before relying on a verdict."""

import datetime as dt
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from phaseout.judgement.applied import DEAD, Declared, bound_roles
from phaseout.model.counting import counted
from phaseout.model.findings import Finding
from phaseout.model.nouns import Inventory, Unseen
from phaseout.model.quoting import quoted
from phaseout.model.rules import VENDOR, Policy, Ruleset, Waiver

_UNVERIFIED = frozenset(("unverified",))
_OLD = dt.timedelta(days=90)  # an inventory that nobody would rely on any more without asking
_AHEAD = dt.timedelta(days=1)  # clocks and zones of two machines may differ by that much
_RULES_AGE = dt.timedelta(days=3650)
_ENDED = frozenset(("ok", "partial"))  # a run that read something


def cautions(ruleset: Ruleset, scanned_at: str, as_of: dt.datetime | dt.date) -> Iterator[str]:
    """What belongs in every line that gives a verdict: a wrong clock, an old inventory, rules past their review."""
    if _wrong_clock(ruleset, scanned_at, as_of):
        yield f"the clock says {day(as_of)}, which cannot be right"
    made = instant(scanned_at)
    if made is not None and (age := day(as_of) - made.date()) > _OLD:
        yield f"this is how the host was on {made.date()}, {age.days} days before this verdict"
    yield from ruleset.cautions
    if ruleset.review_by and ruleset.review_by < day(as_of).isoformat():
        yield f"rules {ruleset.serial} of {ruleset.made} were to be reviewed by {ruleset.review_by}"
    today = day(as_of)
    if ruleset.first_review >= today:
        return
    live = [measure for measure in ruleset.measures if measure.status.state not in DEAD]
    overdue = [measure.status.review_by for measure in live if measure.status.review_by < today]
    if overdue:
        yield f"{len(overdue)} of {counted(len(live), 'measure')} past the review date, the first since {min(overdue)}"


def clock_warnings(ruleset: Ruleset, scanned_at: str, as_of: dt.datetime | dt.date) -> Iterator[str]:
    """Days that are counted from the machine's own clock are worth what the clock is worth."""
    if wrong := _wrong_clock(ruleset, scanned_at, as_of):
        yield f"the clock says {day(as_of)}, {wrong} the rules were written: no number of days can be trusted"


def dating_doubts(what: str, scanned_at: str, now: dt.datetime | None) -> Iterator[str]:
    """That something has no date, or one in the future: nothing can be concluded from when it was made.

    Args:
        what: its name in the sentence.
        scanned_at: its date, as it says.
        now: what the clock says; `None` if the date is not to be compared with it.
    """
    at = instant(scanned_at)
    if at is None:
        yield f"{what} does not say when it was made"
    elif now is not None and at - now > _AHEAD:
        yield f"{what} is dated {scanned_at}, which is in the future"


def instant(text: str) -> dt.datetime | None:
    """The moment of an RFC 3339 string, without an offset in UTC; `None` if it names no moment."""
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)


def rule_warnings(
    ruleset: Ruleset, findings: Sequence[Finding], who: Declared, as_of: dt.datetime | dt.date
) -> Iterator[str]:
    """Unverified parts and overdue reviews of the measures that apply to what was found."""
    applying = {one.id for finding in findings for one in finding.applying}
    for measure in ruleset.measures if applying else ():
        if measure.id not in applying:
            continue
        asked = {VENDOR, *bound_roles(measure, who)}
        unverified = [one.id for one in measure.milestone if one.verified in _UNVERIFIED and one.actor in asked]
        if unverified:
            yield f"{measure.id}: not verified in a source: {', '.join(unverified)}"
        if measure.status.review_by < day(as_of):
            yield f"{measure.id}: was to be reviewed by {measure.status.review_by}"
        if measure.status.state == "under_review":
            yield f"{measure.id}: under review. {measure.status.note}".rstrip()


def waiver_of(policy: Policy, product_id: str, host: str, today: dt.date, used: set[int]) -> Waiver | None:
    """The waiver in force for a product on a host. Adds every waiver that fits, expired or not, to `used`."""
    for number, waiver in enumerate(policy.waiver):
        if fnmatchcase(product_id, waiver.product) and _on_host(waiver, host):
            used.add(number)
            if waiver.expires >= today:
                return waiver
    return None


def waiver_warnings(
    policy: Policy, used: set[int], ruleset: Ruleset, inventory: Inventory, waived: Sequence[Finding], today: dt.date
) -> Iterator[str]:
    """Waivers that are expired, unused or too broad, or that cannot lift a measure that binds."""
    if not (policy.waiver or waived):
        return
    products = [product.id for vendor in ruleset.vendors for product in vendor.product]
    for number, waiver in enumerate(policy.waiver):
        name = f"waiver[{number}] for {quoted(waiver.product)}"
        covered = sum(fnmatchcase(product, waiver.product) for product in products)
        if covered > 1 and "*" in (waiver.hosts, *waiver.hosts):
            yield f"{name}: covers {covered} products on every host, which is more than a waiver should"
        if waiver.expires < today:
            yield f"{name}: expired on {waiver.expires} and has no effect"
        elif number not in used and _on_host(waiver, inventory.host.name):
            yield f"{name}: unused, nothing of it was found here"
    granting = {measure.id: measure.waiver for measure in ruleset.measures}
    for finding in waived:
        for one in finding.measures:
            if one.applies == "binds" and one.milestone and one.force != "advisory" and one.id in granting:
                yield f"{finding.product_id} is waived, but {one.id} binds: only this may lift it: {granting[one.id]}"


def not_looked_for(ruleset: Ruleset, who: Declared) -> Iterator[Unseen]:
    """Vendors without a vendor file, and what is not known by name, if a measure with them binds a declared role."""
    for measure in ruleset.measures if who.roles else ():
        if not bound_roles(measure, who) or measure.status.state in DEAD:
            continue
        if measure.unruled_vendors:
            yield Unseen(
                f"not looked for: {', '.join(measure.unruled_vendors)}",
                f"{measure.id} names them, and no rule knows their software",
                "look for these publishers in the inventory, or write vendor files for them",
            )
        if measure.unlisted:
            yield Unseen(
                f"not looked for: {'; '.join(measure.unlisted)}",
                f"{measure.id} reaches it, and these rules know no names of it",
                "compare the inventory with the text of the measure",
            )


def nothing_read(inventory: Inventory) -> Iterator[Unseen]:
    """An inventory without a source that ran, or without any item, proves nothing about its host."""
    if any(not one.kinds for one in inventory.unseen):
        return  # that says so already
    if not inventory.runs:
        yield Unseen("the whole host", "the inventory names no source that ran", "scan the host itself")
    elif not any(run.status in _ENDED for run in inventory.runs):
        yield Unseen("the whole host", "no source ran to its end", "scan again, with the rights that are missing")
    elif not inventory.items:
        yield Unseen("the whole host", "not a single item was found, and no system is empty", "check what was scanned")


def day(as_of: dt.datetime | dt.date) -> dt.date:
    """The calendar day of an instant in its own zone, or the day itself."""
    return as_of.date() if isinstance(as_of, dt.datetime) else as_of


def _wrong_clock(ruleset: Ruleset, scanned_at: str, as_of: dt.datetime | dt.date) -> str:
    if not isinstance(as_of, dt.datetime):
        return ""  # the operator gave the date
    if not scanned_at.startswith(as_of.astimezone(dt.UTC).date().isoformat()):
        return ""
    known = max((measure.status.as_of for measure in ruleset.measures), default=None)
    if known is None:
        return ""
    if known - as_of.date() > dt.timedelta(days=1):
        return "before"
    return "ten years after" if as_of.date() - known > _RULES_AGE else ""


def _on_host(waiver: Waiver, host: str) -> bool:
    patterns = (waiver.hosts,) if isinstance(waiver.hosts, str) else waiver.hosts
    return any(fnmatchcase(host.lower(), pattern.lower()) for pattern in patterns)
