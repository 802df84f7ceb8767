r"""Programs of the Uninstall keys: those of the machine in both views, and those of every user.

An entry is kept whatever it lacks; one without `DisplayName` goes by the name of its key. Only a key in which there is
no value at all, or none with a content, is left out: Windows keeps such for its own components.

An entry is `leftover` if it names places on disk and nothing is left at any of them. What lies in the Windows folder
(`msiexec`, the icons that Windows Installer caches) tells nothing.

References:
    https://learn.microsoft.com/windows/win32/msi/uninstall-registry-key; ARPSYSTEMCOMPONENT and ParentKeyName: "Add or
    Remove Programs" in the Windows Installer documentation.
"""

from collections.abc import Callable, Iterator, Mapping

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, IdType, Item, LeftOut, Problem
from phaseout.parsers.windows.image_path import absolute, for_user, program
from phaseout.parsers.windows.packed_guid import guid
from phaseout.parsers.windows.windows_dates import filetime, install_date
from phaseout.sources.kit.missing_files import gone_from
from phaseout.sources.kit.windows_installer import READS, subkeys, upgrade_codes, version
from phaseout.sources.source import Source, Trace

_UNINSTALL = r"Microsoft\Windows\CurrentVersion\Uninstall"
_MACHINE = (rf"HKLM\SOFTWARE\{_UNINSTALL}", rf"HKLM\SOFTWARE\WOW6432Node\{_UNINSTALL}")
_OF_USER = (rf"Software\{_UNINSTALL}", rf"Software\WOW6432Node\{_UNINSTALL}")
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
    registry = host.registry
    assert registry is not None
    upgrades = upgrade_codes(host)
    gone = gone_from(host)
    both_views = registry.key(r"HKLM\SOFTWARE\WOW6432Node") is not None
    for path in _MACHINE:
        arch = "32-bit" if "WOW6432Node" in path or not both_views else "64-bit"
        for entry in subkeys(registry.key(path)):
            yield from _program(entry, "", host.variables, arch, upgrades, gone)
    for user in host.users:
        if not user.sid:
            continue
        variables = for_user(host.variables, user.home)
        for path in _OF_USER:
            for entry in subkeys(registry.key(rf"HKU\{user.sid}\{path}")):
                yield from _program(entry, user.name, variables, "", upgrades, gone)


def _program(
    entry: Key,
    user: str,
    variables: Mapping[str, str],
    arch: str,
    upgrades: Mapping[str, str],
    gone: Callable[[str], bool],
) -> Iterator[Trace]:
    if not any(entry.values().values()):
        yield LeftOut("an empty entry")
        return
    name = entry.text("DisplayName")
    vendor = entry.text("Publisher")
    number = version(entry)
    details = {detail: entry.text(value) for detail, value in _DETAILS}
    details["arch"] = arch
    details["kind"] = _kind(entry)
    details["modified"] = filetime(entry.modified)
    if language := entry.number("Language"):
        details["language"] = str(language)
    if size := entry.number("EstimatedSize"):
        details["size_kib"] = str(size)
    try:
        details["installed"] = install_date(entry.text("InstallDate"))
    except ValueError as error:
        yield Problem(entry.path, f"InstallDate: {error}")
    ids: dict[IdType, str] = {"registry_key": entry.name}
    product = guid(entry.name.removeprefix("InstallShield_"))
    if product:
        ids["product_code"] = product
        ids["upgrade_code"] = upgrades.get(product, "")
    places = _places(entry, variables)
    yield Item(
        kind="program",
        name=name or entry.name,
        state="leftover" if places and all(gone(place) for place in places) else "installed",
        vendor=vendor,
        version=number,
        path=places[0] if places else "",
        user=user,
        ids=ids,
        details=details,
        evidence=(Evidence(entry.path, _seen(name, vendor, number)),),
    )


def _seen(name: str, vendor: str, version: str) -> str:
    fields = (("DisplayName", name), ("Publisher", vendor), ("DisplayVersion", version))
    return ", ".join(f"{field}: {value}" for field, value in fields if value)


def _kind(entry: Key) -> str:
    """What the entry is where it is not a program of its own right; Windows shows neither in its list of programs."""
    if entry.text("ParentKeyName") or entry.text("ReleaseType"):
        return "update"
    return "system component" if entry.number("SystemComponent") else ""


def _places(entry: Key, variables: Mapping[str, str]) -> list[str]:
    """Folder, icon and uninstaller that the entry names, those that belong to Windows left out."""
    windows = variables.get("systemroot", "\0").lower() + "\\"
    found = (
        absolute(entry.text("InstallLocation"), variables),
        program(entry.text("DisplayIcon"), variables),
        program(entry.text("UninstallString"), variables),
    )
    return [place for place in found if place and not f"{place.lower()}\\".startswith(windows)]


SOURCE = Source(
    name="uninstall",
    title="Programs in the Uninstall keys",
    platforms=("windows",),
    kinds=("program",),
    needs=("registry",),
    reads=(
        *_MACHINE,
        r"HKLM\SOFTWARE\WOW6432Node",
        *READS,
        *(rf"HKU\*\{path}" for path in _OF_USER),
    ),
    limits="A program that was only unpacked has no Uninstall entry, and some installers write none.",
    collect=collect,
)
