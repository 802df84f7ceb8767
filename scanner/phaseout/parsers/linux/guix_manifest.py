r"""The manifest of a profile of Guix: an S-expression, which is read and never evaluated.

References:
    guix/profiles.scm of https://git.savannah.gnu.org/cgit/guix.git (`manifest->gexp`, `sexp->manifest`)
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from phaseout.model.quoting import quoted
from phaseout.model.regex import regex

_TOKEN = regex(r';[^\n]*|\s+|[()]|"(?:[^"\\]|\\.)*"|#?\'|`|,@?|[^\s()";]+', re.DOTALL)
_ESCAPE = regex(r"\\(.)", re.DOTALL)
_DEPTH = 200
_TOKENS = 2_000_000


class Symbol(str):
    """A word outside of quotes."""

    __slots__ = ()


class Package(NamedTuple):
    """One package: `wanted` is false for one that another one propagates."""

    name: str
    version: str
    output: str
    path: str
    wanted: bool


def packages(data: bytes) -> list[Package]:
    """The packages of a profile, those that others propagate included.

    Raises:
        ValueError: it is not a manifest of a known version.
    """
    top = _read(data.decode("utf-8", "backslashreplace"))
    if not isinstance(top, list) or top[:1] != [Symbol("manifest")]:
        raise ValueError("no manifest")
    entries = _member(top, "packages")
    if not entries or not isinstance(entries[0], list):
        raise ValueError("a manifest without a list of packages")
    found: dict[tuple[str, str, str], Package] = {}
    for package in _entries(entries[0], wanted=True):
        found.setdefault((package.name, package.version, package.path), package)
    return list(found.values())


def _entries(entries: "list[object]", *, wanted: bool) -> Iterator[Package]:
    for entry in entries:
        if not isinstance(entry, list) or not entry:
            continue
        head = entry[1:] if entry[0] == Symbol("repeated") else entry
        strings = [part for part in head if isinstance(part, str) and not isinstance(part, Symbol)]
        if len(strings) < 3:
            if strings:
                raise ValueError(f"an entry of another form: {quoted(strings[0], 40)}")
            continue
        output = strings[2] if len(strings) > 3 else "out"
        yield Package(strings[0], strings[1], output, strings[3] if len(strings) > 3 else strings[2], wanted)
        propagated = _member(entry, "propagated-inputs")
        if propagated and isinstance(propagated[0], list):
            yield from _entries(propagated[0], wanted=False)


def _member(node: "list[object]", name: str) -> "list[object]":
    """What follows a symbol at the head of one of the lists in a list."""
    for part in node:
        if isinstance(part, list) and part[:1] == [Symbol(name)]:
            return part[1:]
    return []


def _read(text: str) -> object:
    """The first expression."""
    stack: list[list[object]] = [[]]
    at = count = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        count += 1
        if token is None or count > _TOKENS:
            raise ValueError("no S-expression, or one that is too large")
        word = token[0]
        at = token.end()
        if word == "(":
            if len(stack) > _DEPTH:
                raise ValueError("lists that are nested too deeply")
            stack.append([])
        elif word == ")":
            if len(stack) < 2:
                raise ValueError("a closing parenthesis too many")
            done = stack.pop()
            stack[-1].append(done)
            if len(stack) == 1:
                return done
        elif word[0] == '"':
            stack[-1].append(_ESCAPE.sub(lambda escape: {"n": "\n", "t": "\t"}.get(escape[1], escape[1]), word[1:-1]))
        elif word[0] not in "; \t\r\n\f\v'`,#" or word[:2] in ("#t", "#f"):
            stack[-1].append(Symbol(word))
    raise ValueError("an expression that does not end")
