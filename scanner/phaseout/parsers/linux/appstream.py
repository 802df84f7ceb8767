"""Name, version and developer in the metadata of an application for software centres.

References:
    https://www.freedesktop.org/software/appstream/docs/chap-Metadata.html (name, developer, releases)
"""

from typing import NamedTuple


class Component(NamedTuple):
    """What the file says, in no particular language; empty what it does not say."""

    name: str
    version: str  # of the first release, which is the newest
    developer: str


class _EnoughError(Exception):
    """All that is wanted was read."""


def component(data: bytes) -> Component | None:
    """The first component of the XML; `None` where it is no XML. Declarations of entities are refused."""
    from xml.parsers import expat

    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = reader.entity
    try:
        parser.Parse(data, True)
    except _EnoughError:
        pass
    except (expat.ExpatError, ValueError):
        return None
    return Component(*(" ".join(reader.found.get(what, "").split()) for what in ("name", "version", "developer")))


_WANTED = {
    ("name",): "name",
    ("developer_name",): "developer",  # before AppStream 1.0
    ("developer", "name"): "developer",
}


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._path: list[str] = []
        self._wanted = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in ("component", "application"):
            self._path.clear()
            return
        self._path.append(tag)
        self._wanted = ""
        if len(self._path) > 2:
            return
        if self._path == ["releases", "release"]:
            self.found.setdefault("version", attributes.get("version", ""))
        elif "xml:lang" not in attributes:
            wanted = _WANTED.get(tuple(self._path), "")
            self._wanted = "" if wanted in self.found else wanted
        if len(self.found) == 3:
            raise _EnoughError

    def text(self, text: str) -> None:
        if self._wanted:
            self.found[self._wanted] = self.found.get(self._wanted, "") + text

    def end(self, tag: str) -> None:
        if tag in ("component", "application"):
            raise _EnoughError
        if self._path:
            self._path.pop()
        self._wanted = ""

    @staticmethod
    def entity(*_: object) -> None:
        raise ValueError("entities are refused")
