r"""Registry files of Wine (`system.reg`, `user.reg`): text that only looks like an export of regedit.

References:
    https://gitlab.winehq.org/wine/wine, server/registry.c (`load_keys`, `dump_value`) and server/unicode.c
    (`dump_strW`, `parse_strW`).
"""

import re
from collections.abc import Callable, Iterator

from phaseout.model.nouns import Problem
from phaseout.parsers.windows.registry_values import BINARY, Value, decode

_HEAD = b"WINE REGISTRY Version 2"
_KEY = re.compile(r"^\[((?:[^\]\\\n]|\\.)*)\][^\n]*\n?", re.MULTILINE)
_VALUE = re.compile(
    r'^(?:@|"(?P<name>(?:[^"\\\n]|\\.)*)")='
    r'(?:(?:str\((?P<kind>[0-9a-f]{1,8})\):)?"(?P<text>(?:[^"\\\n]|\\.)*)"'
    r"|dword:(?P<number>[0-9a-f]{1,8})"
    r"|hex(?:\((?P<type>[0-9a-f]{1,8})\))?:(?P<bytes>(?:[^\\\n]|\\\n)*))[ \t]*$",
    re.MULTILINE,
)
_LINE = re.compile(r"^(?:@|\")", re.MULTILINE)
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{1,4})|([0-7]{1,3})|(.))", re.DOTALL | re.IGNORECASE)
_LETTERS = {"a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_MULTI = 7


def wine_keys(data: bytes, wanted: Callable[[str], bool] = bool) -> Iterator[tuple[str, dict[str, Value]] | Problem]:
    r"""The keys whose path is wanted, with their values, and a problem for each that is damaged.

    Args:
        data: the file.
        wanted: is asked with each path in lower case, as it is below the root of the file (`software\wine`);
            by default all are.
    """
    if not data.startswith(_HEAD):
        yield Problem("registry of Wine", "does not begin as one", "damaged")
        return
    text = data.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    found = _KEY.search(text)
    while found is not None:
        following = _KEY.search(text, found.end())
        path = _plain(found[1])
        if wanted(path.lower()):
            body = text[found.end() : following.start() if following else len(text)]
            values: dict[str, Value] = {}
            for one in _VALUE.finditer(body):
                try:
                    values[_plain(one["name"] or "")] = _value(one)
                except ValueError as error:
                    yield Problem(path, f"a damaged value: {error}", "damaged")
            unread = len(_LINE.findall(body)) - len(values)
            if unread > 0:
                yield Problem(path, f"{unread} values cannot be read", "damaged")
            yield path, values
        found = following


def _value(found: re.Match[str]) -> Value:
    """The value of a line.

    Raises:
        ValueError: it is not what its type says.
    """
    if found["number"] is not None:
        return int(found["number"], 16)
    if found["text"] is not None:
        text = _plain(found["text"])
        if found["kind"] is not None and int(found["kind"], 16) == _MULTI:
            return tuple(part for part in text.split("\0") if part)
        return text.partition("\0")[0]
    data = bytes.fromhex(found["bytes"].replace("\\\n", " ").replace(",", " "))
    return decode(int(found["type"], 16) if found["type"] else BINARY, data)


def _plain(text: str) -> str:
    """A text without its escapes; what is no half of a character is put together."""
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(_unescaped, text)
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    if found[2]:
        return chr(int(found[2], 8))
    return _LETTERS.get(found[3], found[3])
