r"""Programs that App-V has published: they run in a file system of their own, without an Uninstall entry.

There is an item for each package, and one for each product among the programs in it.

References:
    https://learn.microsoft.com/microsoft-desktop-optimization-pack/app-v/appv-v5/ ("About App-V 5.0 SP3 Sequencing",
    "Application Publishing and Client Interaction": package store, catalogs, keys).
"""

from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, Item, Problem
from phaseout.parsers.windows.appx import common_name, manifest
from phaseout.parsers.windows.image_path import absolute
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.packaged_programs import packaged_programs
from phaseout.sources.kit.windows_registry import decoration, registry_of, subkeys
from phaseout.sources.source import Source, Trace

_CLIENT = r"Microsoft\AppV\Client"
_PACKAGES = rf"HKLM\SOFTWARE\{_CLIENT}\Packages"
_STREAMING = rf"HKLM\SOFTWARE\{_CLIENT}\Streaming"
_STORE = "App-V"
_SERVER = "see Get-AppvClientPackage"
_MANIFEST = "AppxManifest.xml"
_SIZE = 16 << 20


class _Package(NamedTuple):
    """A version of a package: its folder, its name, and where that was read."""

    folder: str
    name: str
    where: str
    notes: tuple[str, ...] = ()


def collect(host: Host) -> Iterator[Trace]:
    """An item for every package, and for every product in it."""
    missing = MissingFiles(host)
    seen: set[str] = set()
    streaming = registry_of(host).key(_STREAMING)
    if streaming is not None and streaming.number("SharedContentStoreMode"):
        source = streaming.text("PackageSourceRoot")
        where = f"{_STREAMING}: SharedContentStoreMode"
        yield Problem(
            where, f"the files of packages stay on the server{f' {source}' if source else ''}", "mount", remedy=_SERVER
        )
    for package in (*_registered(host), *_stored(host)):
        if package.folder.lower() not in seen:
            seen.add(package.folder.lower())
            yield from _items(host, package, missing)


def _registered(host: Host) -> Iterator[_Package]:
    """The packages that the registry knows."""
    for package in subkeys(registry_of(host).key(_PACKAGES)):
        for version in subkeys(package.child("Versions")):
            notes: list[str] = []
            keys = [version, *filter(None, (version.child("Catalog"),))]
            folder = _first(keys, "Folder", notes) or rf"{_root(host)}\{package.name}\{version.name}"
            name = _first(keys, "Name", notes) or _first(keys, "DisplayName", notes)
            yield _Package(absolute(folder, host.variables) or folder, name, version.path, tuple(notes))


def _stored(host: Host) -> Iterator[_Package]:
    """The packages in the store."""
    root = _root(host)
    for package in host.files.list(root):
        if package.name.startswith("{") or "-" in package.name:
            for version in host.files.list(rf"{root}\{package.name}"):
                if version.kind != "file":
                    folder = rf"{root}\{package.name}\{version.name}"
                    yield _Package(folder, "", folder)


def _root(host: Host) -> str:
    key = registry_of(host).key(_STREAMING)
    named = absolute(key.text("PackageInstallationRoot"), host.variables) if key is not None else ""
    data = host.variables.get("programdata", r"C:\ProgramData")
    return named or rf"{data}\{_STORE}"


def _first(keys: list[Key], name: str, notes: list[str]) -> str:
    return next((found for key in keys if (found := decoration(key, name, notes))), "")


def _items(host: Host, package: _Package, missing: MissingFiles) -> Iterator[Trace]:
    name, vendor, version = package.name, "", ""
    path = rf"{package.folder}\{_MANIFEST}"
    data = host.files.read(path, _SIZE)
    if data is not None:
        try:
            found = manifest(data)
            name = name or found.display_name or found.name
            vendor, version = found.publisher_name or common_name(found.publisher), found.version
        except ValueError as error:
            yield Problem(path, f"is damaged: {error}", "damaged")
    state, unknown = missing.state(package.folder)
    yield Item(
        kind="program",
        name=name or package.folder.rpartition("\\")[2],
        state=state,
        vendor=vendor,
        version=version,
        path=package.folder,
        details={"type": "App-V package"},
        notes=(*package.notes, *unknown),
        evidence=(Evidence(package.where, f"Name: {name}"),),
    )
    yield from packaged_programs(host, rf"{package.folder}\Root", name or package.folder)


SOURCE = Source(
    name="app_v",
    title="Programs published by App-V",
    platforms=("windows",),
    kinds=("program",),
    needs=("registry",),
    reads=(
        _PACKAGES,
        _STREAMING,
        r"C:\**\*.exe",
        r"C:\**\*.dll",
        r"C:\**\AppxManifest.xml",
        *(rf"C:\ProgramData\{_STORE}\**\{file}" for file in ("AppxManifest.xml", "*.exe", "*.dll")),
    ),
    limits="Programs deeper than 32 folders in a package are not listed.",
    collect=collect,
)
