"""Running processes, those in containers and those whose executable is gone included.

References:
    https://psutil.readthedocs.io/
"""

import datetime as dt
from collections.abc import Iterator

from scanner.host import Host
from scanner.model import Evidence, Item, Problem
from scanner.sources.source import Source, Trace


def collect(host: Host) -> Iterator[Trace]:
    """An item for every process; one problem for each attribute that some of them hide."""
    hidden: dict[str, int] = {}
    for process in host.processes() if host.processes else ():
        for what in process.unreadable:
            hidden[what] = hidden.get(what, 0) + 1
        details = {"pid": str(process.pid)}
        if process.started:
            details["started"] = dt.datetime.fromtimestamp(process.started, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if process.container:
            details["container"] = process.container
        if process.deleted:
            details["deleted"] = "the executable was removed or replaced"
        if process.told:
            details["path"] = "told by the command line: the executable is hidden from everybody"
        if process.kernel:
            details["kernel"] = "a thread of the kernel"
        yield Item(
            kind="process",
            name=process.name or f"process {process.pid}",
            state="running",
            path=process.exe,
            user=process.user,
            command=" ".join(process.command),
            details=details,
            evidence=(Evidence(f"process {process.pid}", process.exe or process.name),),
        )
    for what, count in sorted(hidden.items()):
        yield Problem("processes", f"permission denied: {_WORDS.get(what, what)} of {count}")


_WORDS = {"exe": "the executable", "command": "the command line", "user": "the user", "started": "the start time"}

SOURCE = Source(
    name="processes",
    title="Running processes",
    platforms=("linux", "macos", "windows"),
    kinds=("process",),
    needs=("processes",),
    reads=(),
    limits="A process that ends before it is read is not seen, nor are those of other users' sandboxes.",
    collect=collect,
)
