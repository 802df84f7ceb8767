r"""Drivers that Windows puts between devices or network adapters and everything above: filters of devices, NDIS.

A filter is named in a list, and its file lies elsewhere. Windows does not start what stands behind a filter that is in
the list and cannot be loaded, so deleting the file first costs the keyboard, the disk or the network.

References:
    https://learn.microsoft.com/windows-hardware/drivers/install/device-filter-driver-ordering (UpperFilters);
    https://learn.microsoft.com/windows-hardware/drivers/network/inf-file-settings-for-filter-drivers (FilterClass,
    FilterRunType), "mandatory-filter-drivers"; `FilterList` of an adapter and `NetworkSetup2` are not documented
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.windows.registry_values import Value
from phaseout.sources.kit.windows_drivers import SERVICES, Driver, Drivers
from phaseout.sources.kit.windows_registry import registry_of, subkeys
from phaseout.sources.source import Source, Trace

_CONTROL = r"HKLM\SYSTEM\CurrentControlSet\Control"
_CLASSES = rf"{_CONTROL}\Class"
_ADAPTERS = rf"{_CLASSES}\{{4d36e972-e325-11ce-bfc1-08002be10318}}"
_COMPONENTS = rf"{_CONTROL}\Network\{{4d36e974-e325-11ce-bfc1-08002be10318}}"
_KINDS = rf"{_CONTROL}\NetworkSetup2\Filters"
_DEVICES = r"HKLM\SYSTEM\CurrentControlSet\Enum"
_LISTS = ("UpperFilters", "LowerFilters")
_LIGHTWEIGHT = 0x40000  # NCF_LW_FILTER
_MANDATORY = 1
_OF_WINDOWS = ("ms_", "vms_")
_GUID = 38  # characters
_SHOWN = 10  # places of one filter
_MOST = 50_000  # devices that Windows has met; a machine of ten years has a few thousand
_CUTS = (
    "an orphaned network filter can cut the network: remove the filter (its binding) first, then its service, "
    "and the file last"
)
_STOPS = "{} {}: a filter whose file is gone takes them away; take it out of the list first, and delete its file last"


def collect(host: Host) -> Iterator[Trace]:
    """An item for each network filter and for each filter of devices that is not part of Windows."""
    drivers = Drivers(host)
    yield from _network(host, drivers)
    classes = ((key, key.text("Class") or key.name) for key in subkeys(registry_of(host).key(_CLASSES)))
    yield from _listed(drivers, classes, "filter of device classes", "it filters the devices of")
    yield from _listed(drivers, _devices(host), "filter of single devices", "it filters")


def _network(host: Host, drivers: Drivers) -> Iterator[Trace]:
    bound = _bound(host)
    kinds = {key.name.lower(): key for key in subkeys(registry_of(host).key(_KINDS))}
    for key in subkeys(registry_of(host).key(_COMPONENTS)):
        component = key.text("ComponentId")
        ndi = key.child("Ndi")
        service = ndi.text("Service") if ndi is not None else ""
        is_filter = key.number("Characteristics") & _LIGHTWEIGHT or (ndi is not None and ndi.text("FilterClass"))
        if ndi is None or not service or not is_filter:
            yield LeftOut("a setting")
            continue
        driver = None if component.lower().startswith(_OF_WINDOWS) else drivers.driver(service)
        if driver is None:
            yield LeftOut("part of the operating system")
            continue
        adapters = bound.get(key.name.lower(), [])
        where = f"bound to {', '.join(adapters[:_SHOWN])}" if adapters else "bound to no adapter"
        must = "; Windows keeps the network down without it" if _is_mandatory(ndi, kinds.get(key.name.lower())) else ""
        shown = key.text("Description").rpartition(";")[2]
        evidence = [Evidence(key.path, f"ComponentId: {component}, Service: {service}")]
        yield _item(service, driver, "network filter", f"{where}{must}: {_CUTS}", shown, evidence)


def _bound(host: Host) -> dict[str, list[str]]:
    """Filter (its GUID, in lower case) → the adapters that it is bound to."""
    found: dict[str, list[str]] = {}
    for adapter in subkeys(registry_of(host).key(_ADAPTERS)):
        linkage = adapter.child("Linkage")
        for entry in _texts(linkage.value("FilterList")) if linkage is not None else ():
            instance = entry[_GUID + 1 : 2 * _GUID + 1].lower()
            found.setdefault(instance, []).append(adapter.text("DriverDesc") or entry[:_GUID])
    return found


def _is_mandatory(ndi: Key, kind: Key | None) -> bool:
    """Whether an adapter is kept down without the filter: since Windows 10 that is kept elsewhere, and is the rule."""
    kernel = kind.child("Kernel") if kind is not None else None
    if kernel is not None:
        return not kernel.number("Optional")
    return ndi.number("FilterRunType") == _MANDATORY


def _devices(host: Host) -> Iterator[tuple[Key, str] | Problem]:
    """The devices that Windows has met, by bus, kind and instance, each with what people call it."""
    count = 0
    for bus in subkeys(registry_of(host).key(_DEVICES)):
        for kind in bus.subkeys():
            for device in kind.subkeys():
                count += 1
                if count > _MOST:
                    yield Problem(_DEVICES, f"more than {_MOST} devices: the rest was not read", "limit")
                    return
                yield device, _called(device) or kind.name


def _called(device: Key) -> str:
    return device.text("FriendlyName") or device.text("DeviceDesc").rpartition(";")[2]


def _listed(drivers: Drivers, keys: Iterator[tuple[Key, str] | Problem], kind: str, effect: str) -> Iterator[Trace]:
    """The filters that the lists of these keys name, each once with all that it filters."""
    found: dict[str, tuple[str, list[str], list[Evidence]]] = {}
    for one in keys:
        if isinstance(one, Problem):
            yield one
            continue
        key, shown = one
        for name in _LISTS:
            for service in _texts(key.value(name)):
                if drivers.driver(service) is None:
                    yield LeftOut("part of the operating system")
                    continue
                known = found.setdefault(service.lower(), (service, [], []))
                if known[1]:
                    yield LeftOut("listed as another item")
                known[1].append(shown)
                if len(known[2]) < _SHOWN:
                    known[2].append(Evidence(key.path, name))
    for service, filtered, evidence in found.values():
        driver = drivers.driver(service)
        if driver is not None:
            names = [*dict.fromkeys(filtered)]
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            text = f"{', '.join(names[:_SHOWN])}{more}"
            yield _item(service, driver, kind, _STOPS.format(effect, text), text, evidence)


def _item(service: str, driver: Driver, kind: str, effect: str, shown: str, evidence: list[Evidence]) -> Item:
    return Item(
        kind="setting",
        name=service,
        state=driver.state,
        vendor=driver.vendor,
        path=driver.path,
        signer=driver.signer,
        details={"type": kind, "effect": effect, "description": shown},
        notes=driver.notes,
        evidence=tuple(evidence),
    )


def _texts(value: Value | None) -> Iterator[str]:
    """The names in a list, however it is stored."""
    for one in (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ():
        if one.strip():
            yield one.strip()


SOURCE = Source(
    name="driver_filters",
    title="Filters of network adapters and of devices",
    platforms=("windows",),
    kinds=("setting",),
    needs=("registry",),
    reads=(_CLASSES, _ADAPTERS, _COMPONENTS, _KINDS, _DEVICES, rf"{SERVICES}\*", r"C:\**\*.sys"),
    limits="Filters of Microsoft are not listed.",
    collect=collect,
)
