"""What a report says in one sentence, in words that several formats share."""

import datetime as dt
from collections.abc import Iterator

from phaseout.model.findings import Applied, Report

_NOTHING = {
    "clean": "nothing of a restricted vendor was found, and everything was seen.",
    "incomplete": "nothing of a restricted vendor was found, but not everything was seen.",
}


def verdict(report: Report) -> str:
    """The whole report in one sentence, to stand behind the name of the host: what is to be done and how late."""
    if not report.findings:
        return _NOTHING.get(report.verdict, report.verdict)
    replace = sum(finding.verdict == "replace" for finding in report.findings)
    review = len(report.findings) - replace
    parts = []
    if replace:
        parts.append(f"{replace} product{' must' if replace == 1 else 's must'} be replaced")
    if review:
        products = "" if replace else " product" if review == 1 else " products"
        parts.append(f"{review}{products} need{'s' if review == 1 else ''} a person's decision")
    seen = "not everything was seen" if report.unseen else "everything was seen"
    return "; ".join((" and ".join(parts), *_first_date(report), seen)) + "."


def _first_date(report: Report) -> Iterator[str]:
    """How late the most urgent finding is."""
    measures = report.findings[0].measures
    left = measures[0].days_left if measures else None
    if left is not None:
        days = f"{abs(left)} day{'' if abs(left) == 1 else 's'}"
        when = "is today" if left == 0 else f"is in {days}" if left > 0 else f"passed {days} ago"
        yield f"the first date {when} ({measures[0].day})"


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
