"""JSON as browsers and editors take it: with a byte order mark, comments, and commas too many.

References:
    RFC 8259; https://chromium.googlesource.com/chromium/src/+/main/base/json/json_reader.h
    (JSON_PARSE_CHROMIUM_EXTENSIONS);
    https://code.visualstudio.com/docs/languages/json#_json-with-comments
"""

import re
from typing import Any, TypeVar, overload

import msgspec

from phaseout.model.regex import regex

_T = TypeVar("_T")
_COMMENT = regex(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|//[^\n]*|/\*(?:.*?\*/|.*)', re.DOTALL)
_COMMA = regex(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|,(?=\s*[}\]])', re.DOTALL)


@overload
def decode(data: bytes) -> Any: ...
@overload
def decode(data: bytes, kind: type[_T]) -> _T: ...
def decode(data: bytes, kind: Any = Any) -> Any:
    """The value, of the type asked for.

    Raises:
        ValueError: it is not JSON, not even with comments taken out, or not of that type.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        why = str(error)
    plain = _COMMA.sub(_kept, _COMMENT.sub(_kept, data))
    if plain == data:
        raise ValueError(why)
    try:
        return msgspec.json.decode(plain, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise ValueError(why) from None


def _kept(found: re.Match[bytes]) -> bytes:
    return found[0] if found[0][:1] == b'"' else b" "


def text(value: Any) -> str:
    """A text or number as one line of text; empty for everything else."""
    if isinstance(value, str):
        return " ".join(value.split())
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def member(value: Any, *names: str) -> Any:
    """The member under these names, one inside the other; `None` if it is missing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
