"""Desktop entries: the programs of the menus, and what starts with the desktop.

References:
    https://specifications.freedesktop.org/desktop-entry-spec/latest/,
    https://specifications.freedesktop.org/autostart-spec/latest/,
    https://specifications.freedesktop.org/basedir-spec/latest/ (the folders).
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, Kind, LeftOut, Problem
from phaseout.parsers.encodings.keyfile import sections, unescaped
from phaseout.parsers.windows.command_line import executable
from phaseout.sources.kit.missing_files import VOLUME_LISTS, MissingFiles
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.places import places
from phaseout.sources.kit.walk import walk
from phaseout.sources.source import Source, Trace

_MENUS = (
    "/usr/share/applications",
    "/usr/local/share/applications",
    "/var/lib/snapd/desktop/applications",
    "/var/lib/flatpak/exports/share/applications",
)
_USER_MENUS = ("/.local/share/applications", "/.local/share/flatpak/exports/share/applications")
_AUTOSTART = "/etc/xdg/autostart"
_USER_AUTOSTART = "/.config/autostart"
_ICONS = ("~/*/*.desktop", "/etc/skel/*/*.desktop")  # of the desktop, which each language calls differently
_GROUP = "Desktop Entry"
_LIMIT = 1 << 20
_LANGUAGES = ("ru", "uk", "zh_CN", "en", "en_US")  # names first seen where the vendors are at home
_NAMES = 4


def collect(host: Host) -> Iterator[Trace]:
    """An item for every entry that starts a program."""
    missing = MissingFiles(host)
    for folder in _MENUS:
        yield from _entries(host, missing, folder, "app", "")
    yield from _entries(host, missing, _AUTOSTART, "task", "")
    for home, user in host.homes.items():
        for folder in _USER_MENUS:
            yield from _entries(host, missing, home + folder, "app", user)
        yield from _entries(host, missing, home + _USER_AUTOSTART, "task", user)
    for place in places(host, _ICONS):
        traces = [*_entry(host, missing, place.path, "app", place.user)]
        is_none = any(isinstance(trace, Problem) for trace in traces)  # a file of a user that is called like one
        yield from [LeftOut("not a program")] if is_none else traces


def _entries(host: Host, missing: MissingFiles, top: str, kind: Kind, user: str) -> Iterator[Trace]:
    folders = walk(host, top) if kind == "app" else ((top, host.files.list(top)),)  # no desktop starts what is deeper
    for folder, entries in folders:
        for entry in entries:
            if entry.name.endswith(".desktop") and entry.kind != "dir":
                yield from _entry(host, missing, f"{folder}/{entry.name}", kind, user)


def _entry(host: Host, missing: MissingFiles, path: str, kind: Kind, user: str) -> Iterator[Trace]:
    name = path.rpartition("/")[2].removesuffix(".desktop")
    text = host.files.text(path, _LIMIT)
    if text is None:
        gone = host.files.gone(path)
        note = f"link to {host.files.link(path)}, which is gone" if gone else "could not be read"
        yield Item(
            kind=kind,
            name=name,
            state="leftover" if gone else "installed",
            user=user,
            details={"note": note},
            evidence=(Evidence(path, note),),
        )
        return
    fields = _fields(text)
    if fields is None:
        yield from damaged(path, f"no group [{_GROUP}]")
    elif fields.get("Type", "Application") != "Application":
        yield LeftOut("not a program")
    else:
        yield _item(missing, path, name, kind, user, fields)


def _fields(text: str) -> dict[str, str] | None:
    """The main group. Those after it, for the actions of an application, are not parsed."""
    start = f"\n{text}".find(f"\n[{_GROUP}]")
    end = text.find("\n[", start + 1)
    if start >= 0 and end >= 0:
        text = text[start:end]
    return sections(text).get(_GROUP)


def _item(missing: MissingFiles, path: str, name: str, kind: Kind, user: str, fields: dict[str, str]) -> Item:
    names = _names(fields)
    command = unescaped(fields.get("Exec", ""))
    program = executable(command)
    hidden = fields.get("Hidden") == "true"
    tried = unescaped(fields.get("TryExec", ""))
    state, notes = missing.state(*(place for place in (program, tried) if place.startswith("/")))
    details = {
        "id": path.rpartition("/")[2],
        "names": "; ".join(names[1:]),
        "comment": unescaped(fields.get("Comment", "")),
        "enabled": "no" if fields.get("X-GNOME-Autostart-enabled") == "false" or hidden else "",
        "note": "hidden: the desktop ignores it" if hidden else "",
        "shown": "no" if fields.get("NoDisplay") == "true" else "",
        "flatpak": fields.get("X-Flatpak", ""),
        "snap": fields.get("X-SnapInstanceName", ""),
    }
    return Item(
        kind=kind,
        name=names[0] if names else name,
        state="leftover" if hidden and not program else state,
        version=fields.get("X-AppImage-Version", ""),
        path=program,
        user=user,
        command=command,
        details=details,
        notes=notes,
        evidence=(Evidence(path, f"Exec={fields.get('Exec', '')}"),),
    )


def _names(fields: dict[str, str]) -> list[str]:
    """The name, and some of its translations that differ from it; one of those first where it has no other."""
    languages = (*_LANGUAGES, *(key[5:-1] for key in fields if key.startswith("Name[")))
    keys = ("Name", *(f"Name[{language}]" for language in languages))
    return list(dict.fromkeys(unescaped(fields[key]) for key in keys if fields.get(key)))[: _NAMES + 1]


SOURCE = Source(
    name="desktop_entries",
    title="Desktop entries and autostart",
    platforms=("linux",),
    kinds=("app", "task"),
    needs=(),
    reads=(
        *(f"{folder}/**/*.desktop" for folder in _MENUS),
        f"{_AUTOSTART}/*",
        *(f"~{folder}/**/*.desktop" for folder in _USER_MENUS),
        f"~{_USER_AUTOSTART}/*",
        *_ICONS,
        *VOLUME_LISTS,
    ),
    limits="A program without an entry in the menus or on a desktop is not seen.",
    collect=collect,
)
