"""System extensions: the network filters, endpoint security clients and drivers that macOS runs for an application.

References:
    Apple, "System Extensions"; systemextensionsctl(8). `db.plist` is not documented; its members are named in
    https://github.com/osquery/osquery (specs/darwin/system_extensions.table).
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item
from phaseout.parsers.encodings.property_list import text, texts
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.property_lists import dictionary
from phaseout.sources.kit.signed_programs import signed_by
from phaseout.sources.source import Source, Trace

_FOLDER = "/Library/SystemExtensions"
_FILE = f"{_FOLDER}/db.plist"
_LIMIT = 16 << 20
_CATEGORY = "com.apple.system_extension."


def collect(host: Host) -> Iterator[Trace]:
    """An item for every entry of the database, and for every extension beside it that has no entry."""
    staged: set[str] = set()
    missing = MissingFiles(host)
    values = (yield from dictionary(host, _FILE, _LIMIT)) or {}
    entries = values.get("extensions", [])
    if not isinstance(entries, list):
        yield from damaged(_FILE, "is damaged: no list of extensions")
        entries = []
    for index, entry in enumerate(entries):
        if isinstance(entry, dict) and text(entry.get("identifier")):
            yield _item(entry, staged, missing)
        else:
            yield from damaged(f"{_FILE}:{index}", "an extension without an identifier")
    for folder in host.files.list(_FOLDER):
        if folder.kind != "file":
            for one in host.files.list(f"{_FOLDER}/{folder.name}"):
                path = f"{_FOLDER}/{folder.name}/{one.name}"
                if one.name.endswith((".systemextension", ".dext")) and path not in staged:
                    yield _unlisted(host, path)


def _item(entry: Mapping[str, Any], staged: set[str], missing: MissingFiles) -> Item:
    name = text(entry.get("identifier"))
    version = _mapping(entry.get("bundleVersion"))
    short, build = text(version.get("CFBundleShortVersionString")), text(version.get("CFBundleVersion"))
    state = text(entry.get("state"))
    origin = text(entry.get("originPath"))
    place = unquote(text(_mapping(entry.get("stagedBundleURL")).get("relative")).removeprefix("file://")).rstrip("/")
    staged.add(place)
    found, notes = missing.state(place)
    app = text(_mapping(entry.get("container")).get("bundlePath"))
    return Item(
        kind="driver",
        name=name,
        state="leftover" if _is_on_its_way_out(state) else found,
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
        notes=notes,
        evidence=(Evidence(_FILE, f"identifier: {name}, state: {state}"),),
    )


def _is_on_its_way_out(state: str) -> bool:
    return state.startswith(("terminated", "terminating", "uninstall"))


def _unlisted(host: Host, path: str) -> Item:
    signed = signed_by(host, path)
    name = path.rpartition("/")[2].rpartition(".")[0]
    note = "not in the database of extensions"
    return Item(
        kind="driver",
        name=name,
        state="leftover",
        vendor=signed.organisation if signed else "",
        path=path,
        signer=signed.authority if signed else "",
        ids={"bundle_id": name, "team_id": signed.team_id if signed else ""},
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
    reads=(f"{_FOLDER}/*", f"{_FOLDER}/*/*", f"{_FOLDER}/*/*/Contents/Info.plist", f"{_FOLDER}/*/*/Contents/MacOS/*"),
    limits="An extension that an application carries, but that was never activated, is not seen.",
    collect=collect,
)
