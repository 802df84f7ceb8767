"""What a source is: one place where software leaves a trace."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from phaseout.model.nouns import Item, Kind, LeftOut, Platform, Problem

if TYPE_CHECKING:
    from phaseout.host import Host


class Moved(NamedTuple):
    """A folder that lies elsewhere than usual, as `Files.placed` shows it.

    Attributes:
        folder: where it lies.
        at: where the sources find it.
        sources: the sources that read such a folder, by name.
        named_by: the file that says where it lies; empty where none does.
    """

    folder: str
    at: str
    sources: tuple[str, ...]
    named_by: str


class Inside(NamedTuple):
    """A host within the host, such as a container: the runner scans it with the sources of `sources.INSIDE`.

    Their items count for the source that yielded this. `name` says in words where it was seen, `user` whose it is.
    With `moved` it is no system but one folder, and its sources are named there.
    """

    name: str
    user: str
    host: "Host"
    moved: Moved | None = None


Trace = Item | Problem | LeftOut | Inside
Need = Literal["live", "offline", "processes", "registry"]


class Source(NamedTuple):
    """A value that says what it reads, and a function that reads it. Its metadata is known without running it.

    Attributes:
        name: short, as in `--source NAME`.
        title: what it lists, in a few words.
        platforms: the systems it may be found on.
        kinds: the kinds of its items.
        needs: what the host must be able to do; without it the source is skipped with that reason.
        reads: the places it reads, as glob patterns of target paths; `~` stands for the home of every user, and what
            ends with a slash for folders alone.
        limits: one sentence on what it cannot see.
        collect: gives every row that it reads as an `Item` or a `LeftOut`, and a `Problem` for what it cannot read.
            Files that cannot be read are reported by `host.files` itself; a damaged record is a `Problem` plus
            `LeftOut("damaged")`, and the next record is read.
    """

    name: str
    title: str
    platforms: tuple[Platform, ...]
    kinds: tuple[Kind, ...]
    needs: tuple[Need, ...]
    reads: tuple[str, ...]
    limits: str
    collect: "Callable[[Host], Iterator[Trace]]"
