r"""Modules and scripts of PowerShell that were installed for a system or a user. What PowerShell itself brings is not.

References:
    https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_psmodulepath;
    https://learn.microsoft.com/powershell/gallery/powershellget/how-to/supported-repositories (Scripts)
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, Problem
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.languages.powershell_manifest import Manifest, module_manifest, script_info
from phaseout.sources.kit.places import Place, places
from phaseout.sources.source import Source, Trace

_DOCUMENTS = tuple(
    rf"~\{folder}\{shell}"
    for folder in ("Documents", r"OneDrive\Documents", r"OneDrive - *\Documents")
    for shell in ("PowerShell", "WindowsPowerShell")
)
_ROOTS = (
    *("~/.local/share/powershell", "/usr/local/share/powershell"),
    *_DOCUMENTS,
    *(r"C:\Program Files\PowerShell", r"C:\Program Files\WindowsPowerShell"),
    r"C:\Program Files (x86)\WindowsPowerShell",
)
_LIMIT = 1 << 20


def collect(host: Host) -> Iterator[Trace]:
    """An item for every version of a module, and for every script that says what it is."""
    windows = host.info.platform == "windows"
    separator = "\\" if windows else "/"
    for place in places(host, _ROOTS):
        top = Place(f"{place.path}{separator}Modules", place.user)
        for entry in host.files.list(top.path):
            if entry.kind in ("dir", "link") and not entry.name.startswith("."):
                yield from _module(host, top, separator, entry.name)
        folder = f"{place.path}{separator}Scripts"
        for entry in host.files.list(folder):
            if entry.name.lower().endswith(".ps1"):
                path = f"{folder}{separator}{entry.name}"
                found = script_info(host.files.head(path, _LIMIT) or b"")
                yield _item(place.user, path, entry.name[:-4], found or Manifest("", "", ""))


def _module(host: Host, top: Place, separator: str, name: str) -> Iterator[Trace]:
    """The versions of a module, each in a folder of its own, or the module without such folders."""
    folder = f"{top.path}{separator}{name}"
    file = f"{name}.psd1".lower()
    entries = host.files.list(folder)
    here = [entry.name for entry in entries if entry.name.lower() == file]
    found = [(folder, here[0])] if here else []
    for entry in entries:
        if entry.kind in ("dir", "link") and entry.name[:1].isdigit():
            below = f"{folder}{separator}{entry.name}"
            inside = [one.name for one in host.files.list(below) if one.name.lower() == file]
            found.append((below, inside[0] if inside else ""))
    if not found and entries:  # a folder of code without a manifest
        found.append((folder, ""))
    for path, manifest in found:
        about = Manifest("", "", "")
        where = f"{path}{separator}{manifest}" if manifest else path
        data = host.files.read(where, _LIMIT) if manifest else None
        if data is not None:
            try:
                about = module_manifest(data)
            except ValueError as error:
                yield Problem(where, f"is damaged: {error}", "damaged")
        told = path.rpartition(separator)[2]
        if not about.version and told[:1].isdigit():
            about = about._replace(version=told)
        yield _item(top.user, path, name, about, where)


def _item(user: str, path: str, name: str, about: Manifest, where: str = "") -> Item:
    return Item(
        kind="library",
        name=name,
        vendor=about.vendor,
        version=about.version,
        path=path,
        user=user,
        ids={"purl": purl("nuget", name, about.version)},
        details={"language": "PowerShell"},
        evidence=(Evidence(where or path, f"{name} {about.version}".strip()),),
    )


SOURCE = Source(
    name="powershell_modules",
    title="Modules and scripts of PowerShell",
    platforms=("linux", "macos", "windows"),
    kinds=("library",),
    needs=(),
    reads=tuple(
        f"{root}{separator}{below.replace('/', separator)}"
        for root in _ROOTS
        for separator in ("\\" if "\\" in root else "/",)
        for below in ("Modules/*/*", "Modules/*/*/*", "Scripts/*")
    ),
    limits="Modules in folders that only PSModulePath names are not seen, nor are those that are part of PowerShell.",
    collect=collect,
)
