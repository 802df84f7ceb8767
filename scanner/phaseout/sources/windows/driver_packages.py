r"""Drivers that no service starts: packages in the driver store, and files in the folders for drivers.

Windows would install a package of the driver store again as soon as its device is there, and a file may be started by
anything. A package is `installed` if one of its services is there, and else `leftover`, as is a file without a service.

References:
    https://learn.microsoft.com/windows-hardware/drivers/install/driver-store; `DriverDatabase` is not documented: its
    `Version` has the number in four 16-bit parts at offset 32, lowest first.
"""

from collections.abc import Iterator
from struct import unpack_from

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.windows.image_path import absolute
from phaseout.parsers.windows.inf import Inf, inf
from phaseout.sources.kit.windows_registry import decoration, registry_of, subkeys
from phaseout.sources.source import Source, Trace

_SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
_PACKAGES = r"DriverDatabase\DriverPackages"
_HIVE = r"System32\config\DRIVERS"  # the database since Windows 10
_STORE = r"System32\DriverStore\FileRepository"
_PUBLISHED = "INF"  # copies of the packages in the store, named oem0.inf and so on
_DEPTH = 16
_FOLDERS = {r"System32\drivers": _DEPTH, r"SysWOW64\drivers": _DEPTH, "ELAMBKUP": _DEPTH, "System32": 0, "SysWOW64": 0}
_SIZE = 4 << 20
_MOST = 20_000  # packages or files
_READ = 16  # drivers of one package
_MICROSOFT = "microsoft"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every package and file that is not Microsoft's."""
    windows = host.variables.get("systemroot", r"C:\Windows")
    services, files = _services(host)
    database = _database(host, windows)
    store = rf"{windows}\{_STORE}"
    folders = [entry.name for entry in host.files.list(store) if entry.kind != "file"]
    if len(folders) > _MOST:
        yield Problem(store, f"more than {_MOST} packages: the rest was not read", "limit")
    for name in dict.fromkeys((*folders[:_MOST], *database)):
        key = database.get(name) or database.get(name.lower())
        yield from _package(host, rf"{store}\{name}", key, services)
    if not folders and not database:
        for entry in host.files.list(rf"{windows}\{_PUBLISHED}"):
            if entry.name.lower().startswith("oem") and entry.name.lower().endswith(".inf"):
                yield from _described(host, rf"{windows}\{_PUBLISHED}\{entry.name}", "", services)
    for folder, levels in _FOLDERS.items():
        yield from _files(host, rf"{windows}\{folder}", levels, files)


def _services(host: Host) -> tuple[set[str], set[str]]:
    """The names of the services, and the files that they start, both in lower case."""
    names, files = set(), set()
    windows = host.variables.get("systemroot", "")
    for key in subkeys(registry_of(host).key(_SERVICES)):
        names.add(key.name.lower())
        image = key.value("ImagePath")
        path = image if isinstance(image, str) and image else rf"System32\drivers\{key.name}.sys"
        whole = absolute(path, host.variables) or absolute(rf"{windows}\{path}", host.variables)
        files.add(whole.lower())
    return names, files


def _database(host: Host, windows: str) -> dict[str, Key]:
    """Folder in the store → its key in the database."""
    registry = registry_of(host)
    hive = None if host.files.gone(rf"{windows}\{_HIVE}") else registry.hive(rf"{windows}\{_HIVE}")
    tops = (registry.key(rf"HKLM\SYSTEM\{_PACKAGES}"), hive.key(_PACKAGES) if hive is not None else None)
    return {key.name.lower(): key for top in tops for key in subkeys(top)}


def _package(host: Host, folder: str, key: Key | None, services: set[str]) -> Iterator[Trace]:
    """The item of a package: by the database where it has the package, and by its INF."""
    notes: list[str] = []
    provider = decoration(key, "Provider", notes) if key is not None else ""
    if provider.lower().startswith(_MICROSOFT):
        yield LeftOut("part of the operating system")
        return
    name = (decoration(key, "", notes) if key is not None else "") or folder.rpartition("\\")[2].partition("_")[0]
    path = rf"{folder}\{name}"
    if host.files.gone(path) and key is not None:
        yield _item(host, path, Inf(provider, _version(key), "", ()), services, key.path, tuple(notes))
    else:
        yield from _described(host, path, provider, services)


def _described(host: Host, path: str, provider: str, services: set[str]) -> Iterator[Trace]:
    """The item of a package by its INF."""
    data = host.files.read(path, _SIZE)
    if data is None:
        if host.files.gone(path):
            yield LeftOut("a folder")
        else:
            yield _item(host, path, Inf(provider, "", "", ()), services, path, ())
        return
    try:
        found = inf(data)
    except ValueError as error:
        yield Problem(path, f"is damaged: {error}", "damaged")
        found = Inf(provider, "", "", ())
    if (found.provider or provider).lower().startswith(_MICROSOFT):
        yield LeftOut("part of the operating system")
    else:
        yield _item(host, path, found._replace(provider=found.provider or provider), services, path, ())


def _version(key: Key) -> str:
    stored = key.value("Version")
    if not isinstance(stored, bytes) or len(stored) < 40:
        return ""
    return ".".join(str(part) for part in reversed(unpack_from("<4H", stored, 32)))


def _item(host: Host, path: str, found: Inf, services: set[str], where: str, notes: tuple[str, ...]) -> Item:
    folder, _, name = path.rpartition("\\")
    drivers = [entry.name for entry in host.files.list(folder) if entry.name.lower().endswith(".sys")]
    signers = (
        identity.signer
        for driver in (drivers[:_READ] if _STORE.lower() in folder.lower() else ())
        if (identity := host.executables.identity(rf"{folder}\{driver}")) is not None and identity.signer
    )
    is_used = any(service.lower() in services for service in found.services)
    return Item(
        kind="driver",
        name=name.rpartition(".")[0] or name,
        state="installed" if is_used else "leftover",
        vendor=found.provider,
        version=found.version,
        path=path,
        signer=next(signers, ""),
        details={
            "type": "driver package",
            "category": found.kind,
            "note": "" if is_used else "a package in the driver store without a service",
        },
        notes=notes,
        evidence=(Evidence(where, f"Provider: {found.provider}, DriverVer: {found.version}"),),
    )


def _files(host: Host, top: str, levels: int, used: set[str]) -> Iterator[Trace]:
    """The driver files of a folder and of those in it that no service starts."""
    for folder, entries in host.files.walk(top, levels, _MOST) if levels else ((top, host.files.list(top)),):
        for entry in entries:
            path = rf"{folder}\{entry.name}"
            if entry.kind == "dir" or not entry.name.lower().endswith(".sys") or path.lower() in used:
                continue
            identity = host.executables.identity(path)
            company = identity.company if identity is not None else ""
            if company.lower().startswith(_MICROSOFT):
                yield LeftOut("part of the operating system")
                continue
            yield Item(
                kind="driver",
                name=entry.name[:-4],
                state="leftover",
                vendor=company,
                version=identity.version if identity is not None else "",
                path=path,
                signer=identity.signer if identity is not None else "",
                details={
                    **(identity.details if identity is not None else {}),
                    "type": "driver file",
                    "note": "a driver file that no service starts",
                },
                evidence=(Evidence(path),),
            )


SOURCE = Source(
    name="driver_packages",
    title="Driver packages and driver files that no service starts",
    platforms=("windows",),
    kinds=("driver",),
    needs=("registry",),
    reads=(
        _SERVICES,
        rf"HKLM\SYSTEM\{_PACKAGES}",
        *(rf"C:\Windows\{_HIVE}{log}" for log in ("", ".LOG1", ".LOG2")),
        *(rf"C:\Windows\{_STORE}\*\*{ending}" for ending in (".inf", ".sys")),
        rf"C:\Windows\{_PUBLISHED}\*.inf",
        *(rf"C:\Windows\{folder}\**\*.sys" for folder, levels in _FOLDERS.items() if levels),
        *(rf"C:\Windows\{folder}\*.sys" for folder, levels in _FOLDERS.items() if not levels),
    ),
    limits="Packages and files of Microsoft are not listed.",
    collect=collect,
)
