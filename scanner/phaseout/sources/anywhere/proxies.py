r"""Proxies and proxy scripts (PAC) that a system is set to use, for the machine and for each user.

Of Linux these are the variables that programs and services get, the settings of apt and dnf, and those of the desktops.

References:
    https://learn.microsoft.com/troubleshoot/developer/browsers/connectivity-navigation/use-registry-override-settings-for-proxies;
    WinHTTP: https://learn.microsoft.com/windows/win32/winhttp/netsh-exe-commands; the records of `Connections` are not
    documented: version, counter, flags (2 proxy, 4 script), then three texts, each after its length. macOS:
    SystemConfiguration, SCSchemaDefinitions.h (`Proxies` of a network service). Linux: curl(1) (`http_proxy`),
    environment.d(5), systemd.exec(5) (Environment), systemd-system.conf(5) (DefaultEnvironment), apt.conf(5)
    (Acquire::http::Proxy), dnf.conf(5) (proxy), dconf(7) (key files, and the databases of the system and of users),
    org.gnome.system.proxy of gsettings-desktop-schemas; KDE's kioslaverc
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from phaseout.host import Host
from phaseout.model.nouns import LeftOut, Problem
from phaseout.model.regex import regex
from phaseout.parsers.encodings.keyfile import sections
from phaseout.parsers.linux.shell_script import literals
from phaseout.parsers.windows.proxy_settings import ProxySettings, winhttp_settings, wininet_settings
from phaseout.sources.kit.browser_registrations import VIEWS, software_keys
from phaseout.sources.kit.missing_files import VOLUME_LISTS
from phaseout.sources.kit.parsed import damaged, parsed
from phaseout.sources.kit.property_lists import dictionary
from phaseout.sources.kit.proxy_items import Proxies
from phaseout.sources.kit.user_data import homes
from phaseout.sources.source import Source, Trace

if TYPE_CHECKING:
    from phaseout.host.registry.base import Key

_SETTINGS = r"Microsoft\Windows\CurrentVersion\Internet Settings"
_POLICY = r"Policies\Microsoft\Windows\CurrentVersion\Internet Settings"
_CONNECTIONS = rf"{_SETTINGS}\Connections"
_WINHTTP = "WinHttpSettings"
_MACOS = "/Library/Preferences/SystemConfiguration/preferences.plist"
_SIZE = 4 << 20
_PROXIES = ("HTTP", "HTTPS", "SOCKS", "FTP")
_SERVICES = 1_000  # of a Mac, and connections of a user
_TEXT = 1 << 20
_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")  # in lower case or upper case
_SHELLS = (".profile", ".bashrc", ".bash_profile", ".zshrc", ".zshenv", ".zprofile", ".pam_environment")
_SCRIPTS = (
    "/etc/environment",
    "/etc/profile",
    "/etc/bash.bashrc",
    "/etc/bashrc",
    "/etc/zsh/zshenv",
    "/etc/default/docker",
)
_SCRIPT_FOLDERS = ("/etc/profile.d", "/etc/environment.d", "/usr/lib/environment.d")
_OF_USER = ".config/environment.d"
_MANAGERS = ("/etc/apt/apt.conf", "/etc/dnf/dnf.conf", "/etc/yum.conf", "/etc/zypp/zypp.conf")
_APT_FOLDER = "/etc/apt/apt.conf.d"
_MANAGER_LINE = regex(
    r"""^(?!\s*(?:\#|//))[^\n]*?\bproxy\b\s*[=\s]\s*["']?((?:https?|socks\w*)://[^"'\s;]+)""",
    re.MULTILINE | re.IGNORECASE,
)
_DCONF = "/etc/dconf/db"
_DCONF_OF_USER = ".config/dconf/user"
_DATABASE = 16 << 20
_MANAGER = ("/etc/systemd/system.conf", "/etc/systemd/user.conf")
_UNITS = "/etc/systemd/system"
_UNITS_OF_USER = ".config/systemd/user"
_ENVIRONMENT = regex(r"^[ \t]*(?:Default)?Environment[ \t]*=(.*)$", re.MULTILINE)
_VARIABLE = regex(rf"""(?:^|[\s"'])({"|".join(_VARIABLES)})=([^\s"']+)""", re.IGNORECASE)
_DCONF_PROXY = "/system/proxy/"
_OVERRIDES = "/usr/share/glib-2.0/schemas"
_GNOME = ("system/proxy", "org.gnome.system.proxy", "org/gnome/system/proxy")
_KDE = ".config/kioslaverc"
_KDE_SYSTEM = "/etc/xdg/kioslaverc"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every proxy and every proxy script that is set."""
    proxies = Proxies(host)
    if host.info.platform == "macos":
        yield from _of_macos(host, proxies)
    elif host.info.platform == "linux":
        for user, where, found in _of_linux(host):
            yield from proxies.items(found, user, where)
        yield from _of_dconf(host, proxies)
    for user, software in software_keys(host):
        for path in (_SETTINGS, _POLICY):
            key = software.key(path)
            if key is not None:
                server = key.text("ProxyServer") if key.number("ProxyEnable") else ""
                yield from proxies.items(ProxySettings(server, key.text("AutoConfigURL")), user, key.path)
        connections = software.key(_CONNECTIONS)
        if connections is not None:
            yield from _connections(proxies, connections, user)


def _connections(proxies: Proxies, key: "Key", user: str) -> Iterator[Trace]:
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
        yield from proxies.items(found, user, rf"{key.path}\{name}")


def _of_macos(host: Host, proxies: Proxies) -> Iterator[Trace]:
    settings = yield from dictionary(host, _MACOS, _SIZE)
    services = (settings or {}).get("NetworkServices")
    named = [*services.items()] if isinstance(services, Mapping) else []
    if len(named) > _SERVICES:
        yield Problem(_MACOS, f"more than {_SERVICES} network services: the rest was not read", "limit")
    for name, service in named[:_SERVICES]:
        found = service.get("Proxies") if isinstance(service, Mapping) else None
        if not isinstance(found, Mapping):
            yield LeftOut("a setting")
            continue
        yield from proxies.items(_set(found), "", f"{_MACOS}, NetworkServices/{name}")


def _set(proxies: Mapping[str, Any]) -> ProxySettings:
    on = [kind for kind in _PROXIES if proxies.get(f"{kind}Enable") and proxies.get(f"{kind}Proxy")]
    addresses = [f"{kind.lower()}={proxies[f'{kind}Proxy']}:{proxies.get(f'{kind}Port', '')}" for kind in on]
    script = proxies.get("ProxyAutoConfigURLString") if proxies.get("ProxyAutoConfigEnable") else ""
    return ProxySettings(";".join(addresses), script if isinstance(script, str) else "")


def _of_linux(host: Host) -> Iterator[tuple[str, str, ProxySettings]]:
    """User (empty: everybody), file, and what that sets."""
    for path in (*_SCRIPTS, *_inside(host, _SCRIPT_FOLDERS)):
        yield from _of_script(host, "", path)
    for path in (*_MANAGERS, *_inside(host, (_APT_FOLDER,))):
        for address in dict.fromkeys(_MANAGER_LINE.findall(_text(host, path))):
            yield "", path, ProxySettings(address)
    databases = (f"{_DCONF}/{one.name}" for one in host.files.list(_DCONF) if one.name.endswith(".d"))
    overrides = (path for path in _inside(host, (_OVERRIDES,)) if path.endswith(".gschema.override"))
    for path in (*_inside(host, databases), *overrides):
        yield from _of_keys(path, _text(host, path))
    yield from _of_kde("", _KDE_SYSTEM, _text(host, _KDE_SYSTEM))
    for path in (*_MANAGER, *_units(host, _UNITS)):
        yield from _of_unit("", path, _text(host, path))
    for user, home in homes(host):
        for path in _units(host, f"{home}/{_UNITS_OF_USER}"):
            yield from _of_unit(user, path, _text(host, path))
        for name in _SHELLS:
            yield from _of_script(host, user, f"{home}/{name}")
        for path in _inside(host, (f"{home}/{_OF_USER}",)):
            yield from _of_script(host, user, path)
        yield from _of_kde(user, f"{home}/{_KDE}", _text(host, f"{home}/{_KDE}"))


def _inside(host: Host, folders: Iterable[str]) -> Iterator[str]:
    for folder in folders:
        for one in host.files.list(folder):
            if one.kind != "dir":
                yield f"{folder}/{one.name}"


def _text(host: Host, path: str) -> str:
    return (host.files.text(path, _TEXT) or "") if host.files.is_file(path) else ""


def _of_script(host: Host, user: str, path: str) -> Iterator[tuple[str, str, ProxySettings]]:
    text = _text(host, path)
    if "_proxy" not in text and "_PROXY" not in text:
        return
    found = {name.lower(): value for name, value in literals(text).items()}
    for address in dict.fromkeys(found.get(name, "") for name in _VARIABLES):
        if address:
            yield user, path, ProxySettings(address)


def _units(host: Host, folder: str) -> Iterator[str]:
    """Units that somebody wrote here, and what is added to others; links lead to those of packages, which set none."""
    for one in host.files.list(folder):
        if one.kind == "file":
            yield f"{folder}/{one.name}"
        elif one.kind == "dir" and one.name.endswith(".d"):
            yield from _inside(host, (f"{folder}/{one.name}",))


def _of_unit(user: str, path: str, text: str) -> Iterator[tuple[str, str, ProxySettings]]:
    for line in _ENVIRONMENT.findall(text.replace("\\\n", " ")):  # a line goes on behind a backslash
        for _, address in _VARIABLE.findall(line):
            yield user, path, ProxySettings(address)


def _of_dconf(host: Host, proxies: Proxies) -> Iterator[Trace]:
    databases = [("", f"{_DCONF}/{one.name}") for one in host.files.list(_DCONF) if one.kind == "file"]
    for user, path in (*databases, *((user, f"{home}/{_DCONF_OF_USER}") for user, home in homes(host))):
        if host.files.is_file(path):
            found = yield from parsed(host, path, _dconf_sections, _DATABASE)
            for settings in _of_gnome(found or {}):
                yield from proxies.items(settings, user, path)


def _dconf_sections(data: bytes) -> dict[str, dict[str, str]]:
    from phaseout.parsers.linux.dconf_database import settings

    found: dict[str, dict[str, str]] = {}
    for name, value in settings(data, _DCONF_PROXY).items():
        folder, _, key = name[1:].rpartition("/")
        found.setdefault(folder, {})[key] = str(value)
    return found


def _of_keys(path: str, text: str) -> Iterator[tuple[str, str, ProxySettings]]:
    """Key files of dconf, and overrides of schemas."""
    if "proxy" in text:
        for settings in _of_gnome({name.split(":")[0]: keys for name, keys in sections(text).items()}):
            yield "", path, settings


def _of_gnome(found: Mapping[str, Mapping[str, str]]) -> Iterator[ProxySettings]:
    """Settings by section; `host` and `port` stand in one for each protocol."""
    for top in _GNOME:
        mode = _plain(found.get(top, {}).get("mode", ""))
        script = _plain(found.get(top, {}).get("autoconfig-url", "")) if mode in ("", "auto") else ""
        parts = []
        for kind in ("http", "https", "socks") if mode in ("", "manual") else ():
            keys = found.get(f"{top}{'.' if '.' in top else '/'}{kind}", {})
            if address := _plain(keys.get("host", "")):
                parts.append(f"{kind}={address}:{_plain(keys.get('port', ''))}")
        if script or parts:
            yield ProxySettings(";".join(parts), script)


def _of_kde(user: str, path: str, text: str) -> Iterator[tuple[str, str, ProxySettings]]:
    """`ProxyType` is 1 for a proxy (`http://host port`) and 2 for a script."""
    keys = sections(text).get("Proxy Settings", {}) if text else {}
    kind = keys.get("ProxyType", "")
    if kind == "1":
        parts = [
            f"{name}={keys[f'{name}Proxy']}".replace(" ", ":")
            for name in ("http", "https", "socks")
            if keys.get(f"{name}Proxy")
        ]
        yield user, path, ProxySettings(";".join(parts))
    elif kind == "2":
        yield user, path, ProxySettings("", keys.get("Proxy Config Script", ""))


def _plain(value: str) -> str:
    return value.strip().strip("'\"")


SOURCE = Source(
    name="proxies",
    title="Proxies and proxy scripts",
    platforms=("linux", "macos", "windows"),
    kinds=("setting",),
    needs=(),
    reads=(
        *(rf"{view}\{path}" for view in VIEWS for path in (_SETTINGS, _POLICY, _CONNECTIONS)),
        _MACOS,
        *_SCRIPTS,
        *_MANAGERS,
        *(f"{folder}/*" for folder in (*_SCRIPT_FOLDERS, _APT_FOLDER)),
        *(f"{_DCONF}/{name}" for name in ("*", "*/*")),
        *_MANAGER,
        *(f"{folder}/{name}" for folder in (_UNITS, f"~/{_UNITS_OF_USER}") for name in ("*", "*.d/*")),
        f"{_OVERRIDES}/*.gschema.override",
        _KDE_SYSTEM,
        *VOLUME_LISTS,
        *(f"~/{name}" for name in (*_SHELLS, f"{_OF_USER}/*", _KDE, _DCONF_OF_USER)),
    ),
    limits="Settings of single programs are not read.",
    collect=collect,
)
