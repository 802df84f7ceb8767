"""The proxy that a browser is set to use: by a policy, or in the settings of a profile.

References:
    https://chromeenterprise.google/policies/#ProxySettings, …/#ProxyMode, …/#ProxyServer, …/#ProxyPacUrl;
    https://chromium.googlesource.com/chromium/src/+/main/components/proxy_config/proxy_config_dictionary.cc (`proxy`);
    https://mozilla.github.io/policy-templates/#proxy;
    https://kb.mozillazine.org/Network.proxy.type (1: a proxy, 2: a script)
"""

import re
from collections.abc import Mapping
from typing import Any

from phaseout.parsers.encodings.lenient_json import decode, member, text
from phaseout.parsers.windows.proxy_settings import ProxySettings

_PREFERENCE = re.compile(r'^[ \t]*user_pref\("network\.proxy\.(\w+)",\s*(?:"([^"\n]*)"|(\d+))\);', re.MULTILINE)
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
    """What `prefs.js` or `user.js` of a profile sets."""
    found = {name: quoted or number for name, quoted, number in _PREFERENCE.findall(content)}
    how = found.get("type", "")
    if how == "1":
        named = [(kind, found.get(kind, "")) for kind in _KINDS]
        return ProxySettings(
            ";".join(f"{kind}={address}:{found.get(f'{kind}_port', '')}" for kind, address in named if address)
        )
    return ProxySettings("", found.get("autoconfig_url", "")) if how == "2" else _NONE
