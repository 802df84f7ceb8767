r"""Programs of the Uninstall keys: those of the machine in all views, and those of every user.

An entry is kept even if it lacks most values; without `DisplayName` it goes by the name of its key. Only a key without
any content is left out: Windows keeps such keys for its own components. If a product id holds a backslash, the entry
lies in a key below, which is read as well.

An entry is `leftover` if it names places on disk and all of them are gone. What lies in the Windows folder (`msiexec`,
the icons that Windows Installer caches) or is a folder of many programs says nothing about this one.

References:
    https://learn.microsoft.com/windows/win32/msi/uninstall-registry-key; ARPSYSTEMCOMPONENT and ParentKeyName: "Add or
    Remove Programs" in the Windows Installer documentation; "Registry Virtualization" (`VirtualStore`).
"""

from collections.abc import Iterator, Mapping

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, IdType, Item, LeftOut, Problem
from phaseout.parsers.windows.image_path import absolute
from phaseout.parsers.windows.packed_guid import guid
from phaseout.parsers.windows.windows_dates import filetime
from phaseout.sources.kit import windows_programs
from phaseout.sources.kit.missing_files import MissingFiles, shared_folders
from phaseout.sources.kit.windows_installer import READS, upgrade_codes, version
from phaseout.sources.kit.windows_programs import Programs, variables_of
from phaseout.sources.kit.windows_registry import decoration, expected, installed_on, registry_of, subkeys
from phaseout.sources.source import Source, Trace

_UNINSTALL = r"Microsoft\Windows\CurrentVersion\Uninstall"
_SOFTWARE = r"HKLM\SOFTWARE\Microsoft"
_VIEWS = ("", "WOW6432Node\\", "WowAA32Node\\")  # 64-bit, 32-bit, and 32-bit ARM programs
_MACHINE = tuple(rf"HKLM\SOFTWARE\{view}{_UNINSTALL}" for view in _VIEWS)
_OF_USER = (
    *(rf"\Software\{view}{_UNINSTALL}" for view in _VIEWS[:2]),
    *(rf"_Classes\VirtualStore\MACHINE\SOFTWARE\{view}{_UNINSTALL}" for view in _VIEWS[:2]),
)
_LEVELS = 4  # of keys below `Uninstall`
_DETAILS = (
    ("uninstall", "UninstallString"),
    ("quiet_uninstall", "QuietUninstallString"),
    ("modify", "ModifyPath"),
    ("location", "InstallLocation"),
    ("install_source", "InstallSource"),
    ("icon", "DisplayIcon"),
    ("comments", "Comments"),
    ("contact", "Contact"),
    ("url", "URLInfoAbout"),
    ("help", "HelpLink"),
    ("release_type", "ReleaseType"),
    ("parent", "ParentKeyName"),
)


def collect(host: Host) -> Iterator[Trace]:
    """An item for every entry of every view and user."""
    yield from expected(host, _SOFTWARE)
    registry = registry_of(host)
    reader = _Reader(host)
    both_views = registry.key(r"HKLM\SOFTWARE\WOW6432Node") is not None
    for path in _MACHINE:
        arch = "32-bit" if "Node" in path or not both_views else "64-bit"
        yield from reader.entries(registry.key(path), "", host.variables, arch)
    for user in host.users:
        if user.sid:
            variables = variables_of(host, user)
            for path in _OF_USER:
                yield from reader.entries(registry.key(rf"HKU\{user.sid}{path}"), user.name, variables, "")


class _Reader:
    """Reads the entries of one host."""

    def __init__(self, host: Host) -> None:
        self._upgrades = upgrade_codes(host)
        self._missing = MissingFiles(host)
        self._programs = Programs(host)
        self._shared = shared_folders(host)
        self._windows = host.variables.get("systemroot", "\0").lower() + "\\"

    def entries(self, top: Key | None, user: str, variables: Mapping[str, str], arch: str) -> Iterator[Trace]:
        """The entries of one `Uninstall` key."""
        if top is not None:
            for key in top.subkeys():
                yield from self._entries(key, key.name, user, variables, arch)

    def _entries(self, key: Key, name: str, user: str, variables: Mapping[str, str], arch: str) -> Iterator[Trace]:
        has_content = any(key.values().values())
        nested = False
        for below in subkeys(key):
            nested_name = rf"{name}\{below.name}"
            if nested_name.count("\\") >= _LEVELS:
                yield Problem(below.path, f"more than {_LEVELS} levels of keys: not read", "limit")
                break
            if not has_content or below.value("DisplayName") or below.value("UninstallString"):
                nested = True
                yield from self._entries(below, nested_name, user, variables, arch)
        if has_content:
            yield self._program(key, name, user, variables, arch)
        elif not nested:
            yield LeftOut("an empty entry")

    def _program(self, entry: Key, key_name: str, user: str, variables: Mapping[str, str], arch: str) -> Item:
        notes: list[str] = []
        name, vendor = entry.text("DisplayName"), entry.text("Publisher")
        number = version(entry, notes)
        details = {detail: decoration(entry, value, notes) for detail, value in _DETAILS}
        details |= {"arch": arch, "kind": _kind(entry, details), "modified": filetime(entry.modified)}
        if language := entry.number("Language"):
            details["language"] = str(language)
        if size := entry.number("EstimatedSize"):
            details["size_kib"] = str(size)
        details["installed"] = installed_on(entry, "InstallDate", notes)
        ids: dict[IdType, str] = {"registry_key": key_name}
        product = guid(key_name.removeprefix("InstallShield_"))
        if product:
            ids["product_code"] = product
            ids["upgrade_code"] = self._upgrades.get(product, "")
        places = self._places(details, variables)
        state, unknown = self._missing.state(*places)
        return Item(
            kind="program",
            name=name or key_name,
            state=state,
            vendor=vendor,
            version=number,
            path=places[0] if places else "",
            user=user,
            ids=ids,
            details=details,
            notes=(*notes, *unknown),
            evidence=(Evidence(entry.path, _seen(name, vendor, number)),),
        )

    def _places(self, details: Mapping[str, str], variables: Mapping[str, str]) -> list[str]:
        """Folder, icon and uninstaller that the entry names, without those that belong to Windows or to many."""
        found = (
            absolute(details["location"], variables),
            self._programs.path(details["icon"], variables),
            self._programs.path(details["uninstall"], variables),
        )
        return [
            place
            for place in found
            if place and place.lower() not in self._shared and not f"{place.lower()}\\".startswith(self._windows)
        ]


def _seen(name: str, vendor: str, version: str) -> str:
    fields = (("DisplayName", name), ("Publisher", vendor), ("DisplayVersion", version))
    return ", ".join(f"{field}: {value}" for field, value in fields if value)


def _kind(entry: Key, details: Mapping[str, str]) -> str:
    """What the entry is where it is no program of its own; Windows shows neither in its list of programs."""
    if details["parent"] or details["release_type"]:
        return "update"
    return "system component" if entry.number("SystemComponent") else ""


SOURCE = Source(
    name="uninstall",
    title="Programs in the Uninstall keys",
    platforms=("windows",),
    kinds=("program",),
    needs=("registry",),
    reads=(
        _SOFTWARE,
        *_MACHINE,
        r"HKLM\SOFTWARE\WOW6432Node",
        *READS,
        *(rf"HKU\*{path}" for path in _OF_USER),
        windows_programs.READS,
    ),
    limits="A program that was only unpacked has no Uninstall entry, and some installers write none.",
    collect=collect,
)
