r"""Proxies and proxy scripts (PAC) that single browsers are set to use, by policies and in the profiles of users.

References:
    See `phaseout.parsers.browsers.proxies`; places of policies: `phaseout.sources.kit.chromium_policies`, and
    https://support.mozilla.org/kb/customizing-firefox-using-policiesjson
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from phaseout.host import Host
from phaseout.parsers.windows.proxy_settings import ProxySettings
from phaseout.sources.kit.browser_registrations import VIEWS, software_keys
from phaseout.sources.kit.chromium_policies import FAMILIES, LEVELS, MANAGED, managed
from phaseout.sources.kit.missing_files import VOLUME_LISTS
from phaseout.sources.kit.mozilla_profiles import mozilla_profiles
from phaseout.sources.kit.mozilla_programs import DOMAINS, POLICIES, PROGRAMS
from phaseout.sources.kit.parsed import damaged, parsed
from phaseout.sources.kit.property_lists import dictionary
from phaseout.sources.kit.proxy_items import Proxies
from phaseout.sources.kit.user_data import CHROMIUM, MOZILLA, join, present, reads
from phaseout.sources.source import Source, Trace

if TYPE_CHECKING:
    from phaseout.host.registry.base import Key

_PREFERENCES = "Preferences"
_MOZILLA_PREFERENCES = ("prefs.js", "user.js")
_LARGEST = 16 << 20
_SCRIPT = 1 << 20
_PROFILES = 200  # folders of a browser that may be profiles; `chromium_extensions` says where there are more
_MOZILLA_KEY = r"Policies\Mozilla\Firefox"
_NAMES = ("ProxySettings", "ProxyMode", "ProxyServer", "ProxyPacUrl")
_MOZILLA_NAMES = ("Mode", "HTTPProxy", "SSLProxy", "SOCKSProxy", "AutoConfigURL")


def collect(host: Host) -> Iterator[Trace]:
    """An item for every proxy and every proxy script that a browser is set to use."""
    proxies = Proxies(host)
    yield from _policies(host, proxies)
    for user, software in software_keys(host):
        yield from _of_keys(proxies, user, software)
    yield from _profiles(host, proxies)


def _policies(host: Host, proxies: Proxies) -> Iterator[Trace]:
    from phaseout.parsers.browsers.proxies import of_chromium_policies, of_mozilla_policies
    from phaseout.parsers.encodings.lenient_json import decode, member

    platform = host.info.platform
    for family in FAMILIES if platform == "linux" else ():
        for folder in (f"{top}/{level}" for top in family.policies for level in LEVELS):
            for entry in host.files.list(folder):
                if entry.name.endswith(".json"):
                    path = f"{folder}/{entry.name}"
                    found = yield from parsed(host, path, lambda data: of_chromium_policies(decode(data)), _LARGEST)
                    yield from proxies.items(found or ProxySettings(""), "", path)
    programs = [folder for folder in PROGRAMS[platform] if host.files.is_dir(folder)]
    beside = [join(host, folder, "distribution", "policies.json") for folder in programs]
    for path in (*beside, *(POLICIES if platform == "linux" else ())):
        value = yield from parsed(host, path, decode, _LARGEST)
        if value is not None:
            yield from proxies.items(of_mozilla_policies(member(value, "policies")), "", path)
    for folder in programs:
        yield from _autoconfig(host, proxies, folder)
    if platform == "macos":
        for family in FAMILIES:
            for user, path in managed(host, family):
                values = yield from dictionary(host, path, _LARGEST)
                yield from _set(proxies, values, user, path)
        for path in DOMAINS:
            values = yield from dictionary(host, path, _LARGEST)
            if values is not None:
                yield from proxies.items(of_mozilla_policies(dict(values)), "", path)


def _autoconfig(host: Host, proxies: Proxies, program: str) -> Iterator[Trace]:
    from phaseout.parsers.browsers.proxies import autoconfig_file, of_mozilla_preferences, unshifted

    folder = join(host, program, "defaults", "pref")
    for entry in host.files.list(folder):
        if entry.name.endswith(".js"):
            name, shift = autoconfig_file(host.files.text(join(host, folder, entry.name), _SCRIPT) or "")
            path = join(host, program, name)
            data = host.files.read(path, _SCRIPT) if name and host.files.is_file(path) else None
            if data is not None:
                yield from proxies.items(of_mozilla_preferences(unshifted(data, shift)), "", path)


def _of_keys(proxies: Proxies, user: str, software: "Key") -> Iterator[Trace]:
    from phaseout.parsers.browsers.proxies import of_mozilla_policies

    for family in FAMILIES:
        key = software.key(family.policy_key)
        if key is not None:
            yield from _set(proxies, {name: key.text(name) for name in _NAMES}, user, key.path)
    key = software.key(rf"{_MOZILLA_KEY}\Proxy")
    if key is not None:
        values = {name: key.text(name) for name in _MOZILLA_NAMES}
        yield from proxies.items(of_mozilla_policies({"Proxy": values}), user, key.path)


def _set(proxies: Proxies, policies: Any, user: str, where: str) -> Iterator[Trace]:
    from phaseout.parsers.browsers.proxies import of_chromium_policies

    try:
        found = of_chromium_policies(policies)
    except ValueError as error:
        yield from damaged(where, f"ProxySettings is damaged: {error}")
        return
    if policies:
        yield from proxies.items(found, user, where)


def _profiles(host: Host, proxies: Proxies) -> Iterator[Trace]:
    from phaseout.parsers.browsers.proxies import of_chromium_preferences, of_mozilla_preferences

    for place in present(host, CHROMIUM):
        folders = [place.folder]
        folders += [join(host, place.folder, one.name) for one in host.files.list(place.folder) if one.kind != "file"]
        for folder in folders[:_PROFILES]:
            path = join(host, folder, _PREFERENCES)
            if host.files.is_file(path):
                found = yield from parsed(host, path, of_chromium_preferences, _LARGEST)
                if found is not None:
                    yield from proxies.items(found, place.user, path)
    for place in present(host, MOZILLA):
        for profile in (yield from mozilla_profiles(host, place.folder, _MOZILLA_PREFERENCES[0])):
            for name in _MOZILLA_PREFERENCES:
                path = join(host, profile, name)
                content = host.files.text(path, _LARGEST) if host.files.is_file(path) else None
                if content is not None:
                    yield from proxies.items(of_mozilla_preferences(content), place.user, path)


SOURCE = Source(
    name="browser_proxies",
    title="Proxies and proxy scripts of single browsers",
    platforms=("linux", "macos", "windows"),
    kinds=("setting",),
    needs=(),
    reads=(
        *reads(CHROMIUM, _PREFERENCES, f"*/{_PREFERENCES}"),
        *reads(
            MOZILLA,
            "profiles.ini",
            *(f"{profile}/{name}" for profile in ("*", "Profiles/*") for name in _MOZILLA_PREFERENCES),
        ),
        *(f"/**/{name}" for name in _MOZILLA_PREFERENCES),  # of profiles that lie elsewhere, as profiles.ini says
        *(rf"C:\**\{name}" for name in _MOZILLA_PREFERENCES),
        *(f"{top}/{level}/*.json" for family in FAMILIES for top in family.policies for level in LEVELS),
        *(f"{MANAGED}{user}/{family.domain}.plist" for family in FAMILIES for user in ("", "/*")),
        *(rf"{top}\{family.policy_key}" for family in FAMILIES for top in VIEWS),
        *(rf"{top}\{_MOZILLA_KEY}\Proxy" for top in VIEWS),
        *(
            f"{folder}{separator}{inside.replace('/', separator)}"
            for platform, separator in (("linux", "/"), ("macos", "/"), ("windows", "\\"))
            for folder in PROGRAMS[platform]
            for inside in ("distribution/policies.json", "defaults/pref/*.js", "*")
        ),
        *POLICIES,
        *DOMAINS,
        *VOLUME_LISTS,
    ),
    limits="What an extension or the command line sets is not read.",
    collect=collect,
)
