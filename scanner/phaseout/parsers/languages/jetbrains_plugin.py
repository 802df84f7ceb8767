"""`META-INF/plugin.xml` of a JetBrains plugin.

References:
    https://plugins.jetbrains.com/docs/intellij/plugin-configuration-file.html
"""

from typing import NamedTuple


class Plugin(NamedTuple):
    """What the file says; empty what it does not say. A plugin without identifier goes by its name."""

    id: str
    name: str
    version: str
    vendor: str


def plugin(data: bytes) -> Plugin:
    """The plugin. Declarations of entities are refused.

    Raises:
        ValueError: it is no XML, or no plugin's.
    """
    from xml.parsers import expat

    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = reader.entity
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError) as error:  # LookupError: an encoding that nobody knows
        raise ValueError(f"is damaged: {error}") from None
    id_, name, version, vendor = (
        " ".join("".join(reader.found.get(tag, ())).split()) for tag in ("id", "name", "version", "vendor")
    )
    return Plugin(id_ or name, name or id_, version, vendor)


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}
        self._depth = 0
        self._wanted: list[str] | None = None

    def start(self, tag: str, _: dict[str, str]) -> None:
        if self._depth == 0 and tag != "idea-plugin":
            raise ValueError(f"is no plugin but {tag[:40]!r}")
        if self._depth == 1 and tag in ("id", "name", "version", "vendor") and tag not in self.found:
            self._wanted = self.found[tag] = []
        self._depth += 1

    def text(self, text: str) -> None:
        if self._wanted is not None and self._depth == 2:
            self._wanted.append(text)

    def end(self, _: str) -> None:
        self._depth -= 1
        if self._depth == 1:
            self._wanted = None

    @staticmethod
    def entity(*_: object) -> None:
        raise ValueError("declares entities, which are refused")
