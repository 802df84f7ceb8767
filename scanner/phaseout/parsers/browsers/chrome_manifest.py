"""`manifest.json`: what an extension says of itself, to browsers of either family.

References:
    https://developer.chrome.com/docs/extensions/reference/manifest;
    https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/manifest.json (developer,
    browser_specific_settings)
"""

import re
from typing import Any, NamedTuple

from phaseout.parsers.encodings.lenient_json import decode, member, text
from phaseout.parsers.encodings.sha256 import sha256

_HEX_TO_LETTER = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_ID = re.compile(r"[a-p]{32}")
_STORES = (
    ("clients2.google.com/service/update2/crx", "Chrome Web Store"),
    ("edge.microsoft.com/extensionwebstorebase", "Microsoft Edge Add-ons"),
    ("extension-updates.opera.com", "Opera add-ons"),
)


class Manifest(NamedTuple):
    """What the file says; empty what it does not say. Name and vendor may stand for messages."""

    name: str
    version: str
    vendor: str
    kind: str  # extension, theme, app, hosted app, dictionary, language pack
    update_url: str
    locale: str  # the one that has all messages
    id: str  # as its public key, or its author for Mozilla's browsers, says


NONE = Manifest("", "", "", "", "", "", "")


def manifest(data: bytes) -> Manifest:
    """The manifest.

    Raises:
        ValueError: it is not a JSON object.
    """
    value = decode(data)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004
    return Manifest(
        name=text(value.get("name")) or text(value.get("short_name")),
        version=text(value.get("version")) or text(value.get("version_name")),
        vendor=_vendor(value),
        kind=_kind(value),
        update_url=text(value.get("update_url")),
        locale=text(value.get("default_locale")),
        id=_mozilla_id(value) or _id(value.get("key")),
    )


def store(update_url: str) -> str:
    """The store behind an address for updates, or that address."""
    return next((name for part, name in _STORES if part in update_url), update_url)


def is_id(name: str) -> bool:
    """Whether this is how the Chromium family names an extension: 32 letters from a to p."""
    return _ID.fullmatch(name) is not None


def _vendor(value: dict[str, Any]) -> str:
    author = value.get("author")
    return (
        text(member(value, "developer", "name"))
        or text(author)
        or text(member(author, "name"))
        or text(member(author, "email"))
    )


def _kind(value: dict[str, Any]) -> str:
    if "theme" in value:
        return "theme"
    if "dictionaries" in value:
        return "dictionary"
    if "langpack_id" in value:
        return "language pack"
    app = value.get("app")
    if isinstance(app, dict):
        return "app" if "background" in app else "hosted app"
    return "extension"


def _mozilla_id(value: dict[str, Any]) -> str:
    for settings in ("browser_specific_settings", "applications"):
        found = text(member(value, settings, "gecko", "id"))
        if found:
            return found
    return ""


def _id(key: Any) -> str:
    """The identifier that follows from the public key: the first half of its SHA-256, in letters from a to p."""
    if not isinstance(key, str) or not key:
        return ""
    import binascii

    try:
        der = binascii.a2b_base64(key.encode("ascii", "ignore"))
    except ValueError:
        return ""
    return sha256(der).hexdigest()[:32].translate(_HEX_TO_LETTER)
