"""The first of many: what lies behind a limit is said, since it may hide software."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from phaseout.host import Host
from phaseout.model.nouns import Problem

_T = TypeVar("_T")


def limited(host: Host, where: str, values: Iterable[_T], most: int) -> Iterator[_T]:
    """The values, and a problem in place of those behind the first `most`."""
    for count, value in enumerate(values):
        if count == most:
            host.files.problems.append(Problem(where, f"more than {most:,} entries: the rest was not read", "limit"))
            return
        yield value
