"""Homebrew: formulae in the Cellar and casks in the Caskroom, on macOS and Linux.

A cask that updates itself is newer than Homebrew knows: the version of an item is that of the application where it is
there, and what Homebrew believes is kept beside it.

References:
    https://docs.brew.sh/Formula-Cookbook (Cellar, kegs, taps), https://docs.brew.sh/Cask-Cookbook (artifacts,
    `auto_updates`, `version :latest`); `tab.rb` and `cask/tab.rb` in https://github.com/Homebrew/brew (the receipts).
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, State
from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.encodings.property_list import text, texts
from phaseout.parsers.encodings.purl import purl
from phaseout.sources.kit.prefixes import READS, prefixes
from phaseout.sources.source import Source, Trace

if TYPE_CHECKING:
    from phaseout.parsers.macos.info_plist import Bundle

_PREFIXES = ("/opt/homebrew", "/usr/local", "/home/linuxbrew/.linuxbrew")
_HOME = ("/.linuxbrew", "/homebrew")
_RECEIPT = "INSTALL_RECEIPT.json"
_LIMIT = 4 << 20
_LATEST = "latest"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every version of every formula and cask."""
    homes = host.homes
    found = {home + folder: user for home, user in homes.items() for folder in _HOME}
    if host.info.platform == "macos":  # elsewhere, `elsewhere` finds the others
        found |= {prefix.path: prefix.user for prefix in prefixes(host, ("Cellar", "Caskroom"))}
    found |= dict.fromkeys(_PREFIXES, "")  # one of them may be in the home of a user that owns nothing else
    for prefix, user in found.items():
        for formula in host.files.list(f"{prefix}/Cellar"):
            if formula.kind == "dir":
                yield from _formula(host, prefix, formula.name, user)
        for cask in host.files.list(f"{prefix}/Caskroom"):
            if cask.kind == "dir" and not cask.name.startswith("."):
                yield from _cask(host, f"{prefix}/Caskroom/{cask.name}", cask.name, user, homes)


def _formula(host: Host, prefix: str, name: str, user: str) -> Iterator[Trace]:
    linked = (host.files.link(f"{prefix}/opt/{name}") or "").rpartition("/")[2]
    for keg in host.files.list(f"{prefix}/Cellar/{name}"):
        if keg.kind != "dir" or keg.name.startswith("."):
            continue
        path = f"{prefix}/Cellar/{name}/{keg.name}"
        receipt = f"{path}/{_RECEIPT}"
        data = host.files.read(receipt, _LIMIT)
        values = _object(data)
        notes = ("its receipt is damaged",) if data is not None and values is None else ()
        values = values or {}
        yield Item(
            kind="package",
            name=name,
            version=keg.name,
            path=path,
            user=user,
            ids={"purl": purl("brew", name, keg.name)},
            details={
                "tap": text(_inner(values, "source").get("tap")),
                "arch": text(values.get("arch")),
                "installed": rfc3339(text(values.get("time"))),
                "requested": "yes" if values.get("installed_on_request") is True else "",
                "linked": "yes" if keg.name == linked else "no",
                "note": "" if data is not None else "without a receipt",
            },
            notes=notes,
            evidence=(
                Evidence(receipt if data is not None else path, f"tap: {text(_inner(values, 'source').get('tap'))}"),
            ),
        )


def _cask(host: Host, path: str, token: str, user: str, homes: Mapping[str, str]) -> Iterator[Trace]:
    receipt = f"{path}/.metadata/{_RECEIPT}"
    data = host.files.read(receipt, _LIMIT)
    values = _object(data)
    notes = ("its receipt is damaged",) if data is not None and values is None else ()
    values = values or {}
    versions = [entry.name for entry in host.files.list(path) if entry.kind == "dir" and not entry.name.startswith(".")]
    noted = [entry.name for entry in host.files.list(f"{path}/.metadata") if entry.kind == "dir"]
    versions = versions or [version for version in noted if version != "Casks"]
    if not versions:
        yield LeftOut("not a package")
    for version in versions:
        definition = _definition(host, f"{path}/.metadata/{version}", token)
        apps = _apps(values) or _apps(definition) or _staged(host, f"{path}/{version}")
        found = [place for app in apps for place in _installed(host, app, homes)]
        info = _info(host, found[0]) if found else None
        known = text(_inner(values, "source").get("version")) or version
        names = definition.get("name")
        state: State = "leftover" if apps and not found else "installed"
        real = info.version if info else ""
        yield Item(
            kind="package",
            name=token,
            state=state,
            version=real or ("" if known == _LATEST else known),
            path=found[0] if found else f"{path}/{version}",
            user=user,
            ids={"purl": purl("brew", token, known), "bundle_id": info.id if info else ""},
            details={
                "names": "; ".join(texts(names)),
                "cask_version": known if real and real != known else "",
                "tap": text(_inner(values, "source").get("tap")) or text(definition.get("tap")),
                "installed": rfc3339(text(values.get("time"))),
                "homepage": text(definition.get("homepage")),
                "apps": "; ".join(apps),
                "note": "its application is gone" if state == "leftover" else "",
            },
            notes=notes,
            evidence=(Evidence(receipt if data is not None else f"{path}/{version}", f"version: {known}"),),
        )


def _definition(host: Host, folder: str, token: str) -> Mapping[str, Any]:
    """What the cask's author wrote, where it is kept as JSON."""
    for moment in reversed(host.files.list(folder)):
        found = _object(host.files.read(f"{folder}/{moment.name}/Casks/{token}.json", _LIMIT))
        if found:
            return found
    return {}


def _apps(values: Mapping[str, Any]) -> list[str]:
    """The names of the applications among the artifacts, as they are called once installed."""
    artifacts = values.get("artifacts", values.get("uninstall_artifacts"))
    found: list[str] = []
    for artifact in artifacts if isinstance(artifacts, list) else ():
        parts = artifact.get("app") if isinstance(artifact, dict) else None
        if not isinstance(parts, list) or not parts:
            continue
        options = next((part for part in parts if isinstance(part, dict)), {})
        name = text(options.get("target")) or text(parts[0])
        if name.endswith(".app"):
            found.append(name)
    return found


def _staged(host: Host, folder: str) -> list[str]:
    """The applications that the version's folder has, or had: Homebrew leaves a link where it moved one."""
    return [entry.name for entry in host.files.list(folder) if entry.name.endswith(".app")]


def _installed(host: Host, app: str, homes: Mapping[str, str]) -> Iterator[str]:
    if app.startswith("/"):
        places = [app]
    else:
        name = app.rpartition("/")[2]
        places = [f"/Applications/{name}", *(f"{home}/Applications/{name}" for home in homes)]
    yield from (place for place in places if host.files.is_dir(place))


def _info(host: Host, app: str) -> "Bundle | None":
    from phaseout.parsers.macos.info_plist import bundle

    return bundle(host.files.read(f"{app}/Contents/Info.plist", 1 << 20) or b"")


def _object(data: bytes | None) -> Mapping[str, Any] | None:
    try:
        found = msgspec.json.decode(data) if data else None
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _inner(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = values.get(key)
    return found if isinstance(found, dict) else {}


_PARTS = (
    *("Cellar/*/*/INSTALL_RECEIPT.json", "Caskroom/*/.metadata/INSTALL_RECEIPT.json"),
    *("Caskroom/*/.metadata/*/*/Casks/*.json", "Caskroom/*/*", "opt/*"),
)
SOURCE = Source(
    name="homebrew",
    title="Homebrew formulae and casks",
    platforms=("linux", "macos"),
    kinds=("package",),
    needs=(),
    reads=(
        *READS,
        *(f"/**/{part}" for part in _PARTS),  # of a prefix that a file names
        *(f"{prefix}/{part}" for prefix in _PREFIXES for part in _PARTS),
        *(f"~{prefix}/{part}" for prefix in _HOME for part in _PARTS),
        "/Applications/*/Contents/Info.plist",
        "~/Applications/*/Contents/Info.plist",
    ),
    limits="Homebrew in another prefix is found just below common folders, and where a search path or start file of a "
    "shell names it.",
    collect=collect,
)
