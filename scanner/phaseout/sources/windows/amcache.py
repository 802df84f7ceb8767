r"""What Amcache.hve remembers: programs that were installed, and executables that ran or lay in their folders.

Windows notes them when it looks for what may hinder an upgrade, and forgets them late. So an entry is `installed` only
if what it names is still there, and else `leftover`. There are two forms of the file; some hold both.

References:
    ANSSI, "Analysis of the AmCache" (Blanche Lagny, 2019); https://github.com/libyal/winreg-kb (Application
    compatibility cache); the numbers in `Root\File` and `Root\Programs` are those of Windows 8 and early 10.
"""

import re
from collections.abc import Iterator, Mapping

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, IdType, Item, Kind, LeftOut, Problem, State
from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.windows.image_path import absolute
from phaseout.parsers.windows.packed_guid import guid
from phaseout.parsers.windows.windows_dates import install_date
from phaseout.sources.source import Source, Trace

_HIVE = r"AppCompat\Programs\Amcache.hve"
_UNINSTALL = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
_MAKER = re.compile(r"(?:^|,\s*)(O|CN)=(\"[^\"]*\"|[^,]*)")
_PACKAGE = re.compile(r"([^_]+)_[^_]*_[^_]*_[^_]*_([a-z0-9]{13})")
_ROOTS = {"hkey_local_machine": "HKLM", "hkey_users": "HKU"}


def collect(host: Host) -> Iterator[Trace]:
    """An item for every program and every file."""
    registry = host.registry
    assert registry is not None
    windows = host.variables.get("systemroot", r"C:\Windows")
    hive = registry.hive(rf"{windows}\{_HIVE}")
    if hive is None:
        return
    for key in _subkeys(hive.key(r"Root\InventoryApplication")):
        yield from _application(host, key)
    for key in _subkeys(hive.key(r"Root\InventoryApplicationFile")):
        yield from _application_file(host, key)
    for key in _subkeys(hive.key(r"Root\Programs")):
        yield from _program(host, key)
    for volume in _subkeys(hive.key(r"Root\File")):
        for key in volume.subkeys():
            yield from _file(host, key)


def _subkeys(key: Key | None) -> Iterator[Key]:
    return key.subkeys() if key is not None else iter(())


def _application(host: Host, key: Key) -> Iterator[Trace]:
    name, version = key.text("Name"), key.text("Version")
    full_name = _PACKAGE.fullmatch(key.text("PackageFullName"))
    folder = absolute(key.text("RootDirPath"), host.variables)
    uninstall = key.text("RegistryKeyPath")
    ids: dict[IdType, str] = {
        "product_code": guid(key.text("MsiProductCode")),
        "registry_key": uninstall.rpartition("\\")[2],
        "package_family": f"{full_name[1]}_{full_name[2]}" if full_name else "",
    }
    details = {"source": key.text("Source"), "uninstall": key.text("UninstallString"), "program_id": key.name}
    yield from _dated(key, key.text("InstallDate"), details)
    yield from _item(
        key,
        "app" if full_name else "program",
        name,
        _maker(key.text("Publisher")),
        version,
        folder,
        _state_of_program(host, [folder], [uninstall] if uninstall else []),
        ids,
        details,
    )


def _application_file(host: Host, key: Key) -> Iterator[Trace]:
    if key.number("IsOsComponent"):
        yield LeftOut("part of the operating system")
        return
    path = absolute(key.text("LowerCaseLongPath"), host.variables)
    details = {
        "product": key.text("ProductName"),
        "original_name": key.text("OriginalFileName"),
        "sha1": _sha1(key.text("FileId")),
        "arch": key.text("BinaryType"),
        "linked": key.text("LinkDate"),
        "program_id": key.text("ProgramId"),
    }
    yield from _item(
        key,
        "file",
        key.text("Name") or path.rpartition("\\")[2],
        key.text("Publisher"),
        key.text("ProductVersion") or key.text("Version"),
        path,
        "installed" if _is_there(host, path) else "leftover",
        {},
        details,
    )


def _program(host: Host, key: Key) -> Iterator[Trace]:
    """An entry of the older form, where values have numbers for names."""
    files = key.value("d")
    paths = [absolute(path, host.variables) for path in files] if isinstance(files, tuple) else []
    keys = key.value("7")
    uninstall = [path for path in keys if path.upper().startswith("HKEY")] if isinstance(keys, tuple) else []
    ids: dict[IdType, str] = {
        "product_code": guid(key.text("11")) or guid(key.text("f")),
        "registry_key": uninstall[0].rpartition("\\")[2] if uninstall else "",
    }
    details = {"source": key.text("6"), "installed": rfc3339(key.number("a")), "program_id": key.name}
    yield from _item(
        key,
        "program",
        key.text("0"),
        _maker(key.text("2")),
        key.text("1"),
        paths[0] if paths else "",
        _state_of_program(host, paths, uninstall),
        ids,
        details,
    )


def _file(host: Host, key: Key) -> Iterator[Trace]:
    path = absolute(key.text("15"), host.variables)
    details = {
        "product": key.text("0"),
        "description": key.text("c"),
        "sha1": _sha1(key.text("101")),
        "program_id": key.text("100"),
    }
    yield from _item(
        key,
        "file",
        path.rpartition("\\")[2] or details["product"],
        key.text("1"),
        key.text("5"),
        path,
        "installed" if _is_there(host, path) else "leftover",
        {},
        details,
    )


def _item(
    key: Key,
    kind: Kind,
    name: str,
    vendor: str,
    version: str,
    path: str,
    state: State,
    ids: Mapping[IdType, str],
    details: Mapping[str, str],
) -> Iterator[Trace]:
    if not name:
        yield LeftOut("an empty entry")
        return
    yield Item(
        kind=kind,
        name=name,
        state=state,
        vendor=vendor,
        version=version,
        path=path,
        ids=dict(ids),
        details=dict(details),
        evidence=(Evidence(key.path, path or name),),
    )


def _dated(key: Key, date: str, details: dict[str, str]) -> Iterator[Problem]:
    try:
        details["installed"] = install_date(date)
    except ValueError as error:
        yield Problem(key.path, f"InstallDate: {error}")


def _maker(publisher: str) -> str:
    """`Acme` of `CN=Acme, O=Acme Ltd, C=US`, as packaged apps have it, and what is no such name as it is."""
    names = {match[1]: match[2].strip('"') for match in _MAKER.finditer(publisher)}
    return names.get("O") or names.get("CN") or publisher


def _sha1(file_id: str) -> str:
    """The hash, before which four zeros are written."""
    return file_id[4:] if len(file_id) == 44 else ""


def _state_of_program(host: Host, folders: list[str], keys: list[str]) -> State:
    """By its Uninstall key, where there are such keys, and else by its folder unless others have that one as well."""
    registry = host.registry
    if keys and registry is not None and registry.key(_UNINSTALL) is not None:
        return "installed" if any(_has_key(host, key) for key in keys) else "leftover"
    windows = host.variables.get("systemroot", "")
    shared = {rf"{windows}\system32".lower(), rf"{windows}\syswow64".lower()} | {
        value.lower() for value in host.variables.values()
    }
    own = [folder for folder in folders if folder.lower() not in shared and len(folder) > 3]
    return "installed" if any(_is_there(host, folder) for folder in own) else "leftover"


def _is_there(host: Host, path: str) -> bool:
    return path[1:3] == ":\\" and not host.files.gone(path)


def _has_key(host: Host, path: str) -> bool:
    root, _, below = path.partition("\\")
    top = _ROOTS.get(root.lower())
    return top is not None and host.registry is not None and host.registry.key(rf"{top}\{below}") is not None


SOURCE = Source(
    name="amcache",
    title="Programs and files that Windows remembers (Amcache)",
    platforms=("windows",),
    kinds=("program", "app", "file"),
    needs=("registry", "offline"),
    reads=(
        r"C:\Windows\AppCompat\Programs\Amcache.hve",
        rf"{_UNINSTALL}\*",
        r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\*",
        r"HKU\*\Software\Microsoft\Windows\CurrentVersion\Uninstall\*",
    ),
    limits="Windows fills it now and then and cleans it up late: it may lack what is new and name what is gone.",
    collect=collect,
)
