"""Device configurations of Intune for phones, tablets and Macs: lists of apps that make a device stand out.

Intune reports devices with such an app and blocks nothing. For Windows there is no such list: there, the policy of
AppLocker goes into a custom profile.

References:
    https://learn.microsoft.com/graph/api/resources/intune-deviceconfig-iosgeneraldeviceconfiguration, "android…",
    "macOS…" (compliantAppListType, compliantAppsList), "intune-deviceconfig-applistitem"
"""

import json
from collections.abc import Collection
from typing import Any

from phaseout.export.blocking import heading, traits
from phaseout.model.nouns import Platform
from phaseout.model.rules import Ruleset

_TYPES: dict[Platform, tuple[str, str]] = {
    "android": ("androidGeneralDeviceConfiguration", "Android"),
    "ios": ("iosGeneralDeviceConfiguration", "iOS and iPadOS"),
    "macos": ("macOSGeneralDeviceConfiguration", "macOS"),
}
_SENTENCES = (
    "Intune reports devices that have one of these apps, and blocks none of them.",
    "It does not see apps that are not listed here, nor on Android those outside of the work profile.",
    "To remove an app, assign it with the intent to uninstall.",
    "For Windows export to applocker, for a custom profile with the AppLocker CSP.",
)


def export(ruleset: Ruleset, platforms: Collection[Platform]) -> str:
    """The configurations as JSON, each to be sent to `deviceManagement/deviceConfigurations` of Microsoft Graph."""
    value = []
    for platform in sorted(set(platforms) & set(_TYPES)):
        kind, title = _TYPES[platform]
        apps: dict[str, dict[str, Any]] = {}
        covered: set[str] = set()
        for trait in traits(ruleset, (platform,)):
            if trait.field == "ids.bundle_id" and "*" not in trait.pattern:
                covered.add(trait.product.id)
                apps.setdefault(
                    trait.pattern,
                    {
                        "@odata.type": "microsoft.graph.appListItem",
                        "name": trait.product.name,
                        "publisher": trait.vendor.name,
                        "appId": trait.pattern,
                    },
                )
        value.append(
            {
                "@odata.type": f"#microsoft.graph.{kind}",
                "displayName": f"Apps of restricted vendors on {title}",
                "description": " ".join(heading(ruleset, (platform,), covered, _SENTENCES)),
                "compliantAppListType": "appsNotInListCompliant",
                "compliantAppsList": list(apps.values()),
            }
        )
    return json.dumps({"value": value}, indent=2, ensure_ascii=False) + "\n"
