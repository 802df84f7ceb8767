"""Mappings, lists and scalars as YAML, without a library: block style, and every text in double quotes.

References:
    https://yaml.org/spec/1.2.2/ (a JSON text is a YAML scalar)
"""

import json
from collections.abc import Iterator

Value = str | int | list["Value"] | dict[str, "Value"]


def yaml_text(value: Value) -> str:
    """One document."""
    return "\n".join(_lines(value, "")) + "\n"


def comment(line: str) -> str:
    """A line that no reader of the document sees, whatever stands in it."""
    return f"# {' '.join(line.split())}\n"


def _lines(value: Value, indent: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, dict | list):
                yield f"{indent}{key}:"
                yield from _lines(each, indent + "  ")
            else:
                yield f"{indent}{key}: {_scalar(each)}"
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, dict | list):
                first, *rest = _lines(each, indent + "  ")
                yield f"{indent}- {first.lstrip()}"
                yield from rest
            else:
                yield f"{indent}- {_scalar(each)}"
    else:
        yield indent + _scalar(value)


def _scalar(value: str | int) -> str:
    return json.dumps(value, ensure_ascii=False)
