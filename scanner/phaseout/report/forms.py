"""The reports that a measure asks for, with what a scan knows filled in, ready to be copied and completed.

Whether a report is owed is for a person to decide: no scan knows what was provided under a contract. So each form says
first what would make it due.

References:
    48 CFR 52.204-23(c) and 52.204-25(d); BOD 17-01.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from phaseout.model.findings import Finding, Report
from phaseout.report.wording import rules_used, scanned


class Form(NamedTuple):
    """A report that a bound reader may owe: when, to whom, in what time, and its lines."""

    measure: str
    when: str
    lines: tuple[str, ...]


def forms(report: Report, finding: Finding) -> Iterator[Form]:
    """The reports that measures which bind a declared role ask for."""
    quoted = {measure.id: measure for measure in report.measures}
    for applied in finding.applying:
        if applied.applies != "binds" or applied.id not in quoted:
            continue
        for duty in quoted[applied.id].reports:
            when = f"When {duty.trigger}: report to {duty.to}, within {duty.within}."
            yield Form(applied.id, when, tuple(_line(field, report, finding) for field in duty.fields))


def _line(field: str, report: Report, finding: Finding) -> str:
    name, _, meaning = field.partition(": ")
    label = f"{name} ({meaning})" if meaning else name
    fill = _KNOWN.get(name)
    return f"{label}: {fill(report, finding)}" if fill else f"{label}:"


def _products(_report: Report, finding: Finding) -> str:
    """Product and versions; where no rule names the product, what the host calls it."""
    if finding.role == "vendor":
        return ", ".join(dict.fromkeys(f"{item.name} {item.version}".strip() for item in finding.items))
    versions = ", ".join(dict.fromkeys(item.version for item in finding.items if item.version))
    return f"{finding.product} {versions}".strip()


def _description(report: Report, finding: Finding) -> str:
    """Each trace once, with its place on the host."""
    traces = dict.fromkeys(
        f"{item.kind.replace('_', ' ')} {item.name}{f' at {item.path}' if item.path else ''}" for item in finding.items
    )
    category = "software" if finding.category == "other" else finding.category.replace("_", " ")
    return f"{category} on {report.host.name}, {finding.state}: {'; '.join(traces)}"


def _method(report: Report, _finding: Finding) -> str:
    return f"{report.tool}, rules {rules_used(report)}, {scanned(report)} on {report.scanned_at}"


# What a scan knows, by the name of the field. The supplier and the contract stand on no machine.
_KNOWN: dict[str, Callable[[Report, Finding], str]] = {
    "Brand": lambda _report, finding: finding.vendor,
    "Model number": _products,
    "Item description": _description,
    "Products": _products,
    "Number of endpoints": lambda report, _finding: f"this report is about one, {report.host.name}",
    "Places of use": lambda report, _finding: report.host.name,
    "Method of search": _method,
}
