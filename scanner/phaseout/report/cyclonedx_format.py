"""CycloneDX 1.6 as JSON: every trace a component, with the finding as its properties and where it was seen as evidence.

Written by hand: the document is small, and the reference library takes longer to load than a scan takes. It is used by
the tests, which hold every document against the schema of the standard.

References:
    https://cyclonedx.org/docs/1.6/json/ (ECMA-424, first edition)
"""

from collections.abc import Iterator, Sequence
from typing import Any

from phaseout.model.findings import Confidence, Finding, Report
from phaseout.model.nouns import HostInfo, Inventory, Item, Kind
from phaseout.report import Page
from phaseout.report.safe import json_text
from phaseout.report.wording import instant, release, verdict

_TYPES: dict[Kind, str] = {"library": "library", "driver": "device-driver", "file": "file"}
_TECHNIQUES: dict[Kind, str] = {"process": "dynamic-analysis", "file": "filename"}
_CONFIDENCES: dict[Confidence, float] = {"possible": 0.3, "likely": 0.7, "certain": 1.0}
_HOST = "host"
_Object = dict[str, Any]


def write_report(report: Report, _page: Page) -> Iterator[str]:
    """The traces of the findings, those that were suppressed included: not all software of the host."""
    components: list[_Object] = []
    for finding in (*report.findings, *report.suppressed):
        shared = _finding(finding)
        for item, because in zip(finding.items, finding.because, strict=True):
            component = _component(item, f"trace-{len(components) + 1}", [*shared, _property("because", because)])
            confidence = _CONFIDENCES[finding.confidence]
            method = {"technique": _TECHNIQUES.get(item.kind, "manifest-analysis"), "confidence": confidence}
            identity = {"field": "name", "confidence": confidence, "methods": [{**method, "value": because}]}
            component["evidence"] = {"identity": [identity], **component.get("evidence", {})}
            components.append(component)
    properties = [
        _property("verdict", report.verdict),
        _property("sentence", verdict(report)),
        _property("as_of", report.as_of),
        _property("rules", report.rules.digest),
        *([_property("rules_release", release(report))] if report.rules.serial else []),
        *(_property("unseen", f"{one.what}: {one.why}") for one in report.unseen),
    ]
    yield _bom(report.host, report.tool, report.scanned_at, components, properties, "incomplete")


def write_inventory(inventory: Inventory, _page: Page) -> Iterator[str]:
    """All software that was seen; `compositions` says whether it is everything."""
    components = [_component(item, f"trace-{number}", []) for number, item in enumerate(inventory.items, 1)]
    unseen = [_property("unseen", f"{one.what}: {one.why}") for one in inventory.unseen]
    aggregate = "incomplete" if unseen else "complete"
    yield _bom(inventory.host, inventory.tool, inventory.scanned_at, components, unseen, aggregate)


def _bom(
    host: HostInfo, tool: str, scanned_at: str, components: Sequence[_Object], properties: list[_Object], aggregate: str
) -> str:
    import hashlib
    import uuid

    name, _, version = tool.partition(" ")
    system = f"{host.os} {host.os_version}".strip()
    machine = {"type": "device", "bom-ref": _HOST, "name": host.name or "(unnamed)"}
    if system:
        machine["description"] = system
    metadata: _Object = {
        "lifecycles": [{"phase": "discovery"}],
        "tools": {"components": [{"type": "application", "name": name or "phaseout", "version": version}]},
        "component": machine,
        "properties": [_property("platform", host.platform), _property("scanned_at", scanned_at), *properties],
    }
    moment = instant(scanned_at)
    if moment:
        metadata["timestamp"] = moment.isoformat()
    body = {
        "version": 1,
        "metadata": metadata,
        "components": components,
        "compositions": [{"aggregate": aggregate, "assemblies": [_HOST]}],
    }
    digest = hashlib.sha256(json_text(body).encode()).digest()  # the same content gives the same serial number
    serial = uuid.UUID(bytes=digest[:16], version=5)
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": serial.urn}
    schema = {"$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json"}
    return json_text({**schema, **head, **body}, indent=2) + "\n"


def _component(item: Item, reference: str, properties: list[_Object]) -> _Object:
    component: _Object = {
        "type": _TYPES.get(item.kind, "application"),
        "bom-ref": reference,
        "name": item.name or item.path or "(unnamed)",
    }
    if item.version:
        component["version"] = item.version
    if item.vendor:
        component["publisher"] = item.vendor
    purl = item.ids.get("purl", "")
    if purl.startswith("pkg:"):
        component["purl"] = purl
    places = [{"location": item.path}] if item.path else []
    places += [
        {"location": evidence.where, **({"additionalContext": evidence.what} if evidence.what else {})}
        for evidence in item.evidence
        if evidence.where
    ]
    if places:
        component["evidence"] = {"occurrences": places}
    facts = {"kind": item.kind, "state": item.state, "source": item.source, "user": item.user}
    facts |= {"command": item.command, "signer": item.signer}
    facts |= {f"id:{kind}": value for kind, value in item.ids.items()}
    facts |= {f"detail:{name}": value for name, value in item.details.items()}
    component["properties"] = [*(_property(name, value) for name, value in facts.items() if value), *properties]
    return component


def _finding(finding: Finding) -> list[_Object]:
    driving = finding.driving
    facts = {
        "verdict": finding.verdict,
        "product": finding.product,
        "product_id": finding.product_id,
        "confidence": finding.confidence,
        "action": finding.action,
        "replacement": finding.replacement,
    }
    if driving:
        facts |= {"measure": driving.id, "milestone": driving.milestone, "due": driving.due}
        facts |= {"begins": driving.begins}
        if driving.days_left is not None:
            facts["days_left"] = str(driving.days_left)
    also = [_property("also", applied.id) for applied in finding.also]
    remove = [_property("remove", step) for step in finding.remove]
    return [*(_property(name, value) for name, value in facts.items() if value), *also, *remove]


def _property(name: str, value: str) -> _Object:
    return {"name": f"phaseout:{name}", "value": value}
