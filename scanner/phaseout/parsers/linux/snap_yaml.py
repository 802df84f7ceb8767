"""The top level of `snap.yaml`: enough YAML for the fields that say what a snap is.

References:
    https://documentation.ubuntu.com/snapcraft/stable/reference/project-file/snap-yaml/; https://yaml.org/spec/1.2.2/
"""

import re

_KEY = re.compile(r"([A-Za-z0-9_-]+):(?:[ \t]+(.*))?")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "_": "\u00a0"}


def fields(text: str) -> dict[str, str]:
    """Key → scalar of the top level; lists of scalars are joined with `, `; text blocks and deeper maps are empty."""
    found: dict[str, list[str]] = {}
    entries: list[str] | None = None  # of the key whose value may be the list on the lines below
    for raw in text.split("\n"):
        line = raw.rstrip()
        entry = line.lstrip()
        if not entry or entry[0] == "#":
            continue
        if entries is not None and entry.startswith("- "):
            entries.append(_scalar(entry[2:].strip()))
            continue
        entries = None
        pair = _KEY.fullmatch(line)  # a deeper level and the lines of a text block begin with a blank
        if pair is not None:
            value = (pair[2] or "").strip()
            found[pair[1]] = _values(value)
            if not value or value[0] == "#":
                entries = found[pair[1]]
    return {key: ", ".join(filter(None, values)) for key, values in found.items()}


def _values(value: str) -> list[str]:
    if value[:1] == "[":
        return [_scalar(part.strip()) for part in value[1:].partition("]")[0].split(",")]
    return [] if value[:1] in ("", "|", ">", "{") else [_scalar(value)]


def _scalar(value: str) -> str:
    if value[:1] == "'":
        return value[1:].replace("''", "\0").partition("'")[0].replace("\0", "'")
    if value[:1] == '"':
        closed = _QUOTED.match(value)
        return _ESCAPE.sub(_unescaped, closed[1] if closed else value[1:])
    return "" if value[:1] == "#" else value.partition(" #")[0].rstrip()


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    return chr(int(code[1:], 16)) if len(code) > 1 else _ESCAPED.get(code, code)
