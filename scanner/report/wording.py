"""What a report says in one sentence, in words that several formats share."""

import datetime as dt

from scanner.model import Applied, Report
from scanner.report.safe import visible

_NOTHING = {
    "clean": "nothing of a restricted vendor was found, and everything was seen.",
    "incomplete": "nothing of a restricted vendor was found, but not everything was seen.",
}


def verdict(report: Report) -> str:
    """The whole report in one sentence: the host, what is to be done, how late it is, and whether all was seen."""
    host = visible(report.host.name)
    if not report.findings:
        return f"{host}: {_NOTHING.get(report.verdict, report.verdict)}"
    replace = sum(finding.verdict == "replace" for finding in report.findings)
    review = len(report.findings) - replace
    parts = []
    if replace:
        parts.append(f"{replace} product{' must' if replace == 1 else 's must'} be replaced")
    if review:
        products = "" if replace else " product" if review == 1 else " products"
        parts.append(f"{review}{products} need{'s' if review == 1 else ''} a person's decision")
    measures = report.findings[0].measures
    when = f"; the first date: {due(measures[0])}" if measures and measures[0].days_left is not None else ""
    seen = "" if not report.unseen else "; not everything was seen"
    return f"{host}: {' and '.join(parts)}{when}{seen}."


def due(applied: Applied | None) -> str:
    """`783 days past (2024-09-29)`, `today (…)`, `12 days left (…)` or `no date`."""
    if applied is None or applied.days_left is None:
        return "no date"
    left = applied.days_left
    days = "today" if left == 0 else f"{abs(left)} day{'' if abs(left) == 1 else 's'} {'left' if left > 0 else 'past'}"
    return f"{days} ({applied.due[:10]})"


def instant(text: str) -> dt.datetime | None:
    """The moment that an RFC 3339 string or a date names; `None` if it names none."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
