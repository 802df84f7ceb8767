"""One line of printable ASCII, for the tools that keep one value of a machine: Intune, Configuration Manager, Jamf.

It begins `VERDICT (all sources complete)` or `VERDICT (not everything seen)`, which no scanned name can forge. What
must be replaced and what was not seen follow, and the line is cut at the limit, but for
what protects the host and the rules at its end.

References:
    https://learn.microsoft.com/intune/intune-service/fundamentals/remediations (2,048 characters of output).
"""

from collections.abc import Iterator

from phaseout.model.counting import counted
from phaseout.model.findings import Finding, Report
from phaseout.report import Page
from phaseout.report.wording import LIMITS, complete, grouped, none_found, rules_used, scanned, when

LIMIT = 2048  # characters, as Intune keeps them
_CUT = " ..."
_VERSIONS = 5  # of one finding that are named
_VERSION = 40  # characters


def write_report(report: Report, _page: Page) -> Iterator[str]:
    """The line, of `LIMIT` characters at most without its end."""
    seen = "all sources complete" if complete(report) else "not everything seen"
    parts = [_finding(finding) for finding in report.findings]
    parts += [f"not seen: {group}" for group in grouped(report.unseen)]
    if not parts or (report.suppressed and not report.findings):
        nothing = f"{none_found(report)} in {counted(report.items, 'item')}; {scanned(report)}"
        parts.insert(0, f"{nothing}; what no source can see: {LIMITS}")
    parts = [*report.rules.cautions, *parts]
    line = f"{report.verdict.upper()} ({seen}) {'; '.join(parts)}"
    # Consoles of Windows use an old code page, in which other characters would arrive garbled.
    line = "".join(char if " " <= char <= "~" else "?" for char in line)
    rules = f"{_protection(report)}; rules {rules_used(report)}"
    yield (line if len(line + rules) <= LIMIT else line[: LIMIT - len(rules) - len(_CUT)] + _CUT) + rules + "\n"


def _protection(report: Report) -> str:
    """A word of ours, which no scanned name can lengthen."""
    return f"; protection {report.protection.state}" if report.protection is not None else ""


def _finding(finding: Finding) -> str:
    different = list(dict.fromkeys(item.version for item in finding.items if item.version))
    # A user who makes thousands of versions must not push the next finding out of the line.
    more = [f"and {len(different) - _VERSIONS} more"] if len(different) > _VERSIONS else []
    versions = " ".join([*(version[:_VERSION] for version in different[:_VERSIONS]), *more])
    return f"{finding.verdict}: {finding.product} {versions}".rstrip() + f", {finding.state}, {when(finding.driving)}"
