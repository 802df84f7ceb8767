r"""Where Chromium's relatives find the policies of a machine.

References:
    https://www.chromium.org/administrators/linux-quick-start/ (policies on Linux), …/mac-quick-start;
    https://chromeenterprise.google/policies/
"""

from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host import Host


class Family(NamedTuple):
    """A browser, whatever its channel: where the machine tells it what to do and what to install."""

    name: str
    policies: tuple[str, ...]  # Linux
    domain: str  # of the managed preferences of macOS
    policy_key: str  # below SOFTWARE, Windows
    extensions: tuple[str, ...]  # Linux
    library: str  # below /Library/Application Support, macOS
    extensions_key: str  # below SOFTWARE, Windows


FAMILIES = (
    Family(
        "Chrome",
        ("/etc/opt/chrome/policies",),
        "com.google.Chrome",
        r"Policies\Google\Chrome",
        ("/opt/google/chrome/extensions", "/usr/share/google-chrome/extensions"),
        "Google/Chrome",
        r"Google\Chrome\Extensions",
    ),
    Family(
        "Chromium",
        ("/etc/chromium/policies", "/etc/chromium-browser/policies"),
        "org.chromium.Chromium",
        r"Policies\Chromium",
        ("/usr/share/chromium/extensions", "/usr/share/chromium-browser/extensions", "/usr/lib/chromium/extensions"),
        "Chromium",
        r"Chromium\Extensions",
    ),
    Family(
        "Edge",
        ("/etc/opt/edge/policies",),
        "com.microsoft.Edge",
        r"Policies\Microsoft\Edge",
        ("/opt/microsoft/msedge/extensions", "/usr/share/microsoft-edge/extensions"),
        "Microsoft Edge",
        r"Microsoft\Edge\Extensions",
    ),
    Family(
        "Brave",
        ("/etc/brave/policies",),
        "com.brave.Browser",
        r"Policies\BraveSoftware\Brave",
        ("/opt/brave.com/brave/extensions",),
        "BraveSoftware/Brave-Browser",
        r"BraveSoftware\Brave-Browser\Extensions",
    ),
    Family(
        "Vivaldi",
        ("/etc/vivaldi/policies", "/etc/opt/vivaldi/policies"),
        "com.vivaldi.Vivaldi",
        r"Policies\Vivaldi",
        ("/opt/vivaldi/extensions",),
        "Vivaldi",
        r"Vivaldi\Extensions",
    ),
    Family(
        "Yandex Browser",
        ("/etc/opt/yandex/browser/policies",),
        "ru.yandex.desktop.yandex-browser",
        r"Policies\YandexBrowser",
        ("/opt/yandex/browser/Extensions",),
        "Yandex/YandexBrowser",
        r"Yandex\YandexBrowser\Extensions",
    ),
)
LEVELS = ("managed", "recommended")
MANAGED = "/Library/Managed Preferences"


def managed(host: Host, family: Family) -> Iterator[tuple[str, str]]:
    """User (empty: everybody) and path of the preferences that a management server of macOS may have set."""
    yield "", f"{MANAGED}/{family.domain}.plist"
    for one in host.files.list(MANAGED):
        if one.kind == "dir":
            yield one.name, f"{MANAGED}/{one.name}/{family.domain}.plist"
