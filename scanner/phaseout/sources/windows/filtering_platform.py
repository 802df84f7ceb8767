r"""Providers of the Windows Filtering Platform: whose drivers see the network, and what they have registered.

A provider says who it is, its sublayers and callouts say which provider they belong to. A callout whose driver is gone
lets its filters block what they match.

References:
    https://learn.microsoft.com/windows/win32/api/fwpmtypes/ns-fwpmtypes-fwpm_provider0; callouts without a driver:
    https://learn.microsoft.com/windows-hardware/drivers/network/introduction-to-windows-filtering-platform-callout-drivers;
    the keys of the Base Filtering Engine are not documented
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from phaseout.host import Host
from phaseout.model.counting import counted
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.windows.wfp_object import WfpObject, wfp_object
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.windows_drivers import SERVICES, Driver, Drivers
from phaseout.sources.kit.windows_registry import registry_of
from phaseout.sources.source import Source, Trace

_POLICY = rf"{SERVICES}\BFE\Parameters\Policy\Persistent"
_KINDS = ("Provider", "SubLayer", "Callout")
_SERVICES_OF_WINDOWS = frozenset(
    ("mpssvc", "policyagent", "bfe", "ikeext", "wdnissvc", "dnscache", "nlasvc", "wdnisdrv")
)
_NAMES_OF_WINDOWS = ("@", "microsoft", "windows")
_MOST = 10_000  # objects
_SHOWN = 10
_EFFECT = (
    "{} registered with the Windows Filtering Platform; without their driver they can block connections: "
    "remove them with the vendor's tool before the driver's file, since deleting values of the registry has no effect"
)


@dataclass
class _Owner:
    """A provider with what belongs to it. One that is only referred to has no name of its own."""

    name: str = ""
    service: str = ""
    description: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)


def collect(host: Host) -> Iterator[Trace]:
    """An item for every provider that is not Microsoft's, whether it is registered or only referred to."""
    owners: dict[str, _Owner | None] = {}
    for kind in _KINDS:
        path = rf"{_POLICY}\{kind}"
        key = registry_of(host).key(path)
        values = key.values() if key is not None else {}
        if len(values) > _MOST:
            yield Problem(path, f"more than {_MOST} objects: the rest was not read", "limit")
        for name, data in [*values.items()][:_MOST]:
            try:
                found = wfp_object(data if isinstance(data, bytes) else b"")
            except ValueError as error:
                yield from damaged(rf"{path}\{name}", f"is damaged: {error}")
                continue
            yield from _take(owners, found, Evidence(path, f"{name} {found.name}".strip()))
    drivers = Drivers(host)
    for key_of, owner in owners.items():
        if owner is not None:
            yield _item(key_of, owner, drivers)


def _take(owners: dict[str, _Owner | None], found: WfpObject, evidence: Evidence) -> Iterator[LeftOut]:
    """Counts an object for its provider; one without a provider is its own. Those of Windows are kept as `None`."""
    key = found.provider or found.key
    is_known = key in owners
    if not is_known:
        owners[key] = None if _is_of_windows(found) else _Owner(found.name)
    owner = owners[key]
    if owner is None:
        yield LeftOut("part of the operating system")
        return
    if found.kind == "provider":
        owner.name, owner.service, owner.description = found.name, found.service, found.description
    owner.counts[found.kind] = owner.counts.get(found.kind, 0) + 1
    if len(owner.evidence) < _SHOWN:
        owner.evidence.append(evidence)
    if is_known:
        yield LeftOut("part of another item")


def _is_of_windows(found: WfpObject) -> bool:
    by_name = found.name.lower().startswith(_NAMES_OF_WINDOWS)
    return by_name or found.service.lower() in _SERVICES_OF_WINDOWS or not (found.name or found.provider)


def _item(key: str, owner: _Owner, drivers: Drivers) -> Item:
    driver = (drivers.driver(owner.service) if owner.service else None) or Driver("", "installed")
    what = ", ".join(counted(count, kind) for kind, count in owner.counts.items())
    return Item(
        kind="setting",
        name=owner.service or owner.name or key,
        state=driver.state,
        vendor=owner.name or driver.vendor,
        path=driver.path,
        signer=driver.signer,
        details={
            "type": "provider of the Windows Filtering Platform",
            "id": key,
            "description": owner.description,
            "effect": _EFFECT.format(what),
        },
        notes=driver.notes,
        evidence=tuple(owner.evidence),
    )


SOURCE = Source(
    name="filtering_platform",
    title="Providers of the Windows Filtering Platform",
    platforms=("windows",),
    kinds=("setting",),
    needs=("registry",),
    reads=(*(rf"{_POLICY}\{kind}" for kind in _KINDS), rf"{SERVICES}\*", r"C:\**\*.sys"),
    limits="Filters without a provider are not listed, nor what exists only until the next start.",
    collect=collect,
)
