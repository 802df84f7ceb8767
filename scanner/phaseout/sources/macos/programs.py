"""Programs of macOS without a bundle, in the folders where installers and administrators put such: their signatures.

References:
    Apple, "SMJobBless" (`/Library/PrivilegedHelperTools`); hier(7) of macOS (`/usr/local`, `/opt`).
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, LeftOut, Problem
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.places import places
from phaseout.sources.kit.signed_programs import is_program, started
from phaseout.sources.source import Source, Trace

_FOLDERS = (
    *("/Library/PrivilegedHelperTools", "/usr/local/bin", "/usr/local/sbin", "/usr/local/libexec", "/usr/local/*"),
    *("/usr/local/*/bin", "/usr/local/*/sbin", "/opt/*", "/opt/*/bin", "/opt/*/sbin", "/opt/*/*/bin", "/opt/*/*/sbin"),
    *("/Library/Application Support/*", "/Library/Application Support/*/*", "/Library/Application Support/*/*/*"),
    *("/Users/Shared", "/Users/Shared/*", "/Users/Shared/*/bin"),
    *("~/bin", "~/.local/bin", "~/Library/Application Support/*", "~/Library/Application Support/*/bin"),
    *("~", "~/*", "~/*/bin", "~/Downloads/*", "~/Desktop/*", "~/Documents/*"),
    *("/private/tmp", "/private/tmp/*", "/private/var/tmp", "/private/var/tmp/*"),
)
_OF_OTHERS = ("/Cellar/", "/opt/homebrew/", "/opt/local/", "/com.apple.")  # which other sources list, or macOS has
_MOST = 10_000  # files of one folder


def collect(host: Host) -> Iterator[Trace]:
    """An item for every program."""
    missing = MissingFiles(host)
    met: set[str] = set()
    for place in places(host, _FOLDERS):
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


SOURCE = Source(
    name="programs",
    title="Programs without an application",
    platforms=("macos",),
    kinds=("program",),
    needs=(),
    reads=(*(f"{folder}/*" for folder in _FOLDERS), "/usr/local/**", "/opt/**"),
    limits="Programs in other folders are seen where something starts them. Whether a signature holds is not verified.",
    collect=collect,
)
