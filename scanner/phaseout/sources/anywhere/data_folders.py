r"""Folders that software makes in places that all share: data, logs, caches, settings. Removals often leave them.

Names are listed, those of links that lead nowhere too: what they led to was removed. In a folder where programs do not
belong nothing else is read, and it is a `leftover`. Where programs may lie a short search decides: as soon as it
finds what may be one, or too much to see, the folder counts as installed.

References:
    Filesystem Hierarchy Standard 3.0 (3.7, 4.6, 4.7, 4.11, 5.5, 5.8, 5.10, 5.14); XDG Base Directory Specification 0.8;
    Microsoft, "KNOWNFOLDERID" (ProgramFiles, ProgramFilesCommon, ProgramData, LocalAppData, LocalAppDataLow,
    RoamingAppData); Apple, "File System Programming Guide" (The Library Directory Stores App-Specific Files).
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Platform, Problem, State
from phaseout.sources.kit.places import is_of_system
from phaseout.sources.source import Source, Trace

_CHILDREN = 1_000  # of a vendor's folder
_SEARCHED = 64  # entries, until a folder counts as one with programs


class _Place(NamedTuple):
    """A folder in which software makes folders of its own.

    Attributes:
        path: a folder of the system, or with `~` one of every user.
        programs: whether there may be programs in such folders.
        levels: of folders that are listed: a vendor's, and those of its products.
        settings: whether files count as well, because each is the settings of one program.
        hidden: whether only folders count whose name begins with a dot: the others are a user's own.
    """

    path: str
    programs: bool = False
    levels: int = 1
    settings: bool = False
    hidden: bool = False


_PLACES: dict[Platform, tuple[_Place, ...]] = {
    "linux": (
        *map(_Place, ("/etc", "/var/cache", "/var/log", "/var/spool")),
        *(_Place(path, programs=True) for path in ("/usr/lib", "/usr/lib64", "/usr/libexec", "/usr/share", "/var/lib")),
        *(_Place(path, programs=True) for path in ("/tmp", "/var/tmp")),  # noqa: S108
        *(_Place(path) for path in ("~/.cache", "~/.config", "~/.local/state")),
        _Place("~/.local/share", programs=True),
        _Place("~", hidden=True),
    ),
    "macos": (
        _Place("~", hidden=True),
        *map(_Place, ("/Library/Caches", "/Library/Logs", "~/Library/Caches", "~/Library/Logs")),
        *(_Place(path, settings=True) for path in ("/Library/Preferences", "~/Library/Preferences")),
        *(
            _Place(f"~/Library/{name}")
            for name in ("Containers", "Group Containers", "HTTPStorages", "Saved Application State", "WebKit")
        ),
    ),
    "windows": (
        *(
            _Place(rf"C:\{name}", programs=True, levels=2)
            for name in (
                *("Program Files", r"Program Files\Common Files", "Program Files (x86)"),
                *(r"Program Files (x86)\Common Files", "ProgramData"),
            )
        ),
        *(_Place(rf"~\AppData\{name}", programs=True) for name in ("Local", "LocalLow", "Roaming")),
    ),
}
# Names of the system itself, in small letters.
_OF_SYSTEM: dict[Platform, frozenset[str]] = {
    "linux": frozenset(
        (
            *("alternatives", "apt", "cron.d", "cron.daily", "cron.hourly", "cron.monthly", "cron.weekly", "default"),
            *("dbus-1", "debconf", "doc", "dpkg", "fonts", "icons", "info", "init.d", "journal", "ld.so.conf.d"),
            *("locale", "locales", "logrotate.d", "man", "mime", "misc", "modprobe.d", "modules", "opt", "pam.d"),
            *("pki", "polkit-1", "private", "profile.d", "rc0.d", "rc1.d", "rc2.d", "rc3.d", "rc4.d", "rc5.d"),
            *("rc6.d", "rcs.d", "rpm", "security", "skel", "ssl", "sysctl.d", "systemd", "terminfo", "tmpfiles.d"),
            *("udev", "x11", "xdg", "zoneinfo", ".cache", ".config", ".gnupg", ".local", ".ssh"),
        )
    ),
    "macos": frozenset((".ssh", ".trash", "byhost", "cloudkit", "familycircle", "diagnosticreports")),
    "windows": frozenset(
        (
            *("application data", "common files", "connecteddevicesplatform", "desktop", "documents", "history"),
            *("internet explorer", "microsoft", "microsoft shared", "modifiablewindowsapps", "package cache"),
            *("packages", "programs", "regid.1991-06.com.microsoft", "softwaredistribution", "ssh", "start menu"),
            *("temp", "templates", "temporary internet files", "uninstall information", "usoprivate", "usoshared"),
            *("virtualstore", "windows defender", "windows mail", "windows media player", "windows nt"),
            *("windows photo viewer", "windows security", "windows sidebar", "windowsapps", "windowspowershell"),
        )
    ),
}
# What ends so is no program; on Windows only what ends like one is.
_DATA = (
    *(".conf", ".css", ".dat", ".db", ".gz", ".html", ".ini", ".js", ".json", ".list", ".log", ".mo", ".pid", ".png"),
    *(".svg", ".txt", ".xml", ".yaml", ".yml"),
)
_PROGRAMS = (".bat", ".cmd", ".com", ".dll", ".exe", ".jar", ".msi", ".ocx", ".ps1", ".sys")
_APPLE = "com.apple."
_MAY_BE_IN_USE = "whether a program in it is in use was not checked"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every folder in one of the places that is not the system's own."""
    for place in _PLACES[host.info.platform]:
        if place.path[0] != "~":
            yield from _folders(host, place, place.path, "")
            continue
        for home, user in host.homes.items():
            if not place.hidden or not is_of_system(home):
                yield from _folders(host, place, home + place.path[1:], user)


def _folders(host: Host, place: _Place, top: str, user: str) -> Iterator[Trace]:
    of_system = _OF_SYSTEM[host.info.platform]
    separator = host.files.separator
    if place.programs and host.files.real(top) != top:  # `/lib64` and the like: listed under its own name
        return
    for name, kind in host.files.list(top):
        if place.hidden and not name.startswith("."):
            continue
        if name.startswith(_APPLE) or name.lower() in of_system:
            yield LeftOut("part of the operating system")
            continue
        path = f"{top}{separator}{name}"
        if kind == "dir" or (kind == "link" and (host.files.is_dir(path) or host.files.gone(path))):
            yield _item(host, place, path, name, user)
            if place.levels > 1:
                yield from _products(host, place, path, user)
        elif kind == "file" and place.settings and name.endswith(".plist"):
            yield _item(host, place, path, name.removesuffix(".plist"), user)
        else:
            yield LeftOut("a file, not a folder")


def _products(host: Host, place: _Place, vendor: str, user: str) -> Iterator[Trace]:
    names = [name for name, kind in host.files.list(vendor) if kind == "dir"]
    if len(names) > _CHILDREN:
        yield Problem(vendor, f"more than {_CHILDREN} folders: the rest was not read", "limit")
    for name in names[:_CHILDREN]:
        yield _item(host, place, f"{vendor}{host.files.separator}{name}", name, user)


def _item(host: Host, place: _Place, path: str, name: str, user: str) -> Item:
    in_use = place.programs and _may_hold_program(host, path)
    state: State = "installed" if in_use else "leftover"
    notes = (_MAY_BE_IN_USE,) if in_use else ()
    return Item(kind="file", name=name, state=state, path=path, user=user, notes=notes, evidence=(Evidence(path),))


def _may_hold_program(host: Host, folder: str) -> bool:
    windows = host.info.platform == "windows"
    left = _SEARCHED
    pending = deque((folder,))
    while pending:
        top = pending.popleft()
        entries = host.files.list(top)
        left -= len(entries)
        for name, kind in entries:
            if kind == "dir":
                pending.append(f"{top}{host.files.separator}{name}")
            elif name.lower().endswith(_PROGRAMS) if windows else not name.lower().endswith(_DATA):
                return True
        if left < 0 and pending:
            return True
    return False


SOURCE = Source(
    name="data_folders",
    title="Folders of data, logs and settings",
    platforms=("linux", "macos", "windows"),
    kinds=("file",),
    needs=(),
    reads=tuple(
        place.path + ("\\**" if platform == "windows" else "/**" if place.programs else "/*/")
        for platform, places in _PLACES.items()
        for place in places
    ),
    limits="Whether a program in such a folder is in use does not show here; folders of other names and deeper ones "
    "are not listed.",
    collect=collect,
)
