"""Markdown for tickets: what a person pastes into GitHub, GitLab, Jira or a wiki.

What was found on the machine stands in code spans, where no link, mention, image, tag or entity is read; everything
else is escaped.

References:
    CommonMark 0.31 (code spans, backslash escapes); https://github.github.com/gfm/#tables-extension-
"""

import re
from collections.abc import Iterable, Iterator

from phaseout.model.counting import counted
from phaseout.model.findings import Finding, Report
from phaseout.model.nouns import Inventory, Unseen
from phaseout.report import Page
from phaseout.report.forms import forms
from phaseout.report.safe import visible
from phaseout.report.wording import LIMITS, applying, due, exempted, grouped, rules_from, scanned_by, to_see, verdict

_PUNCTUATION = re.compile(r"([\\`*_{}\[\]<>#|~&!@])|(?<=:)(/)(?=/)|(?<=www)(\.)")


def write_report(report: Report, _page: Page) -> Iterator[str]:
    """The verdict, the findings as a table, what to do for each, what was not seen, and the measures."""
    yield f"# {_code(report.host.name)}: {verdict(report)}\n\n"
    facts = (
        ("Scanned", report.scanned_at),
        ("Scanned by", scanned_by(report.scanned_by)),
        ("Days as of", report.as_of),
        ("System", f"{report.host.os} {report.host.os_version}".strip()),
        ("Roles", ", ".join(report.rules.roles) or "none declared"),
        ("SHA-256 of the inventory", report.inventory_sha256),
    )
    yield "".join(f"- {name}: {_code(text)}\n" for name, text in facts if text)
    if report.protection is not None:
        yield f"- Protection: {_prose(report.protection.text)}\n"
    if report.findings:
        yield "\n| verdict | product | state | due | version |\n| --- | --- | --- | --- | --- |\n"
        yield from map(_row, report.findings)
    for finding in report.findings:
        yield from _finding(finding)
        yield from _forms(report, finding)
    if report.suppressed:
        yield "\n## Not counted\n\n"
        for finding in report.suppressed:
            yield f"- {_prose(finding.product)} ({finding.verdict}, {finding.state}): {_prose(finding.action)}\n"
    yield "\n## What was not seen\n\n"
    yield from _not_seen(report.unseen, report.host.skipped_mounts)
    if report.measures:
        yield "\n## Measures\n\n"
        for measure in report.measures:
            citation = "; ".join(_prose(text) for text in measure.citation)
            yield f"- **{_prose(measure.title)}**, {_prose(measure.issuer)} ({citation}): "
            yield f"{_words(measure.status)} as of {measure.status_as_of}\n"
            texts = (
                ("Reason given", measure.reason),
                ("For those whom it does not bind", measure.user),
                *((f"Asks of {duty.role}", duty.duty) for duty in measure.duties),
                *(("Exempts", exempted(exemption)) for exemption in measure.exempts),
                *(("Unclear", f"{', '.join(doubt.categories)}: {doubt.text}") for doubt in measure.unclear),
                ("Names, and no rule looks for", ", ".join(measure.not_looked_for)),
                ("Reaches as well", "; ".join(measure.unlisted)),
                ("Exceptions", measure.waiver),
                ("Note", measure.note),
                ("Status", measure.status_note),
            )
            yield "".join(f"  - {name}: {_prose(text)}\n" for name, text in texts if text)
    if report.rules.warnings:
        yield "\n## About the rules\n\n"
        yield "".join(f"- {_prose(warning)}\n" for warning in report.rules.warnings)
    yield f"\n{_prose(report.tool)}, {_prose(rules_from(report))}. This is not legal advice.\n"


def write_inventory(inventory: Inventory, _page: Page) -> Iterator[str]:
    """The items as a table, and what was not seen."""
    yield f"# {_code(inventory.host.name)}: {counted(len(inventory.items), 'trace')} of software\n\n"
    yield "| kind | name | version | vendor | state | path |\n| --- | --- | --- | --- | --- | --- |\n"
    for item in inventory.items:
        texts = (item.name, item.version, item.vendor)
        cells = (_words(item.kind), *map(_cell, texts), item.state, _cell(item.path))
        yield f"| {' | '.join(cells)} |\n"
    yield "\n## What was not seen\n\n"
    yield from _not_seen(inventory.unseen, inventory.host.skipped_mounts)


def _row(finding: Finding) -> str:
    driving = finding.driving
    versions = ", ".join(dict.fromkeys(_cell(item.version) for item in finding.items if item.version))
    cells = (f"**{finding.verdict}**", _prose(finding.product), finding.state, due(driving), versions)
    return f"| {' | '.join(cells)} |\n"


def _finding(finding: Finding) -> Iterator[str]:
    yield f"\n## {_prose(finding.product)}\n\n{_prose(finding.action)}\n\n"
    for number, step in enumerate(finding.remove, 1):
        yield f"{number}. {_prose(step)}\n"
    if finding.replacement:
        yield f"\nInstead: {_prose(finding.replacement)}\n"
    yield "\nWhat applies:\n\n" if finding.applying else ""
    for applied in finding.applying:
        yield f"- {_prose(applied.title)} ({_prose(applied.id)}): {_prose(applying(applied))}\n"
    if finding.naming:
        yield f"\nAlso names it, and binds others: {', '.join(_prose(one.id) for one in finding.naming)}\n"
    yield "\nSeen:\n\n"
    for item, because in zip(finding.items, finding.because, strict=True):
        texts = [_code(text) for text in (item.name, item.version, item.path, item.user) if text]
        yield f"- {_words(item.kind)} {' '.join(texts)} ({item.state}; {_code(because)})\n"


def _forms(report: Report, finding: Finding) -> Iterator[str]:
    for form in forms(report, finding):
        yield f"\nReport under {_prose(form.measure)}. {_prose(form.when)}\n\n"
        lines = "\n".join(map(visible, form.lines))
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", lines)), default=0))
        yield f"{fence}text\n{lines}\n{fence}\n"


def _not_seen(unseen: Iterable[Unseen], skipped_mounts: tuple[str, ...]) -> Iterator[str]:
    lines: list[str] = []
    for group in grouped(unseen):
        if group.why:
            parts = f"{', '.join(_prose(one.what) for one in group.parts)}: {_code(group.why)}"
        else:
            parts = "; ".join(f"{_prose(one.what)}: {_code(one.why)}" for one in group.parts)
        lines.append(f"- {parts}{_prose(to_see(group))}\n")
    if skipped_mounts:
        lines.append(f"- Network and user-space mounts, skipped: {', '.join(map(_code, skipped_mounts))}\n")
    yield "".join(lines) or "Nothing that these sources read.\n"
    yield f"\nWhat no source can see: `{LIMITS}`\n"


def _words(text: str) -> str:
    return _prose(text.replace("_", " "))


def _prose(text: str) -> str:
    return _PUNCTUATION.sub(r"\\\g<0>", visible(text))


def _code(text: str) -> str:
    """A code span; its fence is longer than any run of backticks inside."""
    text = visible(text)
    if not text.strip():
        return ""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _cell(text: str) -> str:
    """A code span in a table: there a bar ends the cell, also inside of code."""
    return _code(text).replace("|", "\\|")
