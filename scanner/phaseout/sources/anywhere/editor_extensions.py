"""Extensions of VS Code and related editors (VSCodium, Cursor, Windsurf …), and those of their servers for remote work.

An extension is installed if the editor lists it, for all or for one of its profiles. A folder that the editor has
marked for removal, or does not list, is a leftover, and so is an entry of the list whose folder is gone.

References:
    https://code.visualstudio.com/docs/configure/extensions/extension-marketplace (where extensions are);
    https://code.visualstudio.com/docs/configure/profiles; for the files see
    `phaseout.parsers.languages.vscode_extensions`
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Platform, Problem
from phaseout.sources.kit.parsed import damaged, parsed
from phaseout.sources.kit.user_data import Table, UserData, join, present, reads
from phaseout.sources.source import Source, Trace

if TYPE_CHECKING:
    from phaseout.parsers.languages.vscode_extensions import Listed, Package

_EVERYWHERE = {
    ".vscode/extensions": "VS Code",
    ".vscode-insiders/extensions": "VS Code Insiders",
    ".vscode-oss/extensions": "VSCodium",
    ".vscodium-insiders/extensions": "VSCodium Insiders",
    ".cursor/extensions": "Cursor",
    ".windsurf/extensions": "Windsurf",
    ".windsurf-next/extensions": "Windsurf Next",
    ".trae/extensions": "Trae",
    ".kiro/extensions": "Kiro",
    ".positron/extensions": "Positron",
    ".antigravity/extensions": "Antigravity",
    ".vscode-server/extensions": "VS Code Server",
    ".vscode-server-insiders/extensions": "VS Code Server Insiders",
    ".vscode-remote/extensions": "VS Code Server",
    ".vscodium-server/extensions": "VSCodium Server",
    ".cursor-server/extensions": "Cursor Server",
    ".windsurf-server/extensions": "Windsurf Server",
    ".trae-server/extensions": "Trae Server",
    ".openvscode-server/extensions": "OpenVSCode Server",
}
_EDITORS: Table = {
    "linux": {
        "": _EVERYWHERE,
        ".local/share": {"code-server/extensions": "code-server"},
        ".var/app": {
            "com.visualstudio.code/data/vscode/extensions": "VS Code",
            "com.visualstudio.code.insiders/data/vscode-insiders/extensions": "VS Code Insiders",
            "com.vscodium.codium/data/codium/extensions": "VSCodium",
        },
    },
    "macos": {"": _EVERYWHERE, ".local/share": {"code-server/extensions": "code-server"}},
    "windows": {"": _EVERYWHERE},
}
# Where an editor keeps its profiles, each with a list of its own, whatever the folder of the extensions is.
_DATA = {
    "VS Code": "Code",
    "VS Code Insiders": "Code - Insiders",
    "VSCodium": "VSCodium",
    "VSCodium Insiders": "VSCodium - Insiders",
    "Cursor": "Cursor",
    "Windsurf": "Windsurf",
    "Windsurf Next": "Windsurf - Next",
    "Trae": "Trae",
    "Kiro": "Kiro",
    "Positron": "Positron",
    "Antigravity": "Antigravity",
}
_CONFIG: dict[Platform, str] = {
    "linux": ".config",
    "macos": "Library/Application Support",
    "windows": "AppData/Roaming",
}
_PROFILES = "User/profiles"
_OF_SERVER = f"data/{_PROFILES}"
_LIST = "extensions.json"
_LISTS: Table = {
    platform: {
        "": {
            folder.replace("extensions", _OF_SERVER): name for folder, name in _EVERYWHERE.items() if name not in _DATA
        },
        config: {f"{data}/{_PROFILES}": name for name, data in _DATA.items()},
        ".var/app": {f"*/config/{data}/{_PROFILES}": name for name, data in _DATA.items()},
    }
    for platform, config in _CONFIG.items()
}
_FOLDERS = 2000  # of one editor
_LARGEST = 16 << 20


def collect(host: Host) -> Iterator[Trace]:
    """An item for every extension of every editor and user."""
    for place in present(host, _EDITORS):
        yield from _editor(host, place)


def _editor(host: Host, place: UserData) -> Iterator[Trace]:
    from phaseout.parsers.languages.vscode_extensions import Listed, obsolete

    path = join(host, place.folder, _LIST)
    data = host.files.read(path, _LARGEST)
    complete = data is not None
    found: dict[str, Listed] = {}
    if data is not None:
        for trace in _entries(path, data):
            if isinstance(trace, Listed):
                found[trace.folder.lower() or trace.path] = trace
            else:
                complete = False
                yield trace
    marks = join(host, place.folder, ".obsolete")
    marked = (yield from parsed(host, marks, obsolete, _LARGEST, hides=False)) or frozenset()
    folders = [one.name for one in host.files.list(place.folder) if one.kind in ("dir", "link") and one.name[0] != "."]
    if len(folders) > _FOLDERS:
        yield Problem(place.folder, f"more than {_FOLDERS} folders: the rest was not read", "limit")
    folders = folders[:_FOLDERS]
    if complete and any(name.lower() not in found and name.lower() not in marked for name in folders):
        for trace in _of_profiles(host, place):
            if isinstance(trace, Listed):
                found.setdefault(trace.folder.lower() or trace.path, trace)
    for name in folders:
        entry = found.pop(name.lower(), None)
        status = "" if entry is not None or not complete else "not in the list of the editor"
        if name.lower() in marked:
            status = "marked for removal"
        yield from _folder(host, place, join(host, place.folder, name), entry, status)
    for entry in found.values():
        where = join(host, place.folder, entry.folder) if entry.folder else _path(host, entry.path)
        if not where or host.files.gone(where):
            yield _item(place, where, entry, None, "", path, "its files are gone")
        else:
            yield _item(place, where, entry, None, "", path, "")


def _entries(path: str, data: bytes) -> "Iterator[Listed | Trace]":
    from phaseout.parsers.languages.vscode_extensions import listed

    try:
        for entry in listed(data):
            if entry is None:
                yield from damaged(path, "an extension in the list is damaged")
            else:
                yield entry
    except ValueError as error:
        yield Problem(path, f"is damaged: {error}", "damaged")


def _of_profiles(host: Host, place: UserData) -> "Iterator[Listed | Trace]":
    """The entries of all profiles; only what lies beside the list of the editor is of interest."""
    folder, data = place.folder, _DATA.get(place.program)
    if data is None:  # a server
        profiles = join(host, folder[: -len("/extensions")], _OF_SERVER)
    elif "/.var/app/" in folder:
        profiles = f"{folder.partition('/data/')[0]}/config/{data}/{_PROFILES}"
    else:
        home = folder[: -len("/extensions")].rpartition(".")[0].rstrip("/\\")
        profiles = join(host, home, _CONFIG[host.info.platform], data, _PROFILES)
    for profile in host.files.list(profiles):
        path = join(host, profiles, profile.name, _LIST)
        content = host.files.read(path, _LARGEST)
        if content is not None:
            yield from _entries(path, content)


def _path(host: Host, path: str) -> str:
    r"""The path of a location: on Windows `/c:/Users/…` is `C:\Users\…`."""
    if host.info.platform == "windows" and path[:1] == "/" and path[2:3] == ":":
        return path[1].upper() + path[2:].replace("/", "\\")
    return path


def _folder(host: Host, place: UserData, folder: str, entry: "Listed | None", status: str) -> Iterator[Trace]:
    from phaseout.parsers.browsers.extension_locales import nls
    from phaseout.parsers.languages.vscode_extensions import package

    where = join(host, folder, "package.json")
    data = host.files.read(where, _LARGEST)
    found: Package | None = None
    title = ""
    if data is not None:
        try:
            found = package(data)
            title = found.title
            if "%" in title:
                texts = host.files.read(join(host, folder, "package.nls.json"), _LARGEST)
                title = nls(title, texts) if texts is not None else title
        except ValueError as error:
            yield Problem(where, f"is damaged: {error}", "damaged")
    elif entry is None and not status:
        yield LeftOut("not an extension")
        return
    yield _item(place, folder, entry, found, "" if title.startswith("%") else title, where, status)


def _item(
    place: UserData,
    folder: str,
    entry: "Listed | None",
    found: "Package | None",
    title: str,
    evidence: str,
    status: str,
) -> Item:
    name = (entry.id if entry is not None else "") or (found.id if found is not None else "")
    version = (found.version if found is not None else "") or (entry.version if entry is not None else "")
    base = folder.replace("\\", "/").rpartition("/")[2]
    return Item(
        kind="extension",
        name=title or name or base,
        state="leftover" if status else "installed",
        vendor=(entry.vendor if entry is not None else "") or (found.vendor if found is not None else ""),
        version=version,
        path=folder,
        user=place.user,
        ids={"extension_id": name},
        details={
            "editor": place.program,
            "publisher": found.vendor if found is not None else "",
            "installed": entry.installed if entry is not None else "",
            "store": entry.source if entry is not None else "",
            "target": entry.target if entry is not None else "",
            "status": status,
        },
        evidence=(Evidence(evidence, f"{name or base} {version}".strip()),),
    )


SOURCE = Source(
    name="editor_extensions",
    title="Extensions of VS Code and related editors",
    platforms=("linux", "macos", "windows"),
    kinds=("extension",),
    needs=(),
    reads=(
        *reads(_EDITORS, _LIST, ".obsolete", "*/package.json", "*/package.nls.json"),
        *reads(_LISTS, f"*/{_LIST}"),
    ),
    limits=(
        "Whether an extension is switched off is kept in a database of the editor that is not read; extensions in the "
        "folder of a portable editor, or of one started with another folder, are not found."
    ),
    collect=collect,
)
