"""Login items: what starts at log-on, from the lists that macOS keeps.

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
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.encodings.keyed_archive import unarchived
from phaseout.parsers.encodings.property_list import text
from phaseout.parsers.windows.file_reference import leads_to
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.property_lists import dictionary
from phaseout.sources.kit.signed_programs import signed_by
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
    missing = MissingFiles(host)
    versions = [
        (int(found[1]), entry.name) for entry in host.files.list(_STORE) if (found := _STORE_FILE.fullmatch(entry.name))
    ]
    for position, (_, name) in enumerate(sorted(versions, reverse=True)):
        if position:
            yield LeftOut("a record of the past")
        else:
            yield from _store(host, f"{_STORE}/{name}", missing)
    yield from _window(host, _WINDOW, "", missing)
    for home, user in host.homes.items():
        yield from _bookmarks(host, home + _AGENT, user, missing)
        yield from _custom(host, home + _ITEMS, user, missing)
        yield from _window(host, home + _WINDOW, user, missing)


def _store(host: Host, path: str, missing: MissingFiles) -> Iterator[Trace]:
    values = yield from dictionary(host, path, _LIMIT)
    if not values:
        return
    store = unarchived(values, "store")
    lists = store.get("itemsByUserIdentifier") if isinstance(store, dict) else None
    if not isinstance(lists, dict):
        yield Problem(path, "no list of background items of the known form", "unsupported")
        return
    for account, records in lists.items():
        for record in records if isinstance(records, list) else ():
            if isinstance(record, dict):
                yield from _record(host, path, account, record, missing)
            else:
                yield from damaged(path, f"a damaged record of {account}")


def _record(host: Host, path: str, account: str, record: Mapping[str, Any], missing: MissingFiles) -> Iterator[Trace]:
    stored = record.get("type")
    kind = stored if isinstance(stored, int) else 0
    name = text(record.get("name")) or text(record.get("identifier"))
    if kind & _DEVELOPER:
        yield LeftOut("part of another item")
        return
    target = _path(text(record.get("url")))
    program = text(record.get("executablePath"))
    shown = target if target.endswith(".app") or not program else program
    state, notes = missing.state(shown)
    signed = signed_by(host, shown)
    yield Item(
        kind="task",
        name=name or shown.rpartition("/")[2] or "(no name)",
        state=state,
        vendor=text(record.get("developerName")) or (signed.organisation if signed else ""),
        path=shown,
        user=_user(host, account),
        signer=signed.authority if signed else "",
        ids={
            "bundle_id": text(record.get("bundleIdentifier")),
            "team_id": text(record.get("teamIdentifier")) or (signed.team_id if signed else ""),
        },
        details={
            "type": " ".join(word for bit, word in _TYPES.items() if kind & bit),
            "enabled": _enabled(record.get("disposition")),
            "identifier": text(record.get("identifier")),
            "container": text(record.get("container")),
            "job": target if target.endswith(".plist") else "",
        },
        notes=notes,
        evidence=(Evidence(path, text(record.get("identifier"))),),
    )


def _enabled(disposition: object) -> str:
    if not isinstance(disposition, int):
        return ""
    return "yes" if disposition & _ENABLED and disposition & _ALLOWED else "no"


def _user(host: Host, account: str) -> str:
    """The name of an account. Local accounts without a record of their own have their number in the identifier."""
    found = _UID.fullmatch(account)
    if found is None or found[1] == "FFFFFFFE":  # of all users
        return "" if found else account
    uid = int(found[1], 16)
    return next((user.name for user in host.users if user.uid == uid), str(uid)) if uid else ""


def _bookmarks(host: Host, path: str, user: str, missing: MissingFiles) -> Iterator[Trace]:
    values = yield from dictionary(host, path, _LIMIT)
    if values is None:
        return
    found: list[str] = []
    for data in _data(unarchived(values, "backgroundItems")):
        if isinstance(data, bytes):
            found.append(leads_to(data))
        else:
            yield Problem(path, f"more than {_SEARCHED} values: the rest was not read", "limit")
    if not any(found):
        yield LeftOut("an empty entry")
    for target in dict.fromkeys(filter(None, found)):
        yield _task(host, path, target.rpartition("/")[2].removesuffix(".app"), target, user, missing)


def _data(value: Any) -> Iterator[bytes | None]:
    """Every bookmark in an archive, wherever it is; `None` where the search ends before the archive does."""
    pending = [value]
    count = 0
    while pending:
        count += 1
        if count > _SEARCHED:
            yield None
            return
        one = pending.pop()
        if isinstance(one, bytes) and one[:4] in (b"book", b"alis"):
            yield one
        elif isinstance(one, dict):
            pending += reversed(list(one.values()))
        elif isinstance(one, list):
            pending += reversed(one)


def _custom(host: Host, path: str, user: str, missing: MissingFiles) -> Iterator[Trace]:
    values = yield from dictionary(host, path, _LIMIT)
    session = values.get("SessionItems") if values else None
    entries = session.get("CustomListItems") if isinstance(session, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        alias = entry.get("Alias") if isinstance(entry, dict) else None
        target = leads_to(alias) if isinstance(alias, bytes) else ""
        name = text(entry.get("Name")) if isinstance(entry, dict) else ""
        if name or target:
            yield _task(host, path, name or target.rpartition("/")[2].removesuffix(".app"), target, user, missing)
        else:
            yield from damaged(path, "an entry without a name")


def _window(host: Host, path: str, user: str, missing: MissingFiles) -> Iterator[Trace]:
    values = yield from dictionary(host, path, _LIMIT)
    entries = values.get("AutoLaunchedApplicationDictionary") if values else None
    for entry in entries if isinstance(entries, list) else ():
        target = text(entry.get("Path")) if isinstance(entry, dict) else ""
        if target:
            yield _task(host, path, target.rpartition("/")[2].removesuffix(".app"), target, user, missing)
        else:
            yield from damaged(path, "an entry without a path")


def _task(host: Host, where: str, name: str, target: str, user: str, missing: MissingFiles) -> Item:
    state, notes = missing.state(target)
    signed = signed_by(host, target)
    return Item(
        kind="task",
        name=name,
        state=state,
        vendor=signed.organisation if signed else "",
        path=target,
        user=user,
        signer=signed.authority if signed else "",
        ids={"team_id": signed.team_id if signed else ""},
        details={"type": "login item"},
        notes=notes,
        evidence=(Evidence(where, target or name),),
    )


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
    reads=(
        "/**/Contents/Info.plist",
        "/**/Contents/MacOS/*",
        f"{_STORE}/*",
        f"~{_AGENT}",
        f"~{_ITEMS}",
        f"~{_WINDOW}",
        _WINDOW,
    ),
    limits="Apple does not document the lists, which may change with a version; one of an unknown form is a problem.",
    collect=collect,
)
