"""Snaps, revision by revision, without asking snapd.

A revision is known by its file in `snaps`, by its folder under `/snap`, or by snapd's note of it. The current one is
installed, also where the snap was disabled; another one, which snapd keeps to go back to, is a leftover. The
link `current` says which one is current, otherwise `sequence`, otherwise `state.json`, which only root may read and
which is all that an older snapd has. If none of them says so, every revision counts as installed.

References:
    https://snapcraft.io/docs/system-snap-directory; https://github.com/canonical/snapd: dirs/dirs.go (folders),
    overlord/snapstate (sequence files, "snaps" in state.json), snap/info.go (NAME_KEY_REVISION.snap);
    https://documentation.ubuntu.com/core/reference/assertions/ (snap-declaration, account)
"""

from collections.abc import Generator, Iterator
from typing import Any

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.encodings.lenient_json import decode
from phaseout.parsers.linux.deb822 import stanzas
from phaseout.parsers.linux.snap_yaml import fields
from phaseout.sources.kit.parsed import parsed
from phaseout.sources.source import Source, Trace

_SNAPD = "/var/lib/snapd"
_SNAPS = f"{_SNAPD}/snaps"
_SEQUENCE = f"{_SNAPD}/sequence"
_STATE = f"{_SNAPD}/state.json"
_MOUNTS = ("/snap", f"{_SNAPD}/snap")  # the second on Fedora, Arch and openSUSE; one may be a link to the other
_DECLARATIONS = f"{_SNAPD}/assertions/asserts-v0/snap-declaration"
_ACCOUNTS = f"{_SNAPD}/assertions/asserts-v0/account"


class _Snap:
    """One snap: its current revision, the places where each revision was seen, and what snapd notes of it."""

    def __init__(self) -> None:
        self.current = ""
        self.places: dict[str, list[str]] = {}
        self.details: dict[str, str] = {}


def collect(host: Host) -> Iterator[Trace]:
    """An item for every revision that is on disk or noted by snapd."""
    snaps: dict[str, _Snap] = {}
    for folder in {host.files.real(folder): folder for folder in reversed(_MOUNTS)}.values():
        _mounted(host, folder, snaps)
    for entry in host.files.list(_SNAPS):
        instance, _, revision = entry.name.removesuffix(".snap").rpartition("_")
        if entry.name.endswith(".snap") and instance and _is_revision(revision):
            snaps.setdefault(instance, _Snap()).places.setdefault(revision, []).append(f"{_SNAPS}/{entry.name}")
    yield from _noted(host, snaps)
    publishers = _publishers(host, {instance.partition("_")[0] for instance in snaps}) if snaps else {}
    for instance, snap in sorted(snaps.items()):
        for revision in sorted(snap.places):
            yield from _revision(host, instance, revision, snap, publishers)


def _is_revision(name: str) -> bool:
    """A number that the store gave, or `x1` for what was installed from a file."""
    return name.removeprefix("x").isdecimal()


def _mounted(host: Host, folder: str, snaps: dict[str, _Snap]) -> None:
    for entry in host.files.list(folder):
        if entry.kind != "dir" or entry.name == "bin":
            continue
        snap = _Snap()
        for inside in host.files.list(f"{folder}/{entry.name}"):
            if inside.name == "current":
                snap.current = (host.files.link(f"{folder}/{entry.name}/current") or "").rpartition("/")[2]
            elif _is_revision(inside.name):
                snap.places[inside.name] = [f"{folder}/{entry.name}/{inside.name}/meta/snap.yaml"]
        if snap.places:
            snaps[entry.name] = snap


def _noted(host: Host, snaps: dict[str, _Snap]) -> Iterator[Problem | LeftOut]:
    """Adds what snapd notes of the snaps."""
    notes: dict[str, tuple[str, Any]] = {}
    for entry in host.files.list(_SEQUENCE):
        if entry.name.endswith(".json"):
            path = f"{_SEQUENCE}/{entry.name}"
            notes[entry.name.removesuffix(".json")] = path, (yield from _json(host, path))
    if not notes:
        state = yield from _json(host, _STATE)
        noted = _member(_member(state, "data"), "snaps")
        if isinstance(noted, dict):
            notes = {name: (_STATE, note) for name, note in noted.items()}
    for instance, (path, note) in notes.items():
        snap = snaps.get(instance) or _Snap()
        snap.current = snap.current or _text(note, "current")
        sequence = _member(note, "sequence")
        for one in sequence if isinstance(sequence, list) else ():
            side = _member(one, "snap") or one
            revision = _text(side, "revision")
            if not _is_revision(revision):
                continue
            snap.places.setdefault(revision, []).append(path)
            if revision == snap.current:
                snap.details = {
                    "channel": _text(note, "channel") or _text(side, "channel"),
                    "snap_id": _text(side, "snap-id"),
                    "type": _text(note, "type"),
                }
        if snap.places:
            snaps[instance] = snap


def _json(host: Host, path: str) -> Generator[Problem | LeftOut, None, Any]:
    return (yield from parsed(host, path, decode, 64 << 20))


def _member(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _text(value: Any, key: str) -> str:
    found = _member(value, key)
    return str(found) if isinstance(found, (str, int)) else ""


def _publishers(host: Host, names: set[str]) -> dict[str, str]:
    """Snap → name of its publisher, from the assertions that snapd keeps."""
    found: dict[str, str] = {}
    for series in host.files.list(_DECLARATIONS):
        for snap_id in host.files.list(f"{_DECLARATIONS}/{series.name}"):
            declaration = _assertion(host, f"{_DECLARATIONS}/{series.name}/{snap_id.name}")
            name, account = declaration.get("snap-name", ""), declaration.get("publisher-id", "")
            if name in names and account.replace("-", "").isalnum():
                found[name] = _assertion(host, f"{_ACCOUNTS}/{account}").get("display-name") or account
    return found


_HEADERS = ("snap-name", "publisher-id", "display-name")


def _assertion(host: Host, folder: str) -> dict[str, str]:
    """The headers of an assertion; `active.N` holds it in a later format, the last one counts."""
    for entry in reversed(host.files.list(folder)):
        if entry.name.startswith("active"):
            return next(stanzas((host.files.text(f"{folder}/{entry.name}") or "").split("\n"), _HEADERS), (0, {}))[1]
    return {}


def _revision(host: Host, instance: str, revision: str, snap: _Snap, publishers: dict[str, str]) -> Iterator[Trace]:
    places = snap.places[revision]
    yaml: dict[str, str] = {}
    if places[0].endswith("/snap.yaml"):
        text = host.files.text(places[0], 1 << 20)
        if text is not None:
            yaml = fields(text)
            if not yaml:
                yield Problem(places[0], "has no field of a snap.yaml", "damaged")
        elif len(places) > 1:  # not mounted: an offline root, or a machine where snapd does not run
            places = places[1:]
    name, _, key = instance.partition("_")  # of a snap installed several times, each but the first has a key
    current = not snap.current or revision == snap.current
    version = yaml.get("version", "")
    details = {
        "arch": yaml.get("architectures", ""),
        "instance": instance if key else "",
        "revision": revision,
        "status": "" if current else "kept to go back to",
        "title": yaml.get("title", ""),
        "type": yaml.get("type", ""),
    }
    if revision == snap.current:
        details |= {what: value for what, value in snap.details.items() if value}
    yield Item(
        kind="package",
        name=name,
        state="installed" if current else "leftover",
        vendor=publishers.get(name, ""),
        version=version,
        path="" if places[0].endswith(".json") else places[0].removesuffix("/meta/snap.yaml"),
        details=details,
        evidence=tuple(Evidence(place, f"{instance} {version} ({revision})") for place in places),
    )


SOURCE = Source(
    name="snap",
    title="Snaps",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(
        *(f"{folder}/*/{inside}" for folder in _MOUNTS for inside in ("current", "*/meta/snap.yaml")),
        _SNAPS,
        f"{_SEQUENCE}/*.json",
        _STATE,
        f"{_DECLARATIONS}/*/*/active*",
        f"{_ACCOUNTS}/*/active*",
    ),
    limits=(
        "The version of a snap is inside it, so that it is known of mounted snaps only; the Debian packages inside "
        "a base snap are not listed, and neither is what a removed snap left in the homes."
    ),
    collect=collect,
)
