"""`Extensions.plist` of Safari, of both kinds.

Legacy extensions stand in a list with the names of their files, those that belong to an app under
`bundle id (Team ID)`.

References:
    https://developer.apple.com/documentation/safariservices/safari-app-extensions; the files are not documented:
    https://github.com/ydkhatri/mac_apt (plugins/safari.py) names their members.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from phaseout.parsers.encodings.property_list import mapping

_KEY = ("Bundle Directory Name", "Archive File Name")


class SafariExtension(NamedTuple):
    """One extension; empty what is not said."""

    name: str
    bundle_id: str
    team_id: str
    archive: str  # file name beside the list
    enabled: bool | None
    installed: str


def safari_extensions(data: bytes) -> Iterator[SafariExtension | None]:
    """Every extension in the file; `None` for a damaged one.

    Raises:
        ValueError: it is not a property list of either kind.
    """
    value = mapping(data)
    if value is None:
        raise ValueError("is no property list with a dictionary")
    legacy = value.get("Installed Extensions")
    if isinstance(legacy, list):
        yield from map(_legacy, legacy)
        return
    for key, entry in value.items():
        yield _of_app(key, entry) if isinstance(entry, dict) else None


def _legacy(entry: Any) -> SafariExtension | None:
    if not isinstance(entry, dict):
        return None
    bundle, archive = (value if isinstance(value := entry.get(key), str) else "" for key in _KEY)
    name = (bundle or archive).rpartition(".")[0] or bundle or archive
    return SafariExtension(name, "", "", archive, _flag(entry), "") if name else None


def _of_app(key: str, entry: dict[str, Any]) -> SafariExtension:
    bundle, bracket, team = key.strip().removesuffix(")").rpartition(" (")
    if not bracket:
        bundle, team = key.strip(), ""
    return SafariExtension(
        bundle, bundle, "" if team == "UNSIGNED" else team, "", _flag(entry), _moment(entry.get("AddedDate"))
    )


def _flag(entry: dict[str, Any]) -> bool | None:
    enabled = entry.get("Enabled")
    return enabled if isinstance(enabled, bool) else None


def _moment(value: Any) -> str:
    """A date in UTC; not always there, and sometimes inside a dictionary."""
    if isinstance(value, dict):
        value = next(iter(value.values()), None)
    return value.isoformat("T", "seconds") + "Z" if hasattr(value, "isoformat") and hasattr(value, "hour") else ""
