"""Which measures apply to a product on this host, to whom, and which of their dates counts.

A measure applies if it binds a declared role, or if one of its milestones affects every user where the operator is,
such as the end of updates. Any other measure only names the vendor: it is shown, and drives nothing.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from phaseout.model.findings import Applied
from phaseout.model.rules import Category, Exemption, Measure, Milestone, Policy, Product, Role, Vendor

OWN_CUTOFF = "policy"  # the id under which the operator's own deadline stands beside the measures
DEAD = frozenset(("revoked", "expired", "proposed", "superseded"))
# Milestones that affect every user, no matter who must act.
EVERYBODY = frozenset(("update_cutoff", "cloud_service_cutoff", "vendor_end_of_service"))
# Products of these categories get no signatures and no service that could end.
_WITHOUT_UPDATES: frozenset[Category] = frozenset(
    ("developer_library", "threat_intelligence", "security_training", "advisory")
)
# Milestones that require a bound role to stop using the software, to stop providing it, or restrict only trade.
_USE = frozenset(("use_ban", "removal_begins", "removal_due", "waiver_ends"))
_PROVIDING = frozenset(("contracting_ban",))
_TRADE = frozenset(("procurement_ban", "funding_ban", "resale_ban", "integration_ban", "licensing_ban"))
REMOVAL = _USE | _PROVIDING
# Nothing is forbidden before the day of a ban. A deadline lies behind the day from which its measure binds.
_BANS = _TRADE | _PROVIDING | {"use_ban"}
_APPLIES = ("binds", "reaches", "exempts", "names")


class Declared(NamedTuple):
    """Who the operator is.

    Attributes:
        roles: the roles that the policy declares, and those that they imply.
        homes: where these are at home, such as "US" or "US-TX".
        titles: role → what that is in words.
    """

    roles: tuple[str, ...]
    homes: frozenset[str]
    titles: Mapping[str, str]

    def reached_from(self, jurisdiction: str) -> bool:
        """Whether a measure of a country or state reaches one of the roles; where none is declared, it may."""
        return not self.roles or self.at_home(jurisdiction)

    def at_home(self, jurisdiction: str) -> bool:
        """Whether a declared role is at home in a country or state."""
        return any(home == jurisdiction or home.startswith(f"{jurisdiction}-") for home in self.homes)


def declared(policy: Policy, roles: Sequence[Role]) -> Declared:
    """The roles of a policy with all that they imply."""
    known = {role.id: role for role in roles} if policy.roles else {}
    found: dict[str, None] = dict.fromkeys(policy.roles)
    waiting = list(found)
    while waiting:
        role = known.get(waiting.pop())
        for implied in role.implies if role else ():
            if implied not in found:
                found[implied] = None
                waiting.append(implied)
    titles = {role: known[role].title for role in found if role in known}
    return Declared(tuple(found), frozenset(known[role].home for role in titles), titles)


def bound_roles(measure: Measure, who: Declared) -> tuple[str, ...]:
    """The declared and implied roles that a measure binds, the declared ones first."""
    if not who.roles:
        return ()
    bound = {one.role for one in measure.bound if not any(role in who.roles for role in one.unless)}
    return tuple(role for role in who.roles if role in bound)


def concerns(measure: Measure, vendor: Vendor, product: Product) -> bool:
    """Whether a measure in force names the vendor, and if it names products of this vendor, this one."""
    if vendor.id not in measure.vendors or measure.status.state in DEAD:
        return False
    named = [one.id for one in vendor.product if one.id in measure.products] if measure.products else ()
    return not named or product.id in named


def has_ended(measure: Measure, as_of: dt.datetime | dt.date) -> bool:
    """Whether the whole measure ends on a date that has passed."""
    return any(one.kind == "sunset" and one.at and days_left(one.at, as_of) < 0 for one in measure.milestone)


def reaches_further(measures: Sequence[Measure], product: Product, who: Declared) -> Iterator[str]:
    """Ids of the measures that bind a declared role and reach more than their names, such as a list nobody read."""
    for measure in measures:
        binds = bound_roles(measure, who) and measure.status.state not in DEAD
        if measure.unlisted and binds and _in_scope(measure, product):
            yield measure.id


def applied(
    measures: Sequence[Measure],
    vendor: Vendor,
    product: Product,
    own: Sequence[Applied],
    who: Declared,
    as_of: dt.datetime | dt.date,
) -> list[Applied]:
    """Every measure that concerns a product, the one that drives the finding first.

    Args:
        measures: those that concern it.
        vendor: who makes it.
        product: what was found.
        own: the operator's own deadlines, of which the earlier of law and operator counts.
        who: the declared roles.
        as_of: what days are counted from.
    """
    home = {measure.id: who.at_home(measure.jurisdiction) for measure in measures}
    found = [_applied(measure, vendor, product, who, as_of) for measure in measures if _covers(measure, product)]
    found.sort(key=lambda one: (_group(one), not home[one.id], one.days_left is None, one.days_left or 0, one.id))
    for one in sorted(own, key=lambda each: each.days_left or 0):
        before = next(
            (
                place
                for place, law in enumerate(found)
                if _group(law)[0] > 0 or law.days_left is None or law.days_left > (one.days_left or 0)
            ),
            len(found),
        )
        found.insert(before, one)
    return found


def own_cutoffs(policy: Policy, vendor_id: str, product_id: str, as_of: dt.datetime | dt.date) -> Iterator[Applied]:
    """The operator's own deadlines for a product."""
    for cutoff in policy.cutoff:
        if cutoff.product in (product_id, vendor_id):
            zone = as_of.tzinfo if isinstance(as_of, dt.datetime) else dt.UTC
            at = dt.datetime.combine(cutoff.at, dt.time(), zone)
            yield Applied(
                id=OWN_CUTOFF,
                title=cutoff.reason or "Own deadline",
                applies="binds",
                force="binding",
                milestone="removal_due",
                due=at.isoformat(),
                days_left=days_left(at, as_of),
                text="Remove it: the deadline is our own.",
                status="in_force",
            )


def days_left(due: dt.datetime, as_of: dt.datetime | dt.date) -> int:
    """Calendar days from `as_of` to `due`, in the zone of `due`: 0 on the day itself, negative from the next day on.

    Args:
        due: the instant, with offset.
        as_of: an instant, or a day in the zone of `due`.
    """
    day = as_of.astimezone(due.tzinfo).date() if isinstance(as_of, dt.datetime) else as_of
    return (due.date() - day).days


def _covers(measure: Measure, product: Product) -> bool:
    """Whether the measure reaches this category, and embedded code if that is what the product has."""
    if not _in_scope(measure, product):
        return False
    return measure.components != "branded_only" or not (product.role == "embedded" or _is_library(product))


def _in_scope(measure: Measure, product: Product) -> bool:
    """Whether it may be of a category that the measure reaches; what a catch-all found may be of any."""
    return not measure.covers or product.category in measure.covers or product.role == "vendor"


def _is_library(product: Product) -> bool:
    """Whether it is code of the vendor inside the programs of others."""
    return product.category == "developer_library"


def _applied(
    measure: Measure, vendor: Vendor, product: Product, who: Declared, as_of: dt.datetime | dt.date
) -> Applied:
    bound = bound_roles(measure, who)
    role = next(iter(bound), "")
    reaches = who.reached_from(measure.jurisdiction)
    exemption = next((one for one in measure.exempts if _exempts(one, product)), None)
    about = [one for one in measure.milestone if _is_about(one, vendor, product)]
    first: Milestone | None = None
    if exemption is None:
        first = min((one for one in about if _counts(one, product, bound, reaches=reaches)), key=_weight, default=None)
        role = first.actor if first is not None and first.actor in bound else role
        applies = _APPLIES[0] if role else _APPLIES[1] if first else _APPLIES[3]
        text = measure.action if role else measure.user
    else:
        everybody = any(one.kind in EVERYBODY for one in measure.milestone)
        applies = _APPLIES[2] if role or (reaches and everybody) else _APPLIES[3]
        text = exemption.condition
    return Applied(
        id=measure.id,
        title=measure.title,
        applies=applies,  # type: ignore[arg-type]
        role=role,
        role_title=who.titles.get(role, ""),
        duty=next((one.duty for one in measure.bound if one.role == role), ""),
        force=measure.force,
        milestone=first.kind if first else "",
        due=first.at.isoformat() if first and first.at else "",
        days_left=days_left(first.at, as_of) if first and first.at else None,
        text=text,
        unclear=_unclear(measure, product) if role or first else "",
        status=measure.status.state,
        begins=_begins(about, first, as_of),
        verified=first.verified if first else "",
    )


def _begins(about: Sequence[Milestone], first: Milestone | None, as_of: dt.datetime | dt.date) -> str:
    """The calendar day from which the measure is in force for a product, if it still lies ahead.

    Args:
        about: its milestones that are about the product.
        first: the one that counts.
        as_of: what days are counted from.
    """
    start = first.at if first is not None and first.kind in _BANS else None
    start = start or min((one.at for one in about if one.at is not None), default=None)
    return start.date().isoformat() if start is not None and days_left(start, as_of) > 0 else ""


def _unclear(measure: Measure, product: Product) -> str:
    if _is_library(product) and measure.components == "unclear":
        return "Whether it reaches code of the vendor inside other software was not read."
    return next((one.text for one in measure.unclear if product.category in one.categories), "")


def _exempts(exemption: Exemption, product: Product) -> bool:
    return product.category in exemption.categories and (not exemption.products or product.id in exemption.products)


def _is_about(milestone: Milestone, vendor: Vendor, product: Product) -> bool:
    narrowed = bool(milestone.vendors) and vendor.id not in milestone.vendors
    return not narrowed and (not milestone.products or product.id in milestone.products)


def _counts(milestone: Milestone, product: Product, bound: Sequence[str], *, reaches: bool) -> bool:
    if milestone.kind in EVERYBODY:
        return reaches and milestone.at is not None and product.category not in _WITHOUT_UPDATES
    return milestone.actor in bound and milestone.kind in REMOVAL | _TRADE


def _weight(milestone: Milestone) -> tuple[int, bool, float, bool]:
    """Software that is installed is in use: bans on use come first, then what ends for every user, then trade."""
    groups = (_USE, EVERYBODY, _PROVIDING, _TRADE)
    group = next(number for number, kinds in enumerate(groups) if milestone.kind in kinds)
    at = milestone.at.timestamp() if milestone.at is not None else float("inf")
    return group, milestone.at is None, at, milestone.kind != "update_cutoff"


def _group(one: Applied) -> tuple[int, int, bool]:
    """Measures that require removal come first, binding ones before others; then the other measures that apply.

    A duty without a milestone that counts, such as to deal with nobody on a list, does not hide an exemption.
    """
    removal = one.milestone in EVERYBODY or (one.milestone in REMOVAL and one.force != "advisory")
    applies = _APPLIES.index(one.applies)
    if removal and applies < 2:
        return 0, applies, one.milestone not in REMOVAL
    aside = one.applies == "binds" and not one.milestone
    return (4 if aside else 5 if one.applies == "names" else 1 + applies), applies, one.milestone not in REMOVAL
