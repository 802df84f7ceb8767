"""SARIF 2.1.0 for code-scanning views: a rule for each product, a result for each finding.

`replace` is an error, `review` a warning, whatever does not count a suppressed note. What was not seen is a
notification of the run.

References:
    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; RFC 8089 (file URIs)
"""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

from phaseout.model.findings import SUPPRESSED, Finding, Report, Verdict
from phaseout.model.nouns import Item
from phaseout.report import Page
from phaseout.report.safe import json_text, visible
from phaseout.report.wording import instant, verdict, when

_LEVELS: dict[Verdict, str] = {
    "replace": "error",
    "review": "warning",
    "exempt": "note",
    "waived": "note",
    "successor": "note",
}
_Object = dict[str, Any]


def write_report(report: Report, _page: Page) -> Iterator[str]:
    """One run: the host."""
    findings = (*report.findings, *report.suppressed)
    name, _, version = report.tool.partition(" ")
    driver: _Object = {
        "name": name or "phaseout",
        "version": version or "0",
        "rules": [_rule(finding) for finding in findings],
    }
    invocation: _Object = {
        "executionSuccessful": True,
        "machine": visible(report.host.name),
        "toolExecutionNotifications": [
            {
                "level": "warning",
                "descriptor": {"id": "unseen"},
                "message": _message(f"Not seen: {one.what}: {one.why}"),
            }
            for one in report.unseen
        ],
    }
    moment = instant(report.scanned_at)
    if moment:
        invocation["endTimeUtc"] = moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    run = {
        "tool": {"driver": {**driver, "notifications": [{"id": "unseen", "name": "Unseen"}]}},
        "automationDetails": {"id": f"phaseout/{visible(report.host.name)}/"},
        "invocations": [invocation],
        "results": [_result(report, finding, number) for number, finding in enumerate(findings)],
        "properties": {
            "verdict": report.verdict,
            "sentence": verdict(report),
            "asOf": report.as_of,
            "rulesDigest": report.rules.digest,
            **({"rulesSerial": report.rules.serial, "rulesMade": report.rules.made} if report.rules.serial else {}),
        },
    }
    schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    yield json_text({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(finding: Finding) -> _Object:
    steps = "".join(f"\n{number}. {step}" for number, step in enumerate(finding.remove, 1))
    return {
        "id": finding.product_id,
        "name": finding.product,
        "shortDescription": {"text": f"{finding.product} of {finding.vendor}"},
        "fullDescription": {"text": "; ".join(applied.title for applied in finding.measures) or finding.product},
        "help": {"text": f"{finding.action}{steps}"},
        "defaultConfiguration": {"level": _LEVELS[finding.verdict]},
        "properties": {"tags": [finding.vendor_id, finding.category]},
    }


def _result(report: Report, finding: Finding, number: int) -> _Object:
    driving = finding.driving
    result: _Object = {
        "ruleId": finding.product_id,
        "ruleIndex": number,
        "level": _LEVELS[finding.verdict],
        "message": _message(f"{finding.product} is {finding.state}, {when(driving)}. {finding.action}"),
        "locations": [_location(item) for item in finding.items],
        "partialFingerprints": {"hostAndProduct/v1": f"{visible(report.host.name)}/{finding.product_id}"},
        "properties": {
            "verdict": finding.verdict,
            "state": finding.state,
            "confidence": finding.confidence,
            "because": list(finding.because),
            "versions": list(dict.fromkeys(item.version for item in finding.items if item.version)),
            "measures": [applied.id for applied in finding.measures],
            **({"due": driving.due, "daysLeft": driving.days_left} if driving and driving.due else {}),
            **({"begins": driving.begins} if driving and driving.begins else {}),
        },
    }
    if finding.verdict in SUPPRESSED:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": finding.action}]
    return result


def _location(item: Item) -> _Object:
    logical = {
        "name": visible(item.name),
        "kind": item.kind,
        "fullyQualifiedName": f"{item.source}/{visible(item.name)}",
    }
    location: _Object = {"logicalLocations": [logical]}
    uri = _uri(item.path)
    if uri:
        location["physicalLocation"] = {"artifactLocation": {"uri": uri}}
    return location


def _uri(path: str) -> str:
    """The path as a file URI; empty for what is no absolute path of a file system (a registry key)."""
    from urllib.parse import quote

    if re.match(r"[A-Za-z]:[\\/]", path):
        path = "/" + path.replace("\\", "/")
    if not path.startswith("/") or path.startswith("//"):
        return ""
    return "file://" + quote(path.encode("utf-8", "backslashreplace"), safe="/:")


def _message(text: str) -> _Object:
    """A plain text message, in which brackets would begin a link and braces a placeholder."""
    return {"text": re.sub(r"[\[\]]", r"\\\g<0>", visible(text)).replace("{", "{{").replace("}", "}}")}
