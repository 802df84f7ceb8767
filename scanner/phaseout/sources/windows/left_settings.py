r"""What a removal leaves in the settings of Windows itself and of users: names and paths that only tell whose they are.

Installers of vendors forget what they put beside their program: a log of events, a setting for compatibility, a folder
in the start menu, an adapter's filter, an exclusion. Each has the name of the program, or its path. What belongs to
Windows, or to a program below its folder, is left out.

References:
    https://learn.microsoft.com/windows/win32/eventlog/eventlog-key; "Application Registration" (App Paths),
    "Image File Execution Options"; https://learn.microsoft.com/windows/win32/setupapi (INF of network components:
    ComponentId); https://learn.microsoft.com/windows/win32/msi/sharedlls-table; [MS-SRVS] (shares); "Known Folders".
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, Item, LeftOut
from phaseout.parsers.windows.image_path import absolute
from phaseout.sources.kit.limited import limited
from phaseout.sources.kit.places import places
from phaseout.sources.kit.windows_registry import registry_of, subkeys
from phaseout.sources.source import Source, Trace

_MOST = 5_000  # of one key
_VERSION = r"Microsoft\Windows\CurrentVersion"
_NT = r"Microsoft\Windows NT\CurrentVersion"
_CONTROL = r"HKLM\SYSTEM\CurrentControlSet\Control"
_SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
_EVENTS = rf"{_SERVICES}\EventLog"
_TASKS = rf"HKLM\SOFTWARE\{_NT}\Schedule\TaskCache\Tree"
_NETWORK = tuple(
    rf"{_CONTROL}\Network\{{4D36E97{digit}-E325-11CE-BFC1-08002BE10318}}"
    for digit in "345"  # clients, services, protocols
)
_ENVIRONMENT = rf"{_CONTROL}\Session Manager\Environment"
_SHARES = rf"{_SERVICES}\LanmanServer\Shares"


class _Setting(NamedTuple):
    """Keys whose subkeys, or values, each belong to one program.

    Attributes:
        what: what such a setting is.
        path: of the key, below `SOFTWARE` of the machine and of every user.
        values: whether the names of its values count, which are paths; otherwise those of its subkeys do.
    """

    what: str
    path: str
    values: bool = False


_SETTINGS = (
    _Setting("name of a program for Explorer", rf"{_VERSION}\App Paths"),
    _Setting("options for a program", rf"{_NT}\Image File Execution Options"),
    _Setting("compatibility of a program", rf"{_NT}\AppCompatFlags\Layers", values=True),
    _Setting("library that programs share", rf"{_VERSION}\SharedDlls", values=True),
    _Setting("exclusion from scans", r"Microsoft\Windows Defender\Exclusions\Paths", values=True),
    _Setting("exclusion from scans", r"Microsoft\Windows Defender\Exclusions\Processes", values=True),
    _Setting("provider of log-ins", rf"{_VERSION}\Authentication\Credential Providers"),
)
_OF_WINDOWS = frozenset(
    (
        *("classes", "clients", "microsoft", "policies", "registeredapplications", "wow6432node", "appdatalow"),
        *("ime", "netscape", "odbc"),
    )
)
_FILES = (
    *(
        rf"{base}\Microsoft\Windows\Start Menu\Programs\{below}"
        for base in (r"C:\ProgramData", r"~\AppData\Roaming")
        for below in ("*", r"*\*.lnk")
    ),
    *(r"C:\Users\Public\Desktop\*.lnk", r"~\Desktop\*.lnk", r"C:\Windows\System32\winevt\Logs\*.evtx"),
    *(
        rf"{folder}\*{ending}"
        for folder in (
            "C:",
            r"C:\Temp",
            r"C:\Users\Public\Downloads",
            "~",
            r"~\Downloads",
            r"~\Desktop",
            r"~\Documents",
        )
        for ending in (".msi", ".msp", ".msix", ".iso")
    ),
)
_MICROSOFT = "microsoft-"
_EFFECT = "it is of no use without its program: delete it"


def collect(host: Host) -> Iterator[Trace]:
    """An item for each name and path."""
    registry = registry_of(host)
    owners = [("", r"HKLM\SOFTWARE"), *((user.name, rf"HKU\{user.sid}\Software") for user in host.users if user.sid)]
    for user, software in owners:
        for view in (software, rf"{software}\WOW6432Node"):
            for setting in _SETTINGS:
                yield from _of_key(host, setting, registry.key(rf"{view}\{setting.path}"), user)
    for user, software in owners[1:]:
        for key in limited(host, software, subkeys(registry.key(software)), _MOST):
            if key.name.lower() not in _OF_WINDOWS:
                yield _item(key.name, "settings of a user", key.path, user=user)
    yield from _events(host, registry.key(_EVENTS))
    for key in subkeys(registry.key(_TASKS)):
        if key.name.lower() != "microsoft":
            for one in (key, *key.subkeys()):
                yield _item(one.name, "name of a task", one.path)
    for path in _NETWORK:
        for key in subkeys(registry.key(path)):
            for name in dict.fromkeys(filter(None, (key.text("ComponentId"), key.text("Description")))):
                yield _item(name, "part of the network", key.path)
    yield from _variables(host, owners)
    shares = registry.key(_SHARES)
    for name, value in shares.values().items() if shares is not None else ():
        parts = value if isinstance(value, (list, tuple)) else (value,)
        path = next((str(part)[5:] for part in parts if str(part).startswith("Path=")), "")
        yield _item(name, "shared folder", _SHARES, path)
    for place in places(host, _FILES):
        name = place.path.rpartition("\\")[2]
        if name.lower().startswith(_MICROSOFT):
            yield LeftOut("part of the operating system")
        else:
            yield Item(
                kind="file",
                name=name,
                state="leftover",
                path=place.path,
                user=place.user,
                evidence=(Evidence(place.path),),
            )


def _of_key(host: Host, setting: _Setting, key: Key | None, user: str) -> Iterator[Trace]:
    if key is None:
        return
    if setting.values:
        for name in limited(host, key.path, key.values(), _MOST):
            path = absolute(name, host.variables)
            if _is_of_windows(host, path):
                yield LeftOut("part of the operating system")
            else:
                yield _item(name.rpartition("\\")[2], setting.what, key.path, path, user=user)
        return
    for one in limited(host, key.path, key.subkeys(), _MOST):
        text = one.text("")
        path = absolute(text, host.variables)
        if _is_of_windows(host, path):
            yield LeftOut("part of the operating system")
        else:
            yield _item(text if one.name[:1] == "{" and text else one.name, setting.what, one.path, path, user=user)


def _events(host: Host, key: Key | None) -> Iterator[Trace]:
    """Logs of events, and what writes into them, unless its messages are in the folder of Windows."""
    for log in subkeys(key):
        yield _item(log.name, "log of events", log.path)
        for source in limited(host, log.path, log.subkeys(), _MOST):
            file = absolute(source.text("EventMessageFile").partition(";")[0], host.variables)
            if not file or _is_of_windows(host, file):
                yield LeftOut("part of the operating system")
            else:
                yield _item(source.name, "source of events", source.path, file)


def _variables(host: Host, owners: Iterable[tuple[str, str]]) -> Iterator[Trace]:
    """The folders that variables name, each part of a search path by itself."""
    registry = registry_of(host)
    paths = [("", _ENVIRONMENT)]
    paths += [(user, software.replace(r"\Software", r"\Environment")) for user, software in owners if user]
    for user, path in paths:
        key = registry.key(path)
        for name in key.values() if key is not None else ():
            for part in key.text(name).split(";") if key is not None else ():
                folder = absolute(part, host.variables)
                if folder and not _is_of_windows(host, folder):
                    yield _item(name, "variable", path, folder, user=user)


def _is_of_windows(host: Host, path: str) -> bool:
    windows = host.variables.get("systemroot", r"C:\Windows").lower()
    return f"{path.lower()}\\".startswith(f"{windows}\\")


def _item(name: str, what: str, where: str, path: str = "", user: str = "") -> Item:
    return Item(
        kind="setting",
        name=name,
        path=path,
        user=user,
        details={"type": what, "effect": _EFFECT},
        evidence=(Evidence(where, path),),
    )


SOURCE = Source(
    name="left_settings",
    title="Settings of Windows that removals leave",
    platforms=("windows",),
    kinds=("setting", "file"),
    needs=("registry",),
    reads=(
        *(
            rf"{top}\{view}{setting.path}"
            for top in (r"HKLM\SOFTWARE", r"HKU\*\Software")
            for view in ("", "WOW6432Node\\")
            for setting in _SETTINGS
        ),
        *(r"HKU\*\Software", r"HKU\*\Environment", _EVENTS, _TASKS, *_NETWORK, _ENVIRONMENT, _SHARES),
        *_FILES,
    ),
    limits="Such a setting is known by its name and path only.",
    collect=collect,
)
