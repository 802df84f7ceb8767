"""Programs of macOS without a bundle, in the folders where installers and administrators put such: their signatures.

References:
    Apple, "SMJobBless" (`/Library/PrivilegedHelperTools`); hier(7) of macOS (`/usr/local`, `/opt`).
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, LeftOut, Problem
from phaseout.sources.kit.library_folders import library_folders
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.places import Place, places
from phaseout.sources.kit.signed_programs import is_program, started
from phaseout.sources.kit.top_folders import own_folders
from phaseout.sources.source import Source, Trace

_NAMED = (
    *("/Library/PrivilegedHelperTools", "/usr/local/bin", "/usr/local/sbin", "/usr/local/libexec", "/usr/local/*"),
    *("/usr/local/*/bin", "/usr/local/*/sbin", "/opt/*", "/opt/*/bin", "/opt/*/sbin", "/opt/*/*/bin", "/opt/*/*/sbin"),
    *(f"/Library/Application Support{below}" for below in ("/*", "/*/*", "/*/*/*")),
    *(f"~/Library/Application Support{below}" for below in ("/*", "/*/*")),
    *("/Library/Caches/*", "~/Library/Caches/*"),
    *(
        "/private/etc/*",
        "/private/var/*",
        "~",
        "/private/var/folders/*/*/T",
        "/private/var/folders/*/*/T/*",
    ),
    *(
        f"{base}/Library/{folder}"
        for base in ("", "~")
        for folder in ("LaunchAgents", "LaunchDaemons", "Scripts", "Scripts/*", "StartupItems/*", "Logs/*")
    ),
    *("~/Library/Application Scripts/*", "/Library/Preferences/*", "~/Library/Preferences/*"),
)
# With two levels of folders below, and the folders of programs in those; so are folders in homes and in `Library`.
_TOPS = ("/Users/Shared", "/private/tmp", "/private/var/tmp", "/usr/local", "/opt", "/Volumes/*")
_LEVELS = 2
_BIN = ("bin", "sbin", "libexec")
_BUNDLES = (".app", ".framework", ".bundle", ".plugin", ".photoslibrary")
_FOLDERS = 10_000  # below one
_OF_OTHERS = ("/Cellar/", "/opt/homebrew/", "/opt/local/", "/com.apple.")  # which other sources list, or macOS has
_MOST = 10_000  # files of one folder


def collect(host: Host) -> Iterator[Trace]:
    """An item for every program."""
    missing = MissingFiles(host)
    met: set[str] = set()
    for place in dict.fromkeys(_folders(host)):
        if any(part in f"{place.path}/" for part in _OF_OTHERS):
            continue
        entries = [entry for entry in host.files.list(place.path) if entry.kind in ("file", "link")]
        for entry in entries[:_MOST]:
            path = f"{place.path}/{entry.name}"
            real = path if entry.kind == "file" else host.files.real(path)
            stat = host.files.stat(path) if real is not None else None
            if real is None or stat is None or stat.kind != "file" or not (stat.mode & 0o111 or "." not in entry.name):
                continue
            if real in met or any(part in real for part in _OF_OTHERS) or ".app/" in real:
                yield LeftOut("listed as another item")
            elif not is_program(host, real):
                yield LeftOut("not a program")
            else:
                met.add(real)
                yield started(host, missing, entry.name, path, Evidence(path), kind="program", user=place.user)
        if len(entries) > _MOST:
            yield Problem(place.path, f"more than {_MOST} files: the rest was not read", "limit")


def _folders(host: Host) -> Iterator[Place]:
    yield from places(host, _NAMED)
    for place in (*places(host, _TOPS), *(Place(path, "") for path in own_folders(host, ("opt",)))):
        yield from _below(host, place, _LEVELS)
    for path, user in library_folders(host):
        yield from _below(host, Place(path, user), _LEVELS)
    for home, user in host.homes.items():
        for name, kind in host.files.list(home):
            if kind == "dir" and name != "Library":
                yield from _below(host, Place(f"{home}/{name}", user), _LEVELS)


def _below(host: Host, top: Place, levels: int) -> Iterator[Place]:
    """A folder and those below it; bundles are read as such."""
    yield top
    count = 0
    for name, kind in host.files.list(top.path):
        if kind == "dir" and (levels or name in _BIN) and not name.lower().endswith(_BUNDLES):
            count += 1
            if count > _FOLDERS:
                why = f"more than {_FOLDERS:,} folders: the rest was not read"
                host.files.problems.append(Problem(top.path, why, "limit"))
                return
            yield from _below(host, Place(f"{top.path}/{name}", top.user), max(levels - 1, 0))


SOURCE = Source(
    name="programs",
    title="Programs without an application",
    platforms=("macos",),
    kinds=("program",),
    needs=(),
    reads=(
        *(f"{folder}/*" for folder in _NAMED),
        *(f"{top}/**" for top in (*_TOPS, "/[!SULApnev]*", "/Library", "~")),
        *("/System/Volumes/Data/*", "/System/Volumes/Data/[!p]*/**"),
    ),
    limits="Programs in other folders are seen where something starts them. Whether a signature holds is not verified.",
    collect=collect,
)
