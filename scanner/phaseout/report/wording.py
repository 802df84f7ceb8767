"""Sentences that several formats share."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from phaseout.model.findings import Applied, Finding, Report
from phaseout.model.nouns import Platform, Unseen

LIMITS = "docs/sources.md"  # says what no source can see
_PLATFORMS: dict[Platform, str] = {"linux": "Linux", "macos": "macOS", "windows": "Windows"}
_MOUNTS = 5  # that are named


class Group(NamedTuple):
    """Parts of a host that were not seen for one reason, and what helps."""

    parts: tuple[str, ...]
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{', '.join(self.parts)}: {self.why}"


def verdict(report: Report) -> str:
    """The whole report in one sentence, to stand behind the name of the host: what is to be done and how late."""
    if not report.findings:
        return f"nothing found; {scanned(report)}." if report.verdict == "clean" else f"nothing found, {_but(report)}."
    replace = sum(finding.verdict == "replace" for finding in report.findings)
    review = len(report.findings) - replace
    parts = []
    if replace:
        parts.append(f"{replace} product{' must' if replace == 1 else 's must'} be replaced")
    if review:
        products = "" if replace else " product" if review == 1 else " products"
        parts.append(f"{review}{products} need{'s' if review == 1 else ''} a person's decision")
    return "; ".join((" and ".join(parts), *_first_date(report), scanned(report))) + "."


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


def applies(finding: Finding) -> tuple[list[Applied], list[Applied]]:
    """The measures that ask something here, and those that only name the product."""
    counting = [applied for applied in finding.measures if applied.milestone or applied.binds]
    return counting, [applied for applied in finding.measures if applied not in counting]


def grouped(unseen: Iterable[Unseen]) -> list[Group]:
    """What was not seen, the parts with the same reason and remedy together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in unseen:
        groups.setdefault((one.why, one.remedy), []).append(one.what)
    return [Group(tuple(parts), why, remedy) for (why, remedy), parts in groups.items()]


def to_see(group: Group) -> str:
    """The end of a sentence about a group: what helps."""
    return f". To see {'it' if len(group.parts) == 1 else 'them'}: {group.remedy}." if group.remedy else "."


def mounts(skipped: Sequence[str]) -> str:
    """`2 network or user-space mounts, skipped: /home, /mnt`."""
    more = ", …" if len(skipped) > _MOUNTS else ""
    names = ", ".join(skipped[:_MOUNTS])
    return f"{len(skipped)} network or user-space mount{'s' if len(skipped) > 1 else ''}, skipped: {names}{more}"


def due(applied: Applied | None) -> str:
    """`783 days past (2024-09-29)`, `today (…)`, `12 days left (…)` or `no date`."""
    if applied is None or applied.days_left is None:
        return "no date"
    left = applied.days_left
    days = "today" if left == 0 else f"{abs(left)} day{'' if abs(left) == 1 else 's'} {'left' if left > 0 else 'past'}"
    return f"{days} ({applied.day})"


def instant(text: str) -> dt.datetime | None:
    """The moment that an RFC 3339 string or a date names; `None` if it names none, or none that UTC has."""
    try:
        moment = dt.datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return moment


def _but(report: Report) -> str:
    groups = grouped(report.unseen)
    return "but not everything was seen" if groups else f"but {scanned(report)}"


def _first_date(report: Report) -> Iterator[str]:
    """How late the most urgent finding is."""
    driving = report.findings[0].driving
    left = driving.days_left if driving is not None else None
    if driving is not None and left is not None:
        days = f"{abs(left)} day{'' if abs(left) == 1 else 's'}"
        when = "is today" if left == 0 else f"is in {days}" if left > 0 else f"passed {days} ago"
        yield f"the first date {when} ({driving.day})"
