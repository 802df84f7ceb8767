r"""Programs that keys and shortcuts of Windows name: where a program lies, though nothing says that it is installed.

A program that was copied into a folder of any name is registered as soon as somebody uses it: its path is in App Paths,
it serves a class of COM or opens a kind of file, the firewall lets it through, a shortcut leads to it. One table says
which keys name programs. What lies in the folder of Windows is left to others: by far the most there is Microsoft's.

References:
    Microsoft, "Application Registration" (App Paths, Applications), "LocalServer32", "InprocServer32", "File Types"
    (shell\verb\command), "Registering Programs with Client Types", "Image File Execution Options"; [MS-FAS] 2.2.2.20
    (firewall rules: `App=`).
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.filesystem.files import Entry
from phaseout.host.registry.base import Key
from phaseout.host.users import User
from phaseout.model.nouns import Problem
from phaseout.parsers.windows.image_path import ENDINGS, absolute, expand
from phaseout.parsers.windows.shell_link import Link, link
from phaseout.sources.kit.shell_folders import SHELL_FOLDERS, moved
from phaseout.sources.kit.windows_programs import Programs, variables_of
from phaseout.sources.kit.windows_registry import registry_of, subkeys

_VERSION = r"Microsoft\Windows\CurrentVersion"
_NT = r"Microsoft\Windows NT\CurrentVersion"
# Below Software: a key whose subkeys have the values that name a program, and a folder of programs.
_KEYS = (
    (rf"{_VERSION}\App Paths", ("",), ("Path",)),
    (rf"{_VERSION}\Uninstall", ("DisplayIcon", "UninstallString"), ("InstallLocation",)),
    (rf"{_NT}\Image File Execution Options", ("Debugger",), ()),
    (rf"{_NT}\SilentProcessExit", ("MonitorProcess",), ()),
)
_FOLDERS = rf"{_VERSION}\Installer\Folders"  # whose values are named like the folders
_CLIENTS = "Clients"
_SERVERS = ("InprocServer32", "LocalServer32")
_CLASSES = r"HKLM\SOFTWARE\Classes"
_NO_KINDS = frozenset(("clsid", "interface", "typelib", "wow6432node", "appid", "component categories", "installer"))
_ENVIRONMENT = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
_FIREWALL = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
_RULES = ("FirewallRules", r"RestrictedServices\Configurable\System", r"RestrictedServices\AppIso\FirewallRules")
_APP = re.compile(r"\|App=([^|]+)\|", re.IGNORECASE)
_MOST = 100_000  # classes, or kinds of files, of one user or the machine
_START_MENU = r"Microsoft\Windows\Start Menu"
_PINNED = r"AppData\Roaming\Microsoft\Internet Explorer\Quick Launch"
_OF_USER = ("Desktop", rf"AppData\Roaming\{_START_MENU}", r"Start Menu", _PINNED)
_MOVED = (("Desktop", "Desktop"), ("Start Menu", rf"AppData\Roaming\{_START_MENU}"))
_LEVELS = 8  # of a start menu
_ENTRIES = 20_000
_SIZE = 1 << 20
_ICON = re.compile(r",\s*-?\d+\s*$")

READS = (
    *(
        rf"{top}\{view}{path}"
        for top in (r"HKLM\SOFTWARE", r"HKU\*\Software")
        for view in ("", "WOW6432Node\\")
        for path in (*(path for path, *_ in _KEYS), _FOLDERS, _CLIENTS)
    ),
    *(_CLASSES, r"HKU\*\Software\Classes", r"HKU\*_Classes", _ENVIRONMENT, r"HKU\*\Environment"),
    *(rf"{_FIREWALL}\{rules}" for rules in _RULES),
    rf"C:\ProgramData\{_START_MENU}\**\*.lnk",
    *(r"C:\Users\Public\Desktop\*.lnk", r"C:\Users\Public\Desktop\*\*.lnk"),
    *(r"~\Desktop\*.lnk", r"~\Desktop\*\*.lnk"),
    *(rf"~\{folder}\**\*.lnk" for folder in _OF_USER[1:]),
    *(rf"HKU\*\{SHELL_FOLDERS}", r"C:\**\*.lnk"),  # where the folders were moved to
)


class Named(NamedTuple):
    """A program, or a folder of programs, and what names it."""

    path: str
    user: str
    where: str
    is_folder: bool = False


class Shortcut(NamedTuple):
    """A shortcut: its file, whose it is, and what it starts."""

    path: str
    user: str
    link: Link


def named_programs(host: Host) -> Iterator[Named]:
    """Every program that is named, as often as it is named."""
    reader = _Reader(host)
    for user, software, variables in _software(host):
        yield from reader.of_software(user, software, variables)
    for top in (_CLASSES, rf"{_CLASSES}\WOW6432Node"):
        yield from reader.classes("", registry_of(host).key(top), host.variables)
    for one in host.users:
        for top in (rf"HKU\{one.sid}_Classes", rf"HKU\{one.sid}\Software\Classes") if one.sid else ():
            for path in (top, rf"{top}\WOW6432Node"):
                yield from reader.classes(one.name, registry_of(host).key(path), variables_of(host, one))
    yield from reader.firewall()
    yield from reader.search_paths()
    for shortcut in shortcuts(host):
        path = target(host, shortcut)
        if path:
            yield Named(path, shortcut.user, shortcut.path)


def shortcuts(host: Host) -> Iterator[Shortcut]:
    """The shortcuts in start menus, on desktops and in the folders on them, and on task bars.

    One that is damaged hides what it starts.
    """
    tops = [
        (rf"{host.variables.get('programdata', '')}\{_START_MENU}", "", False),
        (rf"{host.variables.get('public', '')}\Desktop", "", True),
    ]
    tops += [
        (rf"{user.home}\{folder}", user.name, folder == "Desktop")
        for user in host.users
        if user.home
        for folder in _OF_USER
    ]
    for user in host.users:
        for name, usual in _MOVED if user.home else ():
            path = moved(host, user, name, usual)
            if path and not path.startswith("\\\\"):
                tops.append((path, user.name, name == "Desktop"))
    for top, name, is_desktop in tops:
        for folder, entries in _folders(host, top, is_desktop=is_desktop):
            for entry in entries:
                if entry.kind != "dir" and entry.name.lower().endswith(".lnk"):
                    path = rf"{folder}\{entry.name}"
                    data = host.files.read(path, _SIZE)
                    try:
                        found = link(data) if data else None
                    except ValueError as error:
                        host.files.problems.append(Problem(path, f"is damaged: {error}", "damaged"))
                        found = None
                    if found is not None:
                        yield Shortcut(path, name, found)


def _folders(host: Host, top: str, *, is_desktop: bool) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    """Folders with their entries. On a desktop may lie whole disks, so only the folders just on it are looked into."""
    if not host.files.is_dir(top):
        return
    if not is_desktop:
        yield from host.files.walk(top, _LEVELS, _ENTRIES)
        return
    entries = host.files.list(top)
    yield top, entries
    for name, kind in entries:
        if kind == "dir":
            yield rf"{top}\{name}", host.files.list(rf"{top}\{name}")


def target(host: Host, shortcut: Shortcut) -> str:
    """The program that a shortcut starts; empty where only the shell knows it, or it leads to something else."""
    variables = _variables(host, shortcut.user)
    found = absolute(shortcut.link.target, variables)
    if not found and shortcut.link.relative:
        folder = shortcut.path.rpartition("\\")[0]
        found = absolute(rf"{folder}\{shortcut.link.relative}", variables)
    return found if found.lower().endswith(ENDINGS) else ""


def _variables(host: Host, user: str) -> Mapping[str, str]:
    one = next((one for one in host.users if one.name == user and one.home), None) if user else None
    return variables_of(host, one) if one is not None else host.variables


def _software(host: Host) -> Iterator[tuple[str, Key, Mapping[str, str]]]:
    """The keys `Software`, in both views."""
    tops: list[tuple[User | None, str]] = [(None, r"HKLM\SOFTWARE")]
    tops += [(user, rf"HKU\{user.sid}\Software") for user in host.users if user.sid]
    for user, top in tops:
        for view in (top, rf"{top}\WOW6432Node"):
            key = registry_of(host).key(view)
            if key is not None:
                yield user.name if user else "", key, variables_of(host, user) if user else host.variables


class _Reader:
    """Reads the keys of one host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._programs = Programs(host)
        self._paths: dict[tuple[str, str], str] = {}  # of the commands that were met before

    def of_software(self, user: str, software: Key, variables: Mapping[str, str]) -> Iterator[Named]:
        """What stands below `Software`, but for the classes."""
        for path, programs, folders in _KEYS:
            for key in subkeys(software.key(path)):
                for value in programs:
                    yield from self._program(key, value, user, variables)
                for value in folders:
                    named = absolute(key.text(value).rstrip(";"), variables)
                    if named:
                        yield Named(named, user, key.path, is_folder=True)
        known = software.key(_FOLDERS)
        for name in known.values() if known is not None else ():
            yield Named(name.rstrip("\\"), user, rf"{software.path}\{_FOLDERS}", is_folder=True)
        for kind in subkeys(software.child(_CLIENTS)):
            for client in kind.subkeys():
                yield from self._commands(client, user, variables)

    def classes(self, user: str, top: Key | None, variables: Mapping[str, str]) -> Iterator[Named]:
        """What serves classes of COM, and what opens kinds of files and addresses."""
        if top is None:
            return
        for key in self._limited(top.child("CLSID")):
            server = key.child(_SERVERS[0]) or key.child(_SERVERS[1])  # nearly none has both
            if server is not None:
                yield from self._program(server, "", user, variables)
        for key in self._limited(top):
            if key.name.lower() == "applications":
                for application in key.subkeys():
                    yield from self._commands(application, user, variables)
            elif key.name.lower() not in _NO_KINDS:
                yield from self._commands(key, user, variables)

    def firewall(self) -> Iterator[Named]:
        """The programs that rules of the firewall are for."""
        for rules in _RULES:
            key = registry_of(self._host).key(rf"{_FIREWALL}\{rules}")
            for name, value in key.values().items() if key is not None else ():
                found = _APP.search(value) if isinstance(value, str) else None
                path = absolute(found[1], self._host.variables) if found else ""
                if path:
                    yield Named(path, "", rf"{_FIREWALL}\{rules}\{name}")

    def search_paths(self) -> Iterator[Named]:
        """The folders in which commands are looked for."""
        keys = [("", _ENVIRONMENT, self._host.variables)]
        keys += [
            (user.name, rf"HKU\{user.sid}\Environment", variables_of(self._host, user))
            for user in self._host.users
            if user.sid
        ]
        for name, path, variables in keys:
            key = registry_of(self._host).key(path)
            for folder in (key.text("Path") if key is not None else "").split(";"):
                named = absolute(folder, variables)
                if named:
                    yield Named(named, name, rf"{path}\Path", is_folder=True)

    def _limited(self, key: Key | None) -> Iterator[Key]:
        for count, one in enumerate(subkeys(key)):
            if count == _MOST:
                why = f"more than {_MOST} keys: this one and those behind it were not read"
                self._host.files.problems.append(Problem(one.path, why, "limit"))
                return
            yield one

    def _commands(self, key: Key, user: str, variables: Mapping[str, str]) -> Iterator[Named]:
        for verb in subkeys(key.child("shell")):
            command = verb.child("command")
            if command is not None:
                yield from self._program(command, "", user, variables)

    def _program(self, key: Key, value: str, user: str, variables: Mapping[str, str]) -> Iterator[Named]:
        command = key.text(value)
        if not command:
            return
        known = (command, user)
        if known not in self._paths:
            self._paths[known] = self._path(command, variables)
        if path := self._paths[known]:
            yield Named(path, user, rf"{key.path}\{value}" if value else key.path)

    def _path(self, command: str, variables: Mapping[str, str]) -> str:
        if ":" not in command and "%" not in command and "\\" not in command:
            return ""  # a library by its name alone is in the folder of Windows
        plain = _ICON.sub("", command)
        if (
            expand(plain, variables)
            .lower()
            .lstrip('"@')
            .startswith(self._host.variables.get("systemroot", "\0").lower())
        ):
            # Of a launcher, what it launches may lie anywhere.
            if not plain.lower().rstrip().endswith((".dll", ".exe", ".ocx", '.dll"', '.exe"')):
                return self._programs.path(plain, variables)
            return ""
        return self._programs.path(plain, variables)
