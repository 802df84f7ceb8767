"""Names of extensions in the language of their author: `__MSG_name__` of browsers, `%name%` of VS Code.

References:
    https://developer.chrome.com/docs/extensions/reference/api/i18n (messages.json; names without regard to case);
    https://github.com/microsoft/vscode-nls#readme and package.nls.json of the VS Code extensions.
"""

import re

import msgspec

from phaseout.parsers.encodings.lenient_json import decode, text

_MESSAGE = re.compile(r"__MSG_([A-Za-z0-9_@]+?)__")
_PLACEHOLDER = re.compile(r"\$(\$|[A-Za-z0-9_@]+\$)")
_NLS = re.compile(r"%([^%]+)%")


def is_message(name: str) -> bool:
    """Whether a name of a browser extension stands for a message."""
    return "__MSG_" in name and _MESSAGE.search(name) is not None


def message(name: str, data: bytes) -> str:
    """The name with its `__MSG_…__` replaced by those of a `messages.json`; what is not in there stays.

    Raises:
        ValueError: it is not a JSON object.
    """
    messages = {key.lower(): raw for key, raw in decode(data, dict[str, msgspec.Raw]).items()}
    return text(_MESSAGE.sub(lambda found: _message(messages.get(found[1].lower())) or found[0], name))


def _message(raw: msgspec.Raw | None) -> str:
    found = _value(raw)
    if not isinstance(found, dict) or not isinstance(found.get("message"), str):
        return ""
    said: str = found["message"]
    if "$" not in said:
        return said
    places = found.get("placeholders")
    names = {key.lower(): place for key, place in places.items()} if isinstance(places, dict) else {}

    def filled(match: re.Match[str]) -> str:
        place = names.get(match[1].rstrip("$").lower())
        return text(place.get("content")) if isinstance(place, dict) else "$" if match[1] == "$" else match[0]

    return _PLACEHOLDER.sub(filled, said)


def nls(name: str, data: bytes) -> str:
    """The name with its `%…%` replaced by those of a `package.nls.json`; what is not in there stays.

    Raises:
        ValueError: it is not a JSON object.
    """
    texts = decode(data, dict[str, msgspec.Raw])

    def found(match: re.Match[str]) -> str:
        value = _value(texts.get(match[1]))
        return text(value.get("message") if isinstance(value, dict) else value) or match[0]

    return _NLS.sub(found, name)


def _value(raw: msgspec.Raw | None) -> object:
    try:
        return None if raw is None else decode(bytes(raw))
    except ValueError:
        return None
