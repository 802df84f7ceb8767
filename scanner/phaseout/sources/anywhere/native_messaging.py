r"""Native messaging hosts: programs outside the browser that an extension may start and talk to.

On Linux and macOS a manifest in a folder registers one, on Windows a key that names the manifest. One whose program, or
whose manifest, is gone is a leftover.

References:
    https://developer.chrome.com/docs/extensions/develop/concepts/native-messaging;
    https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/Native_manifests;
    https://learn.microsoft.com/microsoft-edge/extensions/developer-guide/native-messaging
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.sources.kit.browser_registrations import VIEWS, software_keys
from phaseout.sources.kit.user_data import CHROMIUM, Table, join, present, reads
from phaseout.sources.source import Source, Trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from phaseout.host.registry.base import Key
    from phaseout.parsers.browsers.native_messaging_host import NativeHost

_TOR = "torbrowser/tbb/x86_64/tor-browser/Browser/TorBrowser/Data/Browser/.mozilla/native-messaging-hosts"
_MOZILLA: Table = {
    "linux": {
        "": {
            ".mozilla/native-messaging-hosts": "Firefox",
            ".librewolf/native-messaging-hosts": "LibreWolf",
            ".waterfox/native-messaging-hosts": "Waterfox",
            ".zen/native-messaging-hosts": "Zen",
            ".thunderbird/native-messaging-hosts": "Thunderbird",
        },
        ".config": {
            "mozilla/native-messaging-hosts": "Firefox",
            "librewolf/native-messaging-hosts": "LibreWolf",
            "thunderbird/native-messaging-hosts": "Thunderbird",
        },
        ".local/share": {_TOR: "Tor Browser"},
        ".var/app": {
            "org.mozilla.firefox/.mozilla/native-messaging-hosts": "Firefox",
            "io.gitlab.librewolf-community/.librewolf/native-messaging-hosts": "LibreWolf",
        },
        "snap": {"firefox/common/.mozilla/native-messaging-hosts": "Firefox"},
    },
    "macos": {
        "Library": {"Mozilla/NativeMessagingHosts": "Firefox"},
        "Library/Application Support": {
            "Mozilla/NativeMessagingHosts": "Firefox",
            "LibreWolf/NativeMessagingHosts": "LibreWolf",
            "librewolf/NativeMessagingHosts": "LibreWolf",
            "Waterfox/NativeMessagingHosts": "Waterfox",
            "zen/NativeMessagingHosts": "Zen",
            "TorBrowser-Data/Browser/NativeMessagingHosts": "Tor Browser",
        },
    },
    "windows": {},
}
_FOR_EVERYBODY = {
    "linux": {
        "/etc/opt/chrome/native-messaging-hosts": "Chrome",
        "/etc/opt/chrome_for_testing/native-messaging-hosts": "Chrome for Testing",
        "/etc/chromium/native-messaging-hosts": "Chromium",
        "/etc/opt/edge/native-messaging-hosts": "Edge",
        "/etc/brave/native-messaging-hosts": "Brave",
        "/etc/opt/vivaldi/native-messaging-hosts": "Vivaldi",
        "/etc/opt/yandex/browser/native-messaging-hosts": "Yandex Browser",
        "/usr/lib/mozilla/native-messaging-hosts": "Firefox",
        "/usr/lib64/mozilla/native-messaging-hosts": "Firefox",
        "/usr/share/mozilla/native-messaging-hosts": "Firefox",
        "/usr/lib/librewolf/native-messaging-hosts": "LibreWolf",
    },
    "macos": {
        "/Library/Google/Chrome/NativeMessagingHosts": "Chrome",
        "/Library/Google/ChromeForTesting/NativeMessagingHosts": "Chrome for Testing",
        "/Library/Application Support/Chromium/NativeMessagingHosts": "Chromium",
        "/Library/Microsoft/Edge/NativeMessagingHosts": "Edge",
        "/Library/Application Support/Microsoft/Edge/NativeMessagingHosts": "Edge",
        "/Library/Application Support/BraveSoftware/Brave-Browser/NativeMessagingHosts": "Brave",
        "/Library/Application Support/Vivaldi/NativeMessagingHosts": "Vivaldi",
        "/Library/Application Support/Mozilla/NativeMessagingHosts": "Firefox",
    },
    "windows": {},
}
_KEYS = {
    r"Google\Chrome\NativeMessagingHosts": "Chrome",
    r"Chromium\NativeMessagingHosts": "Chromium",
    r"Microsoft\Edge\NativeMessagingHosts": "Edge",
    r"BraveSoftware\Brave-Browser\NativeMessagingHosts": "Brave",
    r"Vivaldi\NativeMessagingHosts": "Vivaldi",
    r"Opera Software\NativeMessagingHosts": "Opera",
    r"Yandex\YandexBrowser\NativeMessagingHosts": "Yandex Browser",
    r"Mozilla\NativeMessagingHosts": "Firefox",
}
_FOLDER = "NativeMessagingHosts"
_LARGEST = 1 << 20


def collect(host: Host) -> Iterator[Trace]:
    """An item for every host that is registered with a browser, for the machine or for a user."""
    for folder, browser in _FOR_EVERYBODY[host.info.platform].items():
        yield from _folder(host, browser, "", folder)
    for place in present(host, CHROMIUM):
        yield from _folder(host, place.program, place.user, join(host, place.folder, _FOLDER))
    for place in present(host, _MOZILLA):
        yield from _folder(host, place.program, place.user, place.folder)
    if host.registry is None:
        return
    from phaseout.parsers.windows.image_path import for_user

    homes = {user.name: user.home for user in host.users}
    for name, software in software_keys(host):
        variables = for_user(host.variables, homes.get(name, "")) if name else host.variables
        yield from _keys(host, software, name, variables)


def _folder(host: Host, browser: str, user: str, folder: str) -> Iterator[Trace]:
    for entry in host.files.list(folder):
        if not entry.name.endswith(".json"):
            yield LeftOut("not an extension")
            continue
        path = join(host, folder, entry.name)
        data = host.files.read(path, _LARGEST)
        if data is None and host.files.gone(path):  # a link into nowhere
            yield _item(browser, user, entry.name.removesuffix(".json"), None, "", path, gone=True)
        elif data is not None:
            yield from _manifest(host, browser, user, entry.name.removesuffix(".json"), path, path, data)


def _keys(host: Host, software: "Key", user: str, variables: "Mapping[str, str]") -> Iterator[Trace]:
    from phaseout.parsers.windows.image_path import absolute

    for below, browser in _KEYS.items():
        key = software.key(below)
        for one in key.subkeys() if key is not None else ():
            path = absolute(one.text(""), variables)
            data = host.files.read(path, _LARGEST) if path else None
            if data is None:
                gone = bool(path) and host.files.gone(path)
                yield _item(browser, user, one.name, None, path, one.path, gone=gone)
            else:
                yield from _manifest(host, browser, user, one.name, one.path, path, data)


def _manifest(host: Host, browser: str, user: str, name: str, evidence: str, path: str, data: bytes) -> Iterator[Trace]:
    from phaseout.parsers.browsers.native_messaging_host import native_host

    try:
        found = native_host(data)
    except ValueError as error:
        yield Problem(path, f"is damaged: {error}", "damaged")
        yield _item(browser, user, name, None, "", evidence, gone=False)
        return
    program = found.path
    if host.info.platform == "windows":  # relative to the manifest
        from phaseout.parsers.windows.image_path import absolute

        program = absolute(program, host.variables) or (
            join(host, path.rpartition("\\")[0], program) if program and ":" not in program else ""
        )
    yield _item(browser, user, name, found, program, evidence, gone=bool(program) and host.files.gone(program))


def _item(
    browser: str, user: str, name: str, found: "NativeHost | None", path: str, evidence: str, *, gone: bool
) -> Item:
    return Item(
        kind="extension",
        name=(found.name if found is not None else "") or name,
        state="leftover" if gone else "installed",
        path=path,
        user=user,
        details={
            "browser": browser,
            "type": "native messaging host",
            "description": found.description if found is not None else "",
            "allowed": ", ".join(found.allowed) if found is not None else "",
            "status": "its files are gone" if gone else "",
        },
        evidence=(Evidence(evidence, path),),
    )


SOURCE = Source(
    name="native_messaging",
    title="Native messaging hosts of browsers",
    platforms=("linux", "macos", "windows"),
    kinds=("extension",),
    needs=(),
    reads=(
        *(f"{folder}/*.json" for folders in _FOR_EVERYBODY.values() for folder in folders),
        *reads(CHROMIUM, f"{_FOLDER}/*.json"),
        *reads(_MOZILLA, "*.json"),
        *(rf"{top}\{key}\*" for top in VIEWS for key in _KEYS),
        r"C:\**\*.json",  # the manifests that those keys name
    ),
    limits="A browser that was started with another folder for its data has hosts there that are not found.",
    collect=collect,
)
