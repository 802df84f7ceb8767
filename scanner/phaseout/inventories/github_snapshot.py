"""Snapshots of dependencies as GitHub takes them, with a package URL for each package; `syft -o github-json`.

    {"detector": {"name": "syft", …}, "manifests": {"var/lib/dpkg/status": {"resolved": {"…": {"package_url": …}}}}}

References:
    https://docs.github.com/rest/dependency-graph/dependency-submission
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from phaseout.inventories.document import JSON_ERRORS, Document
from phaseout.inventories.inventory_builder import Rows, inventory, moment, text
from phaseout.inventories.package_types import kind_of_purl, linux_purl
from phaseout.model.nouns import Evidence, HostInfo, Inventory, Item, Problem
from phaseout.parsers.encodings.purl import name_and_version

_LIMITS = "a snapshot of dependencies lists packages and libraries by their names, without their makers"

_Object = dict[str, Any]


def fits(document: Document) -> bool:
    """Manifests, and the detector that found them."""
    return {"detector", "manifests"} <= document.members().keys()


def read(document: Document) -> Iterator[Inventory | Problem]:
    """An inventory for each snapshot in it."""
    for where, value in document.values():
        try:
            yield _inventory(document, where, msgspec.json.decode(value, type=_Object))
        except JSON_ERRORS as error:
            yield Problem(where, f"no snapshot of dependencies: {error}", "damaged")


def _inventory(document: Document, where: str, found: _Object) -> Inventory:
    rows = Rows("dependency snapshot")
    for manifest, about in _object(found.get("manifests")).items():
        for key, package in _object(_object(about).get("resolved")).items():
            _package(f"{where}: {manifest}: {key}", manifest, package, rows)
    made_by = _object(found.get("detector"))
    return inventory(
        HostInfo(
            name=document.stem,
            platform="linux",
            os=text(_object(found.get("metadata")).get("syft:distro")).rpartition("/")[2],
        ),
        f"{text(made_by.get('name'))} {text(made_by.get('version'))}".strip(),
        moment(found.get("scanned")),
        [rows],
        {item.kind for item in rows.items},
        _LIMITS,
    )


def _package(place: str, manifest: str, package: Any, rows: Rows) -> None:
    purl = text(_object(package).get("package_url"))
    name, version = name_and_version(purl)
    if not name:
        rows.damaged(place, "a package without a package URL")
        return
    kind = kind_of_purl(purl) or "library"
    rows.add(
        Item(
            kind=kind,
            name=name,
            source=rows.source,
            version=version,
            path="" if linux_purl(purl) else text(manifest),
            ids={"purl": purl},
            evidence=(Evidence(place, purl),),
        )
    )


def _object(value: Any) -> _Object:
    return value if isinstance(value, dict) else {}
