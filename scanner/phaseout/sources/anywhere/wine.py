r"""Windows programs in the prefixes of Wine, and of what is made with it: Proton, Bottles, Lutris, CrossOver, Whisky.

A prefix is a small Windows of its own. Its registry is text; it is read like that of any Windows, and so are the
folders for programs on its drive `C:`.

References:
    https://gitlab.winehq.org/wine/wine/-/wikis/FAQ (prefixes), https://github.com/ValveSoftware/Proton (compatdata),
    https://docs.usebottles.com, https://github.com/lutris/lutris/wiki, CrossOver's bottles.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from phaseout.host import Host
from phaseout.model.nouns import Problem
from phaseout.sources.kit.places import Place, places
from phaseout.sources.source import Inside, Source, Trace

if TYPE_CHECKING:
    from phaseout.parsers.windows.registry_values import Value

_STEAM = ("~/.steam/steam", "~/.local/share/Steam", "~/.var/app/com.valvesoftware.Steam/data/Steam")
_PREFIXES = (
    *("~/.wine", "~/.local/share/wineprefixes/*", "~/.PlayOnLinux/wineprefix/*", "~/.cxoffice/*", "~/Games/*"),
    *("~/.local/share/bottles/bottles/*", "~/.var/app/com.usebottles.bottles/data/bottles/bottles/*"),
    *("~/Games/Heroic/Prefixes/*", "~/Games/Heroic/Prefixes/default/*", "/opt/cxoffice/support/*"),
    *(f"{top}/steamapps/compatdata/*/pfx" for top in _STEAM),
    *("~/Library/Application Support/CrossOver/Bottles/*",),
    *("~/Library/Containers/com.isaacmarovitz.Whisky/Bottles/*",),
)
_REGISTRY = {"system.reg": "HKLM", "user.reg": "HKU"}
_LIMIT = 64 << 20
_SID = "S-1-5-21-0-0-0-1000"  # which Wine gives to its only user
_PROFILE = rf"HKLM\Software\Microsoft\Windows NT\CurrentVersion\ProfileList\{_SID}"
_VIEWS = ("software\\", "software\\wow6432node\\")
_WANTED = tuple(
    rf"{view}microsoft\{below}"
    for view in _VIEWS
    for below in (
        r"windows\currentversion\uninstall",
        r"windows\currentversion\installer",
        "windows nt\\currentversion",
    )
)
_FOLDERS = frozenset(
    ("environment", "software\\wow6432node", *(rf"{view}microsoft\windows\currentversion" for view in _VIEWS))
)


def collect(host: Host) -> Iterator[Trace]:
    """What is inside of every prefix."""
    for place in places(host, [f"{prefix}/drive_c" for prefix in _PREFIXES]):
        yield from _prefix(host, place)


def _prefix(host: Host, place: Place) -> Iterator[Trace]:
    prefix = place.path.rpartition("/")[0]
    tree: dict[str, dict[str, Value]] = {}
    for name, top in _REGISTRY.items():
        data = host.files.read(f"{prefix}/{name}", _LIMIT)
        if data is None:
            if host.files.gone(f"{prefix}/{name}"):
                yield Problem(f"{prefix}/{name}", "the registry of this prefix is missing", "missing")
            continue
        from phaseout.parsers.windows.wine_registry import wine_keys

        for entry in wine_keys(data, _is_wanted):
            if isinstance(entry, Problem):
                yield Problem(f"{prefix}/{name}: {entry.where}", entry.why, entry.cause)
                continue
            path, values = entry
            tree[rf"{top}\{path}" if top == "HKLM" else rf"HKU\{_SID}\{path}"] = values
    people = [one.name for one in host.files.list(f"{place.path}/users") if one.name != "Public" and one.kind != "file"]
    tree.setdefault(_PROFILE, {"ProfileImagePath": rf"C:\users\{people[0]}" if people else ""})
    files = host.files.drive(place.path)
    if files is not None:
        from phaseout.host.registry.memory import registry_in_memory
        from phaseout.host.windows.opening import windows_host

        inner = windows_host(registry_in_memory(tree, files), files, r"C:\windows", root=prefix)
        yield Inside(f"prefix of Wine {prefix}", place.user, inner)


def _is_wanted(path: str) -> bool:
    return path.startswith(_WANTED) or path in _FOLDERS


SOURCE = Source(
    name="wine",
    title="Windows programs in prefixes of Wine",
    platforms=("linux", "macos"),
    kinds=("program",),
    needs=(),
    reads=tuple(f"{prefix}/{name}" for prefix in _PREFIXES for name in (*_REGISTRY, "drive_c/**")),
    limits="Prefixes in other folders, and drives other than C: of a prefix, are not read.",
    collect=collect,
)
