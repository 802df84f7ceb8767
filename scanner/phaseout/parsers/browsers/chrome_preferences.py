"""`Preferences` and `Secure Preferences` of a profile of the Chromium family: what the browser knows of extensions.

References:
    https://chromium.googlesource.com/chromium/src/+/main/extensions/browser/extension_prefs.cc (extensions.settings),
    …/extensions/browser/disable_reason.h, …/extensions/common/mojom/manifest.mojom (ManifestLocation).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.encodings.lenient_json import decode, text

_1601 = 11_644_473_600  # seconds from there to 1970
COMPONENT = frozenset((5, 10))  # parts of the browser itself
FORCED = frozenset((7, 9))
_LOCATIONS = {
    1: "installed by the user",
    2: "registered in a file",
    3: "registered in the registry",
    4: "unpacked",
    5: "component",
    6: "registered in a file, from a store",
    7: "forced by policy",
    8: "command line",
    9: "forced by policy",
    10: "component",
}
_REASONS = {
    1 << 0: "by the user",
    1 << 1: "wants more permissions",
    1 << 2: "reloading",
    1 << 3: "unsupported requirement",
    1 << 4: "put there by another program",
    1 << 5: "unknown from sync",
    1 << 6: "permissions not yet consented to",
    1 << 7: "known to be disabled",
    1 << 8: "not verified",
    1 << 9: "greylisted",
    1 << 10: "corrupted",
    1 << 11: "installed from afar",
    1 << 13: "put there from outside, not yet acknowledged",
    1 << 14: "an update is required by policy",
    1 << 15: "approval of a guardian required",
    1 << 16: "blocked by policy",
    1 << 18: "to be reinstalled",
    1 << 19: "not on the safe list",
    1 << 21: "must be in a store by policy",
    1 << 22: "unsupported manifest version",
    1 << 24: "developer mode is off",
}


class Setting(NamedTuple):
    """What the browser knows of one extension; `path` is absolute, or below `Extensions`."""

    path: str
    location: int
    enabled: bool
    reasons: str  # why it is disabled
    from_store: bool
    by_default: bool
    by_maker: bool  # of the computer
    installed: str
    updated: str
    manifest: bytes  # as it was when it was installed; may be empty

    @property
    def place(self) -> str:
        """How it came there, in words."""
        return _LOCATIONS.get(self.location, "")


class _Record(Struct, frozen=True):
    path: Any = None
    location: Any = None
    state: Any = None
    disable_reasons: Any = None
    from_webstore: Any = None
    was_installed_by_default: Any = None
    was_installed_by_oem: Any = None
    install_time: Any = None
    first_install_time: Any = None
    last_update_time: Any = None
    manifest: msgspec.Raw = msgspec.Raw()


class _Extensions(Struct, frozen=True):
    settings: dict[str, msgspec.Raw] = {}
    opsettings: dict[str, msgspec.Raw] = {}  # Opera's name for it


class _Preferences(Struct, frozen=True):
    extensions: _Extensions = _Extensions()


def settings(data: bytes) -> Iterator[tuple[str, Setting | None]]:
    """Identifier and setting of every extension in the file; `None` for a damaged one.

    Raises:
        ValueError: it is not JSON, or there is something else where the settings should be.
    """
    found = decode(data, _Preferences).extensions
    for name, raw in (found.settings | found.opsettings).items():
        try:
            yield name, _setting(decode(bytes(raw), _Record))
        except ValueError:
            yield name, None


def _setting(record: _Record) -> Setting:
    reasons = _reasons(record.disable_reasons)
    return Setting(
        path=record.path if isinstance(record.path, str) else "",
        location=record.location if isinstance(record.location, int) else 0,
        enabled=record.state not in (0, 2) and not reasons,
        reasons=reasons,
        from_store=record.from_webstore is True,
        by_default=record.was_installed_by_default is True,
        by_maker=record.was_installed_by_oem is True,
        installed=_moment(record.first_install_time) or _moment(record.install_time),
        updated=_moment(record.last_update_time),
        manifest=bytes(record.manifest),
    )


def _reasons(value: Any) -> str:
    """In words, whether they are kept as one number or as a list of its bits."""
    given = value if isinstance(value, list) else [value]
    bits = 0
    for one in given:
        if isinstance(one, int) and one > 0:
            bits |= one
    if bits >> 64:
        return "for an unknown reason"
    return ", ".join(_REASONS.get(1 << at, f"reason {1 << at}") for at in range(64) if bits >> at & 1)


def _moment(value: Any) -> str:
    """Microseconds since 1601, as text."""
    digits = text(value)
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 20:
        return ""
    return rfc3339(int(digits) // 1_000_000 - _1601)
