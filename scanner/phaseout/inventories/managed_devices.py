"""JSON and XML of management systems: devices, each with the apps that it reports.

    {"results": [{"general": {"name": …}, "hardware": {…}, "applications": [{"name": …, "bundleId": …}]}]}   Jamf Pro
    {"computer": {"general": {…}, "software": {"applications": […]}}}                       the same, Classic API
    {"mobiledevices": [{"deviceId": …, "applications": [{"packageName": …}]}]}                   Google Workspace
    {"DeviceApps": [{"ApplicationName": …, "ApplicationIdentifier": …}]}                            Workspace ONE
    {"value": [{"deviceName": …, "detectedApps": [{"displayName": …}]}]}                         Intune by Graph
    {"pChunk": {"KLCSP_ITERATOR_ARRAY": [{"value": {"KLHST_WKS_DN": …}}]}}              Kaspersky Security Center

References:
    https://developer.jamf.com/jamf-pro/reference (computers-inventory, mobile-devices/detail; Classic API: computers,
    mobiledevices); https://developers.google.com/admin-sdk/directory/reference/rest/v1/mobiledevices;
    https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevice and …/intune-devices-detectedapp;
    https://support.kaspersky.com/help/KSC/15/KSCAPI (List of host attributes; HostGroup.GetHostProducts)
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from phaseout.inventories.device_apps import App, Device, device_inventory, kaspersky_agents
from phaseout.inventories.document import JSON_ERRORS, BrokenError, Document, Members
from phaseout.inventories.inventory_builder import Rows, moment, text
from phaseout.inventories.xml_objects import objects
from phaseout.model.nouns import Inventory, Platform, Problem

_LARGEST = 64 << 20  # bytes of XML
_DEPTH = 4  # of answers within answers
_LISTS = (
    *("results", "mobiledevices", "value", "computers", "mobile_devices", "devices", "Devices"),
    "KLCSP_ITERATOR_ARRAY",
)
_SINGLE = ("computer", "mobile_device", "pChunk")
_XML_ROOTS = ("computer", "mobile_device")
_XML_LISTS = frozenset(("applications",))
_XML_PARTS = frozenset(("general", "hardware", "software", "applications", "location"))
_NO_APPS = "it has no list of apps: none was asked for, or the device has not reported one"

_Object = dict[str, Any]
_Paths = tuple[str, ...]


class _Shape(NamedTuple):
    """How one system shows a device.

    Attributes:
        title: of the system.
        marks: members of which every device has all.
        apps: where its apps are; dots go deeper.
        name: where its name is, the best first.
        system: where its operating system is named.
        owner: where its owner is.
        platform: the platform, where the system shows only one in this way.
        made: apps that are not in a list.
    """

    title: str
    marks: frozenset[str]
    apps: _Paths
    name: _Paths
    system: _Paths = ()
    owner: _Paths = ()
    platform: Platform | None = None
    made: Callable[[_Object], Iterator[App]] | None = None


def _agents(host: _Object) -> Iterator[App]:
    """The programs of Kaspersky that its Security Center states as attributes of a host."""
    return kaspersky_agents(text(host.get("KLHST_WKS_NAG_VERSION")), text(host.get("KLHST_WKS_RTP_AV_VERSION")))


def _marks(*names: str) -> frozenset[str]:
    return frozenset(names)


_SHAPES = (
    _Shape(
        "Jamf Pro",
        _marks("mobileDeviceId", "general"),
        ("applications",),
        ("general.displayName", "hardware.serialNumber", "general.udid", "mobileDeviceId"),
        ("deviceType",),
        ("general.deviceOwnershipType", "general.deviceOwnershipLevel"),
        "ios",
    ),
    _Shape(
        "Jamf Pro",
        _marks("serialNumber", "ios"),
        ("ios.applications",),
        ("name", "serialNumber", "udid", "id"),
        ("type",),
        ("deviceOwnershipType", "deviceOwnershipLevel"),
        "ios",
    ),
    _Shape(
        "Jamf Pro",
        _marks("udid", "general", "applications"),
        ("applications",),
        ("general.name", "hardware.serialNumber", "udid", "id"),
        ("operatingSystem.name", "general.platform"),
        platform="macos",
    ),
    _Shape(
        "Jamf Pro",
        _marks("general", "software"),
        ("software.applications",),
        ("general.name", "general.serial_number", "general.udid"),
        ("hardware.os_name", "general.platform"),
        platform="macos",
    ),
    _Shape(
        "Jamf Pro",
        _marks("general", "applications"),
        ("applications",),
        ("general.display_name", "general.name", "general.device_name", "general.serial_number", "general.udid"),
        ("general.os_type",),
        ("general.device_ownership_level", "general.device_ownership_type"),
        "ios",
    ),
    _Shape(
        "Google Workspace",
        _marks("resourceId", "deviceId"),
        ("applications",),
        ("serialNumber", "deviceId", "resourceId"),
        ("os", "type"),
        ("ownership", "ownerType"),
    ),
    _Shape(
        "Workspace ONE",
        _marks("DeviceApps"),
        ("DeviceApps",),
        ("DeviceFriendlyName", "FriendlyName", "SerialNumber", "Udid", "DeviceId"),
        ("Platform", "OperatingSystem"),
        ("Ownership",),
    ),
    _Shape(
        "Workspace ONE",
        _marks("app_items"),
        ("app_items",),
        ("friendly_name", "device_friendly_name", "serial_number", "device_uuid"),
        ("platform",),
        ("ownership",),
    ),
    _Shape(
        "Intune",
        _marks("deviceName", "detectedApps"),
        ("detectedApps",),
        ("deviceName", "serialNumber", "id"),
        ("operatingSystem",),
        ("managedDeviceOwnerType", "ownerType"),
    ),
    _Shape(
        "Kaspersky Security Center",
        _marks("KLHST_WKS_DN"),
        (),
        ("KLHST_WKS_DN", "KLHST_WKS_FQDN", "KLHST_WKS_WINHOSTNAME", "KLHST_WKS_HOSTNAME"),
        ("KLHST_WKS_OS_NAME",),
        made=_agents,
    ),
)
_APP: Mapping[str, _Paths] = {
    "name": ("name", "displayName", "application_name", "ApplicationName", "packageName", "identifier", "bundle_id"),
    "vendor": ("publisher", "vendor"),
    "version": (
        *("shortVersion", "version", "versionName", "application_short_version", "application_version", "Version"),
        *("installed_version", "AppVersion"),
    ),
    "bundle": ("bundleId", "bundle_id", "identifier", "packageName", "ApplicationIdentifier", "BundleId"),
    "path": ("path",),
}
_OS_VERSION = (
    *("operatingSystem.version", "osVersion", "general.osVersion", "hardware.os_version", "general.os_version"),
    *("OperatingSystem", "os_version"),
)
_DEVICE_ID = (
    *("udid", "general.udid", "deviceId", "Udid", "DeviceId", "device_uuid", "azureADDeviceId", "id"),
    "KLHST_WKS_HOSTNAME",
)
_SERIAL = ("hardware.serialNumber", "serialNumber", "general.serial_number", "SerialNumber", "serial_number")
_TIMES = ("general.reportDate", "lastInventoryUpdateTimestamp", "lastSync", "lastSyncDateTime", "lastSyncTime")
_SYSTEMS: Mapping[str, Platform] = {"apple": "ios", "appleosx": "macos", "winrt": "windows", "mac": "macos"}


def fits(document: Document) -> bool:
    """A device of one of the shapes above, alone, in a list, or the first of several."""
    if document.start.lstrip().startswith(b"<"):
        return _xml_root(document) is not None
    members = document.members()
    return bool(members) and _first(members, _DEPTH) is not None


def read(document: Document) -> Iterator[Inventory | Problem]:
    """An inventory for each device."""
    if document.start.lstrip().startswith(b"<"):
        yield from _from_xml(document)
        return
    for where, value in document.values():
        try:
            yield from _devices(document, where, value, _DEPTH)
        except JSON_ERRORS as error:
            yield Problem(where, f"no answer of a management system: {error}", "damaged")


def _first(members: Members, depth: int) -> _Shape | None:
    """The shape of the first device in it, without decoding the others."""
    shape = _shape(members.keys())
    if shape is not None or not depth:
        return shape
    for name in (*_LISTS, *_SINGLE):
        inner = bytes(members.get(name, b"")).lstrip()[:1]
        try:
            if inner == b"[":
                values = msgspec.json.decode(members[name], type=list[msgspec.Raw])
                inside = msgspec.json.decode(values[0], type=Members) if values else {}
            elif inner == b"{":
                inside = msgspec.json.decode(members[name], type=Members)
            else:
                continue
        except JSON_ERRORS:
            continue
        found = _first(inside, depth - 1)
        if found is not None:
            return found
    return None


def _shape(names: Any) -> _Shape | None:
    return next((shape for shape in _SHAPES if shape.marks <= names), None)


def _devices(document: Document, where: str, value: msgspec.Raw, depth: int) -> Iterator[Inventory | Problem]:
    members = msgspec.json.decode(value, type=Members)
    shape = _shape(members.keys())
    if shape is not None:
        yield _inventory(document, where, shape, {name: msgspec.json.decode(raw) for name, raw in members.items()})
        return
    found = False
    for name in (*_LISTS, *_SINGLE) if depth else ():
        raw = members.get(name)
        inner = bytes(raw).lstrip()[:1] if raw is not None else b""
        if raw is None or inner not in (b"[", b"{"):
            continue
        values = msgspec.json.decode(raw, type=list[msgspec.Raw]) if inner == b"[" else [raw]
        for number, one in enumerate(values):
            place = f"{where}: {name}[{number}]" if inner == b"[" else where
            try:
                yield from _devices(document, place, one, depth - 1)
            except JSON_ERRORS as error:
                yield Problem(place, f"no device: {error}", "damaged")
        found = True
        break
    if not found:
        yield Problem(where, "no device of a kind that is known", "unsupported")


def _inventory(document: Document, where: str, shape: _Shape, device: _Object, wrong: str = "") -> Inventory:
    rows = Rows(shape.title)
    if wrong:
        rows.problem(Problem(where, f"cut off or damaged: {wrong}", "damaged"))
    apps: list[tuple[str, App]] = []
    listed = next((found for path in shape.apps if isinstance(found := _at(device, path), list)), None)
    for number, one in enumerate(listed or ()):
        place = f"{where}: {shape.apps[0]}[{number}]"
        app = _app(one) if isinstance(one, dict) else None
        if app is None:
            rows.damaged(place, "an app without a name")
        else:
            apps.append((place, app))
    if shape.made is not None:
        apps += [(where, app) for app in shape.made(device)]
    elif listed is None:
        rows.problem(Problem(where, _NO_APPS, "missing"))
    system = _text(device, shape.system)
    return device_inventory(
        Device(
            name=_text(device, shape.name) or document.stem,
            system=system,
            platform=_SYSTEMS.get(system.casefold().replace(" ", "")) or shape.platform,
            os_version=_text(device, _OS_VERSION),
            device_id=_text(device, _DEVICE_ID),
            serial=_text(device, _SERIAL),
            owner=_text(device, shape.owner),
        ),
        shape.title,
        moment(_text(device, _TIMES)),
        rows,
        apps,
        personal_apps=document.personal_apps,
    )


def _app(row: _Object) -> App | None:
    found = App(**{name: _text(row, paths) for name, paths in _APP.items()})
    return found._replace(name=found.name.removesuffix(".app")) if found.name else None


def _text(found: _Object, paths: Sequence[str]) -> str:
    """The first of these places that holds a text or a number."""
    return next((value for path in paths if (value := text(_at(found, path)))), "")


def _at(found: Any, path: str) -> Any:
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _xml_root(document: Document) -> str | None:
    start = document.start if b"<" in document.start.partition(b"?>")[2] else document.whole()[: 1 << 16]
    return next((root for root in _XML_ROOTS if f"<{root}>".encode() in start[: 1 << 12]), None)


def _from_xml(document: Document) -> Iterator[Inventory | Problem]:
    data, root = document.whole(), _xml_root(document)
    if len(data) > _LARGEST:
        raise BrokenError(document.name, f"larger than {_LARGEST >> 20} MiB of XML", "limit")
    device: _Object = {}
    wrong = ""
    try:
        for name, value in objects(data, root or "", _XML_PARTS, _XML_LISTS):
            device.setdefault(name, value)
    except ValueError as error:
        wrong = str(error)
    shape = _shape(device.keys())
    if shape is None:
        raise BrokenError(document.name, wrong or "no device of a kind that is known")
    for part in (device, device.get("software")):
        if isinstance(part, dict) and isinstance(part.get("applications"), list):  # a count stands before them
            part["applications"] = [one for one in part["applications"] if isinstance(one, dict)]
    yield _inventory(document, document.name, shape, device, wrong)
