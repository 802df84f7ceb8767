"""Packages in the database of xbps, as on Void Linux.

References:
    https://github.com/void-linux/xbps: include/xbps.h (`XBPS_PKGDB`), lib/package_state.c (states), lib/pkgdb.c
"""

from collections.abc import Iterator, Mapping
from typing import Any

from phaseout.host import OS_RELEASE, Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.encodings.property_list import mapping, text
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.linux.deb822 import maintainer_name
from phaseout.sources.kit.parsed import damaged, parsed
from phaseout.sources.source import Source, Trace

_FOLDER = "/var/db/xbps"
_LIMIT = 64 << 20


def collect(host: Host) -> Iterator[Trace]:
    """An item for every package whose files are on disk, also for one that is not configured yet."""
    found = False
    for entry in host.files.list(_FOLDER):  # the number in the name is the version of the format
        if entry.name.startswith("pkgdb-") and entry.name.endswith(".plist"):
            path = f"{_FOLDER}/{entry.name}"
            packages = yield from parsed(host, path, _packages, _LIMIT)
            for name, fields in (packages or {}).items():
                if not name.startswith("_XBPS_"):  # alternatives
                    found = True
                    yield from _package(path, name, fields)
    if not found and "void" in host.families:
        yield Problem(_FOLDER, "holds no package, though this is a system of xbps", "missing")


def _packages(data: bytes) -> Mapping[str, Any]:
    found = mapping(data)
    if found is None:
        raise ValueError("no property list with a dictionary")
    return found


def _package(path: str, name: str, fields: object) -> Iterator[Trace]:
    if not isinstance(fields, dict):
        yield from damaged(path, f"{name}: not a dictionary")
        return
    state = text(fields.get("state"))
    if state == "not-installed":
        yield LeftOut("known but not installed")
        return
    version = text(fields.get("pkgver")).rpartition("-")[2]
    arch = text(fields.get("architecture"))
    maintainer = text(fields.get("maintainer"))
    yield Item(
        kind="package",
        name=name,
        vendor=maintainer_name(maintainer),
        version=version,
        ids={"purl": purl("xbps", name, version, arch=arch)},
        details={
            "arch": arch,
            "homepage": text(fields.get("homepage")),
            "installed": text(fields.get("install-date")),
            "maintainer": maintainer,
            "repository": text(fields.get("repository")),
            "requested": "" if fields.get("automatic-install") is not True else "no",
            "status": state,
        },
        evidence=(Evidence(path, f"pkgver: {name}-{version}"),),
    )


SOURCE = Source(
    name="xbps",
    title="Void packages",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(f"{_FOLDER}/pkgdb-*.plist", *OS_RELEASE),
    limits="xbps knows who packaged a program, not who makes it.",
    collect=collect,
)
