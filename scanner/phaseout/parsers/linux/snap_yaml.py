"""The top level of `snap.yaml`: the part of YAML that says what a snap is.

Read are scalars in every style but block scalars (`|`, `>`), lists of scalars, anchors and aliases. Whatever lies
deeper is skipped. A test holds this against PyYAML.

References:
    https://documentation.ubuntu.com/snapcraft/stable/reference/project-file/snap-yaml/; https://yaml.org/spec/1.2.2/
    (6.5 line folding, 7.3 flow scalars, 5.7 escaped characters)
"""

import re
from collections.abc import Iterator

from phaseout.model.regex import regex

_KEY = regex(
    r"""(?:'((?:[^']|'')*)'|"((?:[^"\\]|\\.)*)"|([^ \t\n?:,\[\]{}#&*!|>'"%@`-][^\n]*?|[-?:](?=[^ \t\n])[^\n]*?))"""
    r"[ \t]*:(?=[ \t\n]|\Z)"
)
_PROPERTY = regex(r"(?:&([^ \t\n]+)|![^ \t\n]*)(?:[ \t\n]+|\Z)")
_QUOTED = regex(r"""'((?:[^']|'')*)'|"((?:[^"\\]|\\.)*)\"""", re.DOTALL)
_ESCAPE = regex(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|\n[ \t]*|.)", re.DOTALL)
_ESCAPED = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}
_BREAKS = regex(r"[ \t]*\n((?:[ \t]*\n)*)[ \t]*")
_COMMENT = regex(r"(?:\A|(?<=\n)|[ \t])#[^\n]*")
_BLANKS = " \t\n"
_LEADING = regex(r"\A(?:[ \t\n]+|(?:\A|(?<=[ \t\n]))#[^\n]*)+")  # blanks and comments before a value
_ENTRY = regex(r"(?:\A|\n)[ \t]*-(?=[ \t\n]|\Z)")
_MARK = regex(r"(?:---|\.\.\.)(?=[ \t]|\Z)|%")
_LINES = 200  # of one scalar, or of a list in brackets
_MOST = 2_000  # lines of one key
_LONGEST = 1_024  # characters of a key, as in YAML itself
_HEX = 16


def fields(text: str) -> dict[str, str]:
    """Key → scalar of the top level; lists of scalars are joined with `, `; what lies deeper is empty."""
    found: dict[str, str] = {}
    anchors: dict[str, str] = {}
    for key, value in _pairs(text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")):
        found[key] = ", ".join(filter(None, _values(value, anchors)))
    return found


def _pairs(lines: list[str]) -> list[tuple[str, str]]:
    """Every key of the top level with the text that belongs to it: the rest of its line and the deeper lines."""
    pairs: list[tuple[str, list[str]]] = []
    for line in lines:
        continues = bool(pairs) and len(pairs[-1][1]) <= _LINES and _is_open("\n".join(pairs[-1][1]))
        if not continues and _MARK.match(line):
            if line.startswith("...") and pairs:
                break
            continue
        pair = None if line[:1] in ("", " ", "\t", "#") or continues else _KEY.match(line[:_LONGEST])
        if pair is not None:
            single, double, plain = pair.groups()
            key = (
                single.replace("''", "'") if single is not None else _unescaped(double) if double is not None else plain
            )
            pairs.append((key, [line[pair.end() :]]))
        elif pairs and len(pairs[-1][1]) < _MOST and (line[:1] in (" ", "\t", "", "-", "#") or continues):
            pairs[-1][1].append(line)
    return [(key, "\n".join(value)) for key, value in pairs]


def _is_open(value: str) -> bool:
    """Whether a quoted scalar or a flow collection goes on in the next line."""
    value = _without_properties(value, {})[0]
    if value[:1] in ("'", '"'):
        return _QUOTED.match(value) is None
    if value[:1] not in ("[", "{"):
        return False
    plain = _COMMENT.sub("", _QUOTED.sub("", value))
    return sum(map(plain.count, "[{")) > sum(map(plain.count, "]}"))


def _without_properties(value: str, anchors: dict[str, str]) -> tuple[str, str]:
    """The text behind anchors and tags, and the name of the anchor."""
    value = value.lstrip(" \t")
    name = ""
    for _ in range(2):  # an anchor and a tag
        if found := _PROPERTY.match(value):
            name = found[1] or name
            value = value[found.end() :]
    if value[:1] == "*":
        value = f"'{anchors.get(value[1:].partition(' ')[0].partition(chr(10))[0], '')}'"
    return value, name


def _values(value: str, anchors: dict[str, str]) -> list[str]:
    value, name = _without_properties(value, anchors)
    head = _LEADING.sub("", value)
    if head[:1] in ("|", ">", "{"):
        return []
    if head[:1] == "[":
        return _flow(head[1:], anchors)
    if head[:1] in ("'", '"'):
        scalar = _quoted(head)
    elif head.startswith(("- ", "-\n")) or head == "-":
        return [entry for item in _items(head) for entry in _entry(item, anchors)]
    elif head != value and _KEY.match(head[:_LONGEST].partition("\n")[0]):
        return []  # a mapping
    else:
        scalar = _plain(head)
    if name:
        anchors[name] = scalar
    return [scalar]


def _items(block: str) -> Iterator[str]:
    """The text of each entry of a block list."""
    found = _ENTRY.search(block)
    while found:
        start = found.end()
        value = _without_properties(_LEADING.sub("", block[start:]), {})[0]
        quoted = _QUOTED.match(value)  # whose next line may begin as an entry does
        behind = len(block) - len(value) + quoted.end() if quoted else start
        found = _ENTRY.search(block, behind)
        yield block[start : found.start()] if found else block[start:]


def _entry(item: str, anchors: dict[str, str]) -> list[str]:
    """The scalar of one entry of a block list; a collection in it is deeper."""
    value = _LEADING.sub("", item).rstrip(_BLANKS)
    deeper = (
        value[:1] in ("[", "{") or value.startswith(("- ", "-\n")) or _KEY.match(value[:_LONGEST].partition("\n")[0])
    )
    return [] if deeper else _values(value, anchors)


def _flow(value: str, anchors: dict[str, str]) -> list[str]:
    """The scalars of a flow list."""
    found: list[str] = []
    value = value.lstrip(_BLANKS)
    while value and value[0] != "]":
        value = _without_properties(value, anchors)[0]
        quoted = _QUOTED.match(value)
        if quoted:
            found.append(_quoted(quoted[0]))
            rest = value[quoted.end() :]
            value = rest.lstrip(_BLANKS)
        else:
            end = re.search(r"[,\]]|\Z", value)
            at = end.start() if end else len(value)
            found.append(_plain(value[:at]))
            value = value[at:]
        value = value.lstrip(_BLANKS)
        value = value[1:].lstrip(_BLANKS) if value[:1] == "," else "" if value[:1] != "]" else value
    return found


def _quoted(value: str) -> str:
    closed = _QUOTED.match(value)
    if closed is None:
        return _folded(value[1:])
    if closed[1] is not None:
        return _folded(closed[1]).replace("''", "'")
    parts: list[str] = []
    at = 0
    for escape in _ESCAPE.finditer(closed[2]):
        parts += [closed[2][at : escape.start()], "\0" if escape[1][0] == "\n" else escape[0]]
        at = escape.end()
    parts.append(closed[2][at:])
    return _unescaped(_folded("".join(part for part in parts if part != "\0")))


def _folded(value: str) -> str:
    """A line break is a blank, and each empty line a line break."""
    return _BREAKS.sub(lambda breaks: "\n" * breaks[1].count("\n") or " ", value)


def _plain(value: str) -> str:
    return _folded("\n".join(_COMMENT.sub("", line) for line in value.split("\n")).strip(_BLANKS))


def _unescaped(value: str) -> str:
    def character(found: "re.Match[str]") -> str:
        code = found[1]
        if len(code) == 1:
            return _ESCAPED.get(code, code)
        number = int(code[1:], _HEX)
        return chr(number) if number <= 0x10FFFF else "\ufffd"

    return _ESCAPE.sub(character, value)
