r"""Settings that say where names are looked up: the file `hosts`, and on Windows the name resolution policy and DoH.

An entry of `hosts` that leads a name to nowhere or to this machine blocks it, which is a measure and no trace.

References:
    hosts(5); [MS-GPNRPT] (DnsPolicyConfig: Name, GenericDNSServers);
    https://learn.microsoft.com/windows-server/networking/dns/doh-client-support (DohWellKnownServers)
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.sources.kit.windows_registry import subkeys
from phaseout.sources.source import Source, Trace

if TYPE_CHECKING:
    from phaseout.host.registry.base import Key

_HOSTS = {"linux": "/etc/hosts", "macos": "/private/etc/hosts"}
_TCPIP = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
_FOLDER = r"C:\Windows\System32\drivers\etc"
_CACHE = r"HKLM\SYSTEM\CurrentControlSet\Services\Dnscache\Parameters"
_POLICIES = (
    rf"{_CACHE}\DnsPolicyConfig",
    r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\DNSClient\DnsPolicyConfig",
)
_SERVERS = rf"{_CACHE}\DohWellKnownServers"
_SIZE = 32 << 20
_MOST = 2_000  # names of the file that lead anywhere
_EFFECT_HOSTS = "the name leads to this address, whatever the network says: delete the line"
_EFFECT_POLICY = "these names are asked of this server alone, and are not found once it is gone: delete the rule"
_EFFECT_SERVER = "names may be asked of this server over HTTPS: delete the key"


def collect(host: Host) -> Iterator[Trace]:
    """An item for each name that the file leads anywhere, for each rule of the policy, and for each DoH server."""
    yield from _hosts(host, _hosts_file(host))
    if host.registry is not None:
        for path in _POLICIES:
            for key in subkeys(host.registry.key(path)):
                yield _rule(key)
        for key in subkeys(host.registry.key(_SERVERS)):
            yield _server(key)


def _hosts_file(host: Host) -> str:
    if host.info.platform != "windows":
        return _HOSTS[host.info.platform]
    key = host.registry.key(_TCPIP) if host.registry is not None else None
    from phaseout.parsers.windows.image_path import absolute

    named = absolute(key.text("DataBasePath"), host.variables) if key is not None else ""
    return rf"{named or _FOLDER}\hosts"


def _hosts(host: Host, path: str) -> Iterator[Trace]:
    text = host.files.text(path, _SIZE)
    seen: set[str] = set()
    for number, line in enumerate((text or "").removeprefix("\ufeff").splitlines(), 1):
        address, *names = line.partition("#")[0].split()[:64] or [""]
        if not names or not _leads_anywhere(address):
            if line.strip():
                yield LeftOut("a comment" if not address else "a setting")
            continue
        for name in names:
            folded = name.lower().rstrip(".")
            if "." not in folded or folded in seen or folded.startswith("localhost."):
                yield LeftOut("a setting" if folded not in seen else "listed as another item")
                continue
            if len(seen) == _MOST:
                yield Problem(path, f"more than {_MOST} names: the rest was not read", "limit")
                return
            seen.add(folded)
            yield Item(
                kind="setting",
                name=folded,
                path=path,
                details={"type": "name in the hosts file", "effect": _EFFECT_HOSTS},
                evidence=(Evidence(f"{path}, line {number}", address),),
            )


def _leads_anywhere(address: str) -> bool:
    """Whether it is an address other than none, and than those of this machine and of groups."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return not (found.is_loopback or found.is_unspecified or found.is_multicast)


def _rule(key: "Key") -> Item:
    value = key.value("Name")
    names = ", ".join(value) if isinstance(value, tuple) else key.text("Name")
    servers = key.text("GenericDNSServers")
    return Item(
        kind="setting",
        name=key.name,
        details={
            "type": "rule of the name resolution policy",
            "effect": _EFFECT_POLICY,
            "comment": key.text("Comment"),
        },
        evidence=(Evidence(key.path, f"Name: {names}, GenericDNSServers: {servers}"),),
    )


def _server(key: "Key") -> Item:
    template = key.text("Template")
    return Item(
        kind="setting",
        name=template.partition("//")[2].partition("/")[0] or key.name,
        details={"type": "DNS server over HTTPS", "effect": _EFFECT_SERVER},
        evidence=(Evidence(key.path, template),),
    )


SOURCE = Source(
    name="name_resolution",
    title="Names in the hosts file, and rules of name resolution",
    platforms=("linux", "macos", "windows"),
    kinds=("setting",),
    needs=(),
    reads=(*_HOSTS.values(), r"C:\**\hosts", _TCPIP, *_POLICIES, _SERVERS),
    limits="What single adapters and browsers are set to is not listed.",
    collect=collect,
)
