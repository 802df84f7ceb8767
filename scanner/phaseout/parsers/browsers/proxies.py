"""The proxy that a browser is set to use: by a policy, or in the settings of a profile.

References:
    https://chromeenterprise.google/policies/#ProxySettings, …/#ProxyMode, …/#ProxyServer, …/#ProxyPacUrl;
    https://chromium.googlesource.com/chromium/src/+/main/components/proxy_config/proxy_config_dictionary.cc (`proxy`);
    https://mozilla.github.io/policy-templates/#proxy;
    https://kb.mozillazine.org/Network.proxy.type (1: a proxy, 2: a script);
    https://support.mozilla.org/kb/customizing-firefox-using-autoconfig (a script in defaults/pref names the file, whose
    bytes are shifted by 13 unless it says otherwise)
"""

import re
from collections.abc import Mapping
from typing import Any

from phaseout.parsers.encodings.lenient_json import decode, member, text
from phaseout.parsers.windows.proxy_settings import ProxySettings

_CALLS = "user_pref|pref|defaultPref|lockPref"  # the last three of an administrator's file
_PREFERENCE = re.compile(
    rf"""^[ \t]*(?:{_CALLS})\(\s*["']network\.proxy\.(\w+)["'],\s*(?:"([^"\n]*)"|'([^'\n]*)'|(\d+))\s*\);""",
    re.MULTILINE,
)
_CONFIGURATION = re.compile(
    r"""^[ \t]*pref\(\s*["']general\.config\.(filename|obscure_value)["'],\s*(?:["']([\w .-]+)["']|(\d+))\s*\);""",
    re.MULTILINE,
)
_KINDS = ("http", "ssl", "socks")
_NONE = ProxySettings("")


def of_chromium_policies(policies: Any) -> ProxySettings:
    """What Chromium's policies set: one dictionary (as such or as JSON), or the single policies before it.

    Raises:
        ValueError: a text that should be JSON is not.
    """
    settings = member(policies, "ProxySettings")
    if isinstance(settings, str) and settings:
        settings = decode(settings.encode("utf-8", "replace"))
    return _by_mode(settings if isinstance(settings, Mapping) else policies, "ProxyMode", "ProxyServer", "ProxyPacUrl")


def of_chromium_preferences(data: bytes) -> ProxySettings:
    """What the file `Preferences` of a profile sets.

    Raises:
        ValueError: it is not JSON.
    """
    if b'"proxy"' not in data:
        return _NONE
    return _by_mode(member(decode(data), "proxy"), "mode", "server", "pac_url")


def _by_mode(values: Any, mode: str, server: str, script: str) -> ProxySettings:
    how = text(member(values, mode))
    return ProxySettings(
        text(member(values, server)) if how in ("", "fixed_servers") else "",
        text(member(values, script)) if how in ("", "pac_script") else "",
    )


def of_mozilla_policies(policies: Any) -> ProxySettings:
    """What the policy `Proxy` of Mozilla's browsers sets."""
    proxy = member(policies, "Proxy")
    how = text(member(proxy, "Mode"))
    named = [(kind, text(member(proxy, f"{kind.upper()}Proxy"))) for kind in _KINDS] if how == "manual" else []
    script = text(member(proxy, "AutoConfigURL")) if how == "autoConfig" else ""
    return ProxySettings(";".join(f"{kind}={address}" for kind, address in named if address), script)


def of_mozilla_preferences(content: str) -> ProxySettings:
    """What `prefs.js` or `user.js` of a profile sets, or an administrator's file for all profiles."""
    found = {name: "".join(values) for name, *values in _PREFERENCE.findall(content)}
    how = found.get("type", "")
    if how == "1":
        named = [(kind, found.get(kind, "")) for kind in _KINDS]
        return ProxySettings(
            ";".join(f"{kind}={address}:{found.get(f'{kind}_port', '')}" for kind, address in named if address)
        )
    return ProxySettings("", found.get("autoconfig_url", "")) if how == "2" else _NONE


def autoconfig_file(script: str) -> tuple[str, int]:
    """The name of the administrator's file and by how much its bytes are shifted, as a script in `defaults/pref` says.

    The name is empty where the script is about something else.
    """
    found = {name: "".join(values) for name, *values in _CONFIGURATION.findall(script)}
    return found.get("filename", ""), int(found.get("obscure_value", "13")) % 256


def unshifted(data: bytes, by: int) -> str:
    """The text of an administrator's file."""
    return bytes((one - by) % 256 for one in data).decode("utf-8", "replace") if by else data.decode("utf-8", "replace")
