"""The description of a NuGet package, as Chocolatey keeps it beside every package.

References:
    https://learn.microsoft.com/nuget/reference/nuspec (General form and schema)
"""

from phaseout.parsers.encodings.xml_elements import elements

_WANTED = frozenset(("id", "version", "title", "authors", "owners", "projecturl"))


def metadata(data: bytes) -> dict[str, str]:
    """Name in lower case → text of what the `metadata` says.

    Raises:
        ValueError: it is not XML.
    """
    found: dict[str, str] = {}
    for element in elements(data):
        _, *names = element.path.lower().split("/")
        if len(names) == 2 and names[0] == "metadata" and names[1] in _WANTED:
            found[names[1]] = found.get(names[1], "") + element.text
    return {name: " ".join(value.split()) for name, value in found.items()}
