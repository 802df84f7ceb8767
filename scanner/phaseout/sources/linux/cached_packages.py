"""Package files that package managers keep and people fetch: what brings a product back after its removal.

References:
    apt.conf(5) (Dir::Cache::archives; a file is package_version_architecture.deb), dnf.conf(5) (cachedir)
"""

import re
from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut
from phaseout.model.regex import regex
from phaseout.sources.kit.package_files import OF_DPKG, of_dpkg
from phaseout.sources.kit.places import places
from phaseout.sources.source import Source, Trace

_APT = "/var/cache/apt/archives"
_TREES = ("/var/cache/dnf", "/var/cache/yum", "/var/cache/libdnf5", "/var/cache/zypp/packages")
_DEB = regex(r"([a-z0-9][a-z0-9+.-]*)_([^_]+)_([a-z0-9-]+)\.deb")
_RPM = regex(r"(.+)-([^-]+-[^-]+)\.([a-z0-9_]+)\.rpm")
# Installers of other forms, which bear a version: `klnagent64_15.1.0-20748_amd64.sh`, `tool-1.2-linux.run`.
_OTHER = regex(
    r"([A-Za-z][A-Za-z0-9+]*(?:[-_.][A-Za-z][A-Za-z0-9+]*)*)[-_]v?(\d+\.\d[\w.+-]*?)"
    r"((?:\.tar)?\.(?:sh|run|bin|tgz|gz|xz|bz2|zst))"
)
_ENDINGS = (".deb", ".rpm", ".run", ".bin", ".sh", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst")
# Where people put what they fetch and mean to install. Folders of a home have names in every language.
_FETCHED = tuple(
    f"{folder}/*{ending}"
    for folder in (
        *("~", "~/*", "/tmp", "/var/tmp", "/opt", "/opt/*", "/srv", "/srv/*"),  # noqa: S108
        *("/usr/local/src", "/mnt", "/media"),
    )
    for ending in _ENDINGS
)
_DEPTH = 6
_MOST = 50_000
_EFFECT = "the package can be installed again from it: empty the cache of the package manager"
_EFFECT_FETCHED = "the package can be installed again from it: delete the file"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every file of a package that is not installed, as far as that is quickly known."""
    archives = [entry.name for entry in host.files.list(_APT) if entry.kind != "dir" and entry.name.endswith(".deb")]
    installed = of_dpkg(host) if archives else frozenset()
    for name in archives:
        found = _DEB.fullmatch(name.replace("%3a", ":"))
        if found is not None and found[1] in installed:
            yield LeftOut("listed as another item")
        else:
            yield _item(f"{_APT}/{name}", found)
    for place in places(host, _FETCHED):
        name = place.path.rpartition("/")[2]
        form = _DEB if name.endswith(".deb") else _RPM if name.endswith(".rpm") else _OTHER
        found = form.fullmatch(name.replace("%3a", ":"))
        if host.files.is_file(place.path):
            yield _item(place.path, found, place.user, "package file", _EFFECT_FETCHED)
    for top in _TREES:
        if host.files.is_dir(top):
            for folder, entries in host.files.walk(top, _DEPTH, _MOST):
                for entry in entries:
                    if entry.kind != "dir":
                        yield _item(f"{folder}/{entry.name}", _RPM.fullmatch(entry.name))


def _item(
    path: str,
    found: re.Match[str] | None,
    user: str = "",
    what: str = "package file in a cache",
    effect: str = _EFFECT,
) -> Item | LeftOut:
    if found is None:
        return LeftOut("not a package")
    return Item(
        kind="package",
        name=found[1],
        state="leftover",
        version=found[2],
        path=path,
        user=user,
        details={"type": what, "arch": "" if found[3].startswith(".") else found[3], "effect": effect},
        evidence=(Evidence(path),),
    )


SOURCE = Source(
    name="cached_packages",
    title="Package files that package managers and people keep",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(f"{_APT}/*", *OF_DPKG, *_FETCHED, *(f"{top}/**/*" for top in _TREES)),
    limits="A package file is known by its name alone.",
    collect=collect,
)
