r"""Settings of the network of Windows that name a program: firewall rules that allow one, and the catalogue of Winsock.

A program that several rules name is one item. What lies in the folder of Windows is left out: of the libraries of
Winsock only those that Microsoft made, since other makers put theirs there as well. A firewall rule is read for its
program and never for its name or description, and one that blocks is a measure against the program.

References:
    [MS-GPFAS] 2.2.2.19 (firewall rules); https://learn.microsoft.com/windows/win32/api/winsock2/ns-winsock2-wsaprotocol_infow
    (Winsock; the record in the registry is that structure behind 260 bytes with the path of the library)
"""

from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.windows.image_path import absolute
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.windows_registry import registry_of, subkeys
from phaseout.sources.source import Source, Trace

_SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
_FIREWALL = (
    rf"{_SERVICES}\SharedAccess\Parameters\FirewallPolicy\FirewallRules",
    rf"{_SERVICES}\SharedAccess\Parameters\FirewallPolicy\Mdm\FirewallRules",
    r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall\FirewallRules",
)
_WINSOCK = rf"{_SERVICES}\WinSock2\Parameters"
_CATALOGUES = tuple(
    rf"{_WINSOCK}\{catalogue}\Catalog_Entries{bits}"
    for catalogue in ("Protocol_Catalog9", "NameSpace_Catalog5")
    for bits in ("", "64")
)
_OF_WINDOWS = frozenset(("mswsock.dll", "napinsp.dll", "pnrpnsp.dll", "nlaapi.dll", "winrnr.dll", "wshbth.dll"))
_LIBRARY = 260  # bytes at the beginning of a packed entry; behind the first zero they are what memory held before
_SHOWN = 10  # rules of one program
_ALLOWS = "a firewall rule lets this program through, and any that is put in its place"
_LOADS = "programs that use the network load it; with its file gone, their connections fail: netsh winsock reset"


class _Named(NamedTuple):
    """A program that settings name: what kind of setting, and where each stands."""

    path: str
    kind: str
    effect: str
    evidence: list[Evidence]


def collect(host: Host) -> Iterator[Trace]:
    """An item for every program that firewall rules allow, and for every library in the catalogue of Winsock."""
    found: dict[tuple[str, str], _Named] = {}
    windows = host.variables.get("systemroot", r"C:\Windows").lower() + "\\"
    for place in _FIREWALL:
        key = registry_of(host).key(place)
        for name, rule in key.values().items() if key is not None else ():
            path = absolute(_allowed(rule), host.variables) if isinstance(rule, str) else ""
            if not path:
                yield LeftOut("a setting")
            elif path.lower().startswith(windows):
                yield LeftOut("part of the operating system")
            else:
                yield from _take(found, _Named(path, "firewall rule", _ALLOWS, [Evidence(place, name)]))
    for place in _CATALOGUES:
        for entry in subkeys(registry_of(host).key(place)):
            yield from _library(host, found, entry, windows)
    missing = MissingFiles(host)
    for one in found.values():
        state, notes = missing.state(one.path)
        yield Item(
            kind="setting",
            name=one.path.rpartition("\\")[2],
            state=state,
            path=one.path,
            details={"type": one.kind, "effect": one.effect},
            notes=notes,
            evidence=tuple(one.evidence),
        )


def _allowed(rule: str) -> str:
    """The program that a rule allows; empty for a rule that blocks or names none."""
    parts = dict(part.partition("=")[::2] for part in rule.split("|"))
    return "" if parts.get("Action", "").lower() == "block" else parts.get("App", "")


def _library(host: Host, found: dict[tuple[str, str], _Named], entry: Key, windows: str) -> Iterator[Problem | LeftOut]:
    packed = entry.value("PackedCatalogItem")
    if isinstance(packed, bytes):
        library = packed[:_LIBRARY].partition(b"\0")[0].decode("ascii", "replace")
    else:
        library = entry.text("LibraryPath")
    path = absolute(library, host.variables)
    if not path:
        yield from damaged(entry.path, "an entry without the path of its library")
        return
    if path.lower().startswith(windows):
        identity = host.executables.identity(path)
        company = identity.company.lower() if identity is not None else ""
        if company.startswith("microsoft") or (not company and path.rpartition("\\")[2].lower() in _OF_WINDOWS):
            yield LeftOut("part of the operating system")
            return
    yield from _take(found, _Named(path, "Winsock catalogue", _LOADS, [Evidence(entry.path, library)]))


def _take(found: dict[tuple[str, str], _Named], new: _Named) -> Iterator[LeftOut]:
    known = found.setdefault((new.kind, new.path.lower()), new)
    if known is not new:
        yield LeftOut("listed as another item")
        if len(known.evidence) < _SHOWN:
            known.evidence.extend(new.evidence)


SOURCE = Source(
    name="network_settings",
    title="Firewall rules and Winsock entries that name a program",
    platforms=("windows",),
    kinds=("setting",),
    needs=("registry",),
    reads=(*_FIREWALL, *_CATALOGUES, r"C:\Windows\System32\*.dll", r"C:\Windows\SysWOW64\*.dll"),
    limits="Filters of drivers (NDIS, WFP) and proxies have sources of their own.",
    collect=collect,
)
