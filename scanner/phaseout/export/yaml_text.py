"""Mappings, lists and scalars as YAML, without a library: block style, and every string in double quotes.

References:
    https://yaml.org/spec/1.2.2/ (5.1 Character Set, 7.3.1 Double-Quoted Style, 10.3 Core Schema: what is no string)
"""

import json
import re
from collections.abc import Iterator

Value = str | int | list["Value"] | dict[str, "Value"]

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_STRINGS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))  # in YAML 1.1 or 1.2
# What YAML allows in escapes only, and the line breaks of YAML 1.1, which a reader would fold.
_ESCAPED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def yaml_text(value: Value) -> str:
    """One document."""
    return "\n".join(_lines(value, "")) + "\n"


def comment(line: str) -> str:
    """A line that no reader of the document sees, whatever it contains."""
    return f"# {_escaped(' '.join(line.split()))}\n"


def _lines(value: Value, indent: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            if _is_nested(each):
                yield f"{indent}{_key(key)}:"
                yield from _lines(each, indent + "  ")
            else:
                yield f"{indent}{_key(key)}: {_scalar(each)}"
    elif isinstance(value, list) and value:
        for each in value:
            if _is_nested(each):
                first, *rest = _lines(each, indent + "  ")
                yield f"{indent}- {first.lstrip()}"
                yield from rest
            else:
                yield f"{indent}- {_scalar(each)}"
    else:
        yield indent + _scalar(value)


def _is_nested(value: Value) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) and key.lower() not in _NO_STRINGS else _scalar(key)


def _scalar(value: Value) -> str:
    """A string or number, or an empty list or mapping."""
    return _escaped(json.dumps(value, ensure_ascii=False))


def _escaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04X}", text)
