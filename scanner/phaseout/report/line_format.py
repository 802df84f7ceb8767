"""One line of printable ASCII, for the tools that keep one value of a machine: Intune, Configuration Manager, Jamf.

It begins `VERDICT (everything seen)` or `VERDICT (not everything seen)`, which no scanned name can forge; what must be
replaced and what was not seen follow, and the line is cut at the limit.

References:
    https://learn.microsoft.com/intune/intune-service/fundamentals/remediations (2,048 characters of output).
"""

from collections.abc import Iterator

from phaseout.model.findings import Finding, Report
from phaseout.report import Page
from phaseout.report.wording import due

LIMIT = 2048  # characters, as Intune keeps them
_CUT = " ..."


def write_report(report: Report, _: Page) -> Iterator[str]:
    """The line, of `LIMIT` characters at most without its end."""
    seen = "not everything seen" if report.unseen or report.verdict == "incomplete" else "everything seen"
    parts = [_finding(finding) for finding in report.findings]
    parts += [f"not seen: {one.what}: {one.why}" for one in report.unseen]
    if not parts:
        ended = sum(run.status == "ok" for run in report.runs)
        parts = [f"{report.items} items, sources that ran to their end: {ended}"]
    line = f"{report.verdict.upper()} ({seen}) {'; '.join(parts)}"
    # Consoles of Windows speak some old code page: what is not ASCII would arrive as something else.
    line = "".join(char if " " <= char <= "~" else "?" for char in line)
    yield (line if len(line) <= LIMIT else line[: LIMIT - len(_CUT)] + _CUT) + "\n"


def _finding(finding: Finding) -> str:
    versions = " ".join(dict.fromkeys(item.version for item in finding.items if item.version))
    when = due(finding.driving)
    return f"{finding.verdict}: {finding.product} {versions}".rstrip() + f", {finding.state}, {when}"
