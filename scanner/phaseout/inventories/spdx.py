"""SPDX documents: 2.2 and 2.3 in JSON and as tag-value text, 3.0 in JSON; GitHub's answers, which wrap one.

References:
    https://spdx.github.io/spdx-spec/v2.3/package-information/ and …/conformance/ (tag-value);
    https://spdx.github.io/spdx-spec/v3.0.1/model/Software/ and …/model/Core/Classes/ExternalIdentifier/;
    https://docs.github.com/rest/dependency-graph/sboms
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from phaseout.inventories.document import JSON_ERRORS, BrokenError, Document
from phaseout.inventories.inventory_builder import Rows, inventory, kept, moment, platform_of, text
from phaseout.inventories.package_types import kind_of_purl, linux_purl, vendor_of_cpe
from phaseout.inventories.wrappers import unwrapped
from phaseout.model.nouns import Evidence, HostInfo, Inventory, Item, Kind, Problem
from phaseout.parsers.linux.deb822 import maintainer_name

_LIMITS = "an SPDX document lists packages, not what runs, starts or is registered"
_NOTHING = frozenset(("NOASSERTION", "NONE", ""))
_PARTY = re.compile(r"(?:Organization|Person|Tool): *(.*?)(?: *\([^()]*@[^()]*\))?", re.DOTALL)
_TAG = re.compile(r"([A-Za-z]+): ?(.*)", re.DOTALL)
_VALUE = 1 << 20  # characters of a value over several lines
_SUBJECT = "-"  # the purpose of what the document is about
_KINDS: dict[str, Kind] = {
    "": "library",
    "APPLICATION": "program",
    "CONTAINER": "program",
    "FIRMWARE": "program",
    "FRAMEWORK": "library",
    "LIBRARY": "library",
    "MODULE": "library",
    "MODEL": "library",
    "INSTALL": "program",
    "DEVICE-DRIVER": "driver",
    "DEVICEDRIVER": "driver",
}

_Object = dict[str, Any]


def fits(document: Document) -> bool:
    """Whether it says so."""
    if document.start.lstrip().startswith((b"SPDXVersion:", b"#")):
        return any(line.startswith(b"SPDXVersion:") for line in document.peek())
    members = unwrapped(document.members())
    return "spdxVersion" in members or b"spdx.org/rdf/3" in bytes(members.get("@context", b""))


def read(document: Document) -> Iterator[Inventory | Problem]:
    """An inventory for each document in it."""
    if not document.members():
        yield _from_tags(document)
        return
    for where, value in document.values():
        try:
            yield _from_json(document, where, value)
        except BrokenError as error:
            yield error.problem
        except JSON_ERRORS as error:
            yield Problem(where, f"no SPDX: {error}", "damaged")


def _from_json(document: Document, where: str, value: msgspec.Raw) -> Inventory:
    members = unwrapped(msgspec.json.decode(value, type=dict[str, msgspec.Raw]))
    rows = Rows("spdx")
    if "@context" in members:
        graph = members.get("@graph")
        elements = msgspec.json.decode(graph, type=list[Any] | None) if graph is not None else None
        only = {name: msgspec.json.decode(raw) for name, raw in members.items()} if graph is None else {}
        created = _graph(where, elements if elements is not None else [only], rows)
        return _inventory(document, rows, (), "(SPDX-3)", created)
    packages = msgspec.json.decode(members["packages"], type=list[Any] | None) if "packages" in members else None
    creation = _object(msgspec.json.decode(members["creationInfo"])) if "creationInfo" in members else {}
    creators = [text(one) for one in _list(creation.get("creators"))]
    version = text(msgspec.json.decode(members.get("spdxVersion", msgspec.Raw(b"null"))))
    names = _packages(where, packages or [], rows)
    return _inventory(document, rows, names, f"{_tool(creators)} ({version})", moment(creation.get("created")))


def _inventory(document: Document, rows: Rows, systems: tuple[str, ...], tool: str, created: str) -> Inventory:
    linux = any(linux_purl(item.ids.get("purl", "")) for item in rows.items)
    return inventory(
        HostInfo(name=document.stem, platform="linux" if linux else platform_of(*systems) or "linux"),
        tool.strip(),
        created,
        [rows],
        {item.kind for item in rows.items},
        _LIMITS,
    )


def _tool(creators: list[str]) -> str:
    return next((one[6:] for one in creators if one.startswith("Tool: ")), "")


def _packages(where: str, values: list[Any], rows: Rows) -> tuple[str, ...]:
    """Fills the rows; the names of operating systems among the packages."""
    systems: list[str] = []
    for number, package in enumerate(values):
        place = f"{where}: packages[{number}]"
        if not isinstance(package, dict):
            rows.damaged(place, f"no package but {type(package).__name__}")
            continue
        references = [_object(one) for one in _list(package.get("externalRefs"))]
        purl = next((text(one.get("referenceLocator")) for one in references if _is_purl(one.get("referenceType"))), "")
        if package.get("primaryPackagePurpose") == "OPERATING-SYSTEM":
            systems.append(text(package.get("name")))
        _row(
            rows,
            place,
            text(package.get("name")),
            text(package.get("versionInfo")),
            _party(package.get("supplier"))
            or _party(package.get("originator"))
            or _vendor([text(one.get("referenceLocator")) for one in references], purl),
            purl,
            _purpose(text(package.get("SPDXID")), text(package.get("primaryPackagePurpose"))),
            text(package.get("sourceInfo")),
        )
    return tuple(systems)


def _from_tags(document: Document) -> Inventory:
    """The packages of a tag-value document: each begins with its name."""
    rows = Rows("spdx")
    heads: dict[str, list[str]] = {}
    package: dict[str, list[str]] = {}
    systems: list[str] = []
    line = 0
    for number, tag, value in _tags(document):
        if tag in ("PackageName", "FileName", "SnippetSPDXID", "Relationship") and package:
            systems += _tagged(f"{document.name}:{line}", package, rows)
            package = {}
        if tag == "PackageName":
            line = number
        if tag == "PackageName" or package:
            package.setdefault(tag, []).append(value)
        else:
            heads.setdefault(tag, []).append(value)
    if package:
        systems += _tagged(f"{document.name}:{line}", package, rows)
    version = "".join(heads.get("SPDXVersion", [])[:1])
    created = moment("".join(heads.get("Created", [])[:1]))
    return _inventory(document, rows, tuple(systems), f"{_tool(heads.get('Creator', []))} ({version})", created)


def _tagged(place: str, package: dict[str, list[str]], rows: Rows) -> list[str]:
    """Adds a package; its name if it is an operating system."""
    first = {tag: values[0] for tag, values in package.items()}
    references = [value.split() for value in package.get("ExternalRef", [])]
    purl = next((parts[2] for parts in references if len(parts) > 2 and _is_purl(parts[1])), "")
    purpose = first.get("PrimaryPackagePurpose", "")
    _row(
        rows,
        place,
        text(first.get("PackageName")),
        text(first.get("PackageVersion")),
        _party(first.get("PackageSupplier"))
        or _party(first.get("PackageOriginator"))
        or _vendor([parts[2] for parts in references if len(parts) > 2], purl),
        text(purl),
        _purpose(first.get("SPDXID", ""), purpose),
        text(first.get("PackageSourceInfo")),
    )
    return [first["PackageName"]] if purpose == "OPERATING-SYSTEM" else []


def _tags(document: Document) -> Iterator[tuple[int, str, str]]:
    """Line, tag and value; a value in `<text>` may go over several lines."""
    at, tag, value = 0, "", ""
    for number, data in document.lines():
        line = data.decode("utf-8", "replace").rstrip("\r\n")
        if tag:
            value += "\n" + line
        elif (found := _TAG.fullmatch(line)) is not None and not line.startswith("#"):
            at, tag, value = number, found[1], found[2]
        else:
            continue
        if value.startswith("<text>") and "</text>" not in value and len(value) < _VALUE:
            continue
        yield at, tag, value.removeprefix("<text>").partition("</text>")[0]
        tag = ""


def _graph(where: str, values: list[Any], rows: Rows) -> str:
    """Fills the rows from an SPDX 3 document; the time it was made."""
    elements = [(f"{where}: @graph[{number}]", _object(one)) for number, one in enumerate(values)]
    by_id = {_id(one): one for _, one in elements if _id(one)}
    described = {root for _, one in elements if _type(one) == "SpdxDocument" for root in _list(one.get("rootElement"))}
    for place, one in elements:
        if not one:
            rows.damaged(place, "no element")
        elif _type(one) == "software_Package":
            makers = [*_list(one.get("suppliedBy")), *_list(one.get("originatedBy"))]
            vendor = next(
                (name for name in (text(_resolved(maker, by_id).get("name")) for maker in makers) if name), ""
            )
            purl = text(one.get("software_packageUrl")) or _external_purl(one, by_id)
            others = (_resolved(other, by_id) for other in _list(one.get("externalIdentifier")))
            _row(
                rows,
                place,
                text(one.get("name")),
                text(one.get("software_packageVersion")),
                vendor
                if vendor and vendor not in _NOTHING
                else _vendor([text(other.get("identifier")) for other in others], purl),
                purl,
                _purpose(
                    "SPDXRef-DocumentRoot" if _id(one) in described and _is_folder(one) else "",
                    text(one.get("software_primaryPurpose")),
                ),
                "",
            )
    return next((moment(one.get("created")) for _, one in elements if text(one.get("created"))), "")


def _external_purl(one: _Object, by_id: dict[str, _Object]) -> str:
    """The package URL among the external identifiers, which may stand in the graph by themselves."""
    for value in _list(one.get("externalIdentifier")):
        identifier = _resolved(value, by_id)
        if _is_purl(identifier.get("externalIdentifierType")) or text(identifier.get("identifier")).startswith("pkg:"):
            return text(identifier.get("identifier"))
    return ""


def _is_folder(one: _Object) -> bool:
    """Whether the root of a document is what was scanned and no package itself."""
    return text(one.get("software_primaryPurpose")).lower() in ("", "file", "other", "archive", "container")


def _resolved(value: Any, by_id: dict[str, _Object]) -> _Object:
    """An element that is given by its id, or as it is."""
    return value if isinstance(value, dict) else by_id.get(text(value), {})


def _id(one: _Object) -> str:
    return text(one.get("spdxId")) or text(one.get("@id"))


def _type(one: _Object) -> str:
    return text(one.get("type")) or text(one.get("@type"))


def _is_purl(kind: Any) -> bool:
    """`purl`, its address (`http://spdx.org/rdf/references/purl`), or `packageUrl` of SPDX 3."""
    return text(kind).rpartition("/")[2].lower() in ("purl", "packageurl")


def _purpose(identifier: str, purpose: str) -> str:
    """The purpose in one spelling; `-` for what the document is about."""
    if identifier.startswith("SPDXRef-DocumentRoot"):
        return _SUBJECT
    return purpose.upper().replace("_", "-")


def _row(rows: Rows, place: str, name: str, version: str, vendor: str, purl: str, purpose: str, acquired: str) -> None:
    kind = kind_of_purl(purl) or _KINDS.get(purpose)
    if not name:
        rows.damaged(place, "a package without a name")
    elif kind is None:
        rows.leave_out("what the document is about" if purpose == _SUBJECT else "not software")
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


def _vendor(identifiers: list[str], purl: str) -> str:
    """The vendor that a CPE among the identifiers names, where there is no package URL."""
    return "" if purl else next((found for found in map(vendor_of_cpe, identifiers) if found), "")


def _party(value: Any) -> str:
    party = text(value)
    if party in _NOTHING:
        return ""
    found = _PARTY.fullmatch(party)
    return found[1] if found else party


def _list(value: Any) -> list[Any]:
    """A list, or the only value of one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _object(value: Any) -> _Object:
    return value if isinstance(value, dict) else {}
