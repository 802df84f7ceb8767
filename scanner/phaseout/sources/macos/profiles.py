"""What configuration profiles grant: which extensions may load, which programs read all files or filter the network.

A grant is no installation: it is `leftover` configuration, which would let the software in again.

References:
    Apple, "Profile-specific payload keys" (com.apple.system-extension-policy, com.apple.webcontent-filter,
    com.apple.syspolicy.kernel-extension-policy, com.apple.TCC.configuration-profile-policy,
    com.apple.servicemanagement).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from phaseout.host import Host
from phaseout.model.nouns import Evidence, IdType, Item, Problem
from phaseout.parsers.encodings.property_list import property_list, text, texts
from phaseout.sources.kit.property_lists import dictionary
from phaseout.sources.source import Source, Trace

_MANAGED = "/Library/Managed Preferences"
_STORES = ("/var/db/ConfigurationProfiles/Store", "/var/db/ConfigurationProfiles/Setup")
_SYSTEM = "com.apple.system-extension-policy"
_KERNEL = "com.apple.syspolicy.kernel-extension-policy"
_PRIVACY = "com.apple.TCC.configuration-profile-policy"
_FILTER = "com.apple.webcontent-filter"
_SERVICES = "com.apple.servicemanagement"
_LIMIT = 16 << 20
_SEARCHED = 20_000  # values of a store
_Grant = tuple[str, str, str]  # bundle id, Team ID, what is granted


def collect(host: Host) -> Iterator[Trace]:
    """An item for every program and maker to which a profile grants something."""
    folders = [(_MANAGED, "")]
    folders += [(f"{_MANAGED}/{entry.name}", entry.name) for entry in host.files.list(_MANAGED) if entry.kind == "dir"]
    for folder, user in folders:
        for kind, grants in _GRANTS.items():
            path = f"{folder}/{kind}.plist"
            values = yield from dictionary(host, path, _LIMIT)
            if values is not None:
                yield from _items(path, kind, grants(values), user)
    for folder in _STORES:
        for entry in host.files.list(folder):
            if entry.name.endswith((".plist", ".mobileconfig", ".binary", ".profile")) and entry.kind != "dir":
                path = f"{folder}/{entry.name}"
                for payload in _payloads(property_list(host.files.read(path, _LIMIT) or b"")):
                    if payload is None:
                        yield Problem(path, f"more than {_SEARCHED} values: the rest was not read", "limit")
                        break
                    kind = text(payload.get("PayloadType"))
                    yield from _items(path, kind, _GRANTS[kind](payload), "")


def _items(path: str, kind: str, grants: Iterator[_Grant], user: str) -> Iterator[Item]:
    for name, team, what in dict.fromkeys(grants):
        ids: dict[IdType, str] = {"bundle_id": name, "team_id": team}
        yield Item(
            kind="file",
            name=name or team,
            state="leftover",
            path=path,
            user=user,
            ids=ids,
            details={"grants": what, "payload": kind, "note": "a configuration profile, not the software itself"},
            evidence=(Evidence(path, f"{what}: {name or team}"),),
        )


def _payloads(value: Any) -> Iterator[Mapping[str, Any] | None]:
    """The payloads of the known types, wherever they are in a store; `None` where the search ends before the store."""
    pending = [value]
    count = 0
    while pending:
        count += 1
        if count > _SEARCHED:
            yield None
            return
        one = pending.pop()
        if isinstance(one, dict):
            if text(one.get("PayloadType")) in _GRANTS:
                inner = one.get("PayloadContent")
                yield inner | one if isinstance(inner, dict) else one
            pending += one.values()
        elif isinstance(one, list):
            pending += one


def _system_extensions(values: Mapping[str, Any]) -> Iterator[_Grant]:
    yield from _of_teams(values.get("AllowedSystemExtensions"), "system extension")
    yield from _of_teams(values.get("RemovableSystemExtensions"), "system extension")
    yield from (("", team, "all system extensions") for team in texts(values.get("AllowedTeamIdentifiers")))


def _kernel_extensions(values: Mapping[str, Any]) -> Iterator[_Grant]:
    yield from _of_teams(values.get("AllowedKernelExtensions"), "kernel extension")
    yield from (("", team, "all kernel extensions") for team in texts(values.get("AllowedTeamIdentifiers")))


def _of_teams(value: object, what: str) -> Iterator[_Grant]:
    for team, names in value.items() if isinstance(value, dict) else ():
        yield from ((name, team, what) for name in texts(names))


def _privacy(values: Mapping[str, Any]) -> Iterator[_Grant]:
    services = values.get("Services")
    for service, entries in services.items() if isinstance(services, dict) else ():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and text(entry.get("Identifier")):
                requirement = text(entry.get("CodeRequirement"))
                yield text(entry.get("Identifier")), _team(requirement), f"access to {service}"


def _team(requirement: str) -> str:
    """The Team ID in the text of a code requirement (`certificate leaf[subject.OU] = "ABCDE12345"`)."""
    found = requirement.partition("[subject.OU]")[2].lstrip(" =").lstrip('"')[:10]
    return found if len(found) == 10 and found.isalnum() else ""


def _filters(values: Mapping[str, Any]) -> Iterator[_Grant]:
    for key in ("PluginBundleID", "FilterDataProviderBundleIdentifier", "FilterPacketProviderBundleIdentifier"):
        name = text(values.get(key))
        if name:
            yield (
                name,
                _team(text(values.get(key.replace("BundleIdentifier", "DesignatedRequirement")))),
                "network filter",
            )


def _services(values: Mapping[str, Any]) -> Iterator[_Grant]:
    rules = values.get("Rules")
    for rule in rules if isinstance(rules, list) else ():
        if isinstance(rule, dict):
            kind, value, team = (text(rule.get(key)) for key in ("RuleType", "RuleValue", "TeamIdentifier"))
            if kind == "TeamIdentifier" and value:
                yield "", value, "background items"
            elif kind in ("BundleIdentifier", "Label", "BundleIdentifierPrefix", "LabelPrefix") and value:
                yield value, team, "background items"


_GRANTS: dict[str, Callable[[Mapping[str, Any]], Iterator[_Grant]]] = {
    _SYSTEM: _system_extensions,
    _KERNEL: _kernel_extensions,
    _PRIVACY: _privacy,
    _FILTER: _filters,
    _SERVICES: _services,
}

SOURCE = Source(
    name="profiles",
    title="Grants of configuration profiles",
    platforms=("macos",),
    kinds=("file",),
    needs=(),
    reads=(
        *(f"{_MANAGED}/{kind}.plist" for kind in _GRANTS),
        *(f"{_MANAGED}/*/{kind}.plist" for kind in _GRANTS),
        *(f"{folder}/*" for folder in _STORES),
    ),
    limits="Of profiles that macOS keeps encrypted or signed only the settings they made are read.",
    collect=collect,
)
