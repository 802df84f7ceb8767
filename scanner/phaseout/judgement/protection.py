"""Whether a host is protected against malware without what is to be replaced, as far as files tell. Pure."""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import NamedTuple

from phaseout.judgement.warnings import instant
from phaseout.model.findings import SUPPRESSED, Finding, Protection, ProtectionState
from phaseout.model.nouns import Inventory, Item, Kind, Platform

PROTECTS: Kind = "security_product"  # the kind of the items that say what protects a host
_PROTECTING = frozenset(("antivirus", "endpoint_security"))  # categories
_OLD = dt.timedelta(days=7)  # of signatures
_SOURCES: dict[Platform, tuple[str, ...]] = {
    "linux": ("antivirus",),
    "macos": ("xprotect", "applications"),
    "windows": ("defender", "security_products"),
}
_WORST: tuple[ProtectionState, ...] = ("unknown", "off", "passive", "on_demand", "outdated", "protected")
_DEFENDER = ("windows defender", "microsoft defender antivirus")  # one product, which two sources show
_WORDS: dict[ProtectionState, str] = {
    "protected": "{} protects, as far as files tell",
    "outdated": "{} is on, and its signatures are old",
    "on_demand": "{} scans on demand only, not in real time",
    "passive": "{} is there and passive: it does not block",
    "off": "{} is there and off",
    "unknown": "{} is there; whether it is on cannot be known from files",
}


class _Judged(NamedTuple):
    state: ProtectionState
    item: Item
    detail: str


def protection(inventory: Inventory, findings: Collection[Finding]) -> Protection:
    """What protects a host.

    Args:
        inventory: what the host showed.
        findings: the products that were recognised on it.
    """
    restricted = [one for one in findings if one.verdict not in SUPPRESSED or one.verdict == "waived"]
    theirs = {_key(item) for one in restricted for item in one.items}
    others = [item for item in inventory.items if item.kind == PROTECTS and _key(item) not in theirs]
    judged = sorted(_judged(others, inventory.scanned_at), key=lambda one: -_WORST.index(one.state))
    best = judged[0] if judged else None
    if best is not None and best.state in ("protected", "outdated", "on_demand"):
        return Protection(state=best.state, product=best.item.name, text=_sentence(best))
    active = [one for one in restricted if one.category in _PROTECTING and one.state != "leftover"]
    if active:
        name = active[0].product
        rest = f" {_sentence(best)}" if best is not None else ""
        text = f"Only {name} protects, which is to be replaced.{rest}"
        return Protection(state="restricted", product=name, text=text)
    if best is not None:
        return Protection(state=best.state, product=best.item.name, text=_sentence(best))
    if not _was_seen(inventory):
        return Protection(state="unknown", text="Whether anything protects this host was not seen.")
    return Protection(state="none", text="Nothing that is known here protects this host.")


def _judged(items: Collection[Item], scanned_at: str) -> Iterator[_Judged]:
    """Each product that may protect, with its state. Of Defender, its own settings count, not what it registered."""
    has_settings = any(item.source == "defender" for item in items)
    for item in items:
        details = item.details
        if item.state == "leftover" or details.get("type", "antivirus") != "antivirus" or "enabled" not in details:
            continue
        if has_settings and item.source != "defender" and item.name.lower() in _DEFENDER:
            continue
        updated = details.get("updated", "")
        note = details.get("note", "")
        said = "; ".join(filter(None, (note, f"signatures of {updated[:10]}" if updated else "")))
        yield _Judged(_state(details, scanned_at), item, said)


def _state(details: dict[str, str], scanned_at: str) -> ProtectionState:
    enabled, mode = details["enabled"], details.get("mode", "")
    if not enabled:
        return "unknown"
    if enabled != "yes":
        return "off"
    if mode == "passive":
        return "passive"
    if mode:
        return "on_demand"
    made, now = instant(details.get("updated", "")), instant(scanned_at)
    is_old = made is not None and now is not None and now - made > _OLD
    return "outdated" if is_old or details.get("up_to_date") == "no" else "protected"


def _sentence(one: _Judged) -> str:
    what = _WORDS[one.state].format(one.item.name)
    return f"{what} ({one.detail})." if one.detail else f"{what}."


def _was_seen(inventory: Inventory) -> bool:
    """Whether the sources that would show a product have run; inventories of other tools seldom carry them."""
    ended = {run.source for run in inventory.runs if run.status in ("ok", "partial")}
    wanted = _SOURCES.get(inventory.host.platform, ())
    return bool(wanted) and ended.issuperset(wanted)


def _key(item: Item) -> tuple[str, ...]:
    return item.kind, item.name, item.path, item.source, *item.ids.values()
