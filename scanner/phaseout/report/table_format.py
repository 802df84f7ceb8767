"""The table that a person reads in a terminal of 80 to 200 columns: findings first, then what was seen and what not."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

from phaseout.model.findings import Finding, Report
from phaseout.model.nouns import Inventory, Kind
from phaseout.report import Page
from phaseout.report.safe import visible
from phaseout.report.wording import due, verdict

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
_TELLING = get_args(Kind)  # what tells a person most comes first
_PLACES = 3  # of one finding; the CSV and the JSON have all
VERSIONS = 5  # likewise
_NAME = 300  # characters of one name; more than a path of Windows has


def write_report(report: Report, page: Page) -> Iterator[str]:
    """Findings with the most overdue on top, what to do, one line of what was seen, and what was not seen."""
    width = min(max(width, _LEAST), _MOST)
    if report.findings:
        yield _table(("verdict", "product", "version", "state", "due", "where"), map(_row, report.findings), width)
        yield "\n"
        for finding in report.findings:
            yield _paragraph(f"{finding.product}: {finding.action}", width)
            for number, step in enumerate(finding.remove, 1):
                yield _paragraph(f"  {number}. {step.rstrip('.')}.", width)
            if finding.replacement:
                yield _paragraph(f"  Instead: {finding.replacement}.", width)
        yield "\n"
    else:
        yield _paragraph(f"{report.host.name}: {verdict(report)}", width)
    for finding in report.suppressed:
        yield _paragraph(f"Not counted: {finding.product} ({finding.state}). {finding.action}", width)
    for warning in report.rules.warnings:
        yield _paragraph(f"About the rules: {warning}", width)
    yield _paragraph(_seen(report), width)
    for line in _not_seen(report):
        yield _paragraph(line, width)


def write_inventory(inventory: Inventory, page: Page) -> Iterator[str]:
    """All items, one line each."""
    width = min(max(width, _LEAST), _MOST)
    rows = [
        (item.kind, visible(item.name), visible(item.version), visible(item.vendor), item.state, visible(item.path))
        for item in inventory.items
    ]
    yield from _lines(("kind", "name", "version", "vendor", "state", "path"), rows, width)
    for one in inventory.unseen:
        yield _paragraph(f"Not seen: {one.what}: {one.why}.{_remedy(one.remedy)}", width)


def coloured(pieces: Iterator[str]) -> Iterator[str]:
    """The same text with its verdicts and headings in colour."""
    for piece in pieces:
        yield _COLOURED.sub(lambda found: f"\x1b[{_COLOURS[found[1]]}m{found[1]}\x1b[0m", piece)


def _row(finding: Finding) -> tuple[str, ...]:
    versions = [item.version for item in finding.items if item.version]
    items = sorted(finding.items, key=lambda item: _TELLING.index(item.kind))
    places = [f"{item.kind.replace('_', ' ')} {item.path or item.name}" for item in items]
    shouted = finding.verdict.upper() if finding.verdict == "replace" else finding.verdict
    driving = finding.driving
    rest = (some(versions, VERSIONS), finding.state, due(driving), some(places, _PLACES))
    return (shouted, cut(visible(finding.product)), *rest)


def some(names: Iterable[str], most: int) -> str:
    """The first of some names, each once, and how many there are besides."""
    different = list(dict.fromkeys(names))
    shown = [cut(visible(name)) for name in different[:most]]
    if len(different) > most:
        shown.append(f"and {len(different) - most} more")
    return ", ".join(shown)


def cut(text: str) -> str:
    """The text, or the beginning of one that nobody would read to its end."""
    return text if len(text) <= _NAME else text[: _NAME - 1] + "…"


def _table(header: Sequence[str], rows: Iterator[tuple[str, ...]], width: int) -> str:
    from tabulate import tabulate

    cells = list(rows)
    widest = [max(len(header[column]), *(len(row[column]) for row in cells)) for column in range(len(header))]
    room = width - 2 * (len(header) - 1)
    limits = _shares(widest, room)
    wrapped = [[_wrapped(text, limit) for text, limit in zip(row, limits, strict=True)] for row in cells]
    return tabulate(wrapped, headers=list(header), tablefmt="simple", disable_numparse=True) + "\n"


def _shares(widest: Sequence[int], room: int) -> list[int]:
    """A width for each column: what it needs, and if that is too much, the widest columns give way."""
    limits = [min(one, room) for one in widest]
    while sum(limits) > room and max(limits) > 8:
        limits[limits.index(max(limits))] -= 1
    return limits


def _wrapped(text: str, limit: int) -> str:
    return "\n".join(textwrap.wrap(text, limit)) if len(text) > limit else text


def _lines(header: Sequence[str], rows: Sequence[tuple[str, ...]], width: int) -> Iterator[str]:
    """A table of thousands of rows, one line each, the last column open to the right."""
    least = [max([len(header[column]), *(len(row[column]) for row in rows)]) for column in range(len(header))]
    limits = _shares(least, max(width, 100) - 2 * (len(header) - 1))
    for row in (tuple(header), *rows):
        cut = [text if len(text) <= limit else text[: limit - 1] + "…" for text, limit in zip(row, limits, strict=True)]
        yield "  ".join(text.ljust(limit) for text, limit in zip(cut, limits, strict=True)).rstrip() + "\n"


def _seen(report: Report) -> str:
    ran = [run for run in report.runs if run.status in ("ok", "partial")]
    seconds = sum(run.seconds for run in report.runs)
    system = f"{report.host.os} {report.host.os_version}".strip()
    where = f" ({visible(system)})" if system else ""
    rules = f"{report.rules.products} products and {report.rules.measures} measures"
    return (
        f"Seen: {report.items} items from {len(ran)} sources on {visible(report.host.name)}{where} in {seconds:.2f} s, "
        f"judged by {rules} as of {report.as_of[:10]}."
    )


def _not_seen(report: Report) -> Iterator[str]:
    """What was not seen, those with the same remedy together."""
    if not report.unseen:
        yield (
            "Not seen: nothing that a source looks for."
            if not report.host.skipped_mounts
            else "Not seen: " + _mounts(report)
        )
        return
    remedies: dict[str, list[str]] = {}
    for one in report.unseen:
        remedies.setdefault(one.remedy, []).append(f"{one.what} ({visible(one.why)})")
    for remedy, parts in remedies.items():
        yield f"Not seen: {'; '.join(parts)}.{_remedy(remedy)}"
    if report.host.skipped_mounts:
        yield "Not seen: " + _mounts(report)


def _mounts(report: Report) -> str:
    mounts = report.host.skipped_mounts
    some = ", ".join(visible(one) for one in mounts[:5]) + (", …" if len(mounts) > 5 else "")
    return f"{len(mounts)} network or user-space mount{'s' if len(mounts) > 1 else ''}, left alone: {some}."


def _remedy(remedy: str) -> str:
    return f" To see it: {remedy}." if remedy else ""


def _paragraph(text: str, width: int) -> str:
    indent = len(text) - len(text.lstrip())
    return textwrap.fill(visible(text), width, subsequent_indent=" " * max(indent, 2), break_on_hyphens=False) + "\n"
