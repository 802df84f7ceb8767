"""HTML for the person who signs off: one file that loads nothing, to be read, searched, sorted and printed.

The verdict in one sentence, the dates with today's mark, the findings with evidence and what to do, what was not seen,
and the measures with their citations. Style and script are inline and named by their hashes in the page's security
policy, so that nothing that was found on a machine can run or load anything.

References:
    https://html.spec.whatwg.org/; https://www.w3.org/TR/CSP3/ (hashes, meta); https://www.w3.org/TR/WCAG22/
"""

import base64
import hashlib
import pkgutil
from collections.abc import Iterable, Iterator
from datetime import UTC
from functools import cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from phaseout.model.counting import counted
from phaseout.model.findings import Finding, QuotedMilestone, Report
from phaseout.model.nouns import Inventory
from phaseout.report import Page
from phaseout.report.forms import forms
from phaseout.report.safe import visible
from phaseout.report.wording import applying, due, exempted, grouped, instant, rules_from, scanned_by, verdict

if TYPE_CHECKING:
    from jinja2 import Environment

_PROVENANCE = {
    "primary": "read in the official text",
    "copy": "read in a copy of the official text",
    "secondary": "as others report it",
    "derived": "computed from the official text",
    "unverified": "not verified in a source",
}
_GRAVITY = ("replace", "review", "incomplete", "clean")
_TRACES = 20  # of a finding that are shown at once; the others are folded
_VERSIONS = 5  # of a finding, likewise; each trace shows its own
_BUFFER = 200  # pieces of the template that are written together


def write_report(report: Report, _page: Page) -> Iterator[str]:
    """The report as a page."""
    counting, timeline = _counting(report), _timeline(report)
    yield from _rendered(
        "report.jinja",
        subject=report,
        headline=verdict(report),
        tone=report.verdict,
        timeline=[day for day in timeline if day["today"] or day["matters"]],
        all_dates=timeline,
        ran=[run for run in report.runs if run.status in ("ok", "partial")],
        shown=_TRACES,
        measures=sorted(report.measures, key=lambda measure: measure.id not in counting),
        quoted={measure.id for measure in report.measures},
        counting=counting,
        provenance=_PROVENANCE,
        due=due,
        versions=_versions,
        forms=forms,
        exempted=exempted,
        applying=applying,
        rules=rules_from(report),
    )


def write_inventory(inventory: Inventory, _page: Page) -> Iterator[str]:
    """The inventory as a page."""
    count = len(inventory.items)
    seen = "not everything was seen" if inventory.unseen else f"all {len(inventory.runs)} sources complete"
    headline = f"{counted(count, 'trace')} of software; {seen}."
    tone = "incomplete" if inventory.unseen else "inventory"
    yield from _rendered("inventory.jinja", subject=inventory, headline=headline, tone=tone)


def host_rows(subject: Report | Inventory) -> tuple[str, str]:
    """What orders a host on a page of several, the gravest first, and its rows."""
    findings = subject.findings if isinstance(subject, Report) else ()
    if isinstance(subject, Report):
        word, sentence = str(subject.verdict), verdict(subject)
    else:
        word = "incomplete" if subject.unseen else "ok"
        sentence = f"{counted(len(subject.items), 'trace')} of software."
    gravity = str(_GRAVITY.index(word) if word in _GRAVITY else len(_GRAVITY))
    return gravity, (
        _templates("phaseout.report")
        .get_template("host.jinja")
        .render(
            host=subject.host.name,
            unseen=subject.unseen,
            findings=findings,
            word=word,
            sentence=f"{sentence[:1].upper()}{sentence[1:]}",
            due=due,
            versions=_versions,
            grouped=grouped,
        )
    )


def several_page(hosts: Iterable[tuple[str, str]], sentence: str, tone: str) -> Iterator[str]:
    """The page of several hosts.

    Args:
        hosts: of `host_rows`.
        sentence: what is said of all of them.
        tone: the gravest verdict.
    """
    from markupsafe import Markup

    rows = "".join(rows for _, rows in sorted(hosts, key=itemgetter(0)))
    yield from host_page(
        "several.jinja",
        title=sentence,
        tone=tone,
        tool="phaseout",
        hosts=Markup(rows),  # noqa: S704 (escaped by its template)
    )


def _rendered(name: str, *, subject: Report | Inventory, headline: str, **values: object) -> Iterator[str]:
    title = f"{subject.host.name}: {headline}"
    yield from host_page(name, subject=subject, title=title, tool=subject.tool, **values)


def host_page(name: str, **values: object) -> Iterator[str]:
    """A page of this package, in pieces, with what all of its templates use."""
    shared = {"counted": counted, "grouped": grouped, "scanned_by": scanned_by, "moment": _moment}
    yield from rendered("phaseout.report", name, "page.css", "page.js", **shared, **values)


def rendered(package: str, name: str, css_name: str, js_name: str, **values: object) -> Iterator[str]:
    """A page in pieces. Its template gets style and script with their hashes, for the security policy of the page.

    Args:
        package: the one in whose folder `page` the three files lie.
        name: of the template.
        css_name: of the style that is its own, beside what all pages have in common.
        js_name: of the script.
        values: for the template; every string is escaped, and its control characters are written out.
    """
    from markupsafe import Markup

    css = _part("phaseout.report", "style.css") + _part(package, css_name)
    js = _part(package, js_name)
    stream = (
        _templates(package)
        .get_template(name)
        .stream(
            css=Markup(css),  # noqa: S704 (our own file)
            js=Markup(js),  # noqa: S704 (our own file)
            css_hash=_hash(css),
            js_hash=_hash(js),
            **values,
        )
    )
    stream.enable_buffering(_BUFFER)
    yield from stream


@cache
def _templates(package: str) -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(
        loader=FunctionLoader(partial(_part, package)),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: Any) -> Any:
    """Writes out control and format characters in every string of the page; our own markup stays as it is."""
    return visible(value) if type(value) is str else value


def _part(package: str, name: str) -> str:
    content = pkgutil.get_data(package, f"page/{name}")
    assert content is not None
    return content.decode().replace("\r\n", "\n")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _versions(finding: Finding) -> str:
    different = list(dict.fromkeys(item.version for item in finding.items if item.version))
    more = [f"and {len(different) - _VERSIONS:,} more"] if len(different) > _VERSIONS else []
    return ", ".join([*different[:_VERSIONS], *more])


def _counting(report: Report) -> set[str]:
    """The measures with a milestone that counts for some finding."""
    return {applied.id for finding in report.findings for applied in finding.measures if applied.milestone}


def _timeline(report: Report) -> list[dict[str, object]]:
    """The dates of all measures that count for a finding, and today between them."""
    counting = {
        (applied.id, applied.milestone, applied.due): applied
        for finding in report.findings
        for applied in finding.measures
        if applied.milestone
    }
    if not counting:
        return []
    first = [finding.driving for finding in report.findings if finding.driving]
    driving = {(applied.id, applied.milestone, applied.due) for applied in first}
    measures = _counting(report)
    quoted = {measure.id for measure in report.measures}
    here = {finding.product_id for finding in report.findings} | {finding.vendor_id for finding in report.findings}
    days = [
        _day(milestone.due, milestone.kind, measure.title, milestone.text, milestone.verified)
        | {
            "drives": (measure.id, milestone.kind, milestone.due) in driving,
            "matters": (measure.id, milestone.kind, milestone.due) in counting,
        }
        for measure in report.measures
        if measure.id in measures
        for milestone in measure.milestones
        if milestone.due and _about(milestone, here)
    ]
    days += [
        _day(applied.due, applied.milestone, applied.title, applied.text, applied.verified)
        | {"drives": (applied.id, applied.milestone, applied.due) in driving, "matters": True}
        for applied in counting.values()
        if applied.due and applied.id not in quoted
    ]
    same = report.as_of[:10] == report.scanned_at[:10]
    today = {
        "date": report.as_of[:10],
        "today": True,
        "text": "Today" if same else "The day that days are counted from",
    }
    days.append({**today, "at": report.as_of})
    days.sort(key=lambda day: (_seconds(str(day["at"])), "today" not in day))
    return days


def _about(milestone: QuotedMilestone, here: set[str]) -> bool:
    """Whether a date is about something that was found: some are about single products, or single vendors."""
    narrowed = {*milestone.products, *milestone.vendors}
    return not narrowed or bool(narrowed & here)


def _day(at: str, kind: str, title: str, text: str, verified: str) -> dict[str, object]:
    return {
        "at": at,
        "date": at[:10],
        "kind": kind.replace("_", " "),
        "title": title,
        "text": text,
        "verified": verified,
        "today": False,
    }


def _moment(text: str) -> str:
    """A moment as people read it; what is no moment stays as it is."""
    found = instant(text) if "T" in text else None
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if found else text


def _seconds(text: str) -> float:
    moment = instant(text)
    return moment.timestamp() if moment else 0.0
