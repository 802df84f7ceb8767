r"""Tasks of the Windows task scheduler: the files below `System32\Tasks`, and what only the registry knows.

An item for every action of a task, and one for a task without any. `leftover` is one whose program is gone, and one
that stands in the registry only: Windows keeps each task in both, and takes what it runs from the registry, so such a
one may still run.

References:
    [MS-TSCH] 2.5; https://learn.microsoft.com/windows/win32/taskschd/security-contexts-for-running-tasks
    https://cyber.wtf/2022/06/01/windows-registry-analysis-todays-episode-tasks/ (TaskCache)
"""

from collections.abc import Callable, Iterator

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, IdType, Item, LeftOut, Problem
from phaseout.parsers.windows.image_path import absolute, for_user, program
from phaseout.parsers.windows.packed_guid import guid
from phaseout.parsers.windows.task_actions import actions
from phaseout.parsers.windows.task_xml import Action, Task, task
from phaseout.sources.kit.missing_files import gone_from
from phaseout.sources.source import Source, Trace

_CACHE = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Schedule\TaskCache"
_FILES = r"System32\Tasks"
_JOBS = "Tasks"
_DEPTH = 32
_LIMIT = 20_000
_SIZE = 1 << 20
_ACCOUNTS = {
    "s-1-5-18": "SYSTEM",
    "system": "SYSTEM",
    "s-1-5-19": "LOCAL SERVICE",
    "local service": "LOCAL SERVICE",
    "s-1-5-20": "NETWORK SERVICE",
    "network service": "NETWORK SERVICE",
}


def collect(host: Host) -> Iterator[Trace]:
    """An item for every action of every task."""
    gone = gone_from(host)
    windows = host.variables.get("systemroot", "")
    top = rf"{windows}\{_FILES}"
    seen: set[str] = set()
    for folder, entries in host.files.walk(top, _DEPTH, _LIMIT):
        for name, kind in entries:
            if kind == "dir":
                continue
            path = rf"{folder}\{name}"
            uri = path[len(top) :]
            seen.add(uri.lower())
            data = host.files.read(path, _SIZE)
            if data is None:
                yield Problem(path, "a task that is listed and cannot be read", "error")
                continue
            try:
                found = task(data)
            except ValueError as error:
                yield Problem(path, str(error))
                yield LeftOut("damaged")
                continue
            yield from _items(host, uri, found, Evidence(path, found.author), gone)
    yield from _only_in_registry(host, seen, gone)
    jobs = sum(entry.name.lower().endswith(".job") for entry in host.files.list(rf"{windows}\{_JOBS}"))
    if jobs:
        where = rf"{windows}\{_JOBS}"
        yield Problem(where, f"{jobs} jobs of the scheduler before Windows Vista, which are not read", "unsupported")


def _items(
    host: Host, uri: str, found: Task, evidence: Evidence, gone: Callable[[str], bool], note: str = ""
) -> Iterator[Item]:
    user, variables = _user(host, found.user)
    folder, _, name = uri.rpartition("\\")
    for action in found.actions or (Action(),):
        path = program(action.command, variables) or absolute(action.command, variables)
        ids: dict[IdType, str] = {"clsid": action.clsid.upper()}
        yield Item(
            kind="task",
            name=name,
            state="leftover" if note or gone(path) else "installed",
            vendor=_vendor(host, found.author),
            path=path,
            user=user,
            command=f"{action.command} {action.arguments}".strip(),
            ids=ids,
            details={
                "folder": folder or "\\",
                "author": found.author,
                "description": found.description,
                "group": found.group,
                "enabled": "" if found.enabled else "no",
                "note": note,
            },
            evidence=(evidence,),
        )


def _user(host: Host, told: str) -> tuple[str, dict[str, str]]:
    r"""The name of an account that is told as SID, name or `DOMAIN\name`, and the variables as it sees them."""
    account = _ACCOUNTS.get(told.rpartition("\\")[2].lower())
    if account is not None or not told:
        return account or "", dict(host.variables)
    name = told.rpartition("\\")[2].lower()
    for user in host.users:
        if user.sid and user.home and (user.sid == told or user.name.lower() == name):
            return user.name, for_user(host.variables, user.home)
    return told, dict(host.variables)


def _vendor(host: Host, author: str) -> str:
    r"""The author, unless that is a person, as in `MACHINE\ada`, or only stands in a file (`$(@…dll,-100)`)."""
    if "\\" in author or author.startswith(("$(", "@")) or author.lower() in {user.name.lower() for user in host.users}:
        return ""
    return author


def _only_in_registry(host: Host, seen: set[str], gone: Callable[[str], bool]) -> Iterator[Trace]:
    registry = host.registry
    cache = registry.key(_CACHE) if registry is not None else None
    if cache is None:
        return
    tasks = cache.child("Tasks")
    for entry in tasks.subkeys() if tasks is not None else ():
        uri = entry.text("Path")
        if uri.lower() in seen:
            continue  # told by its file
        if not uri.strip("\\"):
            if not guid(entry.name) or not entry.values():
                yield LeftOut("an empty entry")
                continue
            uri = f"\\{entry.name}"
        found: tuple[Action, ...] = ()
        stored = entry.value("Actions")
        if isinstance(stored, bytes) and stored:
            try:
                found = actions(stored)
            except ValueError as error:
                yield Problem(entry.path, f"Actions: {error}")
        told = Task(entry.text("Author"), entry.text("Description"), "", "", enabled=_enabled(entry), actions=found)
        yield from _items(host, uri, told, Evidence(entry.path, f"Path: {uri}"), gone, "in the registry only")


def _enabled(entry: Key) -> bool:
    return entry.value("Enabled") != 0


SOURCE = Source(
    name="scheduled_tasks",
    title="Scheduled tasks of Windows",
    platforms=("windows",),
    kinds=("task",),
    needs=("registry",),
    reads=(rf"C:\Windows\{_FILES}\**", rf"C:\Windows\{_JOBS}", rf"{_CACHE}"),
    limits="What a task's COM object is, and what a script starts in turn, is not followed.",
    collect=collect,
)
