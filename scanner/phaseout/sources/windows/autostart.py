r"""Programs that start at log-on, from the keys and folders that Windows reads then.

Read are, for the machine in both views and for every user: Run, RunOnce and RunOnceEx, the policy of the same purpose,
the copies of these keys that terminal servers keep for new users, Active Setup, Winlogon (`Userinit`, `Shell`, …),
`Load` and `Run` of old, log-on scripts, and the startup folders. Whether the user has switched an entry off in the Task
Manager is a detail. A shortcut is read for what it starts.

References:
    https://learn.microsoft.com/windows/win32/setupapi/run-and-runonce-registry-keys; "RunOnceEx" (KB232509); policy
    "Run these programs at user logon" (Policies\Explorer\Run); "Winlogon and Credential Providers"; "AppInit DLLs and
    Secure Boot". `StartupApproved` is undocumented: the lowest bit of the first byte means switched off, since the
    FILETIME behind the first four bytes.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.windows.image_path import ENDINGS, absolute, expand
from phaseout.parsers.windows.registry_values import Value, as_text
from phaseout.parsers.windows.shell_link import Link, link
from phaseout.parsers.windows.windows_dates import filetime
from phaseout.sources.kit import windows_programs
from phaseout.sources.kit.executable_identity import identity_from
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.windows_programs import Programs, variables_of
from phaseout.sources.kit.windows_registry import registry_of, subkeys
from phaseout.sources.source import Source, Trace

_VERSION = r"Microsoft\Windows\CurrentVersion"
_NT = r"Microsoft\Windows NT\CurrentVersion"
_APPROVED = rf"{_VERSION}\Explorer\StartupApproved"
_SHADOW = rf"{_NT}\Terminal Server\Install\Software"
# Keys whose values are command lines, and where the user's own switch for the values is.
_RUN = (
    (rf"{_VERSION}\Run", "Run"),
    (rf"{_VERSION}\RunOnce", ""),
    (rf"{_VERSION}\RunServices", ""),
    (rf"{_VERSION}\RunServicesOnce", ""),
    (rf"{_VERSION}\Policies\Explorer\Run", ""),
    (rf"{_SHADOW}\{_VERSION}\Run", ""),
    (rf"{_SHADOW}\{_VERSION}\RunOnce", ""),
)
_SECTIONS = (rf"{_VERSION}\RunOnceEx", rf"{_VERSION}\RunEx", rf"{_SHADOW}\{_VERSION}\RunOnceEx")
# Single values that hold one or several command lines.
_SINGLE = (
    (rf"{_NT}\Winlogon", ("Userinit", "Shell", "Taskman", "VmApplet", "System", "GinaDLL", "AppSetup")),
    (rf"{_NT}\Windows", ("Load", "Run", "AppInit_DLLs")),
    (rf"{_VERSION}\Policies\System", ("Shell",)),
)
_NOTIFY = rf"{_NT}\Winlogon\Notify"
_ACTIVE_SETUP = r"Microsoft\Active Setup\Installed Components"
_SCRIPTS = rf"{_VERSION}\Group Policy\Scripts"
_LOGON_SCRIPT = "UserInitMprLogonScript"
_VIEWS = ("", "WOW6432Node\\")
_COMMON = r"Microsoft\Windows\Start Menu\Programs\Startup"
_FOLDERS = (rf"AppData\Roaming\{_COMMON}", r"Start Menu\Programs\Startup")
_MOVED = rf"{_VERSION}\Explorer\User Shell Folders"
_SIZE = 1 << 20
_BETWEEN = re.compile(r"(?<=\.exe)[\s,;]+|(?<=\.dll)[\s,;]+|,", re.IGNORECASE)
# What Windows itself has in these values.
_OF_WINDOWS = frozenset(
    ("explorer.exe", "userinit.exe", "userinit", "systempropertiesperformance.exe /pagefile", "cmd.exe /c", "sysedit")
)


class _Place(NamedTuple):
    """Whose entries they are: the machine's (no user), or those of one user."""

    software: str
    user: str
    variables: Mapping[str, str]
    folders: tuple[str, ...]


class _Entry(NamedTuple):
    """A command line, what it is called, where it was read, and what kind of place that is."""

    name: str
    command: str
    where: str
    place: str


def collect(host: Host) -> Iterator[Trace]:
    """An item for every value, shortcut and file."""
    reader = _Reader(host)
    for place in _places(host):
        yield from reader.keys(place)
        yield from reader.folders(place)


def _places(host: Host) -> Iterator[_Place]:
    data = host.variables.get("programdata", "")
    yield _Place(r"HKLM\SOFTWARE", "", host.variables, (rf"{data}\{_COMMON}",))
    for user in host.users:
        if user.sid:
            folders = tuple(rf"{user.home}\{folder}" for folder in _FOLDERS) if user.home else ()
            yield _Place(rf"HKU\{user.sid}\Software", user.name, variables_of(host, user), folders)


class _Reader:
    """Reads the entries of one host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._registry = registry_of(host)
        self._missing = MissingFiles(host)
        self._identity = identity_from(host)
        self._programs = Programs(host)

    def keys(self, place: _Place) -> Iterator[Trace]:
        """The entries in the registry."""
        for view in _VIEWS:
            for path, switch in _RUN:
                yield from self._run(place, view + path, f"{switch}32" if switch and view else switch)
            for path in _SECTIONS:
                yield from self._sections(place, view + path)
            for path, names in _SINGLE:
                yield from self._single(place, view + path, names)
            yield from self._active_setup(place, view + _ACTIVE_SETUP)
        yield from self._notified(place)
        yield from self._scripts(place)

    def _key(self, place: _Place, path: str) -> Key | None:
        return self._registry.key(rf"{place.software}\{path}")

    def _run(self, place: _Place, path: str, switch: str) -> Iterator[Trace]:
        key = self._key(place, path)
        values = key.values() if key is not None else {}
        switches = self._switches(place, switch) if values and switch else {}
        for name, value in values.items():
            where = rf"{place.software}\{path}\{name or '(default)'}"
            command = _command(value)
            if command is None:
                yield from damaged(where, "no command line")
            elif not command:
                yield LeftOut("an empty entry")
            else:
                entry = _Entry(name, command, where, path.rpartition("\\")[2])
                yield self._item(place, entry, switches.get(name.lower(), {}))

    def _sections(self, place: _Place, path: str) -> Iterator[Trace]:
        """RunOnceEx: each key below is a section, and its values but the default one are command lines."""
        for section in subkeys(self._key(place, path)):
            for key in (section, *(one for one in section.subkeys() if one.name.lower() == "depend")):
                for name, value in key.values().items():
                    command = _command(value)
                    if not command or (not name and key is section):
                        yield LeftOut("an empty entry" if not command else "a setting")
                        continue
                    started = command.lstrip("|").partition("|")[0] if "|" in command else command
                    where = rf"{key.path}\{name or '(default)'}"
                    yield self._item(place, _Entry(name, started, where, path.rpartition("\\")[2]), {})

    def _single(self, place: _Place, path: str, names: tuple[str, ...]) -> Iterator[Trace]:
        key = self._key(place, path)
        for name in names if key is not None else ():
            value = key.value(name) if key is not None else None
            commands = _command(value) if value is not None else ""
            for command in filter(None, map(str.strip, _BETWEEN.split(commands or ""))):
                if self._is_of_windows(command, place.variables):
                    yield LeftOut("part of the operating system")
                else:
                    yield self._item(place, _Entry("", command, rf"{place.software}\{path}\{name}", name), {})

    def _is_of_windows(self, command: str, variables: Mapping[str, str]) -> bool:
        folder = rf"{self._host.variables.get('systemroot', '')}\system32".lower() + "\\"
        return expand(command, variables).strip('"').lower().removeprefix(folder) in _OF_WINDOWS

    def _active_setup(self, place: _Place, path: str) -> Iterator[Trace]:
        for key in subkeys(self._key(place, path)):
            command = key.text("StubPath")
            if command:
                yield self._item(place, _Entry(key.text("") or key.name, command, key.path, "Active Setup"), {})
            else:
                yield LeftOut("a setting")

    def _notified(self, place: _Place) -> Iterator[Trace]:
        """Libraries that Winlogon notified of log-ons, up to Windows XP."""
        for key in subkeys(self._key(place, _NOTIFY)):
            command = key.text("DLLName")
            if command:
                yield self._item(place, _Entry(key.name, command, key.path, "Notify"), {})
            else:
                yield LeftOut("a setting")

    def _scripts(self, place: _Place) -> Iterator[Trace]:
        """Scripts of group policies, and the user's own log-on script."""
        for occasion in subkeys(self._key(place, _SCRIPTS)):
            for policy in occasion.subkeys():
                for key in policy.subkeys():
                    command = f"{key.text('Script')} {key.text('Parameters')}".strip()
                    if command:
                        yield self._item(place, _Entry("", command, key.path, f"{occasion.name} script"), {})
        if place.user:
            path = place.software.removesuffix("Software") + "Environment"
            environment = self._registry.key(path)
            command = environment.text(_LOGON_SCRIPT) if environment is not None else ""
            if command:
                yield self._item(place, _Entry("", command, rf"{path}\{_LOGON_SCRIPT}", "Logon script"), {})

    def _item(self, place: _Place, entry: _Entry, switches: Mapping[str, str]) -> Item:
        path = self._programs.path(entry.command, place.variables)
        name = entry.name or path.rpartition("\\")[2] or entry.command[:80]
        evidence = Evidence(entry.where, entry.command)
        return self._started(name, path, entry.command, place.user, {"place": entry.place, **switches}, evidence)

    def _started(
        self, name: str, path: str, command: str, user: str, details: Mapping[str, str], evidence: Evidence
    ) -> Item:
        """What starts a program, with what the program says of itself."""
        state, unknown = self._missing.state(path)
        identity = self._identity(path)
        return Item(
            kind="task",
            name=name,
            state=state,
            vendor=identity.company if identity else "",
            version=identity.version if identity else "",
            path=path,
            user=user,
            command=command,
            signer=identity.signer if identity else "",
            details={**(identity.details if identity else {}), **details},
            notes=unknown,
            evidence=(evidence,),
        )

    def _switches(self, place: _Place, name: str) -> dict[str, dict[str, str]]:
        """Name in lower case → details, of the entries that are switched off."""
        key = self._key(place, rf"{_APPROVED}\{name}")
        values = key.values() if key is not None else {}
        return {
            one.lower(): {"enabled": "no", "switched_off": filetime(int.from_bytes(value[4:12], "little"))}
            for one, value in values.items()
            if isinstance(value, bytes) and value[:1] and value[0] & 1
        }

    def folders(self, place: _Place) -> Iterator[Trace]:
        """The entries of the startup folders, at their usual place and where they were moved to."""
        moved = self._key(place, _MOVED)
        named = moved.text("Startup" if place.user else "Common Startup") if moved is not None else ""
        folders = [*place.folders, absolute(named, place.variables)]
        switches = self._switches(place, "StartupFolder")
        seen: set[str] = set()
        for folder in filter(None, folders):
            real = self._host.files.real(folder)
            if real is not None and real.lower() not in seen:
                seen.add(real.lower())
                yield from self._folder(place, folder, switches)

    def _folder(self, place: _Place, folder: str, switches: Mapping[str, Mapping[str, str]]) -> Iterator[Trace]:
        for name, kind in self._host.files.list(folder):
            path = rf"{folder}\{name}"
            if kind == "dir" or name.lower() == "desktop.ini":
                yield LeftOut("a folder" if kind == "dir" else "a setting")
                continue
            found = Link(path, "", "", "")
            if name.lower().endswith(".lnk"):
                data = self._host.files.read(path, _SIZE)
                found = Link("", "", "", "")
                try:
                    found = link(data) if data is not None else found
                except ValueError as error:
                    yield Problem(path, f"is damaged: {error}", "damaged")
            target = absolute(found.target, place.variables)
            if not target and found.relative:
                target = absolute(rf"{folder}\{found.relative}", place.variables)
                target = self._host.files.real(target) or target
            yield self._started(
                name.rpartition(".")[0] or name,
                target,
                f"{found.target} {found.arguments}".strip(),
                place.user,
                {"place": "Startup", "description": found.description, **switches.get(name.lower(), {})},
                Evidence(path, found.target or found.relative),
            )


def _command(value: Value | None) -> str | None:
    """The command line in a value; empty if there is none, `None` for bytes that hold no text."""
    if isinstance(value, bytes):
        value = as_text(value)
        if value is None:
            return None
    if isinstance(value, tuple):
        value = " ".join(value)
    return value.strip() if isinstance(value, str) else ""


SOURCE = Source(
    name="autostart",
    title="Programs that start at log-on",
    platforms=("windows",),
    kinds=("task",),
    needs=("registry",),
    reads=(
        *(
            rf"{top}\{view}{path}"
            for top in (r"HKLM\SOFTWARE", r"HKU\*\Software")
            for view in _VIEWS
            for path in (*(one for one, _ in (*_RUN, *_SINGLE)), *_SECTIONS, _ACTIVE_SETUP)
        ),
        *(
            rf"{top}\{path}"
            for top in (r"HKLM\SOFTWARE", r"HKU\*\Software")
            for path in (rf"{_APPROVED}\*", _NOTIFY, _SCRIPTS, _MOVED)
        ),
        windows_programs.READS,
        rf"C:\ProgramData\{_COMMON}\*",
        *(rf"~\{folder}\*" for folder in _FOLDERS),
        r"C:\**\*.lnk",
        *(rf"C:\**\*{ending}" for ending in ENDINGS),  # of the programs that are started
    ),
    limits="Libraries and extensions that other programs load at log-on, such as those of Explorer, are not listed.",
    collect=collect,
)
