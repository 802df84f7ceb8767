r"""What a profile of Nix holds: `manifest.json` of `nix profile`, `manifest.nix` of `nix-env`.

References:
    src/nix/profile.md and src/nix-env/user-env.cc of https://github.com/NixOS/nix; captures of Nix 2.8 and 2.26
"""

import re
from typing import NamedTuple

from phaseout.model.regex import regex
from phaseout.parsers.encodings.lenient_json import decode, member, text
from phaseout.parsers.linux.store_name import store_name

_STRING = r'"((?:[^"\\]|\\.)*)"'
_FIELD = regex(rf"\b(name|outPath|homepage|description)\s*=\s*{_STRING}\s*;", re.DOTALL)
_TYPE = regex(r'\btype\s*=\s*"derivation"\s*;')
_ESCAPE = regex(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


class Element(NamedTuple):
    """One package of a profile: its name with version as in the store, and its path there."""

    name: str
    path: str
    homepage: str = ""
    origin: str = ""


def manifest_json(data: bytes) -> list[Element]:
    """The packages of `nix profile`; the ones that are switched off are not in the profile.

    Raises:
        ValueError: it is not JSON, or has no list or object of elements.
    """
    elements = member(decode(data), "elements")
    if isinstance(elements, dict):  # since version 3
        elements = list(elements.values())
    if not isinstance(elements, list):
        raise ValueError("no elements")  # noqa: TRY004  (damage)
    found: dict[tuple[str, str], Element] = {}
    for element in elements:
        if member(element, "active") is False:
            continue
        origin = text(member(element, "originalUrl")) or text(member(element, "originalUri"))
        paths = member(element, "storePaths")
        for path in paths if isinstance(paths, list) else ():
            if isinstance(path, str):
                found.setdefault((store_name(path), path), Element(store_name(path), path, "", origin))
    return list(found.values())


def manifest_nix(data: bytes) -> list[Element]:
    """The packages of `nix-env`: every derivation in the list that the expression is.

    Raises:
        ValueError: the file is not such a list.
    """
    written = data.decode("utf-8", "backslashreplace").strip()
    if not written.startswith("[") or not written.endswith("]"):
        raise ValueError("no list of derivations")
    found: list[Element] = []
    start = 0
    for end in _TYPE.finditer(written):
        fields: dict[str, str] = {}
        for field in _FIELD.finditer(written, start, end.start()):
            # The last outPath is that of the derivation, after those of its outputs.
            fields[field[1]] = _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), field[2])
        start = end.end()
        if fields.get("name"):
            found.append(Element(fields["name"], fields.get("outPath", ""), fields.get("homepage", "")))
    if not found and len(written) > 2 and written[1:-1].strip():
        raise ValueError("no derivation in the list")
    return found
