"""Sentences that several formats share."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from phaseout.model.counting import counted
from phaseout.model.findings import Applied, Report
from phaseout.model.nouns import Account, Cause, Platform, Unseen
from phaseout.model.rules import Exemption

LIMITS = "phaseout sources"  # the command that says what no source can see
_PLATFORMS: dict[Platform, str] = {
    "android": "Android",
    "ios": "iOS",
    "linux": "Linux",
    "macos": "macOS",
    "windows": "Windows",
}
_MOUNTS = 5  # that are named
_REASONS: dict[Cause | Literal["not_asked", "not_shown", ""], str] = {
    "permission": "access was denied",
    "guarded": "macOS guards them",
    "mount": "on network or user-space mounts",
    "cloud": "kept in the cloud",
    "not_regular": "a FIFO, socket or device where a file belongs",
    "limit": "a limit was reached",
    "vanished": "changed or gone during the scan",
    "missing": "missing, though something else promises them",
    "damaged": "damaged",
    "unsupported": "of a kind that no source reads",
    "error": "the system reported errors",
    "not_asked": "not asked for",
    "not_shown": "not in such an inventory",
    "": "for several reasons",
}


class Group(NamedTuple):
    """Parts of a host that were not seen for one cause, and what helps."""

    parts: tuple[Unseen, ...]
    remedy: str

    @property
    def reason(self) -> str:
        """Why none of the parts was seen, in a few words that fit all of them."""
        return self.why or _REASONS[self.parts[0].cause]

    @property
    def why(self) -> str:
        """The reason that all parts share, in words; empty if they differ in it."""
        reasons = {one.why for one in self.parts}
        return self.parts[0].why if len(reasons) == 1 else ""

    def __str__(self) -> str:
        if self.why:
            return f"{', '.join(one.what for one in self.parts)}: {self.why}"
        return "; ".join(f"{one.what}: {one.why}" for one in self.parts)


def verdict(report: Report) -> str:
    """The whole report in one sentence, to stand behind the name of the host: what is to be done and how late."""
    if not report.findings:
        nothing = f"{none_found(report)}{'; ' if complete(report) else ', but '}{scanned(report)}"
        return "; ".join((nothing, *report.rules.cautions)) + "."
    replace = sum(finding.verdict == "replace" for finding in report.findings)
    review = len(report.findings) - replace
    parts = []
    if replace:
        parts.append(f"{counted(replace, 'product')} {'must' if _obliged(report) else 'should'} be replaced")
    if review:
        products = "" if replace else " product" if review == 1 else " products"
        parts.append(f"{review}{products} need{'s' if review == 1 else ''} a person's decision")
    return "; ".join((" and ".join(parts), *_first_date(report), scanned(report), *report.rules.cautions)) + "."


def _obliged(report: Report) -> bool:
    """Whether a measure or the operator's own deadline asks for a replacement, and not good sense alone."""
    asking = (finding.driving for finding in report.findings if finding.verdict == "replace")
    return any(driving is not None and driving.applies == "binds" for driving in asking)


def none_found(report: Report) -> str:
    """`nothing found`; where a waiver or an exemption holds, `nothing found that counts (not counted: 1 waived)`."""
    counts = Counter(finding.verdict for finding in report.suppressed)
    parts = ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items()))
    return f"nothing found that counts (not counted: {parts})" if parts else "nothing found"


def complete(report: Report) -> bool:
    """Whether nothing is known that was not seen."""
    return not report.unseen and report.verdict != "incomplete"


def scanned(report: Report) -> str:
    """`all 28 sources for Debian GNU/Linux complete`, or that not everything was seen."""
    ended = sum(run.status in ("ok", "partial") for run in report.runs)
    if not complete(report) or not ended:
        return "not everything was seen"
    system = report.host.os or _PLATFORMS[report.host.platform]
    return f"{f'all {ended} sources' if ended > 1 else 'the one source'} for {system} complete"


def grouped(unseen: Iterable[Unseen]) -> list[Group]:
    """What was not seen, the parts with the same cause and remedy together."""
    groups: dict[tuple[str, str], list[Unseen]] = {}
    for one in unseen:
        groups.setdefault((one.cause or one.why, one.remedy), []).append(one)
    return [Group(tuple(parts), remedy) for (_, remedy), parts in groups.items()]


def to_see(group: Group) -> str:
    """The end of a sentence about a group: what helps."""
    return f". To see {'it' if len(group.parts) == 1 else 'them'}: {group.remedy}." if group.remedy else "."


def mounts(skipped: Sequence[str]) -> str:
    """`2 network or user-space mounts, skipped: /home, /mnt`."""
    more = ", …" if len(skipped) > _MOUNTS else ""
    names = ", ".join(skipped[:_MOUNTS])
    return f"{counted(len(skipped), 'network or user-space mount')}, skipped: {names}{more}"


def rules_used(report: Report) -> str:
    """The rules that judged: the beginning of their digest, the last day a measure was looked up, their release."""
    return " ".join(filter(None, (report.rules.digest[:12], report.rules.as_of, release(report))))


def release(report: Report) -> str:
    """`serial 7 made 2026-11-26`; empty for rules without a release."""
    return f"serial {report.rules.serial} made {report.rules.made}" if report.rules.serial else ""


def rules_from(report: Report) -> str:
    """The same for people, with the folders of rules beside, or instead of, those that are shipped."""
    as_of = f" of {report.rules.as_of}" if report.rules.as_of else ""
    parts = [f"rules {report.rules.digest[:12]}{as_of}", release(report)]
    parts += [f"with those in {', '.join(report.rules.added)}" if report.rules.added else ""]
    parts += [f"from {', '.join(report.rules.replaced)} instead of those shipped" if report.rules.replaced else ""]
    return ", ".join(filter(None, parts))


def scanned_by(account: Account | None) -> str:
    """`root (administrator)` or `ada (ordinary user)`; empty where the inventory does not say."""
    if account is None:
        return ""
    rights = "administrator" if account.administrator else "ordinary user"
    return f"{account.user} ({rights})" if account.user else rights


def exempted(exemption: Exemption) -> str:
    """What a measure leaves free, and on which condition."""
    what = ", ".join(category.replace("_", " ") for category in exemption.categories)
    of = f" ({', '.join(exemption.products)})" if exemption.products else ""
    return f"{what}{of}, on the condition {exemption.condition}" if exemption.condition else f"{what}{of}"


def applying(applied: Applied) -> str:
    """How a measure applies: `use ban, 2,978 days past (2018-10-01); binds a reseller: …`, or that it exempts."""
    if applied.applies == "exempts":
        return f"exempts it, on the condition {applied.text}" if applied.text else "exempts it"
    date = milestone(applied)
    verb = "advises" if applied.force == "advisory" else "binds"
    binds = f"{verb} {applied.who}: {applied.duty}" if applied.role else ""
    return "; ".join(filter(None, (date, binds))) or "applies, and asks for no removal"


def due(applied: Applied | None) -> str:
    """`783 days past (2024-09-29)`, `today (…)`, `12 days left (…)` or `no date`."""
    return days(applied) if applied is None or applied.days_left is None else f"{days(applied)} ({applied.day})"


def when(applied: Applied | None) -> str:
    """The same, and from when on a measure is in force that is not yet."""
    begins = applied.begins if applied is not None else ""
    return f"{due(applied)}, not in force before {begins}" if begins else due(applied)


def days(applied: Applied | None) -> str:
    """`783 days past`, `today`, `12 days left` or `no date`."""
    if applied is None or applied.days_left is None:
        return "no date"
    left = applied.days_left
    return f"{counted(abs(left), 'day')} {'left' if left > 0 else 'past'}" if left else "today"


def milestone(applied: Applied) -> str:
    """The date of a measure that counts: `use ban, 12 days left (…)`, and from when on the measure is in force."""
    parts = [f"{applied.milestone.replace('_', ' ')}, {due(applied)}"] if applied.milestone else []
    parts += [f"not in force before {applied.begins}"] if applied.begins else []
    return "; ".join(parts)


def instant(text: str) -> dt.datetime | None:
    """The moment that an RFC 3339 string or a date names; `None` if it names none, or none that UTC has."""
    try:
        moment = dt.datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return moment


def _first_date(report: Report) -> Iterator[str]:
    """How late the most urgent finding is."""
    driving = report.findings[0].driving
    left = driving.days_left if driving is not None else None
    if driving is not None and left is not None:
        count = counted(abs(left), "day")
        when = "is today" if left == 0 else f"is in {count}" if left > 0 else f"passed {count} ago"
        yield f"the first date {when} ({driving.day})"
