r"""Programs written in Go, recognised by what its linker puts into each.

References:
    https://pkg.go.dev/cmd/go (GOBIN, "Compile and install packages and dependencies"); see also
    `phaseout.parsers.languages.go_buildinfo`.
"""

from collections.abc import Iterator
from typing import BinaryIO

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.languages.go_buildinfo import BuildInfo, Reader, build_info
from phaseout.sources.kit.places import Place, places
from phaseout.sources.source import Source, Trace

_FOLDERS = ("/usr/local/go/bin", "/usr/local/bin", "~/go/bin", "~/.local/bin", r"~\go\bin", r"C:\Program Files\Go\bin")
_BEGIN = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")
_MOST = 10_000


def collect(host: Host) -> Iterator[Trace]:
    """An item for every program of Go; everything else there is counted."""
    separator = "\\" if host.info.platform == "windows" else "/"
    for place in places(host, _FOLDERS):
        entries = host.files.list(place.path)
        if len(entries) > _MOST:
            yield Problem(place.path, f"more than {_MOST} files: the rest was not read", "limit")
        for entry in entries[:_MOST]:
            if entry.kind != "file":
                continue  # a link shows a program that lies elsewhere
            path = f"{place.path}{separator}{entry.name}"
            found = _read(host, path)
            yield LeftOut("not a Go program") if found is None else _item(place, path, entry.name, found)


def _read(host: Host, path: str) -> BuildInfo | None:
    if not (host.files.head(path, 4) or b"").startswith(_BEGIN):
        return None
    file = host.files.open(path)
    if file is None:
        return None
    with file:
        return build_info(_reader(file))


def _reader(file: BinaryIO) -> Reader:
    def read(offset: int, size: int) -> bytes:
        try:
            file.seek(offset)
            return file.read(size)
        except (OSError, ValueError, OverflowError):  # a place that no file has
            return b""

    return read


def _item(place: Place, path: str, file: str, found: BuildInfo) -> Item:
    name = found.module or found.package or file
    version = "" if found.version == "(devel)" else found.version
    return Item(
        kind="library",
        name=name,
        version=version,
        path=path,
        user=place.user,
        ids={"purl": purl("golang", found.module, version)} if found.module else {},
        details={"go": found.go, "language": "Go", "package": found.package},
        evidence=(Evidence(path, f"path {found.package}, mod {found.module} {found.version}"),),
    )


SOURCE = Source(
    name="go_binaries",
    title="Programs written in Go",
    platforms=("linux", "macos", "windows"),
    kinds=("library",),
    needs=(),
    reads=tuple(f"{folder}{separator}*" for folder in _FOLDERS for separator in ("\\" if "\\" in folder else "/",)),
    limits="Modules inside a program are not listed, and of one built by a Go older than 1.18 only the file's name.",
    collect=collect,
)
