"""Receipts of installer packages: what was installed, and whether its files are still there.

A receipt outlives its package. It is `leftover` if all files of its bill of materials are gone, or, without a bill, the
folder that it was installed in.

References:
    pkgutil(1), bom(5); Apple, "Flat packages" (`InstallPrefixPath`); `/Library/Receipts/InstallHistory.plist` is what
    System Information shows as "Installations".
"""

import datetime as dt
from collections.abc import Generator, Iterator, Mapping
from typing import Any

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem, State
from phaseout.parsers.encodings.property_list import property_list, text, texts
from phaseout.parsers.macos.bom import Entry, bill
from phaseout.parsers.macos.info_plist import bundle
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.property_lists import dictionary
from phaseout.sources.source import Source, Trace

_RECEIPTS = "/var/db/receipts"
_OLD = "/Library/Receipts"  # bundles, up to Mac OS X 10.5
_HISTORY = "/Library/Receipts/InstallHistory.plist"
_BILL = 64 << 20
_RECEIPT = 1 << 20
_ENTRIES = 300  # of a bill, read first: what is at the top comes first
_ALL_ENTRIES = 100_000
_FILES = 12  # files that tell where a package is
_APPLE = "com.apple."
_BUNDLES = (".app", ".appex", ".bundle", ".framework", ".kext", ".plugin", ".prefPane", ".systemextension")
# Folders that no package has for itself.
_SHARED = frozenset(
    (
        *("/", "/Applications", "/Library", "/Library/Application Support", "/Library/Frameworks", "/Users", "/opt"),
        *("/Library/LaunchAgents", "/Library/LaunchDaemons", "/Library/Extensions", "/System", "/System/Library"),
        *("/private", "/private/etc", "/private/var", "/usr", "/usr/local", "/usr/local/bin", "/usr/local/lib"),
        *("/Library/PrivilegedHelperTools", "/Library/PreferencePanes", "/private/tmp", "/usr/local/share"),
    )
)


def collect(host: Host) -> Iterator[Trace]:
    """An item for every receipt."""
    history = yield from _history(host)
    missing = MissingFiles(host)
    known: set[str] = set()
    for entry in host.files.list(_RECEIPTS):
        if entry.name.endswith(".plist") and entry.kind != "dir":
            path = f"{_RECEIPTS}/{entry.name}"
            values = (yield from dictionary(host, path, _RECEIPT)) or {}
            name = text(values.get("PackageIdentifier")) or entry.name.removesuffix(".plist")
            known.add(name)
            yield _receipt(host, path, name, values, history.get(name, {}), missing)
    for entry in host.files.list(_OLD):
        if entry.name.endswith(".pkg") and entry.kind == "dir":
            yield _old_receipt(host, f"{_OLD}/{entry.name}")
    for name in history:
        if name not in known:
            yield LeftOut("a record of the past")


def _history(host: Host) -> Generator[Trace, None, dict[str, Mapping[str, Any]]]:
    """Package → its last entry in the history."""
    found: dict[str, Mapping[str, Any]] = {}
    data = host.files.read(_HISTORY)
    if not data or not data.strip():
        return found
    entries = property_list(data)
    if not isinstance(entries, list):
        if entries != {}:
            yield Problem(_HISTORY, "is damaged: no list of installations", "damaged", hides=False)
        return found
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            yield from damaged(f"{_HISTORY}:{index}", "an entry that is no dictionary")
            continue
        for name in texts(entry.get("packageIdentifiers")):
            found[name] = entry
    return found


def _receipt(
    host: Host,
    path: str,
    name: str,
    values: Mapping[str, Any],
    history: Mapping[str, Any],
    missing: MissingFiles,
) -> Item:
    prefix = _absolute(text(values.get("InstallPrefixPath")))
    bom = path.removesuffix(".plist") + ".bom"
    files = () if name.startswith(_APPLE) else _bill(host, bom, _ENTRIES)
    state: State = "installed"
    notes: tuple[str, ...] = ()
    if files:
        if all(host.files.gone(place) for place in _own_places(prefix, files)):  # then all have to be asked for
            state, notes = missing.state(*_own_places(prefix, _bill(host, bom, _ALL_ENTRIES)))
    elif prefix not in _SHARED and not name.startswith(_APPLE):
        state, notes = missing.state(prefix)
    return Item(
        kind="package",
        name=name,
        state=state,
        version=text(values.get("PackageVersion")),
        path=_own(prefix, files),
        ids={"receipt_id": name},
        details={
            "display_name": text(history.get("displayName")),
            "installed": _moment(values.get("InstallDate")),
            "installer": text(values.get("InstallProcessName")),
            "file": text(values.get("PackageFileName")),
            "prefix": prefix,
            "note": "none of its files is there any more" if state == "leftover" else "",
        },
        notes=notes[:1],
        evidence=(Evidence(path, f"PackageIdentifier: {name}"),),
    )


def _old_receipt(host: Host, path: str) -> Item:
    file = f"{path}/Contents/Info.plist"
    info = bundle(host.files.read(file, 1 << 20) or b"")
    name = (info.id if info else "") or path.rpartition("/")[2].removesuffix(".pkg")
    return Item(
        kind="package",
        name=name,
        version=info.version if info else "",
        ids={"receipt_id": name},
        details={"display_name": info.name if info else ""},
        evidence=(Evidence(file if info else path, f"CFBundleIdentifier: {name}"),),
    )


def _bill(host: Host, path: str, limit: int) -> tuple[Entry, ...]:
    """The first files of a package, or its folders if it has no files."""
    entries = bill(host.files.read(path, _BILL) or b"", limit)
    return tuple(entry for entry in entries if not entry.folder) or entries


def _own_places(prefix: str, entries: tuple[Entry, ...]) -> Iterator[str]:
    """The paths of entries, without folders that other packages share."""
    return (place for one in entries if (place := _join(prefix, one.path)) not in _SHARED)


def _own(prefix: str, files: tuple[Entry, ...]) -> str:
    """The folder or bundle that the files have in common; empty if other packages share it."""
    common = prefix.strip("/").split("/") if prefix != "/" else []
    if files:
        paths = [_join(prefix, one.path).strip("/").split("/")[:-1] for one in files[:_FILES]]
        common = list(paths[0])
        for parts in paths[1:]:
            same = next((at for at, (one, other) in enumerate(zip(common, parts, strict=False)) if one != other), None)
            common = common[: min(len(common), len(parts)) if same is None else same]
    for at, part in enumerate(common):
        if part.endswith(_BUNDLES):
            common = common[: at + 1]
            break
    path = "/" + "/".join(common)
    return "" if path in _SHARED else path


def _absolute(path: str) -> str:
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    return "/" + "/".join(parts) if path != "-" else "/"


def _join(prefix: str, path: str) -> str:
    return f"{prefix.rstrip('/')}/{path}"


def _moment(value: object) -> str:
    """A date of a property list, which is in UTC, as RFC 3339."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, dt.datetime) else ""


SOURCE = Source(
    name="receipts",
    title="Installer packages of macOS",
    platforms=("macos",),
    kinds=("package",),
    needs=(),
    reads=(f"{_RECEIPTS}/*", _HISTORY, f"{_OLD}/*", f"{_OLD}/*/Contents/Info.plist"),
    limits="A program that was dragged to its place has no receipt, nor one whose receipt was forgotten.",
    collect=collect,
)
