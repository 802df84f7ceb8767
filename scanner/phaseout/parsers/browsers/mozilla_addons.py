"""`extensions.json` of a profile of Firefox, Thunderbird and related programs: every add-on that the program knows.

References:
    https://searchfox.org/mozilla-central/source/toolkit/mozapps/extensions/internal/XPIDatabase.sys.mjs (the members),
    …/XPIProvider.sys.mjs (the locations).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct, field

from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.encodings.lenient_json import decode, member, text

BUILT_IN = frozenset(
    ("app-builtin", "app-builtin-addons", "app-system-addons", "app-system-defaults", "app-system-profile")
)
_LOCATIONS = {
    "app-profile": "profile",
    "app-global": "folder of the program",
    "app-system-local": "folder of the system",
    "app-system-share": "folder of the system",
    "app-system-user": "folder of the user",
    "app-temporary": "temporary",
    "winreg-app-global": "registered in the registry",
    "winreg-app-user": "registered in the registry by the user",
}
_WHY = (("user_disabled", "by the user"), ("app_disabled", "by the program"), ("embedder_disabled", "by the program"))


class Addon(NamedTuple):
    """One add-on; empty what is not said."""

    id: str
    name: str
    version: str
    vendor: str
    kind: str
    enabled: bool
    reasons: str  # why it is disabled
    built_in: bool
    location: str
    path: str
    url: str  # where it was downloaded from
    foreign: bool  # put there by another program
    installed: str
    updated: str


class _Database(Struct, frozen=True):
    addons: list[msgspec.Raw] = []


class _Record(Struct, frozen=True, rename="camel"):
    id: str
    version: Any = None
    type: Any = None
    default_locale: Any = None
    active: Any = None
    user_disabled: Any = None
    app_disabled: Any = None
    embedder_disabled: Any = None
    location: Any = None
    path: Any = None
    descriptor: Any = None  # before Firefox 60
    source_uri: Any = field(default=None, name="sourceURI")
    foreign_install: Any = None
    install_date: Any = None
    update_date: Any = None


def addons(data: bytes) -> Iterator[Addon | None]:
    """Every add-on in the file; `None` for a damaged one.

    Raises:
        ValueError: it is not JSON, or has no list of add-ons.
    """
    for raw in decode(data, _Database).addons:
        try:
            yield _addon(decode(bytes(raw), _Record))
        except ValueError:
            yield None


def _addon(record: _Record) -> Addon:
    location = text(record.location)
    people = member(record.default_locale, "developers")
    return Addon(
        id=record.id,
        name=text(member(record.default_locale, "name")),
        version=text(record.version),
        vendor=text(member(record.default_locale, "creator"))
        or (", ".join(filter(None, map(text, people))) if isinstance(people, list) else ""),
        kind=text(record.type),
        enabled=record.active is True,
        reasons=", ".join(dict.fromkeys(why for name, why in _WHY if getattr(record, name) is True)),
        built_in=location in BUILT_IN,
        location=_LOCATIONS.get(location, location),
        path=next((one for one in (record.path, record.descriptor) if isinstance(one, str)), ""),
        url=text(record.source_uri),
        foreign=record.foreign_install is True,
        installed=_moment(record.install_date),
        updated=_moment(record.update_date),
    )


def _moment(value: Any) -> str:
    """Milliseconds since 1970."""
    return rfc3339(value / 1000) if isinstance(value, (int, float)) and 0 < value < 1e17 else ""
