r"""Programs that users installed with Deno.

References:
    https://docs.deno.com/runtime/reference/cli/install/ (`$DENO_INSTALL_ROOT`, else `~/.deno`)
"""

from collections.abc import Iterator
from functools import partial

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.languages.deno_program import deno_program, locked_version
from phaseout.sources.kit.parsed import parsed
from phaseout.sources.kit.places import places
from phaseout.sources.source import Source, Trace

_FOLDERS = ("~/.deno/bin", r"~\.deno\bin")
_HEAD = 16 << 10


def collect(host: Host) -> Iterator[Trace]:
    """An item for every script that starts a program."""
    separator = "\\" if host.info.platform == "windows" else "/"
    for place in places(host, _FOLDERS):
        for entry in host.files.list(place.path):
            if entry.kind == "dir" or entry.name.startswith("."):
                continue  # the settings of a program
            path = f"{place.path}{separator}{entry.name}"
            head = host.files.head(path, _HEAD) or b""
            found = deno_program(head.decode("utf-8", "replace"))
            if found is None:
                yield LeftOut("not a package")
                continue
            name = entry.name.removesuffix(".cmd")
            lock = separator.join((place.path, f".{name}", "deno.lock"))
            locked = (yield from parsed(host, lock, partial(locked_version, specifier=found.specifier))) or ""
            version = locked or found.version
            kind = found.kind if found.kind in ("npm", "jsr") else "generic"
            yield Item(
                kind="library",
                name=found.name,
                version=version,
                path=path,
                user=place.user,
                ids={"purl": purl(kind, found.name, version)} if kind != "generic" else {},
                details={"language": "JavaScript", "origin": found.specifier, "programs": name},
                evidence=(Evidence(path, found.specifier),),
            )


SOURCE = Source(
    name="deno_programs",
    title="Programs installed with Deno",
    platforms=("linux", "macos", "windows"),
    kinds=("library",),
    needs=(),
    reads=tuple(
        f"{folder}{separator}{below.replace('/', separator)}"
        for folder in _FOLDERS
        for separator in ("\\" if "\\" in folder else "/",)
        for below in ("*", ".*/deno.lock")
    ),
    limits="What a program needs itself is not listed, and neither are programs that `deno compile` made.",
    collect=collect,
)
