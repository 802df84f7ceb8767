r"""Tools for .NET that users installed, and packages that NuGet keeps for projects.

References:
    https://learn.microsoft.com/dotnet/core/tools/global-tools; https://github.com/dotnet/sdk (ToolPackage: `.store`);
    https://learn.microsoft.com/nuget/consume-packages/managing-the-global-packages-and-cache-folders;
    https://learn.microsoft.com/nuget/reference/nuspec
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.windows.nuspec import metadata
from phaseout.sources.kit.parsed import parsed
from phaseout.sources.kit.places import Place, places
from phaseout.sources.source import Source, Trace

_STORES = ("~/.dotnet/tools/.store", r"~\.dotnet\tools\.store")
_CACHES = (
    *("~/.nuget/packages", r"~\.nuget\packages", r"C:\Program Files (x86)\Microsoft SDKs\NuGetPackages"),
    *("/usr/share/dotnet/NuGetFallbackFolder", r"C:\Program Files\dotnet\sdk\NuGetFallbackFolder"),
)
_CACHED = "kept for projects, which use it from there"
_LIMIT = 1 << 20


def collect(host: Host) -> Iterator[Trace]:
    """An item for every version of a tool or package, even if its description cannot be read."""
    separator = "\\" if host.info.platform == "windows" else "/"
    for place in places(host, _STORES):
        for name, version in _versions(host, place.path, separator):
            path = separator.join((place.path, name, version, name, version))
            yield from _package(host, place, separator, path, name, version, tool=True)
    for place in places(host, _CACHES):
        for name, version in _versions(host, place.path, separator):
            path = separator.join((place.path, name, version))
            yield from _package(host, place, separator, path, name, version, tool=False)


def _versions(host: Host, top: str, separator: str) -> Iterator[tuple[str, str]]:
    for package in host.files.list(top):
        if package.kind == "dir" and not package.name.startswith("."):  # `.stage` is for what is being installed
            for version in host.files.list(f"{top}{separator}{package.name}"):
                if version.kind == "dir":
                    yield package.name, version.name


def _package(
    host: Host, place: Place, separator: str, path: str, name: str, version: str, *, tool: bool
) -> Iterator[Trace]:
    """The folders are named in small letters; the description has the name as its maker writes it."""
    file = next((entry.name for entry in host.files.list(path) if entry.name.lower().endswith(".nuspec")), "")
    where = f"{path}{separator}{file}" if file else path
    about = ((yield from parsed(host, where, metadata, _LIMIT)) if file else None) or {}
    name, version = about.get("id", name), about.get("version", version)
    yield Item(
        kind="library",
        name=name,
        vendor=about.get("owners", "") or about.get("authors", ""),
        version=version,
        path=path,
        user=place.user,
        ids={"purl": purl("nuget", name, version)},
        details={"homepage": about.get("projecturl", ""), "language": ".NET"},
        notes=() if tool else (_CACHED,),
        evidence=(Evidence(where, f"{name} {version}"),),
    )


def _reads() -> Iterator[str]:
    for store in _STORES:
        separator = "\\" if "\\" in store else "/"
        yield separator.join((store, *"****", "*.nuspec"))
    for cache in _CACHES:
        separator = "\\" if "\\" in cache else "/"
        yield separator.join((cache, *"**", "*.nuspec"))


SOURCE = Source(
    name="dotnet_packages",
    title="Tools and packages for .NET",
    platforms=("linux", "macos", "windows"),
    kinds=("library",),
    needs=(),
    reads=tuple(_reads()),
    limits="Tools in folders of the user's choice (--tool-path), and what a program carries (deps.json), are not seen.",
    collect=collect,
)
