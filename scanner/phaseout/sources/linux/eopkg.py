"""Packages of eopkg, as on Solus, and of PiSi, from which it comes, as on Pardus.

References:
    https://github.com/getsolus/eopkg (pisi/db/installdb.py, pisi/metadata.py): a folder NAME-VERSION-RELEASE for each
"""

from collections.abc import Iterator

from phaseout.host import OS_RELEASE, Host
from phaseout.model.nouns import Evidence, Item, Problem
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.linux.eopkg_metadata import Metadata, metadata
from phaseout.sources.kit.parsed import parsed
from phaseout.sources.source import Source, Trace

_FOLDERS = ("/var/lib/eopkg/package", "/var/lib/pisi/package")


def collect(host: Host) -> Iterator[Trace]:
    """An item for every folder; where its description is damaged, the folder's name tells name and version."""
    found = False
    for folder in {host.files.real(folder): folder for folder in reversed(_FOLDERS)}.values():
        for entry in host.files.list(folder):
            if entry.kind != "file":
                found = True
                path = f"{folder}/{entry.name}/metadata.xml"
                described = yield from parsed(host, path, metadata)
                yield _item(path, entry.name, described or Metadata())
    if not found and "solus" in host.families:
        yield Problem(_FOLDERS[0], "holds no package, though this is a system of eopkg", "missing")


def _item(path: str, folder: str, described: Metadata) -> Item:
    named = [*folder.rsplit("-", 2), "", ""]
    name, version = described.name or named[0], described.version or named[1]
    return Item(
        kind="package",
        name=name,
        version=version,
        ids={"purl": purl("eopkg", name, version)},
        details={
            "arch": described.arch,
            "homepage": described.homepage,
            "packager": described.packager,
            "release": named[2],
        },
        evidence=(Evidence(path, folder),),
    )


SOURCE = Source(
    name="eopkg",
    title="Solus packages",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(*(f"{folder}/*/metadata.xml" for folder in _FOLDERS), *OS_RELEASE),
    limits="eopkg notes who packaged a program, not who makes it.",
    collect=collect,
)
