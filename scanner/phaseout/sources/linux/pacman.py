"""Packages in the local database of pacman, as on Arch Linux and Manjaro.

References:
    https://man.archlinux.org/man/alpm-db.7 (folders are called NAME-VERSION-RELEASE), alpm-db-desc(5);
    makepkg.conf(5) for what PACKAGER is where nobody set it.
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.linux.alpm_desc import fields as desc_fields
from phaseout.parsers.linux.deb822 import maintainer_name
from phaseout.sources.source import Source, Trace

_LOCAL = "/var/lib/pacman/local"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every folder; where its `desc` is damaged, name and version are taken from the folder's name."""
    for entry in host.files.list(_LOCAL):
        if entry.kind != "file":  # ALPM_DB_VERSION
            yield from _package(host, entry.name)


def _package(host: Host, folder: str) -> Iterator[Trace]:
    path = f"{_LOCAL}/{folder}/desc"
    text = host.files.text(path, 1 << 20)
    desc = desc_fields(text or "")
    name, version = desc.get("NAME", ""), desc.get("VERSION", "")
    if not name or "" in desc:
        parts = folder.rsplit("-", 2)
        if not name and len(parts) < 3:
            yield Problem(path, "names no package")
            yield LeftOut("damaged")
            return
        yield Problem(path, "is damaged" if text else "is missing or empty")
        name, version = name or parts[0], version or "-".join(parts[1:])
    packager = desc.get("PACKAGER", "")
    arch = desc.get("ARCH", "")
    yield Item(
        kind="package",
        name=name,
        vendor="" if packager == "Unknown Packager" else maintainer_name(packager),
        version=version,
        ids={"purl": purl("alpm", name, version, arch=arch)},
        details={
            "arch": arch,
            "base": desc.get("BASE", ""),
            "homepage": desc.get("URL", ""),
            "installed": rfc3339(desc.get("INSTALLDATE", "")),
            "packager": packager,
        },
        evidence=(Evidence(path, f"%NAME% {name}, %VERSION% {version}"),),
    )


SOURCE = Source(
    name="pacman",
    title="Arch packages",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(f"{_LOCAL}/*/desc",),
    limits="A database that DBPath of pacman.conf puts elsewhere is not read.",
    collect=collect,
)
