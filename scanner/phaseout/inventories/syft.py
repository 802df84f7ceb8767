"""syft's own JSON: artifacts with what their package manager knows of them.

References:
    https://github.com/anchore/syft/tree/main/schema/json; captured with syft 1.18
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from phaseout.inventories.document import JSON_ERRORS, Document
from phaseout.inventories.inventory_builder import Rows, inventory, kept, platform_of, text
from phaseout.inventories.package_types import kind_of_purl, linux_purl
from phaseout.model.nouns import Evidence, HostInfo, Inventory, Item, Kind, Problem
from phaseout.parsers.linux.deb822 import maintainer_name

_LIMITS = "syft lists packages and libraries, not what runs, starts or is registered"
_KINDS: dict[str, Kind] = {"deb": "package", "rpm": "package", "apk": "package", "alpm": "package", "binary": "program"}
# Where the maker stands in what each package manager knows; a dot goes one level deeper.
_MAKERS = ("vendor", "maintainer", "author", "authors", "companyName", "manifest.main.Implementation-Vendor")

_Object = dict[str, Any]


def fits(document: Document) -> bool:
    """A list of artifacts, and syft as the program that made it."""
    members = document.members()
    return "artifacts" in members and b"syft" in bytes(members.get("descriptor", members.get("schema", b"")))


def read(document: Document) -> Iterator[Inventory | Problem]:
    """An inventory for each document in it."""
    for where, value in document.values():
        try:
            yield _inventory(document, where, msgspec.json.decode(value, type=_Object))
        except JSON_ERRORS as error:
            yield Problem(where, f"no document of syft: {error}", "damaged")


def _inventory(document: Document, where: str, found: _Object) -> Inventory:
    rows = Rows("syft")
    artifacts = found.get("artifacts")
    for number, artifact in enumerate(artifacts if isinstance(artifacts, list) else ()):
        _artifact(f"{where}: artifacts[{number}]", artifact, rows)
    distro, made_by = _object(found.get("distro")), _object(found.get("descriptor"))
    linux = any(linux_purl(item.ids.get("purl", "")) for item in rows.items)
    name = text(distro.get("prettyName")) or text(distro.get("name")) or text(distro.get("id"))
    return inventory(
        HostInfo(
            name=document.stem,
            platform="linux" if linux or distro else platform_of(name) or "linux",
            os=name,
            os_version=text(distro.get("versionID")) or text(distro.get("version")),
        ),
        f"{text(made_by.get('name'))} {text(made_by.get('version'))}".strip(),
        "",
        [rows],
        {item.kind for item in rows.items},
        _LIMITS,
    )


def _artifact(place: str, artifact: Any, rows: Rows) -> None:
    name = text(_object(artifact).get("name"))
    if not name:
        rows.damaged(place, "an artifact without a name")
        return
    metadata = _object(artifact.get("metadata"))
    purl = text(artifact.get("purl"))
    kind = kind_of_purl(purl) or _KINDS.get(text(artifact.get("type")), "library")
    places = artifact.get("locations")
    path = text(_object(places[0]).get("path")) if isinstance(places, list) and places else ""
    makers = (_maker(metadata, maker) for maker in _MAKERS)
    rows.add(
        Item(
            kind=kind,
            name=name,
            source=rows.source,
            vendor=maintainer_name(next((maker for maker in makers if maker), "")),
            version=text(artifact.get("version")),
            path=path if kind != "package" else "",
            ids={"purl": purl} if purl else {},
            details=kept(type=text(artifact.get("type")), arch=text(metadata.get("architecture"))),
            evidence=(Evidence(place, path or purl),),
        )
    )


def _maker(metadata: _Object, dotted: str) -> str:
    value: Any = metadata
    for part in dotted.split("."):
        if isinstance(value, list):  # older documents have lists of pairs
            value = next((_object(one).get("value") for one in value if _object(one).get("key") == part), None)
        else:
            value = _object(value).get(part)
    if isinstance(value, list):
        value = value[0] if value else ""
    return text(value.get("name")) if isinstance(value, dict) else text(value)


def _object(value: Any) -> _Object:
    return value if isinstance(value, dict) else {}
