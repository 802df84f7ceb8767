"""CycloneDX documents, JSON and XML, versions 1.2 to 1.7, as syft, trivy and cdxgen write them.

References:
    https://cyclonedx.org/docs/1.7/json/ and …/xml/ (components, metadata, scope, isExternal);
    https://github.com/package-url/purl-spec (types); property taxonomies `syft:`, `aquasecurity:trivy:` and `cdx:` at
    https://github.com/CycloneDX/cyclonedx-property-taxonomy; https://in-toto.io/Statement/v1 (predicates)
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from phaseout.inventories.document import JSON_ERRORS, BrokenError, Document
from phaseout.inventories.inventory_builder import Rows, inventory, kept, moment, platform_of, text
from phaseout.inventories.package_types import kind_of_purl, linux_purl, vendor_of_cpe
from phaseout.inventories.wrappers import unwrapped
from phaseout.inventories.xml_objects import objects
from phaseout.model.nouns import Evidence, HostInfo, IdType, Inventory, Item, Kind, Platform, Problem
from phaseout.parsers.linux.deb822 import maintainer_name

_LIMITS = "a bill of materials lists components, not what runs, starts or is registered"
_LARGEST = 64 << 20  # bytes of XML
_DEPTH = 16  # of components within components
_NAMESPACE = b"http://cyclonedx.org/schema/bom/"
_HOSTS = frozenset(("device", "container", "platform", "firmware"))
_KINDS: dict[str, Kind] = {
    "application": "program",
    "container": "program",
    "firmware": "program",
    "platform": "program",
    "framework": "library",
    "library": "library",
    "machine-learning-model": "library",
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
_LISTS = frozenset(("components", "properties", "tools", "authors", "occurrences"))  # of the XML form

_Object = dict[str, Any]


def fits(document: Document) -> bool:
    """Whether it says so."""
    if document.start.lstrip()[:1] == b"<":
        return _NAMESPACE in b"".join(document.peek())
    return b'"CycloneDX"' in (bytes(unwrapped(document.members()).get("bomFormat", b"")))


def read(document: Document) -> Iterator[Inventory | Problem]:
    """An inventory for each document in it."""
    if document.start.lstrip()[:1] == b"<":
        data = document.whole()
        if len(data) > _LARGEST:
            raise BrokenError(document.name, f"larger than {_LARGEST >> 20} MiB of XML", "limit")
        rows = Rows("cyclonedx")
        bom: _Object = {}
        try:
            for name, value in objects(data, "bom", frozenset(("metadata", "components")), _LISTS):
                bom[name] = value
        except ValueError as error:
            if not bom.get("components"):
                raise BrokenError(document.name, str(error)) from error
            rows.problem(Problem(document.name, f"cut off or damaged: {error}", "damaged"))
        version = next(iter(data[data.index(_NAMESPACE) + len(_NAMESPACE) :].decode("utf-8", "replace").split('"')), "")
        yield _inventory(document, document.name, {**bom, "specVersion": version[:8]}, rows)
        return
    for where, value in document.values():
        try:
            members = unwrapped(msgspec.json.decode(value, type=dict[str, msgspec.Raw]))
            wanted = ("specVersion", "metadata", "components")
            found = {name: msgspec.json.decode(members[name]) for name in wanted if name in members}
            yield _inventory(document, where, found, Rows("cyclonedx"))
        except JSON_ERRORS as error:
            yield Problem(where, f"no CycloneDX: {error}", "damaged")
        except BrokenError as error:
            yield error.problem


def _inventory(document: Document, where: str, bom: _Object, rows: Rows) -> Inventory:
    metadata = _object(bom.get("metadata"))
    about = _object(metadata.get("component"))
    components = bom.get("components")
    if components is not None and not isinstance(components, list):
        raise BrokenError(where, "no CycloneDX: components is not a list")
    if bom.get("metadata") is not None and not isinstance(bom["metadata"], dict):
        raise BrokenError(where, "no CycloneDX: metadata is not an object")
    system: list[_Object] = []
    _components(where, components or [], rows, system, 0)
    named = text(about.get("type")) in _HOSTS and text(about.get("name"))
    if about:
        _subject(f"{where}: metadata.component", about, rows, system)
    release = system[0] if system else {}
    return inventory(
        HostInfo(
            name=text(about.get("name")) if named else document.stem,
            platform=_platform(release, rows.items),
            os=_os(release) if release else "",
            os_version=text(release.get("version")),
        ),
        _tool(metadata, text(bom.get("specVersion"))),
        moment(metadata.get("timestamp")),
        [rows],
        {item.kind for item in rows.items},
        _LIMITS,
    )


def _subject(place: str, about: _Object, rows: Rows, system: list[_Object]) -> None:
    """What the document is about: a program is one of the components, a machine or folder is not; its parts are."""
    kind = text(about.get("type"))
    if kind == "operating-system":  # cdxgen is about the system it ran on
        system.insert(0, about)
    elif kind in ("application", "framework", "library") and text(about.get("name")):
        _component(place, about, rows)
    else:
        rows.leave_out("what the document is about")
    parts = about.get("components")
    if isinstance(parts, list):
        _components(place, parts, rows, system, 1)


def _components(where: str, values: list[Any], rows: Rows, system: list[_Object], depth: int) -> None:
    for number, component in enumerate(values):
        values[number] = None  # there may be hundreds of thousands, and each becomes an item
        place = f"{where}: components[{number}]"
        if not isinstance(component, dict):
            rows.damaged(place, f"no component but {type(component).__name__}")
            continue
        if component.get("type") == "operating-system":
            system.append(component)
            rows.leave_out("part of the operating system")
        elif text(component.get("scope")) == "excluded" or text(component.get("isExternal")) == "true":
            rows.leave_out("not installed, only referred to")
        else:
            _component(place, component, rows)
        parts = component.get("components")
        if isinstance(parts, list) and parts and depth < _DEPTH:
            _components(place, parts, rows, system, depth + 1)
        elif isinstance(parts, list) and parts:
            rows.problem(Problem(place, f"components deeper than {_DEPTH} levels are not read", "limit"))


def _component(place: str, component: _Object, rows: Rows) -> None:
    name, group, purl = text(component.get("name")), text(component.get("group")), text(component.get("purl"))
    listed = component.get("properties")
    properties = {
        text(one.get("name")): text(one.get("value"))
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict)
    }
    category = properties.get("cdx:osquery:category", "")
    described = text(component.get("type"))
    # A type is required, and some writers leave it out.
    kind = _CATEGORIES.get(category) or kind_of_purl(purl) or _KINDS.get(described or "application")
    if not name:
        rows.damaged(place, "a component without a name")
        return
    if kind is None or (category and category not in _CATEGORIES and purl.startswith(("pkg:swid/", "pkg:generic/"))):
        rows.leave_out("not software")
        return
    version = text(component.get("version")) or text(component.get("versionRange"))
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
            vendor=maintainer_name(_vendor(component, group, purl)),
            version="" if process else version,
            path=found if kind != "package" else "",
            command=properties.get("cmdline", ""),
            ids=ids,
            details=kept(type=described, group=group, category=category, pid=version if process else ""),
            evidence=(Evidence(place, found or purl),),
        )
    )


def _os(release: _Object) -> str:
    """The description (`Debian GNU/Linux 12 (bookworm)`) if it names the system, else the name."""
    name, description = text(release.get("name")).replace("+", " "), text(release.get("description"))
    return description if description.lower().startswith(name.lower()) else name


def _vendor(component: _Object, group: str, purl: str) -> str:
    """Who makes it; of what is in no register of packages, its CPE or its group may say so as well."""
    makers = (component.get(key) for key in ("publisher", "supplier", "manufacturer", "author", "authors"))
    found = next((found for found in map(_name, makers) if found), "")
    return found or ("" if purl else vendor_of_cpe(text(component.get("cpe"))) or group)


def _name(value: Any) -> str:
    """A name, or that of an organization or of the first of several."""
    if isinstance(value, list):
        return next((found for found in map(_name, value) if found), "")
    return text(value.get("name")) if isinstance(value, dict) else text(value)


def _occurrence(component: _Object) -> str:
    places = _object(component.get("evidence")).get("occurrences")
    return text(_object(places[0]).get("location")) if isinstance(places, list) and places else ""


def _platform(release: _Object, items: list[Item]) -> Platform:
    named = platform_of(text(release.get("name")), text(release.get("description")))
    if named is not None:
        return named
    if any(linux_purl(item.ids.get("purl", "")) for item in items):
        return "linux"
    kinds = {item.kind for item in items}
    return "windows" if "program" in kinds else "macos" if "app" in kinds else "linux"


def _tool(metadata: _Object, version: str) -> str:
    """The program that made it: a list up to 1.4, since 1.5 an object with components."""
    tools = metadata.get("tools")
    if isinstance(tools, dict):
        tools = tools.get("components")
    while isinstance(tools, list):
        tools = tools[0] if tools else None
    first = _object(tools)
    return f"{text(first.get('name'))} {text(first.get('version'))} (CycloneDX {version})".strip()


def _object(value: Any) -> _Object:
    return value if isinstance(value, dict) else {}
