"""CycloneDX documents as syft, trivy and cdxgen write them.

References:
    https://cyclonedx.org/docs/1.6/json/ (components, metadata); https://github.com/package-url/purl-spec (types);
    property taxonomies `syft:`, `aquasecurity:trivy:` and `cdx:` at https://github.com/CycloneDX/cyclonedx-property-taxonomy
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from phaseout.inventories.document import JSON_ERRORS, BrokenError, Document
from phaseout.inventories.inventory_builder import Rows, inventory, kept, moment, platform_of, text
from phaseout.inventories.package_types import kind_of_purl, linux_purl
from phaseout.model.nouns import Evidence, HostInfo, IdType, Inventory, Item, Kind, Platform, Problem
from phaseout.parsers.linux.deb822 import maintainer_name

_LIMITS = "a bill of materials lists components, not what runs, starts or is registered"
_DEPTH = 16  # of components within components
_HOSTS = frozenset(("device", "container", "platform", "firmware"))
_KINDS: dict[str, Kind] = {
    "application": "program",
    "framework": "library",
    "library": "library",
    "device-driver": "driver",
    "file": "file",
}
# What cdxgen has asked osquery for, where it is no package.
_CATEGORIES: dict[str, Kind] = {
    "apps": "app",
    "running_apps": "process",
    "processes": "process",
    "elevated_processes": "process",
    "services_snapshot": "service",
    "launchd_services": "service",
    "systemd_units": "service",
    "scheduled_tasks": "task",
    "crontab_snapshot": "task",
    "startup_items": "task",
    "windows_run_keys": "task",
    "kernel_modules": "driver",
    "windows_drivers": "driver",
    "system_extensions": "driver",
    "windows_programs": "program",
    "windows_security_products": "security_product",
    "chrome_extensions": "extension",
    "firefox_addons": "extension",
    "vscode_extensions": "extension",
    "safari_extensions": "extension",
    "ie_extensions": "extension",
    "opera_extensions": "extension",
    "homebrew_packages": "package",
}
_PLACES = ("syft:location:0:path", "aquasecurity:trivy:FilePath", "SrcFile", "path", "install_location")


class _Named(Struct):
    name: Any = ""


class _Component(Struct):
    type: Any = ""
    name: Any = ""
    group: Any = ""
    version: Any = ""
    publisher: Any = ""
    supplier: _Named | None = None
    manufacturer: _Named | None = None
    author: Any = ""
    purl: Any = ""
    description: Any = ""
    properties: list[msgspec.Raw] = []
    components: list[msgspec.Raw] = []
    evidence: msgspec.Raw = msgspec.Raw()


class _Property(Struct):
    name: str = ""
    value: Any = ""


class _Place(Struct):
    location: Any = ""


class _Seen(Struct):
    occurrences: list[_Place] = []


class _Metadata(Struct):
    timestamp: Any = ""
    tools: msgspec.Raw = msgspec.Raw()
    component: _Component | None = None


class _Bom(Struct):
    specVersion: Any = ""  # noqa: N815  (the document's own spelling)
    metadata: _Metadata | None = None
    components: list[msgspec.Raw] = []


_COMPONENT = msgspec.json.Decoder(_Component)
_PROPERTY = msgspec.json.Decoder(_Property)


def fits(document: Document) -> bool:
    """Whether it says so."""
    return bytes(document.members().get("bomFormat", b"")) == b'"CycloneDX"'


def read(document: Document) -> Iterator[Inventory | Problem]:
    """An inventory for each document in it."""
    for where, value in document.values():
        try:
            yield _inventory(document, where, value)
        except BrokenError as error:
            yield Problem(error.where, error.why)


def _inventory(document: Document, where: str, data: msgspec.Raw) -> Inventory:
    try:
        bom = msgspec.json.decode(data, type=_Bom)
    except JSON_ERRORS as error:
        raise BrokenError(where, f"no CycloneDX: {error}") from error
    rows = Rows("cyclonedx")
    system: list[_Component] = []
    _components(where, bom.components, rows, system, 0)
    about = bom.metadata.component if bom.metadata is not None else None
    named = about is not None and about.type in _HOSTS and text(about.name)
    if about is not None and about.type == "operating-system":  # cdxgen is about the system it ran on
        system.insert(0, about)
    release = system[0] if system else None
    return inventory(
        HostInfo(
            name=text(about.name) if about is not None and named else document.stem,
            platform=_platform(release, rows.items),
            os=_os(release) if release else "",
            os_version=text(release.version) if release else "",
        ),
        _tool(bom),
        moment(bom.metadata.timestamp) if bom.metadata is not None else "",
        [rows],
        {item.kind for item in rows.items},
        _LIMITS,
    )


def _components(where: str, values: list[msgspec.Raw], rows: Rows, system: list[_Component], depth: int) -> None:
    for number, value in enumerate(values):
        place = f"{where}: components[{number}]"
        try:
            component = _COMPONENT.decode(value)
            properties = {one.name: text(one.value) for one in map(_PROPERTY.decode, component.properties)}
        except JSON_ERRORS as error:
            rows.damaged(place, str(error))
            continue
        if component.type == "operating-system":
            system.append(component)
            rows.leave_out("part of the operating system")
        else:
            _component(place, component, properties, rows)
        if component.components and depth < _DEPTH:
            _components(place, component.components, rows, system, depth + 1)
        elif component.components:
            rows.problem(Problem(place, f"components deeper than {_DEPTH} levels are not read", "limit"))


def _component(place: str, component: _Component, properties: dict[str, str], rows: Rows) -> None:
    name, group, purl = text(component.name), text(component.group), text(component.purl)
    category = properties.get("cdx:osquery:category", "")
    kind = _CATEGORIES.get(category) or kind_of_purl(purl) or _KINDS.get(text(component.type))
    if not name:
        rows.damaged(place, "a component without a name")
        return
    if kind is None or (category and category not in _CATEGORIES and purl.startswith(("pkg:swid/", "pkg:generic/"))):
        rows.leave_out("not software")
        return
    version = text(component.version)
    if category and not purl.startswith("pkg:deb/"):
        name = name.replace("+", " ")  # as cdxgen writes blanks
    process = kind == "process" and bool(category)  # whose version is the number of the process
    found = next((properties[key] for key in _PLACES if properties.get(key)), "") or _occurrence(component)
    ids: dict[IdType, str] = {"purl": purl} if purl else {}
    if bundle := properties.get("bundle_identifier", ""):
        ids["bundle_id"] = bundle
    if extension := properties.get("identifier", "") if kind == "extension" else "":
        ids["extension_id"] = extension
    rows.add(
        Item(
            kind=kind,
            name=f"{group}/{name}" if group.startswith("@") else name,
            source=rows.source,
            state="running" if kind == "process" else "installed",
            vendor=maintainer_name(_vendor(component)),
            version="" if process else version,
            path=found if kind != "package" else "",
            command=properties.get("cmdline", ""),
            ids=ids,
            details=kept(type=text(component.type), group=group, category=category, pid=version if process else ""),
            evidence=(Evidence(place, found or purl),),
        )
    )


def _os(release: _Component) -> str:
    """The description (`Debian GNU/Linux 12 (bookworm)`) if it names the system, else the name."""
    name, description = text(release.name).replace("+", " "), text(release.description)
    return description if description.lower().startswith(name.lower()) else name


def _vendor(component: _Component) -> str:
    named = (component.supplier, component.manufacturer)
    return text(component.publisher) or next(
        (text(one.name) for one in named if one is not None and text(one.name)), text(component.author)
    )


def _occurrence(component: _Component) -> str:
    if not bytes(component.evidence):
        return ""
    try:
        places = msgspec.json.decode(component.evidence, type=_Seen).occurrences
    except JSON_ERRORS:
        return ""
    return text(places[0].location) if places else ""


def _platform(release: _Component | None, items: list[Item]) -> Platform:
    told = platform_of(text(release.name), text(release.description)) if release is not None else None
    if told is not None:
        return told
    if any(linux_purl(item.ids.get("purl", "")) for item in items):
        return "linux"
    kinds = {item.kind for item in items}
    return "windows" if "program" in kinds else "macos" if "app" in kinds else "linux"


class _Tool(Struct):
    name: Any = ""
    version: Any = ""


class _Tools(Struct):
    components: list[_Tool] = []


def _tool(bom: _Bom) -> str:
    tools: list[_Tool] = []
    if bom.metadata is not None and bytes(bom.metadata.tools):
        with contextlib.suppress(*JSON_ERRORS):  # a list up to 1.4, since 1.5 an object
            found = msgspec.json.decode(bom.metadata.tools, type=list[_Tool] | _Tools)
            tools = found.components if isinstance(found, _Tools) else found
    name = f"{text(tools[0].name)} {text(tools[0].version)}".strip() if tools else ""
    return f"{name} (CycloneDX {text(bom.specVersion)})".strip()
