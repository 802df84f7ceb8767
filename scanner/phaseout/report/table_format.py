"""The table that a person reads in a terminal of 40 to 200 columns: verdict, findings, what was seen, what was not."""

import re
from collections.abc import Iterable, Iterator
from typing import get_args

from phaseout.model.counting import counted
from phaseout.model.findings import Finding, Report
from phaseout.model.nouns import Inventory, Kind, Unseen
from phaseout.model.regex import regex
from phaseout.report import Page
from phaseout.report.columns import cell_width, clamped, cut, open_table, paragraph, table
from phaseout.report.forms import forms
from phaseout.report.safe import visible
from phaseout.report.wording import (
    LIMITS,
    applying,
    days,
    due,
    grouped,
    mounts,
    none_found,
    rules_from,
    scanned,
    to_see,
    verdict,
)

# Renditions of ECMA-48 that can be read on light and dark: one colour means one thing.
_COLOURS = {"replace": "1;31", "review": "33", "incomplete": "35", "clean": "32", "not counted": "2"}
_MEANING = {  # the first words of a line → what they mean
    "REPLACE": "replace",
    "review": "review",
    "Not seen: nothing": "clean",
    "Not seen:": "incomplete",
    "Not counted:": "not counted",
}
_COLOURED = regex(rf"^(verdict +)?({'|'.join(_MEANING)})(?=\s|$)", re.MULTILINE)
_MOST_USEFUL_FIRST = get_args(Kind)
_PLACES = 3  # of one finding; the CSV and the JSON have all
_VERSIONS = 5  # likewise
_MEASURES = 5  # that bind others, likewise
_UNSEEN = 5  # parts that were not seen for one reason, likewise
_ALL = 1 << 30
_NAME = 300  # characters of one name; more than a path of Windows has
_COLUMNS = ("kind", "name", "version", "vendor", "state", "path")  # of an inventory
_LINE = 240  # characters of a reason, where a host has one line


def write_report(report: Report, page: Page) -> Iterator[str]:
    """The verdict, findings with the most overdue on top, what to do, what was seen, and what was not seen."""
    width, everything = clamped(page.width), page.detail == "all"
    for line in paragraph(visible(f"{report.host.name}: {verdict(report)}"), width):
        yield _painted(line[:-1], report.verdict) + "\n" if page.colour else line
    if page.detail != "verdict":
        lines = _report(report, width, everything=everything)
        yield from _coloured(lines) if page.colour else lines


def write_inventory(inventory: Inventory, page: Page) -> Iterator[str]:
    """All items, one line each; a narrow terminal has no room for every column."""
    width = clamped(page.width)
    columns = _COLUMNS if width >= 100 else _COLUMNS[:3] + _COLUMNS[5:] if width >= 60 else _COLUMNS[:3]
    rows = [tuple(visible(getattr(item, name)) for name in columns) for item in inventory.items]
    yield from open_table(columns, rows, width)
    for line in _unseen(inventory.unseen, everything=page.detail == "all"):
        yield from paragraph(visible(line), width)


def write_lines(report: Report, page: Page) -> Iterator[str]:
    """One line for each finding of a host, or one for the host: for a table of several hosts."""
    for host, word, what in _lines(report):
        shown = (_painted(word, word.lower()) if page.colour else word) + " " * (10 - len(word))
        yield f"{host}{' ' * (24 - cell_width(host))}  {shown}  {what}\n"


def _lines(report: Report) -> Iterator[tuple[str, str, str]]:
    host = visible(report.host.name)
    for finding in report.findings:
        versions = _some([item.version for item in finding.items if item.version], _VERSIONS)
        product = cut(visible(finding.product), _NAME)
        what = f"{product} {versions}".strip() + f" ({finding.state}, {finding.confidence}), {days(finding.driving)}"
        yield host, _shown(finding), what
    if not report.findings:
        groups = grouped(report.unseen)
        more = f" and {len(groups) - 2} more" if len(groups) > 2 else ""
        why = f"not seen: {visible('; '.join(map(str, groups[:2])))}{more}" if groups else visible(scanned(report))
        why = f"{none_found(report)}; {why}" if report.suppressed else why
        yield host, report.verdict, why[:_LINE]


def _report(report: Report, width: int, *, everything: bool) -> Iterator[str]:
    if report.findings:
        yield "\n"
        rows = [_row(finding, everything=everything) for finding in report.findings]
        yield from table(("verdict", "product", "version", "state", "due", "where"), rows, width)
        for finding in report.findings:
            yield "\n"
            yield from _finding(finding, width, everything=everything)
            for form in forms(report, finding):
                text = f"  Reporting, {form.measure}. {form.when} -f markdown has the form."
                yield from paragraph(visible(text), width)
        yield "\n"
    for finding in report.suppressed:
        text = f"Not counted: {finding.product} ({finding.verdict}, {finding.state}). {finding.action}"
        yield from paragraph(visible(text), width)
    for warning in report.rules.warnings:
        yield from paragraph(visible(f"About the rules: {warning}"), width)
    if report.protection is not None:
        yield from paragraph(visible(f"Protection: {report.protection.text}"), width)
    yield from paragraph(_seen(report), width)
    if everything:
        yield from _runs(report, width)
    for line in _not_seen(report, everything=everything):
        yield from paragraph(visible(line), width)


def _row(finding: Finding, *, everything: bool) -> tuple[str, ...]:
    versions = [item.version for item in finding.items if item.version]
    items = sorted(finding.items, key=lambda item: _MOST_USEFUL_FIRST.index(item.kind))
    places = [f"{item.kind.replace('_', ' ')} {item.path or item.name}" for item in items]
    some = _some(versions, _ALL if everything else _VERSIONS)
    where = _some(places, _ALL if everything else _PLACES)
    return (_shown(finding), cut(visible(finding.product), _NAME), some, finding.state, due(finding.driving), where)


def _finding(finding: Finding, width: int, *, everything: bool) -> Iterator[str]:
    """What to do about a finding, and by which measure."""
    yield from paragraph(visible(f"{finding.product}: {finding.action}"), width)
    for applied in finding.applying:
        text = f"  Measure: {applied.title} ({applied.id}): {applying(applied).rstrip('.')}."
        yield from paragraph(visible(text), width)
    if finding.naming:
        names = _some([one.id for one in finding.naming], _ALL if everything else _MEASURES)
        yield from paragraph(visible(f"  Also names it, and binds others: {names}."), width)
    for number, step in enumerate(finding.remove, 1):
        yield from paragraph(visible(f"  {number}. {step.rstrip('.')}."), width)
    if finding.replacement:
        yield from paragraph(visible(f"  Instead: {finding.replacement}."), width)


def _shown(finding: Finding) -> str:
    return finding.verdict.upper() if finding.verdict == "replace" else finding.verdict


def _some(names: Iterable[str], most: int) -> str:
    """The first of some names, each once, and how many there are besides."""
    different = list(dict.fromkeys(names))
    shown = [cut(visible(name), _NAME) for name in different[:most]]
    if len(different) > most:
        shown.append(f"and {len(different) - most} more")
    return ", ".join(shown)


def _seen(report: Report) -> str:
    ran = sum(run.status in ("ok", "partial") for run in report.runs)
    seconds = sum(run.seconds for run in report.runs)
    system = f"{report.host.os} {report.host.os_version}".strip()
    where = f" ({visible(system)})" if system else ""
    known = f"{counted(report.rules.products, 'product')} and {counted(report.rules.measures, 'measure')}"
    rules = f"{known} ({visible(rules_from(report))})"
    return (
        f"Seen: {counted(report.items, 'item')} from {counted(ran, 'source')} on "
        f"{visible(report.host.name)}{where} in {seconds:.2f} s, judged by {rules} as of {report.as_of[:10]}."
    )


def _runs(report: Report, width: int) -> Iterator[str]:
    """How each source ended."""
    rows = [
        (run.source, run.status, f"{run.items:,}", f"{sum(run.left_out.values()):,}", f"{run.seconds:.2f} s")
        for run in report.runs
    ]
    yield "\n"
    yield from table(("source", "ended", "items", "left out", "time"), rows, width)
    yield "\n"


def _not_seen(report: Report, *, everything: bool) -> Iterator[str]:
    """What was not seen, by reason, and where to read what no source can see."""
    lines = list(_unseen(report.unseen, everything=everything))
    if report.host.skipped_mounts:
        lines.append(f"Not seen: {mounts(report.host.skipped_mounts)}.")
    yield from lines or ["Not seen: nothing that these sources read."]
    yield f"What no source can see: {LIMITS}."


def _unseen(unseen: Iterable[Unseen], *, everything: bool) -> Iterator[str]:
    """A line for each reason with what helps; below it the parts, unless one sentence has room for them."""
    for group in grouped(unseen):
        if len(group.parts) == 1 or (group.why and len(group.parts) <= _UNSEEN):
            yield f"Not seen: {group}{to_see(group)}"
            continue
        yield f"Not seen: {len(group.parts)} parts, {group.reason}{to_see(group)}"
        if everything:
            yield from (f"  {one.what}: {one.why}." for one in group.parts)
        else:
            yield f"  {_some([one.what for one in group.parts], _UNSEEN)}."


def _coloured(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield _COLOURED.sub(lambda found: (found[1] or "") + _painted(found[2], _MEANING[found[2]]), line)


def _painted(text: str, meaning: str) -> str:
    return f"\x1b[{_COLOURS[meaning]}m{text}\x1b[0m"
