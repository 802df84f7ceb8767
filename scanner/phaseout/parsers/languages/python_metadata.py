"""The head of a Python distribution's metadata: what it is, and who made it.

References:
    https://packaging.python.org/en/latest/specifications/core-metadata/; PEP 566 (the form is that of an e-mail);
    https://setuptools.pypa.io/en/latest/deprecated/python_eggs.html (names of eggs).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from phaseout.model.regex import regex

_HOME = regex(r"(?:home-?page|source(?: code)?|repository)[ \t]*,[ \t]*(\S+)", re.IGNORECASE)
_EGG = regex(r"-py\d+(?:\.\d+)*(?:-.*)?")


class Metadata(NamedTuple):
    """What the head says; empty where it says nothing. `vendor` is the author in words, else the maintainer."""

    name: str
    version: str
    vendor: str
    homepage: str


def metadata(data: bytes) -> Metadata:
    """The fields of the head. If a field is given twice, the first counts. The description below it is ignored."""
    head = b"\n" + data.removeprefix(b"\xef\xbb\xbf").partition(b"\n\n")[0].partition(b"\r\n\r\n")[0]
    folded = head.lower()

    def field(name: bytes) -> str:
        return next(_values(head, folded, name), "")

    vendor = (
        field(b"author")
        or _people(field(b"author-email"))
        or field(b"maintainer")
        or _people(field(b"maintainer-email"))
    )
    homepage = field(b"home-page") or next(
        (url[1] for value in _values(head, folded, b"project-url") if (url := _HOME.match(value))), ""
    )
    return Metadata(field(b"name"), field(b"version"), vendor, homepage)


def _values(head: bytes, folded: bytes, name: bytes) -> Iterator[str]:
    """What stands in the lines of a field. Searched for, as there may be a hundred lines of others."""
    start = b"\n" + name + b":"
    at = folded.find(start)
    while at >= 0:
        at += len(start)
        end = head.find(b"\n", at)
        value = head[at : end if end >= 0 else None].decode("utf-8", "backslashreplace").strip()
        yield "" if value == "UNKNOWN" else value  # what setuptools once wrote for nothing
        at = folded.find(start, at)


def from_name(entry: str) -> tuple[str, str]:
    """Name and version that the name of an `.egg-info`, `.dist-info` or `.egg` tells: `pip-23.0.1.dist-info`."""
    stem = entry.rpartition(".")[0]
    name, _, version = stem.partition("-")
    return name, _EGG.split(version)[0]


def _people(value: str) -> str:
    """`Ada, Bob` of `Ada <ada@example.org>, "Bob" <bob@example.org>`; the whole value where it names nobody."""
    names = [part.partition("<")[0].strip(' \t,"') for part in value.split(">") if "<" in part]
    return ", ".join(filter(None, names)) or value
