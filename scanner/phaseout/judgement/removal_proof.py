"""Whether a removal is proven by two scans of a host. Pure.

It is proven only if it is the same machine by its identity, the later scan is younger, both saw everything in which
the vendor's software could show, and nothing of the vendor is left: no product that rules recognise, and no folder,
certificate, driver, setting or program that bears the name of vendor or product, or lies where the product was, without
a rule for it.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence

from phaseout.judgement.warnings import dating_doubts, instant
from phaseout.model.findings import Finding, Report
from phaseout.model.nouns import Inventory, Item, Kind, Unseen
from phaseout.model.rules import Ruleset, Vendor
from phaseout.parsers.encodings.identity import Comparison

# What may bear a vendor's name: of packages and libraries rules know better whose they are.
_RESIDUES: frozenset[Kind] = frozenset(
    ("file", "certificate", "setting", "driver", "service", "task", "security_product", "process")
)
_NAMED = _RESIDUES.union(("app", "program", "extension"))  # of which a name in what was seen counts
_BETWEEN = re.compile(r"[\s._,:;=+/'\"()\[\]{}@-]+")  # words of file names and signatures
# Names of products that ordinary folders have as well.
_EVERYBODYS = frozenset(("agent", "backup", "browser", "client", "cloud", "server", "service", "setup", "update"))
_SHOWN = 5  # of each reason


def doubts(
    old: Report,
    new: Report,
    machines: Comparison,
    newly_unseen: Sequence[Unseen],
    *,
    seen: Inventory | None,
    ruleset: Ruleset | None,
    now: dt.datetime | None,
) -> Iterator[str]:
    """Why it is not proven that what OLD found is gone, beside what NEW still finds.

    Args:
        old: the judged earlier scan.
        new: the judged later scan.
        machines: how their hosts relate.
        newly_unseen: what OLD saw and NEW did not.
        seen: the inventory of NEW; `None` where there is only a report.
        ruleset: the rules that both were judged by, where they are known.
        now: what the clock says.
    """
    if not old.findings:
        yield "OLD found nothing, so there is nothing whose removal could be proven"
    if not machines.same_machine:
        yield machines.words
    yield from _times(old, new, now)
    if old.rules.digest != new.rules.digest:
        yield "OLD and NEW were judged by different rules; judge their inventories again by the same"
    vendors = {finding.vendor_id for finding in old.findings}
    concerned = _kinds(ruleset, vendors)
    yield from _some([f"{one.what}: {one.why}" for one in _hiding(newly_unseen, concerned)])
    named = {one.source or one.what for one in newly_unseen}
    for name, report, known in (("OLD", old, set[str]()), ("NEW", new, named)):
        hidden = [one for one in _hiding(report.unseen, concerned) if (one.source or one.what) not in known]
        yield from _some([f"{name} did not see {one.what}: {one.why}" for one in hidden])
    yield from _some([f"{path} is on a mount that NEW skipped" for path in _skipped(old.findings, new)])
    if seen is None:
        yield "NEW is a report, which lists only what rules recognise; `--inventory FILE` saves all that was seen"
    else:
        theirs = [vendor for vendor in ruleset.vendors if vendor.id in vendors] if ruleset is not None else []
        yield from _some([_residue(item) for item in residues(old, new, seen.items, theirs)])


def residues(old: Report, new: Report, items: Sequence[Item], vendors: Sequence[Vendor]) -> Iterator[Item]:
    """Items that no rule matches and that belong to a vendor all the same.

    Args:
        old: names the places where the products were.
        new: names the items that rules match.
        items: all that the later scan saw.
        vendors: those whose products are to be gone.
    """
    matched = {_key(item) for finding in (*new.findings, *new.suppressed) for item in finding.items}
    places = {_folded(item.path) for finding in old.findings for item in finding.items}
    places = {place for place in places if place.count("/") > 1}  # `/opt` and `C:\\Program Files` are everybody's
    found = {finding.product_id for finding in old.findings}
    names = {name for vendor in vendors for name in (*_names(vendor), *_product_names(vendor, found))}
    for item in items:
        if _key(item) in matched:
            continue
        if (item.kind in _NAMED or "receipt_id" in item.ids) and (
            _bears(item, names) or _below(_folded(item.path), places)
        ):
            yield item


def _times(old: Report, new: Report, now: dt.datetime | None) -> Iterator[str]:
    before, after = instant(old.scanned_at), instant(new.scanned_at)
    for name, scanned_at in (("OLD", old.scanned_at), ("NEW", new.scanned_at)):
        yield from dating_doubts(name, scanned_at, now)
    if before is not None and after is not None and before >= after:
        yield f"OLD was made at {old.scanned_at}, not before NEW ({new.scanned_at})"


def _hiding(unseen: Sequence[Unseen], concerned: Collection[Kind] | None) -> Iterator[Unseen]:
    """Those that may hide one of the kinds concerned."""
    for one in unseen:
        if concerned is None or not one.kinds or any(kind in concerned for kind in one.kinds):
            yield one


def _kinds(ruleset: Ruleset | None, vendors: Collection[str]) -> set[Kind] | None:
    """The kinds in which the vendors' software could show; `None` for all."""
    if ruleset is None:
        return None
    found: set[Kind] = set()
    for vendor in ruleset.vendors:
        for product in vendor.product if vendor.id in vendors else ():
            for match in product.match:
                if not match.kind:
                    return None
                found.update((match.kind,) if isinstance(match.kind, str) else match.kind)
    return found | _RESIDUES if found else None


def _skipped(findings: Sequence[Finding], new: Report) -> Iterator[str]:
    """The places of the products that lie on a mount which the later scan skipped."""
    points = {mount.rpartition(" (")[0] or mount for mount in new.host.skipped_mounts}
    for path in dict.fromkeys(item.path for finding in findings for item in finding.items):
        if path and _below(_folded(path), {_folded(point) for point in points}):
            yield path


def _names(vendor: Vendor) -> Iterator[str]:
    """What a vendor's folders are called, plain; names of less than five letters are those of others as well."""
    for name in (vendor.id, vendor.name, *vendor.names):
        plain = _plain(name)
        if len(plain) > 4 or not plain.isascii():
            yield plain


def _product_names(vendor: Vendor, found: Collection[str]) -> Iterator[str]:
    """What the rules call packages, services and drivers of the products, plain: folders are often named so."""
    for product in vendor.product:
        for match in product.match if product.id in found else ():
            for name in (match.name,) if isinstance(match.name, str) else match.name:
                plain = _plain(name)
                if "*" not in name and len(plain) > 3 and plain not in _EVERYBODYS:
                    yield plain


def _bears(item: Item, names: Collection[str]) -> bool:
    """Whether a folder or a name has the vendor's name as words (`com.kaspersky.agent`, `Kaspersky Lab`)."""
    where = (one.where for one in item.evidence)
    parts = [part for path in (item.path, *where) for part in path.replace("\\", "/").split("/")]
    return any(
        _named(part, names) for part in (*parts, item.name, item.vendor, item.signer, *item.ids.values()) if part
    )


def _named(text: str, names: Collection[str]) -> bool:
    words = [_plain(word) for word in _BETWEEN.split(text)]
    return any("".join(words[at : at + count]) in names for at in range(len(words)) for count in (1, 2, 3))


def _below(path: str, places: Collection[str]) -> bool:
    """Whether a folded path is one of these places or lies in one."""
    while path:
        if path in places:
            return True
        path = path.rpartition("/")[0]
    return False


def _folded(path: str) -> str:
    return path.replace("\\", "/").rstrip("/").casefold()


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum())


def _key(item: Item) -> tuple[str, ...]:
    return item.kind, item.name, item.version, item.path, item.user, item.source, item.command


def _residue(item: Item) -> str:
    return f"no rule names it, and it is of the vendor: {item.kind.replace('_', ' ')} {item.path or item.name}"


def _some(reasons: list[str]) -> Iterator[str]:
    """The first of several like reasons, and how many more there are."""
    yield from reasons[:_SHOWN]
    if len(reasons) > _SHOWN:
        yield f"{len(reasons) - _SHOWN} more like this"
