"""Property lists as sources read them: one that is empty has no entries, one that is damaged is a problem."""

from collections.abc import Generator, Mapping
from typing import Any

from phaseout.host import Host
from phaseout.model.nouns import Problem
from phaseout.parsers.encodings.property_list import mapping


def dictionary(host: Host, path: str, limit: int) -> Generator[Problem, None, Mapping[str, Any] | None]:
    """The dictionary in a file; `None` where there is no file, or none that can be read. Problems are yielded."""
    data = host.files.read(path, limit)
    if data is None:
        return None
    if not data.strip():
        return {}
    values = mapping(data)
    if values is None:
        yield Problem(path, "is damaged: no property list with a dictionary", "damaged")
    return values
