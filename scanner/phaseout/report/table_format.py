"""The table that a person reads in a terminal of 60 to 200 columns: findings first, then what was seen and what not."""

import re
from collections.abc import Iterable, Iterator
from typing import get_args

from phaseout.model.counting import counted
from phaseout.model.findings import Finding, Report
from phaseout.model.nouns import Inventory, Kind
from phaseout.report import Page
from phaseout.report.columns import cut, open_table, paragraph, table
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

_LEAST = 60
_MOST = 200
_COLOURS = {  # the first words of a line → a rendition of ECMA-48 that can be read on light and dark
    "REPLACE": "1;31",
    "review": "33",
    "Not seen: nothing": "32",
    "Not seen:": "33",
    "Not counted:": "2",
    "About the rules:": "2",
}
_COLOURED = re.compile(rf"^({'|'.join(_COLOURS)})(?=\s|$)", re.MULTILINE)
_MOST_USEFUL_FIRST = get_args(Kind)
_PLACES = 3  # of one finding; the CSV and the JSON have all
_VERSIONS = 5  # likewise
_MEASURES = 5  # that bind others, likewise
_NAME = 300  # characters of one name; more than a path of Windows has
_LINE = 240  # characters of a reason, where a host has one line


def write_report(report: Report, page: Page) -> Iterator[str]:
    """Findings with the most overdue on top, what to do, one line of what was seen, and what was not seen."""
    lines = _report(report, min(max(page.width, _LEAST), _MOST))
    yield from _coloured(lines) if page.colour else lines


def write_inventory(inventory: Inventory, page: Page) -> Iterator[str]:
    """All items, one line each."""
    width = min(max(page.width, _LEAST), _MOST)
    rows = [
        (item.kind, visible(item.name), visible(item.version), visible(item.vendor), item.state, visible(item.path))
        for item in inventory.items
    ]
    yield from open_table(("kind", "name", "version", "vendor", "state", "path"), rows, max(width, 100))
    for group in grouped(inventory.unseen):
        yield from paragraph(visible(f"Not seen: {group}{to_see(group)}"), width)


def write_lines(report: Report) -> Iterator[str]:
    """One line for each finding of a host, or one for the host: for a table of several hosts."""
    host = visible(report.host.name)
    for finding in report.findings:
        versions = _some([item.version for item in finding.items if item.version], _VERSIONS)
        product = cut(visible(finding.product), _NAME)
        what = f"{product} {versions}".strip() + f" ({finding.state}, {finding.confidence}), {days(finding.driving)}"
        yield f"{host:<24}  {_shown(finding):<10}  {what}\n"
    if not report.findings:
        groups = grouped(report.unseen)
        more = f" and {len(groups) - 2} more" if len(groups) > 2 else ""
        why = f"not seen: {visible('; '.join(map(str, groups[:2])))}{more}" if groups else visible(scanned(report))
        why = f"{none_found(report)}; {why}" if report.suppressed else why
        yield f"{host:<24}  {report.verdict:<10}  {why[:_LINE]}\n"


def _report(report: Report, width: int) -> Iterator[str]:
    if report.findings:
        yield from table(("verdict", "product", "version", "state", "due", "where"), map(_row, report.findings), width)
        for finding in report.findings:
            yield "\n"
            yield from _finding(finding, width)
            for form in forms(report, finding):
                text = f"  Reporting, {form.measure}. {form.when} -f markdown has the form."
                yield from paragraph(visible(text), width)
        yield "\n"
    else:
        yield from paragraph(visible(f"{report.host.name}: {verdict(report)}"), width)
    for finding in report.suppressed:
        text = f"Not counted: {finding.product} ({finding.verdict}, {finding.state}). {finding.action}"
        yield from paragraph(visible(text), width)
    for warning in report.rules.warnings:
        yield from paragraph(visible(f"About the rules: {warning}"), width)
    if report.protection is not None:
        yield from paragraph(visible(f"Protection: {report.protection.text}"), width)
    yield from paragraph(_seen(report), width)
    for line in _not_seen(report):
        yield from paragraph(visible(line), width)


def _row(finding: Finding) -> tuple[str, ...]:
    versions = [item.version for item in finding.items if item.version]
    items = sorted(finding.items, key=lambda item: _MOST_USEFUL_FIRST.index(item.kind))
    places = [f"{item.kind.replace('_', ' ')} {item.path or item.name}" for item in items]
    rest = (_some(versions, _VERSIONS), finding.state, due(finding.driving), _some(places, _PLACES))
    return (_shown(finding), cut(visible(finding.product), _NAME), *rest)


def _finding(finding: Finding, width: int) -> Iterator[str]:
    """What to do about a finding, and by which measure."""
    yield from paragraph(visible(f"{finding.product}: {finding.action}"), width)
    for applied in finding.applying:
        text = f"  Measure: {applied.title} ({applied.id}): {applying(applied).rstrip('.')}."
        yield from paragraph(visible(text), width)
    if finding.naming:
        text = f"  Also names it, and binds others: {_some([one.id for one in finding.naming], _MEASURES)}."
        yield from paragraph(visible(text), width)
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


def _not_seen(report: Report) -> Iterator[str]:
    """What was not seen, with one line for each reason, and where to read what no source can see."""
    lines = [f"Not seen: {group}{to_see(group)}" for group in grouped(report.unseen)]
    if report.host.skipped_mounts:
        lines.append(f"Not seen: {mounts(report.host.skipped_mounts)}.")
    yield from lines or ["Not seen: nothing that these sources read."]
    yield f"What no source can see: {LIMITS}."


def _coloured(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield _COLOURED.sub(lambda found: f"\x1b[{_COLOURS[found[1]]}m{found[1]}\x1b[0m", line)
