"""SPDX documents in JSON: 2.2 and 2.3 as syft and trivy write them, and the software packages of 3.0.

References:
    https://spdx.github.io/spdx-spec/v2.3/package-information/; https://spdx.github.io/spdx-spec/v3.0.1/model/Software/
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from phaseout.inventories.document import JSON_ERRORS, BrokenError, Document
from phaseout.inventories.inventory_builder import Rows, inventory, kept, moment, platform_of, text
from phaseout.inventories.package_types import kind_of_purl, linux_purl
from phaseout.model.nouns import Evidence, HostInfo, Inventory, Item, Kind, Problem
from phaseout.parsers.linux.deb822 import maintainer_name

_LIMITS = "an SPDX document lists packages, not what runs, starts or is registered"
_NOTHING = frozenset(("NOASSERTION", "NONE", ""))
_PARTY = re.compile(r"(?:Organization|Person|Tool): *(.*?)(?: *\([^()]*@[^()]*\))?", re.DOTALL)
_KINDS: dict[str, Kind] = {
    "": "library",
    "APPLICATION": "program",
    "FRAMEWORK": "library",
    "LIBRARY": "library",
    "INSTALL": "program",
    "DEVICE-DRIVER": "driver",
    "DEVICEDRIVER": "driver",
}


class _Reference(Struct):
    referenceType: Any = ""  # noqa: N815  (the document's own spelling)
    referenceLocator: Any = ""  # noqa: N815


class _Package(Struct):
    name: Any = ""
    SPDXID: Any = ""
    versionInfo: Any = ""  # noqa: N815
    supplier: Any = ""
    originator: Any = ""
    primaryPackagePurpose: Any = ""  # noqa: N815
    sourceInfo: Any = ""  # noqa: N815
    packageFileName: Any = ""  # noqa: N815
    externalRefs: list[_Reference] = []  # noqa: N815


class _Creation(Struct):
    created: Any = ""
    creators: list[Any] = []


class _Document(Struct):
    spdxVersion: Any = ""  # noqa: N815
    name: Any = ""
    creationInfo: _Creation | None = None  # noqa: N815
    packages: list[msgspec.Raw] = []


class _Element(Struct):
    """Any element of the graph of an SPDX 3 document."""

    type: Any = ""
    spdxId: Any = ""  # noqa: N815
    name: Any = ""
    created: Any = ""
    suppliedBy: Any = ""  # noqa: N815
    software_packageVersion: Any = ""  # noqa: N815
    software_packageUrl: Any = ""  # noqa: N815
    software_primaryPurpose: Any = ""  # noqa: N815


class _Graph(Struct):
    graph: list[msgspec.Raw] = msgspec.field(default_factory=list, name="@graph")


_PACKAGE = msgspec.json.Decoder(_Package)
_ELEMENT = msgspec.json.Decoder(_Element)


def fits(document: Document) -> bool:
    """Whether it says so."""
    members = document.members()
    return "spdxVersion" in members or b"spdx.org/rdf/3" in bytes(members.get("@context", b""))


def read(document: Document) -> Iterator[Inventory | Problem]:
    """An inventory for each document in it."""
    for where, value in document.values():
        try:
            yield _inventory(document, where, value)
        except BrokenError as error:
            yield Problem(error.where, error.why)
        except JSON_ERRORS as error:
            yield Problem(where, f"no SPDX: {error}")


def _inventory(document: Document, where: str, data: msgspec.Raw) -> Inventory:
    rows = Rows("spdx")
    members = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    if "@graph" in members:
        version, tool, created = "SPDX-3", "", _graph(where, data, rows)
        names: tuple[str, ...] = ()
    else:
        found = msgspec.json.decode(data, type=_Document)
        version = text(found.spdxVersion)
        creation = found.creationInfo or _Creation()
        tool = next((text(one)[6:] for one in creation.creators if text(one).startswith("Tool: ")), "")
        created = moment(creation.created)
        names = _packages(where, found.packages, rows)
    linux = any(linux_purl(item.ids.get("purl", "")) for item in rows.items)
    return inventory(
        HostInfo(name=document.stem, platform="linux" if linux else platform_of(*names) or "linux"),
        f"{tool} ({version})".strip(),
        created,
        [rows],
        {item.kind for item in rows.items},
        _LIMITS,
    )


def _packages(where: str, values: list[msgspec.Raw], rows: Rows) -> tuple[str, ...]:
    """Fills the rows; the names of operating systems among the packages."""
    systems: list[str] = []
    for number, value in enumerate(values):
        place = f"{where}: packages[{number}]"
        try:
            package = _PACKAGE.decode(value)
        except JSON_ERRORS as error:
            rows.damaged(place, str(error))
            continue
        purl = next((text(one.referenceLocator) for one in package.externalRefs if one.referenceType == "purl"), "")
        purpose = text(package.primaryPackagePurpose).upper().replace("_", "-")
        if purpose == "OPERATING-SYSTEM":
            systems.append(text(package.name))
        described = text(package.SPDXID).startswith("SPDXRef-DocumentRoot")
        _row(
            rows,
            place,
            text(package.name),
            text(package.versionInfo),
            _party(package.supplier) or _party(package.originator),
            purl,
            "-" if described else purpose,
            text(package.sourceInfo),
        )
    return tuple(systems)


def _graph(where: str, data: msgspec.Raw, rows: Rows) -> str:
    """Fills the rows from an SPDX 3 document; the time it was made."""
    elements: list[tuple[str, _Element]] = []
    for number, value in enumerate(msgspec.json.decode(data, type=_Graph).graph):
        place = f"{where}: @graph[{number}]"
        try:
            elements.append((place, _ELEMENT.decode(value)))
        except JSON_ERRORS as error:
            rows.damaged(place, str(error))
    names = {text(one.spdxId): text(one.name) for _, one in elements}
    for place, one in elements:
        if one.type == "software_Package":
            vendor = names.get(text(one.suppliedBy), "")
            purpose = text(one.software_primaryPurpose).upper()
            version, purl = text(one.software_packageVersion), text(one.software_packageUrl)
            _row(rows, place, text(one.name), version, vendor, purl, purpose, "")
    return next((moment(one.created) for _, one in elements if text(one.created)), "")


def _row(rows: Rows, place: str, name: str, version: str, vendor: str, purl: str, purpose: str, acquired: str) -> None:
    kind = kind_of_purl(purl) or _KINDS.get(purpose)
    if not name:
        rows.damaged(place, "a package without a name")
    elif kind is None:
        rows.leave_out("what the document is about" if purpose == "-" else "not software")
    else:
        rows.add(
            Item(
                kind=kind,
                name=name,
                source=rows.source,
                vendor=maintainer_name(vendor),
                version=version if version not in _NOTHING else "",
                ids={"purl": purl} if purl else {},
                details=kept(purpose=purpose.lower(), acquired=acquired),
                evidence=(Evidence(place, purl),),
            )
        )


def _party(value: Any) -> str:
    party = text(value)
    if party in _NOTHING:
        return ""
    found = _PARTY.fullmatch(party)
    return found[1] if found else party
