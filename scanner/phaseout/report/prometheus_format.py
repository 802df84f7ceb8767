"""Prometheus metrics for the textfile collector of node_exporter: write to a `.prom` file in its folder.

References:
    https://prometheus.io/docs/instrumenting/exposition_formats/ (text format, escapes);
    https://prometheus.io/docs/practices/naming/; https://github.com/prometheus/node_exporter#textfile-collector
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from phaseout.model.findings import Applied, Finding, HostVerdict, Report, Verdict
from phaseout.model.nouns import STATES, HostInfo, Inventory, Kind, RunStatus, SourceRun, Unseen
from phaseout.report import Page
from phaseout.report.safe import visible
from phaseout.report.wording import instant, release

_Sample = tuple[Mapping[str, str], float]


def write_report(report: Report, _page: Page) -> Iterator[str]:
    """The verdict, the findings by verdict and state, the days left for each product, and the coverage."""
    everything = (*report.findings, *report.suppressed)
    counts = {(verdict, state): 0 for verdict in get_args(Verdict) for state in STATES}
    for finding in everything:
        counts[finding.verdict, finding.state] += 1
    rules = {"rules": report.rules.digest[:12], "rules_release": release(report)}
    yield from _scan(report.host, report.tool, report.scanned_at, report.items, rules)
    yield from _metric(
        "verdict",
        "1 for the verdict on this host, 0 for the others",
        [({"verdict": one}, one == report.verdict) for one in get_args(HostVerdict)],
    )
    yield from _metric(
        "findings",
        "Restricted products found, by verdict and by what they are doing",
        [({"verdict": verdict, "state": state}, count) for (verdict, state), count in counts.items()],
    )
    driven = [(finding, finding.driving) for finding in everything if finding.driving is not None]
    dated = [(finding, driving) for finding, driving in driven if driving.days_left is not None]
    yield from _metric(
        "days_left",
        "Calendar days to the date that drives the finding, negative once it has passed",
        [(_labels(finding, driving), driving.days_left or 0) for finding, driving in dated],
    )
    moments = [(_labels(finding, driving), instant(driving.due)) for finding, driving in dated]
    yield from _metric(
        "due_timestamp_seconds",
        "That date itself, in seconds since 1970, for alerting rules that hold between two scans",
        [(labels, moment.timestamp()) for labels, moment in moments if moment],
    )
    starts = [(_labels(finding, driving), instant(driving.begins)) for finding, driving in driven if driving.begins]
    yield from _metric(
        "begins_timestamp_seconds",
        "The day from which the measure that drives the finding is in force, if that is still ahead",
        [(labels, moment.timestamp()) for labels, moment in starts if moment],
    )
    cautions = len(report.rules.cautions)  # what they say changes by the day, so it is no label
    yield from _metric("cautions", "Reasons not to rely on the verdict, which other formats name", [({}, cautions)])
    yield from _coverage(report.runs, report.unseen)


def write_inventory(inventory: Inventory, _page: Page) -> Iterator[str]:
    """The items by kind, and the coverage."""
    counts = dict.fromkeys(get_args(Kind), 0)
    for item in inventory.items:
        counts[item.kind] += 1
    yield from _scan(inventory.host, inventory.tool, inventory.scanned_at, len(inventory.items), {})
    kinds = [({"kind": kind}, count) for kind, count in counts.items()]
    yield from _metric("inventory_items", "Traces of software seen, by kind", kinds)
    yield from _coverage(inventory.runs, inventory.unseen)


def _labels(finding: Finding, driving: Applied) -> dict[str, str]:
    return {
        "vendor": finding.vendor_id,
        "product": finding.product_id,
        "measure": driving.id,
        "milestone": driving.milestone,
        "verdict": finding.verdict,
        "state": finding.state,
    }


def _scan(host: HostInfo, tool: str, scanned_at: str, items: int, more: Mapping[str, str]) -> Iterator[str]:
    system = {"host": host.name, "platform": host.platform, "os": f"{host.os} {host.os_version}".strip()}
    yield from _metric("scan_info", "What was scanned and by what", [({**system, "tool": tool, **more}, 1)])
    moment = instant(scanned_at)
    seconds: list[_Sample] = [({}, moment.timestamp())] if moment else []
    yield from _metric("last_scan_timestamp_seconds", "When the host was scanned, in seconds since 1970", seconds)
    yield from _metric("items", "Traces of software seen", [({}, items)])


def _coverage(runs: Iterable[SourceRun], unseen: Iterable[Unseen]) -> Iterator[str]:
    runs = list(runs)
    hidden = len(list(unseen))
    yield from _metric("complete", "1 if nothing is known that was not seen", [({}, not hidden)])
    yield from _metric("unseen", "Parts of the host that were not seen", [({}, hidden)])
    yield from _metric(
        "source_status",
        "1 for how the source ended, 0 for the other ends",
        [
            ({"source": run.source, "status": status}, status == run.status)
            for run in runs
            for status in get_args(RunStatus)
        ],
    )
    for name, text in (("items", "Traces seen by the source"), ("seconds", "Time the source took")):
        values = [({"source": run.source}, getattr(run, name)) for run in runs]
        yield from _metric(f"source_{name}", text, values)


def _metric(name: str, text: str, samples: Iterable[_Sample]) -> Iterator[str]:
    yield f"# HELP phaseout_{name} {text}.\n# TYPE phaseout_{name} gauge\n"
    for labels, value in samples:
        pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"phaseout_{name}{{{pairs}}} {value:.15g}\n" if pairs else f"phaseout_{name} {value:.15g}\n"


def _escaped(text: str) -> str:
    return visible(text).replace("\\", "\\\\").replace('"', '\\"')
