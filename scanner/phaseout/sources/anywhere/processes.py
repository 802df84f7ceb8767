"""Running processes, those in containers and those whose executable is gone included; on request what they have loaded.

What a process has loaded is one item for each file, however many processes have it, so that an engine inside another
program is seen. What belongs to the operating system is left out.

References:
    https://psutil.readthedocs.io/, proc_pid_maps(5)
"""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from phaseout.host import Host
from phaseout.host.processes.process import Process
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.sources.kit.executable_identity import identity_from
from phaseout.sources.source import Source, Trace

if TYPE_CHECKING:
    from phaseout.host.windows.executables import Identity

_NAMED = 10  # processes of one library
_WORDS = {
    "exe": "the executable",
    "command": "the command line",
    "user": "the user",
    "started": "the start time",
    "modules": "the loaded modules",
}
_SYSTEM = ("/usr/", "/lib/", "/lib32/", "/lib64/", "/libx32/", "/bin/", "/sbin/")
_OURS = "/usr/local/"  # is the administrator's


def collect(host: Host) -> Iterator[Trace]:
    """An item for every process and every library; one problem for each attribute that some of them hide."""
    hidden: dict[str, int] = {}
    loaded: dict[tuple[str, str], list[Process]] = {}
    identity = identity_from(host)
    first = host.info.platform != "linux"
    for process in host.processes() if host.processes else ():
        if isinstance(process, Problem):
            yield process
            continue
        first = first or process.pid == 1
        for what in process.unreadable:
            hidden[what] = hidden.get(what, 0) + 1
        yield _item(process, identity(process.exe))
        if host.modules and not process.kernel:
            paths = host.modules(process.pid)
            if paths is None:
                hidden["modules"] = hidden.get("modules", 0) + 1
            for path in paths or ():
                if path != process.exe:
                    loaded.setdefault((path, process.container), []).append(process)
    windows = host.variables.get("systemroot", "\0").lower() + "\\"
    for (path, container), processes in sorted(loaded.items()):
        if path.lower().startswith(windows) or (path.startswith(_SYSTEM) and not path.startswith(_OURS)):
            yield LeftOut("part of the operating system")
        else:
            yield _library(path, container, processes, identity)
    if not first:  # every Linux has it, and every container one of its own
        yield Problem(
            "processes", "/proc is mounted with hidepid and shows only the processes of this user", "permission"
        )
    for what, count in sorted(hidden.items()):
        yield Problem("processes", f"{_WORDS.get(what, what)} of {count} could not be read", "permission")


def _item(process: Process, identity: "Identity | None") -> Item:
    details = dict(identity.details) if identity else {}
    details["pid"] = str(process.pid)
    if process.started:
        details["started"] = dt.datetime.fromtimestamp(process.started, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if process.container:
        details["container"] = process.container
    if process.deleted:
        details["deleted"] = "the executable was removed or replaced"
    if process.from_command:
        details["path"] = "from the command line: the executable itself is hidden"
    if process.kernel:
        details["kernel"] = "a thread of the kernel"
    return Item(
        kind="process",
        name=process.name or f"process {process.pid}",
        state="running",
        vendor=identity.company if identity else "",
        version=identity.version if identity else "",
        path=process.exe,
        user=process.user,
        command=_line(process.command),
        signer=identity.signer if identity else "",
        details=details,
        evidence=(Evidence(f"process {process.pid}", process.exe or process.name),),
    )


def _line(words: tuple[str, ...]) -> str:
    """The words of a command, in quotes where they hold white space, so that a password is masked to its end."""
    quoted = ('"' + word.replace('"', '\\"') + '"' if len(word.split(None, 1)) > 1 else word for word in words[1:])
    return " ".join((*words[:1], *quoted))


def _library(path: str, container: str, processes: list[Process], identify: Callable[[str], "Identity | None"]) -> Item:
    identity = identify(path)
    shown = [f"{one.name} ({one.pid})" for one in processes[:_NAMED]]
    if len(processes) > _NAMED:
        shown.append(f"and {len(processes) - _NAMED} more")
    details = dict(identity.details) if identity else {}
    details["loaded_by"] = ", ".join(shown)
    if container:
        details["container"] = container
    return Item(
        kind="library",
        name=path.replace("\\", "/").rpartition("/")[2] or path,
        state="running",
        vendor=identity.company if identity else "",
        version=identity.version if identity else "",
        path=path,
        signer=identity.signer if identity else "",
        details=details,
        evidence=(Evidence(f"process {processes[0].pid}", path),),
    )


SOURCE = Source(
    name="processes",
    title="Running processes",
    platforms=("linux", "macos", "windows"),
    kinds=("process", "library"),
    needs=("processes",),
    reads=(),
    limits="A process that ends before it is read is not seen; what others have loaded is listed with --modules only.",
    collect=collect,
)
