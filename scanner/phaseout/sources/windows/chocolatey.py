r"""Packages of Chocolatey, by the description of each in `lib`.

A folder there without a readable description is a package all the same. Packages in `lib-bad` failed to install or to
upgrade and are kept as they were: `leftover`.

References:
    https://docs.chocolatey.org/ ("Setup and Installation", "How does Chocolatey work?");
    `phaseout.parsers.windows.nuspec`.
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem, State
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.windows.image_path import absolute
from phaseout.parsers.windows.nuspec import metadata
from phaseout.sources.source import Source, Trace

_VARIABLE = "chocolateyinstall"
_FOLDERS: tuple[tuple[str, State], ...] = (("lib", "installed"), ("lib-bad", "leftover"))


def collect(host: Host) -> Iterator[Trace]:
    """An item for every package."""
    usual = host.variables.get("programdata", r"C:\ProgramData") + r"\chocolatey"
    moved = absolute(host.variables.get(_VARIABLE, ""), host.variables)
    for base in {path.lower(): path for path in (usual, moved) if path}.values():
        for folder, state in _FOLDERS:
            for entry in host.files.list(rf"{base}\{folder}"):
                path = rf"{base}\{folder}\{entry.name}"
                if entry.kind == "dir" or (entry.kind == "link" and host.files.is_dir(path)):
                    yield from _package(host, path, entry.name, state)
                else:
                    yield LeftOut("not a package")


def _package(host: Host, folder: str, name: str, state: State) -> Iterator[Trace]:
    files = [entry.name for entry in host.files.list(folder) if entry.name.lower().endswith(".nuspec")]
    own = f"{name}.nuspec".lower()
    files.sort(key=lambda file: file.lower() != own)
    path = rf"{folder}\{files[0]}" if files else folder
    data = host.files.read(path) if files else None
    described: dict[str, str] = {}
    if data is not None:
        try:
            described = metadata(data)
        except ValueError as error:
            yield Problem(path, f"is damaged: {error}", "damaged")
    package, version = described.get("id", "") or name, described.get("version", "")
    yield Item(
        kind="package",
        name=package,
        state=state,
        vendor=described.get("authors", ""),
        version=version,
        path=folder,
        ids={"purl": purl("chocolatey", package, version)},
        details={
            "title": described.get("title", ""),
            "packaged_by": described.get("owners", ""),
            "url": described.get("projecturl", ""),
        },
        evidence=(Evidence(path, f"id: {package}, version: {version}" if described else ""),),
    )


SOURCE = Source(
    name="chocolatey",
    title="Chocolatey packages",
    platforms=("windows",),
    kinds=("package",),
    needs=(),
    reads=(
        *(rf"C:\ProgramData\chocolatey\{folder}\*\*.nuspec" for folder, _ in _FOLDERS),
        *(rf"C:\**\{folder}\*\*.nuspec" for folder, _ in _FOLDERS),  # where the variable ChocolateyInstall says
    ),
    limits="A package that only starts an installer does not tell whether the program is still there.",
    collect=collect,
)
