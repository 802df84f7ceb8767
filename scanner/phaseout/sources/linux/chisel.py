"""Packages of chiselled Ubuntu images, which have a manifest instead of dpkg's database.

References:
    https://documentation.ubuntu.com/chisel/en/latest/reference/manifest/; public/jsonwall and public/manifest of
    https://github.com/canonical/chisel
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.counting import counted
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.encodings.lenient_json import decode, member, text
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.encodings.zstandard import REMEDY, ZstandardError, unpacked
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.source import Source, Trace

_MANIFEST = "/var/lib/chisel/manifest.wall"
_LIMIT = 16 << 20
_UNPACKED = 256 << 20


def collect(host: Host) -> Iterator[Trace]:
    """An item for every package of the manifest."""
    data = host.files.read(_MANIFEST, _LIMIT)
    if data is None:
        return
    try:
        wall = unpacked(data, _UNPACKED + 1)
    except ImportError:
        why = "the packages of a chiselled image, compressed with zstd, which is not read without a library"
        yield Problem(_MANIFEST, why, "unsupported", remedy=REMEDY)
        return
    except ZstandardError as error:
        yield from damaged(_MANIFEST, str(error))
        return
    yield from wall_packages(_MANIFEST, wall)


def wall_packages(path: str, wall: bytes) -> Iterator[Trace]:
    """The packages of an unpacked manifest: a JSON object a line, behind a head that says how many there are."""
    if len(wall) > _UNPACKED:
        yield Problem(path, f"more than {_UNPACKED >> 20} MiB unpacked: the rest was not read", "limit")
    lines = wall[:_UNPACKED].splitlines()
    others = count = 0
    for number, line in enumerate(lines, 1):
        try:
            value = decode(line)
        except ValueError as error:
            yield from damaged(f"{path}:{number}", f"is damaged: {error}")
            continue
        if number == 1:
            announced = member(value, "count")
            count = announced if isinstance(announced, int) else 0
        elif member(value, "kind") == "package" and text(member(value, "name")):
            yield _item(f"{path}:{number}", value)
        else:
            others += 1
    if others:
        yield LeftOut("part of another item", others)  # slices, paths and contents
    if not lines or count != len(lines):
        yield Problem(path, f"{counted(len(lines), 'line')} where the header announces {count}", "damaged")


def _item(where: str, value: object) -> Item:
    name, version, arch = (text(member(value, key)) for key in ("name", "version", "arch"))
    return Item(
        kind="package",
        name=name,
        version=version,
        ids={"purl": purl("deb", f"ubuntu/{name}", version, arch=arch)},
        details={"arch": arch},
        evidence=(Evidence(where, f"{name} {version}"),),
    )


SOURCE = Source(
    name="chisel",
    title="Packages of chiselled images",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(_MANIFEST,),
    limits="A manifest does not name who makes a package.",
    collect=collect,
)
