"""Package files that package managers keep: what brings a product back after its removal.

References:
    apt.conf(5) (Dir::Cache::archives; a file is package_version_architecture.deb), dnf.conf(5) (cachedir)
"""

import re
from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut
from phaseout.model.regex import regex
from phaseout.sources.source import Source, Trace

_APT = "/var/cache/apt/archives"
_LISTS = "/var/lib/dpkg/info"
_TREES = ("/var/cache/dnf", "/var/cache/yum", "/var/cache/libdnf5", "/var/cache/zypp/packages")
_DEB = regex(r"([a-z0-9][a-z0-9+.-]*)_([^_]+)_([a-z0-9-]+)\.deb")
_RPM = regex(r"(.+)-([^-]+-[^-]+)\.([a-z0-9_]+)\.rpm")
_DEPTH = 6
_MOST = 50_000
_EFFECT = "the package can be installed again from it: empty the cache of the package manager"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every file of a package that is not installed, as far as that is quickly known."""
    archives = [entry.name for entry in host.files.list(_APT) if entry.kind != "dir" and entry.name.endswith(".deb")]
    installed = _installed(host) if archives else frozenset()
    for name in archives:
        found = _DEB.fullmatch(name.replace("%3a", ":"))
        if found is not None and found[1] in installed:
            yield LeftOut("listed as another item")
        else:
            yield _item(f"{_APT}/{name}", found)
    for top in _TREES:
        if host.files.is_dir(top):
            for folder, entries in host.files.walk(top, _DEPTH, _MOST):
                for entry in entries:
                    if entry.kind != "dir":
                        yield _item(f"{folder}/{entry.name}", _RPM.fullmatch(entry.name))


def _installed(host: Host) -> frozenset[str]:
    """The packages that dpkg has lists of files for: what is installed is not brought back."""
    names = (entry.name for entry in host.files.list(_LISTS) if entry.name.endswith(".list"))
    return frozenset(name.removesuffix(".list").partition(":")[0] for name in names)


def _item(path: str, found: re.Match[str] | None) -> Item | LeftOut:
    if found is None:
        return LeftOut("not a package")
    return Item(
        kind="package",
        name=found[1],
        state="leftover",
        version=found[2],
        path=path,
        details={"type": "package file in a cache", "arch": found[3], "effect": _EFFECT},
        evidence=(Evidence(path),),
    )


SOURCE = Source(
    name="cached_packages",
    title="Package files that package managers keep",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(f"{_APT}/*", f"{_LISTS}/*", *(f"{top}/**/*" for top in _TREES)),
    limits="A package file is known by its name alone.",
    collect=collect,
)
