"""What the supervisor asks of its workers, and what they send back."""

from msgspec import Struct

from phaseout.model.nouns import HostInfo, Item, Kind, Platform, Problem, SourceRun


class Request(Struct, frozen=True, kw_only=True):
    """What to scan. Without root and image it is the live machine; without names in `only` all sources run."""

    root: str | None = None
    image: str | None = None  # a file, and behind a colon the part of it that is meant
    platform: Platform | None = None
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    low_priority: bool = False
    deep: bool = False  # see `Host.deep`
    modules: bool = False  # see `Host.modules`
    hardware_ids: bool = True  # whether serial number and SMBIOS UUID belong to the identity
    mask: bool = True  # whether secrets in command lines and settings are masked
    began: float = 0.0  # when the scan began, in seconds since 1970; the supervisor fills it in
    done: tuple[str, ...] = ()  # sources that an earlier worker has run
    memory: int = 0  # bytes that the items of earlier workers take, as far as workers do not count together
    results: int = 0  # bytes of their messages


class Planned(Struct, frozen=True):
    """A source that will run, with what the supervisor needs if it never ends."""

    name: str
    title: str
    kinds: tuple[Kind, ...]


class Opened(Struct, frozen=True, tag=True):
    """The host is open; these are its sources, in the order of reports. `problems` arose while opening it."""

    host: HostInfo
    planned: tuple[Planned, ...]
    problems: tuple[Problem, ...]


class Refused(Struct, frozen=True, tag=True):
    """The request cannot be served, and why."""

    why: str


class Several(Struct, frozen=True, tag=True):
    """The image holds several hosts; each of these names one, as an image to ask for."""

    images: tuple[str, ...]


class Started(Struct, frozen=True, tag=True):
    """A source starts."""

    source: str


class Found(Struct, frozen=True, tag=True):
    """A source returned an item."""

    item: Item


class Ended(Struct, frozen=True, tag=True):
    """A source ended."""

    run: SourceRun


class Closed(Struct, frozen=True, tag=True):
    """No source is left for this worker; its peak memory, in bytes."""

    peak_memory: int


Message = Opened | Refused | Several | Started | Found | Ended | Closed
