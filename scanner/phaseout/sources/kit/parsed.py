"""Reads a file and parses it, and says the same of every file and record that is damaged."""

from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

from phaseout.host import Host
from phaseout.model.nouns import LeftOut, Problem

_T = TypeVar("_T")
_LIMIT = 16 << 20


def parsed(
    host: Host, path: str, parse: Callable[[bytes], _T], limit: int = _LIMIT, *, hides: bool = True
) -> Generator[Problem | LeftOut, None, _T | None]:
    """Reads a file and returns what `parse` makes of it; its problems are yielded on the way.

    `None` where there is no such file, where it could not be read (the host keeps that problem itself), and where
    `parse` raised `ValueError`, which becomes a problem. That hides nothing where the file only adds to an item.
    """
    data = host.files.read(path, limit)
    if data is None:
        return None
    try:
        return parse(data)
    except ValueError as error:
        why = f"is damaged: {error}"
        yield from damaged(path, why) if hides else (Problem(path, why, "damaged", hides=False),)
        return None


def damaged(where: str, why: str) -> Iterator[Problem | LeftOut]:
    """The problem and the row of a file or record that cannot be used; the source goes on with the next one."""
    yield Problem(where, why, "damaged")
    yield LeftOut("damaged")
