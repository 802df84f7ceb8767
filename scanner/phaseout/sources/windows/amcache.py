r"""What Amcache.hve remembers: programs that were installed, and executables that ran or lay in their folders.

Windows records them when it looks for what may hinder an upgrade, and forgets them late. An entry is `leftover` if what
it names is gone. There are two forms of the file; some files hold both.

References:
    ANSSI, "Analysis of the AmCache" (Blanche Lagny, 2019); https://github.com/libyal/winreg-kb (Application
    compatibility cache); the numbers in `Root\File` and `Root\Programs` are those of Windows 8 and early 10.
"""

import re
from collections.abc import Iterator, Mapping

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, IdType, Item, Kind, LeftOut, State
from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.windows.image_path import absolute
from phaseout.parsers.windows.packed_guid import guid
from phaseout.sources.kit.missing_files import MissingFiles, shared_folders
from phaseout.sources.kit.windows_registry import decoration, installed_on, registry_of, subkeys
from phaseout.sources.source import Source, Trace

_HIVE = r"AppCompat\Programs\Amcache.hve"
_UNINSTALL = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
_MAKER = re.compile(r"(?:^|,\s*)(O|CN)=(\"[^\"]*\"|[^,]*)")
_PACKAGE = re.compile(r"([^_]+)_[^_]*_[^_]*_[^_]*_([a-z0-9]{13})")
_SHARED = "many programs share the folder that it names: whether it is there is not known"
_ROOTS = {"hkey_local_machine": "HKLM", "hkey_users": "HKU"}


def collect(host: Host) -> Iterator[Trace]:
    """An item for every program and every file."""
    windows = host.variables.get("systemroot", r"C:\Windows")
    hive = registry_of(host).hive(rf"{windows}\{_HIVE}")
    if hive is None:
        return
    reader = _Reader(host)
    for key in subkeys(hive.key(r"Root\InventoryApplication")):
        yield from _application(host, key, reader)
    for key in subkeys(hive.key(r"Root\InventoryApplicationFile")):
        yield from _application_file(host, key, reader)
    for key in subkeys(hive.key(r"Root\Programs")):
        yield from _program(host, key, reader)
    for volume in subkeys(hive.key(r"Root\File")):
        for key in volume.subkeys():
            yield from _file(host, key, reader)


def _application(host: Host, key: Key, reader: "_Reader") -> Iterator[Trace]:
    notes: list[str] = []
    name, version = key.text("Name"), key.text("Version")
    full_name = _PACKAGE.fullmatch(key.text("PackageFullName"))
    folder = absolute(key.text("RootDirPath"), host.variables)
    uninstall = key.text("RegistryKeyPath")
    ids: dict[IdType, str] = {
        "product_code": guid(key.text("MsiProductCode")),
        "registry_key": uninstall.rpartition("\\")[2],
        "package_family": f"{full_name[1]}_{full_name[2]}" if full_name else "",
    }
    details = {
        "source": decoration(key, "Source", notes),
        "uninstall": decoration(key, "UninstallString", notes),
        "installed": installed_on(key, "InstallDate", notes),
        "program_id": key.name,
    }
    state, unknown = reader.program([folder], [uninstall] if uninstall else [])
    yield from _item(
        key,
        "app" if full_name else "program",
        name,
        _maker(key.text("Publisher")),
        version,
        folder,
        state,
        ids,
        details,
        (*notes, *unknown),
    )


def _application_file(host: Host, key: Key, reader: "_Reader") -> Iterator[Trace]:
    if key.number("IsOsComponent"):
        yield LeftOut("part of the operating system")
        return
    path = absolute(key.text("LowerCaseLongPath"), host.variables)
    notes: list[str] = []
    details = {
        "product": decoration(key, "ProductName", notes),
        "original_name": decoration(key, "OriginalFileName", notes),
        "sha1": _sha1(decoration(key, "FileId", notes)),
        "arch": decoration(key, "BinaryType", notes),
        "linked": decoration(key, "LinkDate", notes),
        "program_id": decoration(key, "ProgramId", notes),
    }
    state, unknown = reader.file(path)
    yield from _item(
        key,
        "file",
        key.text("Name") or path.rpartition("\\")[2],
        key.text("Publisher"),
        key.text("ProductVersion") or key.text("Version"),
        path,
        state,
        {},
        details,
        (*notes, *unknown),
    )


def _program(host: Host, key: Key, reader: "_Reader") -> Iterator[Trace]:
    """An entry of the older form, whose values have numbers for names."""
    files = key.value("d")
    paths = [absolute(path, host.variables) for path in files] if isinstance(files, tuple) else []
    keys = key.value("7")
    uninstall = [path for path in keys if path.upper().startswith("HKEY")] if isinstance(keys, tuple) else []
    ids: dict[IdType, str] = {
        "product_code": guid(key.text("11")) or guid(key.text("f")),
        "registry_key": uninstall[0].rpartition("\\")[2] if uninstall else "",
    }
    details = {"source": key.text("6"), "installed": rfc3339(key.number("a")), "program_id": key.name}
    state, notes = reader.program(paths, uninstall)
    path = paths[0] if paths else ""
    yield from _item(
        key, "program", key.text("0"), _maker(key.text("2")), key.text("1"), path, state, ids, details, notes
    )


def _file(host: Host, key: Key, reader: "_Reader") -> Iterator[Trace]:
    path = absolute(key.text("15"), host.variables)
    details = {
        "product": key.text("0"),
        "description": key.text("c"),
        "sha1": _sha1(key.text("101")),
        "program_id": key.text("100"),
    }
    state, notes = reader.file(path)
    name = path.rpartition("\\")[2] or details["product"]
    yield from _item(key, "file", name, key.text("1"), key.text("5"), path, state, {}, details, notes)


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
    notes: tuple[str, ...],
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
        notes=notes,
        evidence=(Evidence(key.path, path or name),),
    )


def _maker(publisher: str) -> str:
    """`Acme Ltd` of `CN=Acme, O=Acme Ltd, C=US`, as packaged apps have it; any other name stays as it is."""
    names = {match[1]: match[2].strip('"') for match in _MAKER.finditer(publisher)}
    return names.get("O") or names.get("CN") or publisher


def _sha1(file_id: str) -> str:
    """The hash, which has four zeros before it."""
    return file_id[4:] if len(file_id) == 44 else ""


class _Reader:
    """Tells whether what entries name is still there."""

    def __init__(self, host: Host) -> None:
        self._registry = registry_of(host)
        self._missing = MissingFiles(host, of_past=True)
        self._has_uninstall_keys = self._registry.key(_UNINSTALL) is not None
        windows = host.variables.get("systemroot", "").lower()
        self._shared = shared_folders(host) | {rf"{windows}\system32", rf"{windows}\syswow64"}

    def program(self, folders: list[str], keys: list[str]) -> tuple[State, tuple[str, ...]]:
        """By its Uninstall key where it names one, else by its folders."""
        if keys and self._has_uninstall_keys:
            return ("installed" if any(self._may_have_key(key) for key in keys) else "leftover"), ()
        if not any(folders):
            return "leftover", ()
        own = [folder for folder in folders if folder.lower() not in self._shared]
        return self._missing.state(*own) if any(own) else ("installed", (_SHARED,))

    def file(self, path: str) -> tuple[State, tuple[str, ...]]:
        """By its path; an entry without one names nothing that could still be there."""
        return self._missing.state(path) if path[1:3] == ":\\" else ("leftover", ())

    def _may_have_key(self, path: str) -> bool:
        root, _, below = path.partition("\\")
        top = _ROOTS.get(root.lower(), "")
        hive = rf"{top}\{below.partition(chr(92))[0]}"
        return bool(top) and (self._registry.key(rf"{top}\{below}") is not None or self._registry.key(hive) is None)


SOURCE = Source(
    name="amcache",
    title="Programs and files that Windows remembers (Amcache)",
    platforms=("windows",),
    kinds=("program", "app", "file"),
    needs=("registry", "offline"),
    reads=(
        *(rf"C:\Windows\AppCompat\Programs\Amcache.hve{log}" for log in ("", ".LOG1", ".LOG2")),
        rf"{_UNINSTALL}\*",
        r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\*",
        r"HKU\*\Software\Microsoft\Windows\CurrentVersion\Uninstall\*",
    ),
    limits="Windows fills it now and then and cleans it up late: it may lack what is new and name what is gone.",
    collect=collect,
)
