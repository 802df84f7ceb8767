"""Packages in the profiles of Nix: of NixOS, of the system, and of its users.

The store also holds what was removed and not collected yet: a package is installed only where a profile holds it.

References:
    https://nix.dev/manual/nix/latest/command-ref/files/profiles; https://nixos.org/manual/nixos/stable/ (the links
    in /run/current-system and /etc/profiles)
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, Problem
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.linux.nix_manifest import Element, manifest_json, manifest_nix
from phaseout.parsers.linux.store_name import split, store_name
from phaseout.sources.kit.parsed import parsed
from phaseout.sources.kit.places import Place, places
from phaseout.sources.source import Source, Trace

_PROFILES = (
    *("/nix/var/nix/profiles/default", "/nix/var/nix/profiles/per-user/*/*", "~/.nix-profile"),
    *("~/.local/state/nix/profile", "~/.local/state/nix/profiles/*"),
)
# Folders of links into the store, which have no list of their own.
_LINKED = (
    *("/run/current-system/sw", "/nix/var/nix/profiles/system/sw", "/etc/profiles/per-user/*"),
    *("~/.local/state/nix/profiles/home-manager/home-path", "/nix/var/nix/profiles/per-user/*/home-manager/home-path"),
)
_PER_USER = ("/nix/var/nix/profiles/per-user/", "/etc/profiles/per-user/")
_FILES = {"manifest.json": manifest_json, "manifest.nix": manifest_nix}
_STORE = "/nix/store"
_LINKS = 20_000


def collect(host: Host) -> Iterator[Trace]:
    """An item for every package of every profile; of a profile only its present generation counts."""
    found = False
    for place in places(host, _PROFILES):
        if place.path.endswith("-link"):  # a generation: the profile itself leads to the present one
            continue
        for file, parse in _FILES.items():
            path = f"{place.path}/{file}"
            elements = yield from parsed(host, path, parse)
            for element in elements or ():
                found = True
                yield _item(_user(place), path, element)
    for place in places(host, _LINKED):
        for trace in _linked(host, place):
            found = True
            yield trace
    if not found and host.files.list(_STORE):
        yield Problem(
            _STORE, "holds packages, but no profile of Nix was found that says which are installed", "missing"
        )


def _linked(host: Host, place: Place) -> Iterator[Trace]:
    """The packages that the links in the folders of programs and their data lead to."""
    seen: dict[str, str] = {}
    for folder in ("bin", "sbin", "share", "share/applications", "lib", "libexec"):
        whole = host.files.link(f"{place.path}/{folder}") or ""
        if whole.startswith(f"{_STORE}/"):  # one package alone has such a folder
            seen.setdefault("/".join(whole.split("/")[:4]), f"{place.path}/{folder}")
        entries = host.files.list(f"{place.path}/{folder}")
        if len(entries) > _LINKS:
            yield Problem(f"{place.path}/{folder}", f"more than {_LINKS} links: the rest was not read", "limit")
        for entry in entries[:_LINKS]:
            path = f"{place.path}/{folder}/{entry.name}"
            target = (host.files.link(path) or "") if entry.kind == "link" else ""
            if target.startswith(f"{_STORE}/"):
                seen.setdefault("/".join(target.split("/")[:4]), path)
    for stored, path in seen.items():
        yield _item(_user(place), path, Element(store_name(stored), stored))


def _user(place: Place) -> str:
    for folder in _PER_USER:
        if place.path.startswith(folder):
            return place.path[len(folder) :].partition("/")[0]
    return place.user


def _item(user: str, where: str, element: Element) -> Item:
    name, version = split(element.name)
    return Item(
        kind="package",
        name=name,
        version=version,
        path=element.path,
        user="" if user == "root" else user,
        ids={"purl": purl("nix", name, version)},
        details={"homepage": element.homepage, "origin": element.origin},
        evidence=(Evidence(where, element.name),),
    )


SOURCE = Source(
    name="nix",
    title="Packages of Nix",
    platforms=("linux", "macos"),
    kinds=("package",),
    needs=(),
    reads=(
        *(f"{profile}/{file}" for profile in _PROFILES for file in _FILES),
        *(f"{folder}/**" for folder in _LINKED),
        _STORE,
    ),
    limits="What a package of Nix needs itself, and what nix-shell and nix run have fetched, is not listed.",
    collect=collect,
)
