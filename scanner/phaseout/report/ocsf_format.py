"""Events of the Open Cybersecurity Schema Framework, one a line, for security lakes and SIEMs.

A report gives a Compliance Finding (class 2003) for each product, and one that passes (or warns, if not everything was
seen) for a host without any. An inventory gives one Software Inventory Info (class 5020) whose `sbom` has every trace.
What the framework has no attribute for stands under `unmapped`.

References:
    https://schema.ocsf.io/1.6.0/classes/compliance_finding, https://schema.ocsf.io/1.6.0/classes/software_info; the
    `host` profile brings `device`.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from phaseout.model.findings import SUPPRESSED, Finding, QuotedMeasure, Report
from phaseout.model.nouns import HostInfo, Inventory, Item
from phaseout.report import Page
from phaseout.report.safe import json_text
from phaseout.report.wording import grouped, instant, rules_used, verdict, when

VERSION = "1.6.0"
_SYSTEMS = {"windows": 100, "linux": 200, "android": 201, "macos": 300, "ios": 301}
_CONFIDENCES = {"possible": (1, "Low"), "likely": (2, "Medium"), "certain": (3, "High")}
_PASS, _WARNING, _FAIL = (1, "Pass"), (2, "Warning"), (3, "Fail")
_COMPLIANCES: dict[str, tuple[int, str]] = {
    "replace": _FAIL,
    "review": _WARNING,
    "clean": _PASS,
    "incomplete": _WARNING,
    **{verdict: (99, verdict.capitalize()) for verdict in SUPPRESSED},
}
_NEW, _SUPPRESSED = (1, "New"), (3, "Suppressed")
_Object = dict[str, Any]


def write_report(report: Report, _page: Page) -> Iterator[str]:
    """A Compliance Finding for each product, those that were suppressed included, or one for the host."""
    quoted = {measure.id: measure for measure in report.measures}
    for finding in (*report.findings, *report.suppressed):
        yield json_text(_finding(report, finding, quoted)) + "\n"
    if not report.findings:
        yield json_text(_nothing(report)) + "\n"


def write_inventory(inventory: Inventory, _page: Page) -> Iterator[str]:
    """One Software Inventory Info."""
    event = {
        **_event(5020, 2, "Collect", inventory.host, inventory.tool, inventory.scanned_at),
        "class_name": "Software Inventory Info",
        "category_uid": 5,
        "category_name": "Discovery",
        "severity_id": 1,
        "severity": "Informational",
        "sbom": {
            "package": {
                "name": inventory.host.os or inventory.host.platform,
                "version": inventory.host.os_version or "unknown",
                "type_id": 2,
                "type": "Operating System",
            },
            "software_components": [_component(item) for item in inventory.items],
            "type_id": 99,
            "type": inventory.schema,
        },
        "unmapped": {"unseen": [msgspec.to_builtins(one) for one in inventory.unseen]},
    }
    yield json_text(event) + "\n"


def _event(uid: int, activity: int, name: str, host: HostInfo, tool: str, scanned_at: str) -> _Object:
    product, _, version = tool.partition(" ")
    moment = instant(scanned_at)
    return {
        "class_uid": uid,
        "activity_id": activity,
        "activity_name": name,
        "type_uid": uid * 100 + activity,
        "time": int(moment.timestamp() * 1000) if moment else 0,
        "metadata": {
            "version": VERSION,
            "profiles": ["host"],
            "product": {"name": product or "phaseout", "vendor_name": "phaseout", "version": version},
            "original_time": scanned_at,
        },
        "device": {
            "type_id": 0,
            "type": "Unknown",
            "hostname": host.name,
            "os": {
                "name": host.os or host.platform,
                "type_id": _SYSTEMS[host.platform],
                "type": host.platform,
                "version": host.os_version,
            },
        },
    }


def _compliance_finding(report: Report, name: str) -> _Object:
    return {
        **_event(2003, 1, "Create", report.host, report.tool, report.scanned_at),
        "class_name": "Compliance Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "finding_info": {"uid": f"{report.host.name}/{name}", "title": name, "types": ["restricted software"]},
    }


def _finding(report: Report, finding: Finding, quoted: dict[str, QuotedMeasure]) -> _Object:
    driving = finding.driving
    late = driving is not None and driving.days_left is not None and driving.days_left < 0
    suppressed = finding.verdict in SUPPRESSED
    severity = (1, "Informational") if suppressed else (2, "Low") if finding.verdict == "review" else (3, "Medium")
    event = _compliance_finding(report, finding.product_id)
    event["finding_info"] |= {"title": f"{finding.product} ({finding.state})", "desc": finding.action}
    event["severity_id"], event["severity"] = (4, "High") if late and finding.verdict == "replace" else severity
    event["confidence_id"], event["confidence"] = _CONFIDENCES[finding.confidence]
    event["status_id"], event["status"] = _SUPPRESSED if suppressed else _NEW
    status_id, status = _COMPLIANCES[finding.verdict]
    measures = [quoted[applied.id] for applied in finding.measures if applied.id in quoted]
    return event | {
        "message": f"{finding.product}: {finding.verdict}, {finding.state}, {when(driving)}",
        "compliance": {
            "status_id": status_id,
            "status": status,
            "control": driving.id if driving else finding.product_id,
            "standards": [f"{applied.id}: {applied.title}" for applied in finding.measures],
            "requirements": list(dict.fromkeys(applied.text for applied in finding.measures if applied.text)),
            "status_details": [finding.action],
        },
        "remediation": {
            "desc": "\n".join(finding.remove) or finding.action,
            "references": list(
                dict.fromkeys(one.url or one.citation for measure in measures for one in measure.references)
            ),
        },
        "resources": [{"name": finding.product, "uid": finding.product_id, "type": finding.category}],
        "evidences": [
            {"data": {**msgspec.to_builtins(item), "because": because}}
            for item, because in zip(finding.items, finding.because, strict=True)
        ],
        "unmapped": {
            "verdict": finding.verdict,
            "state": finding.state,
            "vendor": finding.vendor,
            "replacement": finding.replacement,
            "milestone": driving.milestone if driving else "",
            "due": driving.due if driving else "",
            "days_left": driving.days_left if driving else None,
            "begins": driving.begins if driving else "",
            "as_of": report.as_of,
            "rules": rules_used(report),
        },
    }


def _nothing(report: Report) -> _Object:
    event = _compliance_finding(report, "restricted-software")
    complete = report.verdict == "clean"
    status_id, status = _COMPLIANCES[report.verdict]
    event["finding_info"] |= {"title": "No restricted software found"}
    return event | {
        "severity_id": 1 if complete else 2,
        "severity": "Informational" if complete else "Low",
        "status_id": _NEW[0],
        "status": _NEW[1],
        "message": verdict(report),
        "compliance": {
            "status_id": status_id,
            "status": status,
            "control": "restricted-software",
            "standards": [],
            "status_details": [f"Not seen: {group}" for group in grouped(report.unseen)],
        },
        "unmapped": {"verdict": report.verdict, "as_of": report.as_of, "rules": rules_used(report)},
    }


def _component(item: Item) -> _Object:
    component: _Object = {"name": item.name or item.path or "(unnamed)", "version": item.version or "unknown"}
    component["type_id"], component["type"] = (2, "Library") if item.kind == "library" else (99, item.kind)
    if item.vendor:
        component["author"] = item.vendor
    if item.ids.get("purl"):
        component["purl"] = item.ids["purl"]
    return component
