"""`META-INF/plugin.xml` of a JetBrains plugin.

References:
    https://plugins.jetbrains.com/docs/intellij/plugin-configuration-file.html
"""

from typing import NamedTuple

from phaseout.model.quoting import quoted
from phaseout.parsers.encodings.xml_elements import elements


class Plugin(NamedTuple):
    """What the file says; empty what it does not say. A plugin without identifier goes by its name."""

    id: str
    name: str
    version: str
    vendor: str


def plugin(data: bytes) -> Plugin:
    """The plugin.

    Raises:
        ValueError: it is not XML, or not that of a plugin.
    """
    found: dict[str, str] = {}
    for element in elements(data):
        root, _, name = element.path.partition("/")
        if root != "idea-plugin":
            raise ValueError(f"not a plugin but {quoted(root, 40)}")
        if name in ("id", "name", "version", "vendor"):
            found.setdefault(name, " ".join(element.text.split()))
    id_, name, version, vendor = (found.get(tag, "") for tag in ("id", "name", "version", "vendor"))
    return Plugin(id_ or name, name or id_, version, vendor)
