"""The files that a fleet is read from."""

from typing import NamedTuple


class Place(NamedTuple):
    """A file with inventories.

    Attributes:
        path: what `open_place` opens.
        alone: whether it is judged in this process, host by host: it may hold many hosts, or cannot be opened twice.
        also: further files that belong to it: each of several logs may hold a part of a host.
    """

    path: str
    alone: bool = False
    also: tuple[str, ...] = ()


class Listed(NamedTuple):
    """A file that may hold answers.

    Attributes:
        path: absolute, as the ledger knows it.
        size: in bytes.
        mtime: nanoseconds since 1970.
    """

    path: str
    size: int
    mtime: int
