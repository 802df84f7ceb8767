"""System extensions: the network filters, endpoint security clients and drivers that macOS runs for an application.

References:
    Apple, "System Extensions"; systemextensionsctl(8). `db.plist` is not documented; its members are named in
    https://github.com/osquery/osquery (specs/darwin/system_extensions.table).
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem, State
from phaseout.parsers.encodings.property_list import mapping, text, texts
from phaseout.sources.source import Source, Trace

_FOLDER = "/Library/SystemExtensions"
_FILE = f"{_FOLDER}/db.plist"
_CATEGORY = "com.apple.system_extension."


def collect(host: Host) -> Iterator[Trace]:
    """An item for every entry of the database, and for every extension that lies there without one."""
    staged: set[str] = set()
    data = host.files.read(_FILE)
    values = mapping(data) if data is not None else {}
    entries = values.get("extensions", []) if values is not None else None
    if not isinstance(entries, list):
        yield Problem(_FILE, "is no property list with a list of extensions")
        entries = []
    for index, entry in enumerate(entries):
        if isinstance(entry, dict) and text(entry.get("identifier")):
            yield _item(host, entry, staged)
        else:
            yield Problem(f"{_FILE}:{index}", "an extension without an identifier")
            yield LeftOut("damaged")
    for folder in host.files.list(_FOLDER):
        if folder.kind == "dir":
            for one in host.files.list(f"{_FOLDER}/{folder.name}"):
                path = f"{_FOLDER}/{folder.name}/{one.name}"
                if one.name.endswith((".systemextension", ".dext")) and path not in staged:
                    yield _unlisted(path)


def _item(host: Host, entry: Mapping[str, Any], staged: set[str]) -> Item:
    name = text(entry.get("identifier"))
    version = _mapping(entry.get("bundleVersion"))
    short, build = text(version.get("CFBundleShortVersionString")), text(version.get("CFBundleVersion"))
    state = text(entry.get("state"))
    origin = text(entry.get("originPath"))
    place = unquote(text(_mapping(entry.get("stagedBundleURL")).get("relative")).removeprefix("file://")).rstrip("/")
    staged.add(place)
    app = text(_mapping(entry.get("container")).get("bundlePath"))
    return Item(
        kind="driver",
        name=name,
        state=_state(host, state, place),
        version=short or build,
        path=place or origin,
        ids={"bundle_id": name, "team_id": text(entry.get("teamID"))},
        details={
            "state": state,
            "categories": " ".join(one.removeprefix(_CATEGORY) for one in texts(entry.get("categories"))),
            "build": build if build != short else "",
            "app": app,
            "origin": origin if origin != place else "",
        },
        evidence=(Evidence(_FILE, f"identifier: {name}, state: {state}"),),
    )


def _state(host: Host, state: str, place: str) -> State:
    """Whatever is not on its way out, and is still there, is installed; whether it runs the processes show."""
    on_its_way_out = state.startswith(("terminated", "terminating", "uninstall"))
    return "leftover" if on_its_way_out or (place.startswith("/") and host.files.gone(place)) else "installed"


def _unlisted(path: str) -> Item:
    name = path.rpartition("/")[2].rpartition(".")[0]
    note = "not in the database of extensions"
    return Item(
        kind="driver",
        name=name,
        state="leftover",
        path=path,
        ids={"bundle_id": name},
        details={"note": note},
        evidence=(Evidence(path, note),),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


SOURCE = Source(
    name="system_extensions",
    title="System extensions of macOS",
    platforms=("macos",),
    kinds=("driver",),
    needs=(),
    reads=(f"{_FOLDER}/*", f"{_FOLDER}/*/*"),
    limits="An extension that an application carries, but that was never activated, is not seen.",
    collect=collect,
)
