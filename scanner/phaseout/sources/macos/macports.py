"""Ports of MacPorts, active or inactive.

References:
    https://guide.macports.org/ (registry), port-installed(1); the tables: `src/cregistry/sql.c` in
    https://github.com/macports/macports-base
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item
from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.encodings.property_list import text
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.prefixes import READS, prefixes
from phaseout.sources.source import Source, Trace

_PREFIX = "/opt/local"
_REGISTRY = "var/macports/registry/registry.db"
_QUERY = "SELECT name, version, revision, variants, state, date, requested, archs, epoch FROM ports ORDER BY id"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every version of every port."""
    found = dict.fromkeys((_PREFIX, *(prefix.path for prefix in prefixes(host, (_REGISTRY,)))))
    for prefix in found:
        yield from _ports(host, f"{prefix}/{_REGISTRY}")


def _ports(host: Host, registry: str) -> Iterator[Trace]:
    with host.files.database(registry) as database:
        if database is None:
            return
        for row in database.execute(_QUERY):
            name, version, revision, variants, state, date, requested, archs, epoch = map(text, row)
            if not name:
                yield from damaged(registry, "a port without a name")
                continue
            yield Item(
                kind="package",
                name=name,
                state="installed" if state == "installed" else "leftover",  # "imaged": only its archive is there
                version=version,
                details={
                    "state": "active" if state == "installed" else "inactive",
                    "revision": revision,
                    "epoch": epoch if epoch != "0" else "",
                    "variants": variants,
                    "arch": archs,
                    "installed": rfc3339(date),
                    "requested": "yes" if requested == "1" else "",
                },
                evidence=(Evidence(f"{registry}:ports", f"name: {name}, state: {state}"),),
            )


SOURCE = Source(
    name="macports",
    title="MacPorts",
    platforms=("macos",),
    kinds=("package",),
    needs=(),
    reads=(*READS, f"/**/{_REGISTRY}"),
    limits="MacPorts in another prefix is found just below common folders, and where a search path or start file of a "
    "shell names it.",
    collect=collect,
)
