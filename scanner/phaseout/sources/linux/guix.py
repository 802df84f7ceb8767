"""Packages in the profiles of Guix: of the system and of its users.

References:
    https://guix.gnu.org/manual/en/html_node/ ("Invoking guix package", "Invoking guix home")
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, Problem
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.linux.guix_manifest import packages
from phaseout.sources.kit.parsed import parsed
from phaseout.sources.kit.places import places
from phaseout.sources.source import Source, Trace

_PER_USER = "/var/guix/profiles/per-user"
_PROFILES = (
    *("/run/current-system/profile", "/var/guix/profiles/system/profile", f"{_PER_USER}/*/*"),
    *("~/.guix-profile", "~/.config/guix/current", "~/.guix-home/profile"),
)
_STORE = "/gnu/store"
_LIMIT = 64 << 20


def collect(host: Host) -> Iterator[Trace]:
    """An item for every package of every profile; of a profile only its present generation counts."""
    found = False
    for place in places(host, _PROFILES):
        if place.path.endswith("-link"):  # a generation
            continue
        path = f"{place.path}/manifest"
        user = place.user or (place.path.split("/")[5] if place.path.startswith(f"{_PER_USER}/") else "")
        for package in (yield from parsed(host, path, packages, _LIMIT)) or ():
            found = True
            yield Item(
                kind="package",
                name=package.name,
                version=package.version,
                path=package.path,
                user="" if user == "root" else user,
                ids={"purl": purl("guix", package.name, package.version)},
                details={"requested": "" if package.wanted else "no"},
                evidence=(Evidence(path, f"{package.name} {package.version}"),),
            )
    if not found and host.files.list(_STORE):
        yield Problem(
            _STORE, "holds packages, but no profile of Guix was found that says which are installed", "missing"
        )


SOURCE = Source(
    name="guix",
    title="Packages of Guix",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(*(f"{profile}/manifest" for profile in _PROFILES), _STORE),
    limits="What a package needs itself without propagating it, and what guix shell has fetched, is not listed.",
    collect=collect,
)
