r"""Programs that start when somebody logs on: Run and RunOnce keys in both views and of every user, startup folders.

Whether the user has switched one off in the Task Manager is a detail. A shortcut is read for what it starts.

References:
    https://learn.microsoft.com/windows/win32/setupapi/run-and-runonce-registry-keys; policy "Run these programs at user
    logon" (Policies\Explorer\Run). `StartupApproved` is undocumented: the lowest bit of the first byte means switched
    off, since the FILETIME behind the first four bytes.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.windows.image_path import absolute, for_user, program
from phaseout.parsers.windows.shell_link import Link, link
from phaseout.parsers.windows.windows_dates import filetime
from phaseout.sources.kit.missing_files import gone_from
from phaseout.sources.source import Source, Trace

_VERSION = r"Microsoft\Windows\CurrentVersion"
_APPROVED = rf"{_VERSION}\Explorer\StartupApproved"
# Key, and where the user's own switch for its values is.
_KEYS = (
    (rf"{_VERSION}\Run", "Run"),
    (rf"{_VERSION}\RunOnce", ""),
    (rf"{_VERSION}\Policies\Explorer\Run", ""),
    (rf"WOW6432Node\{_VERSION}\Run", "Run32"),
    (rf"WOW6432Node\{_VERSION}\RunOnce", ""),
    (rf"WOW6432Node\{_VERSION}\Policies\Explorer\Run", ""),
)
_COMMON = r"Microsoft\Windows\Start Menu\Programs\Startup"
_FOLDERS = (rf"AppData\Roaming\{_COMMON}", r"Start Menu\Programs\Startup")
_SIZE = 1 << 20


class _Place(NamedTuple):
    """Whose entries they are: the machine's (no user), or those of one."""

    software: str
    user: str
    variables: Mapping[str, str]
    folders: tuple[str, ...]


def collect(host: Host) -> Iterator[Trace]:
    """An item for every value, shortcut and file."""
    gone = gone_from(host)
    for place in _places(host):
        yield from _keys(host, place, gone)
        switches = _switches(host, place, "StartupFolder")
        for folder in place.folders:
            yield from _folder(host, place, folder, switches, gone)


def _places(host: Host) -> Iterator[_Place]:
    data = host.variables.get("programdata", "")
    yield _Place(r"HKLM\SOFTWARE", "", host.variables, (rf"{data}\{_COMMON}",))
    for user in host.users:
        if user.sid:
            folders = tuple(rf"{user.home}\{folder}" for folder in _FOLDERS) if user.home else ()
            yield _Place(rf"HKU\{user.sid}\Software", user.name, for_user(host.variables, user.home), folders)


def _keys(host: Host, place: _Place, gone: Callable[[str], bool]) -> Iterator[Trace]:
    assert host.registry is not None
    for path, switch in _KEYS:
        key = host.registry.key(rf"{place.software}\{path}")
        values = key.values() if key is not None else {}
        switches = _switches(host, place, switch) if values and switch else {}
        for name, value in values.items():
            where = rf"{place.software}\{path}\{name or '(default)'}"
            if isinstance(value, (bytes, int)) and value:
                yield Problem(where, "no command line")
                yield LeftOut("damaged")
                continue
            command = (
                value.strip() if isinstance(value, str) else " ".join(value).strip() if isinstance(value, tuple) else ""
            )
            if not command:
                yield LeftOut("an empty entry")
                continue
            started = program(command, place.variables)
            yield Item(
                kind="task",
                name=name or started.rpartition("\\")[2] or command[:80],
                state="leftover" if gone(started) else "installed",
                path=started,
                user=place.user,
                command=command,
                details={"place": path.rpartition("\\")[2], **switches.get(name.lower(), {})},
                evidence=(Evidence(where, command),),
            )


def _switches(host: Host, place: _Place, name: str) -> dict[str, dict[str, str]]:
    """Name in lower case → details, of the entries that are switched off."""
    assert host.registry is not None
    key = host.registry.key(rf"{place.software}\{_APPROVED}\{name}")
    values = key.values() if key is not None else {}
    return {
        one.lower(): {"enabled": "no", "switched_off": filetime(int.from_bytes(value[4:12], "little"))}
        for one, value in values.items()
        if isinstance(value, bytes) and value[:1] and value[0] & 1
    }


def _folder(
    host: Host, place: _Place, folder: str, switches: Mapping[str, Mapping[str, str]], gone: Callable[[str], bool]
) -> Iterator[Trace]:
    for name, kind in host.files.list(folder):
        path = rf"{folder}\{name}"
        if kind == "dir" or name.lower() == "desktop.ini":
            yield LeftOut("a folder" if kind == "dir" else "a setting")
            continue
        found = Link(path, "", "", "")
        if name.lower().endswith(".lnk"):
            data = host.files.read(path, _SIZE)
            try:
                found = link(data or b"")
            except ValueError as error:
                if data is not None:
                    yield Problem(path, str(error))
                found = Link("", "", "", "")
        target = absolute(found.target, place.variables)
        yield Item(
            kind="task",
            name=name.rpartition(".")[0] or name,
            state="leftover" if gone(target) else "installed",
            path=target,
            user=place.user,
            command=f"{found.target} {found.arguments}".strip(),
            details={"place": "Startup", "description": found.description, **switches.get(name.lower(), {})},
            evidence=(Evidence(path, found.target or found.relative),),
        )


SOURCE = Source(
    name="autostart",
    title="Programs that start at log-on",
    platforms=("windows",),
    kinds=("task",),
    needs=("registry",),
    reads=(
        *(rf"{top}\{path}" for top in (r"HKLM\SOFTWARE", r"HKU\*\Software") for path, _ in _KEYS),
        *(rf"{top}\{_APPROVED}\*" for top in (r"HKLM\SOFTWARE", r"HKU\*\Software")),
        rf"C:\ProgramData\{_COMMON}\*",
        *(rf"~\{folder}\*" for folder in _FOLDERS),
    ),
    limits="A startup folder that was moved to another place is not read.",
    collect=collect,
)
