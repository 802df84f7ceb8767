"""Unit files of systemd: their settings, and the program that an `ExecStart=` names.

References:
    systemd.syntax(7); systemd.service(5) "COMMAND LINES"; systemd.unit(5) "SPECIFIERS" and "STRING ESCAPING FOR
    INCLUSION IN UNIT NAMES".
"""

import re
from collections.abc import Mapping

from phaseout.model.regex import regex

Settings = dict[tuple[str, str], list[str]]

_PREFIXES = "@-:+!|"
_WORD = regex(r"""[^\s"'\\]+|\\.|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.DOTALL)
_ESCAPE = regex(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}
_SPECIFIER = regex(r"%(.)", re.DOTALL)


def settings(text: str) -> Settings:
    """(Section, key) → the values assigned to it, in their order; an empty value throws away those before it.

    The text of a unit file followed by those of its drop-ins gives what systemd sees.
    """
    found: Settings = {}
    section = ""
    pending: list[str] = []
    for written in text.replace("\r\n", "\n").split("\n"):
        line = written.lstrip()
        if line[:1] in ("#", ";"):  # also between a line and its continuation
            continue
        if line[-1:] == "\\" and (len(line) - len(line.rstrip("\\"))) % 2:
            pending.append(line[:-1])
            continue
        if pending:
            pending.append(line)
            line = " ".join(pending)
            pending.clear()
        if line[:1] == "[":
            section = line.rstrip()[1:].removesuffix("]")
            continue
        key, equals, value = line.partition("=")
        if equals:
            value = value.strip()
            values = found.setdefault((section, key.rstrip()), [])
            if value:
                values.append(value)
            else:
                values.clear()
    return found


def command(value: str) -> str:
    """The command line of an `ExecStart=` without the characters before it that tell how to run it."""
    return value.lstrip(_PREFIXES).lstrip()


def executable(value: str, specifiers: Mapping[str, str]) -> str:
    """The absolute path of the program that an `ExecStart=` starts; empty where it names none.

    Args:
        value: the value of the setting.
        specifiers: letter → text; a `%` that stays in the result is one that is not among them.
    """
    value = value.lstrip()
    first = value.split(None, 1)[0] if value else ""
    if "\\" in first or '"' in first or "'" in first:
        first = _first_word(value)
    first = first.lstrip(_PREFIXES)
    if "%" in first:
        first = _SPECIFIER.sub(lambda found: specifiers.get(found[1], found[0]), first)
    return first if first.startswith("/") else ""


def _first_word(value: str) -> str:
    parts: list[str] = []
    at = 0
    while found := _WORD.match(value, at):
        part = found[0]
        parts.append(part[1:-1] if part[0] in "\"'" else part)
        at = found.end()
    return _ESCAPE.sub(_unescaped, "".join(parts))


def _unescaped(found: re.Match[str]) -> str:
    digits = found[1] or found[2] or found[3]
    if digits or found[4]:
        code = int(digits, 16) if digits else int(found[4], 8)
        return chr(code) if 0 < code < 0x110000 else found[0]
    return _ESCAPED.get(found[5], found[5])
