r"""Proxies and proxy scripts (PAC) that Windows and macOS are set to use, for the machine and for each user.

A program that filters the web puts itself there. If it is removed and the setting stays, browsers reach nothing. A
script in a file is an item with that file as its path, which tells whose it is.

References:
    https://learn.microsoft.com/troubleshoot/developer/browsers/connectivity-navigation/use-registry-override-settings-for-proxies;
    WinHTTP: https://learn.microsoft.com/windows/win32/winhttp/netsh-exe-commands; the records of `Connections` are not
    documented: version, counter, flags (2 proxy, 4 script), then three texts, each after its length. macOS:
    SystemConfiguration, SCSchemaDefinitions.h (`Proxies` of a network service)
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.windows.image_path import absolute
from phaseout.parsers.windows.proxy_settings import ProxySettings, winhttp_settings, wininet_settings
from phaseout.sources.kit.browser_registrations import VIEWS, software_keys
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.property_lists import dictionary
from phaseout.sources.source import Source, Trace

_SETTINGS = r"Microsoft\Windows\CurrentVersion\Internet Settings"
_POLICY = r"Policies\Microsoft\Windows\CurrentVersion\Internet Settings"
_CONNECTIONS = rf"{_SETTINGS}\Connections"
_WINHTTP = "WinHttpSettings"
_MACOS = "/Library/Preferences/SystemConfiguration/preferences.plist"
_SIZE = 4 << 20
_PROXIES = ("HTTP", "HTTPS", "SOCKS", "FTP")
_SERVICES = 1_000  # of a Mac, and connections of a user
_EFFECT = "browsers and other programs reach nothing once the program behind it is gone: clear the setting first"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every proxy and every proxy script that is set."""
    missing = MissingFiles(host)
    if host.info.platform == "macos":
        yield from _of_macos(host, missing)
    for user, software in software_keys(host):
        seen: set[str] = set()
        for path in (_SETTINGS, _POLICY):
            key = software.key(path)
            if key is not None:
                found = ProxySettings(
                    key.text("ProxyServer") if key.number("ProxyEnable") else "", key.text("AutoConfigURL")
                )
                yield from _items(host, missing, found, user, key.path, seen)
        connections = software.key(_CONNECTIONS)
        if connections is not None:
            yield from _connections(host, missing, connections, user, seen)


def _connections(host: Host, missing: MissingFiles, key: Key, user: str, seen: set[str]) -> Iterator[Trace]:
    values = [*key.values().items()]
    if len(values) > _SERVICES:
        yield Problem(key.path, f"more than {_SERVICES} connections: the rest was not read", "limit")
    for name, data in values[:_SERVICES]:
        if not isinstance(data, bytes):
            yield LeftOut("a setting")
            continue
        try:
            found = (winhttp_settings if name == _WINHTTP else wininet_settings)(data)
        except ValueError as error:
            yield from damaged(rf"{key.path}\{name}", f"is damaged: {error}")
            continue
        yield from _items(host, missing, found, user, rf"{key.path}\{name}", seen)


def _items(
    host: Host, missing: MissingFiles, found: ProxySettings, user: str, where: str, seen: set[str]
) -> Iterator[Trace]:
    """The items of one place; what an earlier place of the same user says as well is no second item."""
    if not (found.proxy or found.script):
        yield LeftOut("a setting")
    for text, kind in ((found.proxy, "proxy"), (found.script, "proxy script")):
        name = _without_secrets(text)
        if name and name in seen:
            yield LeftOut("listed as another item")
        elif name:
            seen.add(name)
            path = _file(host, text) if kind == "proxy script" else ""
            state, notes = missing.state(path)
            yield Item(
                kind="setting",
                name=name,
                state=state,
                path=path,
                user=user,
                details={"type": kind, "effect": _EFFECT},
                notes=notes,
                evidence=(Evidence(where, name),),
            )


def _of_macos(host: Host, missing: MissingFiles) -> Iterator[Trace]:
    settings = yield from dictionary(host, _MACOS, _SIZE)
    services = (settings or {}).get("NetworkServices")
    seen: set[str] = set()
    named = [*services.items()] if isinstance(services, Mapping) else []
    if len(named) > _SERVICES:
        yield Problem(_MACOS, f"more than {_SERVICES} network services: the rest was not read", "limit")
    for name, service in named[:_SERVICES]:
        proxies = service.get("Proxies") if isinstance(service, Mapping) else None
        if not isinstance(proxies, Mapping):
            yield LeftOut("a setting")
            continue
        where = f"{_MACOS}, NetworkServices/{name}"
        yield from _items(host, missing, _set(proxies), "", where, seen)


def _set(proxies: Mapping[str, Any]) -> ProxySettings:
    on = [kind for kind in _PROXIES if proxies.get(f"{kind}Enable") and proxies.get(f"{kind}Proxy")]
    addresses = [f"{kind.lower()}={proxies[f'{kind}Proxy']}:{proxies.get(f'{kind}Port', '')}" for kind in on]
    script = proxies.get("ProxyAutoConfigURLString") if proxies.get("ProxyAutoConfigEnable") else ""
    return ProxySettings(";".join(addresses), script if isinstance(script, str) else "")


def _file(host: Host, url: str) -> str:
    """The file that a URL of a script names; empty for one that is fetched."""
    scheme, colon, rest = url.partition(":")
    if not colon or scheme.lower() != "file":
        return ""
    path = unquote(rest.removeprefix("//").removeprefix("localhost"))
    return absolute(path.lstrip("/"), host.variables) if host.info.platform == "windows" else path


def _without_secrets(text: str) -> str:
    """An address without user name and password, and without the query of a script."""
    parts = []
    for part in text.partition("?")[0].split(";"):
        head, slashes, rest = part.rpartition("//")
        parts.append(head + slashes + rest.rpartition("@")[2])
    return ";".join(parts).strip()


SOURCE = Source(
    name="proxies",
    title="Proxies and proxy scripts",
    platforms=("macos", "windows"),
    kinds=("setting",),
    needs=(),
    reads=(*(rf"{view}\{path}" for view in VIEWS for path in (_SETTINGS, _POLICY, _CONNECTIONS)), _MACOS),
    limits="Proxies of Linux, of the environment and of single browsers are not listed.",
    collect=collect,
)
