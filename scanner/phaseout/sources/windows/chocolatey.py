r"""Packages of Chocolatey, by the description that it keeps of each in `lib`.

A folder there without a readable description is a package all the same. What is in `lib-bad` failed to install or to
upgrade and is kept as it was: `leftover`.

References:
    https://docs.chocolatey.org/ ("Setup and Installation", "How does Chocolatey work?");
    `phaseout.parsers.windows.nuspec`.
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem, State
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.windows.nuspec import metadata
from phaseout.sources.source import Source, Trace

_FOLDERS: tuple[tuple[str, State], ...] = (("lib", "installed"), ("lib-bad", "leftover"))


def collect(host: Host) -> Iterator[Trace]:
    """An item for every package."""
    base = host.variables.get("programdata", r"C:\ProgramData") + r"\chocolatey"
    for folder, state in _FOLDERS:
        for entry in host.files.list(rf"{base}\{folder}"):
            if entry.kind == "dir":
                yield from _package(host, rf"{base}\{folder}\{entry.name}", entry.name, state)
            else:
                yield LeftOut("not a package")


def _package(host: Host, folder: str, name: str, state: State) -> Iterator[Trace]:
    files = [entry.name for entry in host.files.list(folder) if entry.name.lower().endswith(".nuspec")]
    own = f"{name}.nuspec".lower()
    files.sort(key=lambda file: file.lower() != own)
    told: dict[str, str] = {}
    path = rf"{folder}\{files[0]}" if files else folder
    data = host.files.read(path) if files else None
    if data is not None:
        try:
            told = metadata(data)
        except ValueError as error:
            yield Problem(path, f"no description of a package: {error}")
    package, version = told.get("id", "") or name, told.get("version", "")
    yield Item(
        kind="package",
        name=package,
        state=state,
        vendor=told.get("authors", ""),
        version=version,
        path=folder,
        ids={"purl": purl("chocolatey", package, version)},
        details={
            "title": told.get("title", ""),
            "packaged_by": told.get("owners", ""),
            "url": told.get("projecturl", ""),
        },
        evidence=(Evidence(path, f"id: {package}, version: {version}" if told else "a folder of Chocolatey's"),),
    )


SOURCE = Source(
    name="chocolatey",
    title="Chocolatey packages",
    platforms=("windows",),
    kinds=("package",),
    needs=(),
    reads=(
        r"C:\ProgramData\chocolatey\lib\*\*.nuspec",
        r"C:\ProgramData\chocolatey\lib-bad\*\*.nuspec",
    ),
    limits="Where the variable ChocolateyInstall names another folder, its packages are not seen.",
    collect=collect,
)
