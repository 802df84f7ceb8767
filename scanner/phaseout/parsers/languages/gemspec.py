"""What a Ruby gem says of itself in the specification that RubyGems wrote when it installed it. No Ruby is run.

References:
    https://guides.rubygems.org/specification-reference/; `Gem::Specification#to_ruby` and `Gem::StubSpecification` of
    https://github.com/rubygems/rubygems (the line `# stub: NAME VERSION PLATFORM PATHS`).
"""

import re
from typing import NamedTuple

from phaseout.model.regex import regex

_STUB = regex(r"^# stub: (\S+) (\S+) (\S+)", re.MULTILINE)
_FIELD = regex(r"^[ \t]*\w{1,20}\.(authors?|homepage)[ \t]*=[ \t]*(.*)$", re.MULTILINE)
_STRING = regex(r'"((?:[^"\\]|\\.)*)"' + "|'([^']*)'|%q<([^>]*)>")
_ESCAPE = regex(r"\\u\{([0-9A-Fa-f]{1,6})\}|\\u([0-9A-Fa-f]{4})|\\(.)")
_FILE = regex(r"(.+?)-(\d[^-]*)(?:-(.+))?\.gemspec")


class Gem(NamedTuple):
    """What it says; empty where only Ruby could tell. Authors are joined with commas."""

    name: str
    version: str
    platform: str
    authors: str
    homepage: str


def gem(data: bytes, file: str) -> Gem:
    """The gem of a specification; the name of the file, `NAME-VERSION[-PLATFORM].gemspec`, tells what it does not."""
    text = data.decode("utf-8", "backslashreplace")
    found: dict[str, str] = {}
    for field in _FIELD.finditer(text):
        found.setdefault(field[1].removesuffix("s"), ", ".join(filter(None, _strings(field[2]))))
    stub = _STUB.search(text) or _FILE.fullmatch(file)
    name, version, platform = (stub[1], stub[2], stub[3] or "") if stub else (file.removesuffix(".gemspec"), "", "")
    return Gem(name, version, platform, found.get("author", ""), found.get("homepage", ""))


def _strings(line: str) -> list[str]:
    """The string literals of a line."""
    return [_ESCAPE.sub(_unescaped, one[1]) if one[1] else one[2] or one[3] or "" for one in _STRING.finditer(line)]


def _unescaped(found: re.Match[str]) -> str:
    code = int(found[1] or found[2] or "0", 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else found[3] or found[0]
