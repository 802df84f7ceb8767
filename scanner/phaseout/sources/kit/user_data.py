"""Where programs keep what belongs to a user: tables of browsers, and what of a table is there.

References:
    https://chromium.googlesource.com/chromium/src/+/main/docs/user_data_dir.md;
    https://support.mozilla.org/kb/profiles-where-firefox-stores-user-data;
    https://docs.flatpak.org/en/latest/sandbox-permissions.html (~/.var/app);
    https://snapcraft.io/docs/data-locations (~/snap)
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from phaseout.host import Host
from phaseout.model.nouns import Platform

# Platform → folder below a home → what lies below that → whose it is. Paths are written with `/`.
Table = Mapping[Platform, Mapping[str, Mapping[str, str]]]

CHROMIUM: Table = {
    "linux": {
        ".config": {
            "google-chrome": "Chrome",
            "google-chrome-beta": "Chrome Beta",
            "google-chrome-unstable": "Chrome Dev",
            "google-chrome-canary": "Chrome Canary",
            "google-chrome-for-testing": "Chrome for Testing",
            "chromium": "Chromium",
            "microsoft-edge": "Edge",
            "microsoft-edge-beta": "Edge Beta",
            "microsoft-edge-dev": "Edge Dev",
            "microsoft-edge-canary": "Edge Canary",
            "BraveSoftware/Brave-Browser": "Brave",
            "BraveSoftware/Brave-Browser-Beta": "Brave Beta",
            "BraveSoftware/Brave-Browser-Dev": "Brave Dev",
            "BraveSoftware/Brave-Browser-Nightly": "Brave Nightly",
            "BraveSoftware/Brave-Origin": "Brave Origin",
            "vivaldi": "Vivaldi",
            "vivaldi-snapshot": "Vivaldi Snapshot",
            "opera": "Opera",
            "opera-beta": "Opera Beta",
            "opera-developer": "Opera Developer",
            "opera-gx": "Opera GX",
            "yandex-browser": "Yandex Browser",
            "yandex-browser-beta": "Yandex Browser Beta",
            "thorium": "Thorium",
            "net.imput.helium": "Helium",
        },
        ".var/app": {
            "com.google.Chrome/config/google-chrome": "Chrome",
            "com.google.ChromeDev/config/google-chrome-unstable": "Chrome Dev",
            "org.chromium.Chromium/config/chromium": "Chromium",
            "io.github.ungoogled_software.ungoogled_chromium/config/chromium": "Chromium",
            "com.microsoft.Edge/config/microsoft-edge": "Edge",
            "com.microsoft.EdgeDev/config/microsoft-edge-dev": "Edge Dev",
            "com.brave.Browser/config/BraveSoftware/Brave-Browser": "Brave",
            "com.vivaldi.Vivaldi/config/vivaldi": "Vivaldi",
            "com.opera.Opera/config/opera": "Opera",
            "ru.yandex.Browser/config/yandex-browser": "Yandex Browser",
        },
        "snap": {
            "chromium/common/chromium": "Chromium",
            "chromium/current/.config/chromium": "Chromium",
            "brave/current/.config/BraveSoftware/Brave-Browser": "Brave",
            "vivaldi/current/.config/vivaldi": "Vivaldi",
            "opera/current/.config/opera": "Opera",
        },
    },
    "macos": {
        "Library/Application Support": {
            "Google/Chrome": "Chrome",
            "Google/Chrome Beta": "Chrome Beta",
            "Google/Chrome Dev": "Chrome Dev",
            "Google/Chrome Canary": "Chrome Canary",
            "Google/Chrome for Testing": "Chrome for Testing",
            "Chromium": "Chromium",
            "Microsoft Edge": "Edge",
            "Microsoft Edge Beta": "Edge Beta",
            "Microsoft Edge Dev": "Edge Dev",
            "Microsoft Edge Canary": "Edge Canary",
            "BraveSoftware/Brave-Browser": "Brave",
            "BraveSoftware/Brave-Browser-Beta": "Brave Beta",
            "BraveSoftware/Brave-Browser-Dev": "Brave Dev",
            "BraveSoftware/Brave-Browser-Nightly": "Brave Nightly",
            "Vivaldi": "Vivaldi",
            "Vivaldi Snapshot": "Vivaldi Snapshot",
            "com.operasoftware.Opera": "Opera",
            "com.operasoftware.OperaNext": "Opera Beta",
            "com.operasoftware.OperaDeveloper": "Opera Developer",
            "com.operasoftware.OperaGX": "Opera GX",
            "Arc/User Data": "Arc",
            "Dia/User Data": "Dia",
            "Yandex/YandexBrowser": "Yandex Browser",
            "net.imput.helium": "Helium",
        },
    },
    "windows": {
        "AppData/Local": {
            "Google/Chrome/User Data": "Chrome",
            "Google/Chrome Beta/User Data": "Chrome Beta",
            "Google/Chrome Dev/User Data": "Chrome Dev",
            "Google/Chrome SxS/User Data": "Chrome Canary",
            "Google/Chrome for Testing/User Data": "Chrome for Testing",
            "Chromium/User Data": "Chromium",
            "Microsoft/Edge/User Data": "Edge",
            "Microsoft/Edge Beta/User Data": "Edge Beta",
            "Microsoft/Edge Dev/User Data": "Edge Dev",
            "Microsoft/Edge SxS/User Data": "Edge Canary",
            "BraveSoftware/Brave-Browser/User Data": "Brave",
            "BraveSoftware/Brave-Browser-Beta/User Data": "Brave Beta",
            "BraveSoftware/Brave-Browser-Dev/User Data": "Brave Dev",
            "BraveSoftware/Brave-Browser-Nightly/User Data": "Brave Nightly",
            "Vivaldi/User Data": "Vivaldi",
            "Packages/TheBrowserCompany.Arc_ttt1ap7aakyb4/LocalCache/Local/Arc/User Data": "Arc",
            "Yandex/YandexBrowser/User Data": "Yandex Browser",
            "imput/Helium/User Data": "Helium",
        },
        "AppData/Roaming": {
            "Opera Software/Opera Stable": "Opera",
            "Opera Software/Opera Next": "Opera Beta",
            "Opera Software/Opera Developer": "Opera Developer",
            "Opera Software/Opera GX Stable": "Opera GX",
        },
    },
}

MOZILLA: Table = {
    "linux": {
        "": {
            ".mozilla/firefox": "Firefox",
            ".mozilla/seamonkey": "SeaMonkey",
            ".thunderbird": "Thunderbird",
            ".icedove": "Thunderbird",
            ".librewolf": "LibreWolf",
            ".waterfox": "Waterfox",
            ".zen": "Zen",
            ".floorp": "Floorp",
            ".mullvad-browser": "Mullvad Browser",
        },
        ".config": {  # since Firefox 147
            "mozilla/firefox": "Firefox",
            "mozilla/seamonkey": "SeaMonkey",
            "thunderbird": "Thunderbird",
            "librewolf/librewolf": "LibreWolf",
            "waterfox": "Waterfox",
            "zen": "Zen",
            "floorp": "Floorp",
        },
        ".local/share": {
            "torbrowser/tbb/x86_64/tor-browser/Browser/TorBrowser/Data/Browser": "Tor Browser",
        },
        ".var/app": {
            "org.mozilla.firefox/.mozilla/firefox": "Firefox",
            "org.mozilla.firefox/config/mozilla/firefox": "Firefox",
            "org.mozilla.Thunderbird/.thunderbird": "Thunderbird",
            "org.mozilla.Thunderbird/config/thunderbird": "Thunderbird",
            "org.mozilla.thunderbird/.thunderbird": "Thunderbird",
            "io.gitlab.librewolf-community/.librewolf": "LibreWolf",
            "io.gitlab.librewolf-community/config/librewolf/librewolf": "LibreWolf",
            "net.waterfox.waterfox/.waterfox": "Waterfox",
            "app.zen_browser.zen/.zen": "Zen",
            "app.zen_browser.zen/config/zen": "Zen",
            "one.ablaze.floorp/.floorp": "Floorp",
            "one.ablaze.floorp/config/floorp": "Floorp",
        },
        "snap": {
            "firefox/common/.mozilla/firefox": "Firefox",
            "firefox/common/.config/mozilla/firefox": "Firefox",
            "thunderbird/common/.thunderbird": "Thunderbird",
        },
    },
    "macos": {
        "Library": {"Thunderbird": "Thunderbird"},
        "Library/Application Support": {
            "Firefox": "Firefox",
            "SeaMonkey": "SeaMonkey",
            "librewolf": "LibreWolf",
            "Waterfox": "Waterfox",
            "zen": "Zen",
            "Floorp": "Floorp",
            "TorBrowser-Data/Browser": "Tor Browser",
            "MullvadBrowser-Data/Browser": "Mullvad Browser",
        },
    },
    "windows": {
        "AppData/Roaming": {
            "Mozilla/Firefox": "Firefox",
            "Mozilla/SeaMonkey": "SeaMonkey",
            "Thunderbird": "Thunderbird",
            "librewolf": "LibreWolf",
            "Waterfox": "Waterfox",
            "zen": "Zen",
            "Floorp": "Floorp",
        },
        "AppData/Local": {
            "Packages/Mozilla.Firefox_n80bbvh6b1yt2/LocalCache/Roaming/Mozilla/Firefox": "Firefox",
        },
        "Desktop": {"Tor Browser/Browser/TorBrowser/Data/Browser": "Tor Browser"},
    },
}


class UserData(NamedTuple):
    """A folder of a program that is there: whose it is, which user's, and where."""

    program: str
    user: str
    folder: str


def present(host: Host, table: Table) -> Iterator[UserData]:
    """What of a table is there, user by user; once if it has several names."""
    for user, home in homes(host):
        seen: set[str] = set()
        for base, below in table[host.info.platform].items():
            top = join(host, home, base) if base else home
            if base and not host.files.is_dir(top):  # most homes have none: that saves asking for each
                continue
            for path, program in below.items():
                folder = join(host, top, path)
                if host.files.is_dir(folder):
                    real = host.files.real(folder) or folder
                    if real not in seen:
                        seen.add(real)
                        yield UserData(program, user, folder)


def homes(host: Host) -> Iterator[tuple[str, str]]:
    """Name and home of every user whose home is there; the first of those who share one."""
    for home, user in host.homes.items():
        if host.files.is_dir(home):
            yield user, home


def join(host: Host, folder: str, *names: str) -> str:
    """A path below a folder, with the separators of the target."""
    if host.info.platform == "windows":
        return "\\".join((folder, *names)).replace("/", "\\")
    return "/".join((folder, *names))


def reads(table: Table, *inside: str) -> tuple[str, ...]:
    """The patterns for `Source.reads` of these paths below all places of a table."""
    return tuple(
        _pattern(platform, "/".join(filter(None, ("~", base, path, below))))
        for platform, bases in table.items()
        for base, paths in bases.items()
        for path in paths
        for below in inside
    )


def _pattern(platform: Platform, path: str) -> str:
    return path.replace("/", "\\") if platform == "windows" else path
