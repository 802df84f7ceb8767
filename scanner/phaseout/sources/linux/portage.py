"""Packages in Portage's database of what is installed, as on Gentoo, Flatcar and ChromeOS.

References:
    https://wiki.gentoo.org/wiki//var/db/pkg; https://projects.gentoo.org/pms/8/pms.html section 3.2.
"""

from collections.abc import Iterator

from phaseout.host import OS_RELEASE, Host
from phaseout.model.nouns import Evidence, Item, Problem, State
from phaseout.parsers.linux.ebuild_name import split
from phaseout.sources.source import Source, Trace

_PKG = "/var/db/pkg"
_SYSTEMS = frozenset(("gentoo", "flatcar", "chromeos", "calculate"))
_MERGING = "-MERGING-"  # before the name of a folder while its package is being put in place


def collect(host: Host) -> Iterator[Trace]:
    """An item for every folder CATEGORY/NAME-VERSION; `PF` inside is asked where the folder is called otherwise."""
    found = False
    for category in host.files.list(_PKG):
        if category.kind == "dir":
            for entry in host.files.list(f"{_PKG}/{category.name}"):
                if entry.kind == "dir":
                    found = True
                    yield _package(host, category.name, entry.name)
    if not found and host.families & _SYSTEMS:
        yield Problem(_PKG, "holds no package, though this is a system of Portage", "missing")


def _package(host: Host, category: str, folder: str) -> Item:
    path = f"{_PKG}/{category}/{folder}"
    notes: tuple[str, ...] = ()
    name_version = split(folder.removeprefix(_MERGING)) or split(_line(host, f"{path}/PF"))
    if name_version is None:
        notes = ("its folder is not named like a package with its version",)
        name_version = folder, ""
    name, version = name_version
    state: State = "leftover" if folder.startswith(_MERGING) else "installed"
    return Item(
        kind="package",
        name=name,
        state=state,
        version=version,
        details={
            "category": category,
            "repository": _line(host, f"{path}/repository"),
            "status": "merge not finished" if state == "leftover" else "",
        },
        notes=notes,
        evidence=(Evidence(path, f"{category}/{folder}"),),
    )


def _line(host: Host, path: str) -> str:
    return (host.files.text(path, 4096) or "").strip()


SOURCE = Source(
    name="portage",
    title="Gentoo packages",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(f"{_PKG}/*/*/PF", f"{_PKG}/*/*/repository", *OS_RELEASE),
    limits="Portage does not note who makes a package.",
    collect=collect,
)
