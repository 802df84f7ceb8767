"""The description of a NuGet package, as Chocolatey keeps it beside every package.

References:
    https://learn.microsoft.com/nuget/reference/nuspec (General form and schema)
"""

_WANTED = frozenset(("id", "version", "title", "authors", "owners", "projecturl"))


def metadata(data: bytes) -> dict[str, str]:
    """Name in lower case → text of what the `metadata` says; of the rest nothing.

    Raises:
        ValueError: it is no such XML, or declares entities. What was read up to there is not given.
    """
    from xml.parsers import expat

    found: dict[str, str] = {}
    path: list[str] = []

    def start(tag: str, _: dict[str, str]) -> None:
        path.append(tag.rpartition(":")[2].lower())

    def end(_: str) -> None:
        path.pop()

    def text(piece: str) -> None:
        if len(path) == 3 and path[1] == "metadata" and path[2] in _WANTED:
            found[path[2]] = found.get(path[2], "") + piece

    def entity(*_: object) -> None:
        raise ValueError("it declares entities")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError) as error:
        raise ValueError(str(error)) from None
    return {name: " ".join(value.split()) for name, value in found.items()}
