"""Packages that Slackware's pkgtools installed: a text file for each, named NAME-VERSION-ARCH-BUILD.

References:
    installpkg(8), upgradepkg(8), removepkg(8) of https://mirrors.slackware.com/slackware/; since 15.0 the folder is
    /var/lib/pkgtools/packages, and /var/log/packages a link to it.
"""

from collections.abc import Iterator

from phaseout.host import OS_RELEASE, Host
from phaseout.model.nouns import Evidence, Item, Problem
from phaseout.model.regex import regex
from phaseout.sources.source import Source, Trace

_FOLDERS = ("/var/lib/pkgtools/packages", "/var/log/packages")
_SYSTEMS = frozenset(("slackware", "salix", "slackel", "porteus"))
_REPLACED = regex(r"-upgraded-\d{4}-\d\d-\d\d,\d\d:\d\d:\d\d$")
_BUILD = regex(r"(\d*)(.*)")
_HEAD = 16 << 10
_HOMEPAGE = regex(r"https?://\S+")


def collect(host: Host) -> Iterator[Trace]:
    """An item for every file; what an upgrade that did not finish replaces is a leftover."""
    found = False
    for folder in {host.files.real(folder): folder for folder in reversed(_FOLDERS)}.values():
        for name, kind in host.files.list(folder):
            if kind != "dir" and name[0] != ".":
                found = True
                yield _package(host, f"{folder}/{name}", name)
    if not found and host.families & _SYSTEMS:
        yield Problem(_FOLDERS[0], "holds no package, though this is a system of pkgtools", "missing")


def _package(host: Host, path: str, file: str) -> Item:
    replaced = _REPLACED.search(file)
    parts = _REPLACED.sub("", file).rsplit("-", 3)
    name, version, arch, build = parts if len(parts) == 4 else (_REPLACED.sub("", file), "", "", "")
    head = (host.files.head(path, _HEAD) or b"").decode("utf-8", "backslashreplace")
    described = head.partition("\nPACKAGE DESCRIPTION:")[2].partition("\nFILE LIST:")[0]
    homepage = _HOMEPAGE.search(described)
    summary = next((line.partition(":")[2].strip() for line in described.split("\n") if ":" in line), "")
    numbered = _BUILD.fullmatch(build)
    return Item(
        kind="package",
        name=name,
        state="leftover" if replaced else "installed",
        version=version,
        details={
            "arch": arch,
            "build": build,
            "description": summary,
            "homepage": homepage[0] if homepage else "",
            "origin": numbered[2].lstrip("_") if numbered else "",
            "status": "replaced by an upgrade" if replaced else "",
        },
        notes=() if len(parts) == 4 else ("its file is not named NAME-VERSION-ARCH-BUILD",),
        evidence=(Evidence(path, file),),
    )


SOURCE = Source(
    name="pkgtools",
    title="Slackware packages",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(*(f"{folder}/*" for folder in _FOLDERS), *OS_RELEASE),
    limits="pkgtools does not note who makes a package.",
    collect=collect,
)
