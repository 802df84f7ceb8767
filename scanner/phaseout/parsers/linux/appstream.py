"""Name, version and developer in the metadata of an application for software centres.

References:
    https://www.freedesktop.org/software/appstream/docs/chap-Metadata.html (name, developer, releases)
"""

from typing import NamedTuple

from phaseout.model.regex import regex
from phaseout.parsers.encodings.xml_elements import elements


class Component(NamedTuple):
    """What the file says, in no particular language; empty what it does not say."""

    name: str
    version: str  # of the first release, which is the newest
    developer: str


_COMPONENT = regex(r"(?:.*/)?(?:component|application)(?:/|$)")
_WANTED = {
    "name": "name",
    "developer_name": "developer",  # before AppStream 1.0
    "developer/name": "developer",
    "releases/release": "version",
}


def component(data: bytes) -> Component | None:
    """The first component of the XML; `None` where it is not XML."""
    found: dict[str, str] = {}
    try:
        for element in elements(data):
            inside = _COMPONENT.match(element.path)
            below = element.path[inside.end() :] if inside else ""
            if inside and not below:
                break
            wanted = _WANTED.get(below, "")
            if wanted == "version":
                found.setdefault(wanted, element.attributes.get("version", ""))
            elif wanted and "xml:lang" not in element.attributes:
                found.setdefault(wanted, element.text)
            if len(found) == len(Component._fields):
                break
    except ValueError:
        return None
    return Component(*(" ".join(found.get(what, "").split()) for what in ("name", "version", "developer")))
