"""What a package for Node.js says of itself in its `package.json`.

References:
    https://docs.npmjs.com/cli/configuring-npm/package-json (people fields: `Name <mail> (url)`, or an object)
"""

from typing import Any, NamedTuple

from phaseout.parsers.encodings.lenient_json import decode, member, text
from phaseout.parsers.encodings.purl import purl


class Package(NamedTuple):
    """What it says; empty where it says nothing. `vendor` is the author, else the maintainers."""

    name: str
    version: str
    vendor: str
    homepage: str


def package(data: bytes) -> Package:
    """The package of a `package.json`.

    Raises:
        ValueError: it is not a JSON object; the text says why.
    """
    found = decode(data, dict[str, Any])
    people = found.get("maintainers")
    maintainers = map(_person, people if isinstance(people, list) else [])
    vendor = _person(found.get("author")) or ", ".join(filter(None, maintainers))
    return Package(text(found.get("name")), text(found.get("version")), vendor, text(found.get("homepage")))


def npm_purl(name: str, version: str) -> str:
    """`pkg:npm/%40scope/name@1.0`: in a package URL the `@` of a scope is written out."""
    return purl("npm", name, version)


def _person(value: Any) -> str:
    """The name of a person, given as a string or as an object."""
    told = text(value) or text(member(value, "name"))
    return told.partition("<")[0].partition("(")[0].strip() or told.strip()
