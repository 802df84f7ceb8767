"""Login items: what starts when somebody logs on, as macOS itself keeps the lists.

References:
    Apple, "Manage login items and background tasks on Mac" (Platform Deployment); sfltool(1) (`dumpbtm`). The files
    are not documented: https://github.com/objective-see/DumpBTM names the members of `BackgroundItems-v*.btm`,
    https://github.com/ydkhatri/mac_apt (plugins/autostart.py) the older ones.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem, State
from phaseout.parsers.encodings.keyed_archive import unarchived
from phaseout.parsers.encodings.property_list import mapping, text
from phaseout.parsers.windows.file_reference import leads_to
from phaseout.sources.source import Source, Trace

_STORE = "/var/db/com.apple.backgroundtaskmanagement"  # since macOS 13
_STORE_FILE = re.compile(r"BackgroundItems-v(\d{1,4})\.btm")
_AGENT = "/Library/Application Support/com.apple.backgroundtaskmanagementagent/backgrounditems.btm"  # up to macOS 12
_ITEMS = "/Library/Preferences/com.apple.loginitems.plist"  # up to OS X 10.12
_WINDOW = "/Library/Preferences/loginwindow.plist"
_UID = re.compile(r"FFFFEEEE-DDDD-CCCC-BBBB-AAAA([0-9A-F]{8})")
_APP, _LOGIN_ITEM, _AGENT_TYPE, _DAEMON, _DEVELOPER = 0x2, 0x4, 0x8, 0x10, 0x20
_TYPES = {_APP: "app", _LOGIN_ITEM: "login item", _AGENT_TYPE: "agent", _DAEMON: "daemon", _DEVELOPER: "developer"}
_ENABLED, _ALLOWED = 0x1, 0x2
_LIMIT = 32 << 20
_SEARCHED = 10_000  # values of an archive that are searched for bookmarks


def collect(host: Host) -> Iterator[Trace]:
    """An item for every entry of every list."""
    versions = [
        (int(found[1]), entry.name) for entry in host.files.list(_STORE) if (found := _STORE_FILE.fullmatch(entry.name))
    ]
    for position, (_, name) in enumerate(sorted(versions, reverse=True)):
        if position:
            yield LeftOut("a record of the past")
        else:
            yield from _store(host, f"{_STORE}/{name}")
    yield from _window(host, _WINDOW, "")
    for home, user in host.homes.items():
        yield from _bookmarks(host, home + _AGENT, user)
        yield from _custom(host, home + _ITEMS, user)
        yield from _window(host, home + _WINDOW, user)


def _read(host: Host, path: str) -> Iterator[Mapping[str, Any] | Problem]:
    """The dictionary of a property list, or why it is none; nothing where there is no such file."""
    data = host.files.read(path, _LIMIT)
    if data is not None:
        yield mapping(data) or Problem(path, "is no property list of the known form")


def _store(host: Host, path: str) -> Iterator[Trace]:
    for values in _read(host, path):
        store = values if isinstance(values, Problem) else unarchived(values, "store")
        lists = store.get("itemsByUserIdentifier") if isinstance(store, dict) else None
        if not isinstance(lists, dict):
            yield values if isinstance(values, Problem) else Problem(path, "is no list of background items")
            continue
        for account, records in lists.items():
            for record in records if isinstance(records, list) else ():
                if isinstance(record, dict):
                    yield from _record(host, path, account, record)
                else:
                    yield Problem(path, f"a damaged record of {account}")
                    yield LeftOut("damaged")


def _record(host: Host, path: str, account: str, record: Mapping[str, Any]) -> Iterator[Trace]:
    stored = record.get("type")
    kind = stored if isinstance(stored, int) else 0
    name = text(record.get("name")) or text(record.get("identifier"))
    if kind & _DEVELOPER:
        yield LeftOut("part of another item")
        return
    target = _path(text(record.get("url")))
    program = text(record.get("executablePath"))
    shown = target if target.endswith(".app") or not program else program
    yield Item(
        kind="task",
        name=name or shown.rpartition("/")[2] or "(no name)",
        state=_state(host, shown),
        vendor=text(record.get("developerName")),
        path=shown,
        user=_user(host, account),
        ids={
            "bundle_id": text(record.get("bundleIdentifier")),
            "team_id": text(record.get("teamIdentifier")),
        },
        details={
            "type": " ".join(word for bit, word in _TYPES.items() if kind & bit),
            "enabled": _enabled(record.get("disposition")),
            "identifier": text(record.get("identifier")),
            "container": text(record.get("container")),
            "job": target if target.endswith(".plist") else "",
        },
        evidence=(Evidence(path, text(record.get("identifier"))),),
    )


def _enabled(disposition: object) -> str:
    if not isinstance(disposition, int):
        return ""
    return "yes" if disposition & _ENABLED and disposition & _ALLOWED else "no"


def _user(host: Host, account: str) -> str:
    """Local accounts without a record of their own have their number in the identifier."""
    found = _UID.fullmatch(account)
    if found is None or found[1] == "FFFFFFFE":  # of all users
        return "" if found else account
    uid = int(found[1], 16)
    return next((user.name for user in host.users if user.uid == uid), str(uid)) if uid else ""


def _bookmarks(host: Host, path: str, user: str) -> Iterator[Trace]:
    for values in _read(host, path):
        if isinstance(values, Problem):
            yield values
            continue
        found = [target for data in _data(unarchived(values, "backgroundItems")) if (target := leads_to(data))]
        if not found:
            yield LeftOut("an empty entry")
        for target in dict.fromkeys(found):
            yield _task(host, path, target.rpartition("/")[2].removesuffix(".app"), target, user)


def _data(value: Any) -> Iterator[bytes]:
    """Every bookmark in an archive, wherever it is."""
    pending = [value]
    for _ in range(_SEARCHED):
        if not pending:
            return
        one = pending.pop()
        if isinstance(one, bytes) and one[:4] in (b"book", b"alis"):
            yield one
        elif isinstance(one, dict):
            pending += reversed(list(one.values()))
        elif isinstance(one, list):
            pending += reversed(one)


def _custom(host: Host, path: str, user: str) -> Iterator[Trace]:
    for values in _read(host, path):
        session = {} if isinstance(values, Problem) else values.get("SessionItems")
        entries = session.get("CustomListItems") if isinstance(session, dict) else None
        if isinstance(values, Problem):
            yield values
        for entry in entries if isinstance(entries, list) else ():
            alias = entry.get("Alias") if isinstance(entry, dict) else None
            target = leads_to(alias) if isinstance(alias, bytes) else ""
            name = text(entry.get("Name")) if isinstance(entry, dict) else ""
            if name or target:
                yield _task(host, path, name or target.rpartition("/")[2].removesuffix(".app"), target, user)
            else:
                yield Problem(path, "an entry without a name")
                yield LeftOut("damaged")


def _window(host: Host, path: str, user: str) -> Iterator[Trace]:
    for values in _read(host, path):
        entries = None if isinstance(values, Problem) else values.get("AutoLaunchedApplicationDictionary")
        if isinstance(values, Problem):
            yield values
        for entry in entries if isinstance(entries, list) else ():
            target = text(entry.get("Path")) if isinstance(entry, dict) else ""
            if target:
                yield _task(host, path, target.rpartition("/")[2].removesuffix(".app"), target, user)
            else:
                yield Problem(path, "an entry without a path")
                yield LeftOut("damaged")


def _task(host: Host, where: str, name: str, target: str, user: str) -> Item:
    return Item(
        kind="task",
        name=name,
        state=_state(host, target),
        path=target,
        user=user,
        details={"type": "login item"},
        evidence=(Evidence(where, target or name),),
    )


def _state(host: Host, path: str) -> State:
    return "leftover" if path.startswith("/") and host.files.gone(path) else "installed"


def _path(url: str) -> str:
    """`/Applications/Acme.app` of `file:///Applications/Acme.app/`; relative ones are within an application."""
    if url.startswith("file://"):
        return unquote("/" + url[7:].partition("/")[2]).rstrip("/")
    return unquote(url).rstrip("/")


SOURCE = Source(
    name="login_items",
    title="Login items and background items",
    platforms=("macos",),
    kinds=("task",),
    needs=(),
    reads=(f"{_STORE}/*", f"~{_AGENT}", f"~{_ITEMS}", f"~{_WINDOW}", _WINDOW),
    limits="The lists are not documented by Apple and may change with a version; one not understood is said.",
    collect=collect,
)
