r"""Tasks of the Windows Task Scheduler: the files below `System32\Tasks`, and what the registry has beside them.

Windows keeps each task in both, and takes what the task runs from the registry. So a task that is in the registry only,
or whose file is damaged, is read from there. There is an item for every action of a task, and one for a task without
any. A task is `leftover` if its program is gone.

References:
    [MS-TSCH] 2.5; https://learn.microsoft.com/windows/win32/taskschd/security-contexts-for-running-tasks
    https://cyber.wtf/2022/06/01/windows-registry-analysis-todays-episode-tasks/ (TaskCache)
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from phaseout.host import Host
from phaseout.model.nouns import Evidence, IdType, Item, LeftOut, Problem
from phaseout.parsers.windows.image_path import ENDINGS, absolute
from phaseout.parsers.windows.job_file import job
from phaseout.parsers.windows.packed_guid import guid
from phaseout.parsers.windows.task_actions import actions
from phaseout.parsers.windows.task_xml import Action, Task, task
from phaseout.sources.kit import windows_programs
from phaseout.sources.kit.executable_identity import identity_from
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.parsed import damaged, parsed
from phaseout.sources.kit.windows_programs import Programs, variables_of
from phaseout.sources.kit.windows_registry import decoration, registry_of, subkeys
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


class _Record(NamedTuple):
    """A task, its path among the tasks, where it was read, and what is odd about it."""

    uri: str
    task: Task
    evidence: Evidence
    notes: tuple[str, ...] = ()


def collect(host: Host) -> Iterator[Trace]:
    """An item for every action of every task."""
    reader = _Reader(host)
    read: set[str] = set()
    unread: dict[str, Problem] = {}
    windows = host.variables.get("systemroot", "")
    top = rf"{windows}\{_FILES}"
    for folder, entries in host.files.walk(top, _DEPTH, _LIMIT):
        for name, kind in entries:
            if kind != "dir":
                path = rf"{folder}\{name}"
                uri = path[len(top) :]
                found = _task(host, path)
                if isinstance(found, Task):
                    read.add(uri.lower())
                    yield from reader.items(_Record(uri, found, Evidence(path, found.author)))
                else:
                    unread[uri.lower()] = found
    for record in _in_registry(host, read):
        if isinstance(record, _Record):
            problem = unread.pop(record.uri.lower(), None)
            note = "its file is not readable: read from the registry" if problem else "in the registry only"
            if problem is not None:
                yield Problem(problem.where, problem.why, problem.cause, hides=not record.task.actions)
            yield from reader.items(record._replace(notes=(note,)))
        else:
            yield record
    for problem in unread.values():
        yield problem
        yield LeftOut("damaged")
    for entry in host.files.list(rf"{windows}\{_JOBS}"):
        if entry.name.lower().endswith(".job"):
            path = rf"{windows}\{_JOBS}\{entry.name}"
            old = yield from parsed(host, path, job, _SIZE)
            if old is not None:
                note = "a job of the scheduler before Windows Vista"
                yield from reader.items(_Record(f"\\{entry.name[:-4]}", old, Evidence(path, old.author), (note,)))


def _task(host: Host, path: str) -> Task | Problem:
    """The task in a file, or the problem that prevents reading it."""
    before = len(host.files.problems)
    data = host.files.read(path, _SIZE)
    if data is None:
        reported = host.files.problems[before:]
        del host.files.problems[before:]  # what the registry knows decides whether they hide anything
        return reported[0] if reported else Problem(path, "a task that is listed and cannot be read", "vanished")
    try:
        return task(data)
    except ValueError as error:
        return Problem(path, f"is damaged: {error}", "damaged")


def _in_registry(host: Host, read: set[str]) -> Iterator[_Record | Problem | LeftOut]:
    """The tasks in the registry, without those that their files describe."""
    for entry in subkeys(registry_of(host).key(rf"{_CACHE}\Tasks")):
        uri = entry.text("Path")
        if uri.lower() in read:
            continue
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
                yield from damaged(entry.path, f"Actions: {error}")
        notes: list[str] = []
        author, description = decoration(entry, "Author", notes), decoration(entry, "Description", notes)
        recorded = Task(author, description, "", "", enabled=entry.value("Enabled") != 0, actions=found)
        yield _Record(uri if uri.startswith("\\") else f"\\{uri}", recorded, Evidence(entry.path, f"Path: {uri}"))


class _Reader:
    """Makes the items of tasks."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._missing = MissingFiles(host)
        self._identity = identity_from(host)
        self._programs = Programs(host)
        self._people = {user.name.lower() for user in host.users}

    def items(self, record: _Record) -> Iterator[Item]:
        """An item for every action of a task."""
        found = record.task
        user, variables = self._user(found.user)
        folder, _, name = record.uri.rpartition("\\")
        for action in found.actions or (Action(),):
            command = f"{action.command} {action.arguments}".strip()
            path = self._programs.path(_quoted(action), variables) or absolute(action.command, variables)
            state, unknown = self._missing.state(path)
            identity = self._identity(path)
            ids: dict[IdType, str] = {"clsid": action.clsid.upper()}
            yield Item(
                kind="task",
                name=name,
                state=state,
                vendor=(identity.company if identity else "") or self._vendor(found.author),
                version=identity.version if identity else "",
                path=path,
                user=user,
                command=command,
                signer=identity.signer if identity else "",
                ids=ids,
                details={
                    **(identity.details if identity else {}),
                    "folder": folder or "\\",
                    "author": found.author,
                    "description": found.description or (identity.description if identity else ""),
                    "group": found.group,
                    "enabled": "" if found.enabled else "no",
                },
                notes=(*record.notes, *unknown),
                evidence=(record.evidence,),
            )

    def _user(self, account: str) -> tuple[str, Mapping[str, str]]:
        r"""The name of an account given as SID, name or `DOMAIN\name`, and the variables as it sees them."""
        service = _ACCOUNTS.get(account.rpartition("\\")[2].lower())
        if service is not None or not account:
            return service or "", self._host.variables
        name = account.rpartition("\\")[2].lower()
        for user in self._host.users:
            if user.sid and user.home and (user.sid == account or user.name.lower() == name):
                return user.name, variables_of(self._host, user)
        return account, self._host.variables

    def _vendor(self, author: str) -> str:
        r"""The author, unless that is a person, as in `MACHINE\ada`, or is kept in a file (`$(@…dll,-100)`)."""
        is_reference = author.startswith(("$(", "@"))
        return "" if "\\" in author or is_reference or author.lower() in self._people else author


def _quoted(action: Action) -> str:
    """The command line with quotes around the program, which a task keeps apart from the arguments."""
    command = action.command.strip()
    return f'"{command}" {action.arguments}' if command and '"' not in command and action.arguments else command


SOURCE = Source(
    name="scheduled_tasks",
    title="Scheduled tasks of Windows",
    platforms=("windows",),
    kinds=("task",),
    needs=("registry",),
    reads=(
        *(rf"C:\Windows\{_FILES}\**\*", rf"C:\Windows\{_JOBS}\*", rf"{_CACHE}\Tasks", windows_programs.READS),
        *(rf"C:\**\*{ending}" for ending in ENDINGS),  # of the programs that are started
    ),
    limits="What a task's COM object is, and what a script starts in turn, is not followed.",
    collect=collect,
)
