"""Key files: `[group]` lines with `key=value` lines below, as desktop entries and flatpak keep them.

References:
    https://specifications.freedesktop.org/desktop-entry-spec/latest/basic-format.html and …/value-types.html;
    https://docs.gtk.org/glib/struct.KeyFile.html
"""

import re

from phaseout.model.regex import regex

_ESCAPE = regex(r"\\(.)", re.DOTALL)
_ESCAPED = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


def sections(text: str) -> dict[str, dict[str, str]]:
    """Group → key → value as written, blanks around both taken off; localised keys stay apart (`Name[ru]`).

    Groups of one name are one, and of a key given twice the last one counts, as in GLib. Keys before the first group
    are in the group with the empty name. A line that is neither is kept under the empty key of its group, so
    that the caller can tell a damaged file.
    """
    found: dict[str, dict[str, str]] = {}
    group: dict[str, str] | None = None
    for raw in text.removeprefix("\ufeff").split("\n"):
        line = raw.strip()
        if not line or line[0] == "#":
            continue
        if line[0] == "[" and line[-1] == "]":
            group = found.setdefault(line[1:-1], {})
            continue
        if group is None:
            group = found.setdefault("", {})
        key, equals, value = line.partition("=")
        key = key.rstrip()
        if equals and key:
            group[key] = value.lstrip()
        else:
            group[""] = line
    return found


def unescaped(value: str) -> str:
    r"""A value of type string with `\s`, `\n`, `\t`, `\r` and `\\` replaced; other escapes are left as they are."""
    if "\\" not in value:
        return value
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[0]), value)
