"""Manifest of a native messaging host: the program that extensions of a browser may talk to.

References:
    https://developer.chrome.com/docs/extensions/develop/concepts/native-messaging;
    https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/Native_manifests
"""

from typing import NamedTuple

from phaseout.parsers.encodings.lenient_json import decode, text

_ORIGIN = "chrome-extension://"


class NativeHost(NamedTuple):
    """What the file says; empty what it does not say."""

    name: str
    description: str
    path: str
    allowed: tuple[str, ...]  # identifiers of the extensions


def native_host(data: bytes) -> NativeHost:
    """The host.

    Raises:
        ValueError: it is not a JSON object.
    """
    value = decode(data)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004
    allowed: dict[str, None] = {}
    for key in ("allowed_origins", "allowed_extensions"):
        given = value.get(key)
        for one in given if isinstance(given, list) else ():
            name = text(one).removeprefix(_ORIGIN).rstrip("/")
            if name:
                allowed[name] = None
    path = value.get("path")
    return NativeHost(
        text(value.get("name")), text(value.get("description")), path if isinstance(path, str) else "", tuple(allowed)
    )
