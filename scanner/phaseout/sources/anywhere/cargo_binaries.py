r"""Programs that users built with `cargo install`.

References:
    https://doc.rust-lang.org/cargo/commands/cargo-install.html
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.languages.cargo_crates import Crate, crates_json, crates_toml
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.places import Place, places
from phaseout.sources.source import Source, Trace

_HOMES = ("~/.cargo", "/usr/local/cargo", r"~\.cargo")
_FILES = {".crates2.json": crates_json, ".crates.toml": crates_toml}  # cargo keeps both alike


def collect(host: Host) -> Iterator[Trace]:
    """An item for every crate; its programs are in the details."""
    separator = "\\" if host.info.platform == "windows" else "/"
    for place in places(host, _HOMES):
        for file, crates in _FILES.items():
            path = f"{place.path}{separator}{file}"
            data = host.files.read(path)
            if data is None:
                continue
            try:
                for crate in crates(data):
                    if crate.name:
                        yield _item(place, separator, path, crate)
                    else:
                        yield from damaged(path, "a crate without a name")
            except ValueError as error:
                yield from damaged(path, f"is damaged: {error}")
                continue
            break


def _item(place: Place, separator: str, path: str, crate: Crate) -> Item:
    program = separator.join((place.path, "bin", crate.programs[0])) if crate.programs else place.path
    return Item(
        kind="library",
        name=crate.name,
        version=crate.version,
        path=program,
        user=place.user,
        ids={"purl": purl("cargo", crate.name, crate.version)},
        details={"language": "Rust", "origin": crate.origin, "programs": ", ".join(crate.programs)},
        evidence=(Evidence(path, f"{crate.name} {crate.version} ({crate.origin})"),),
    )


SOURCE = Source(
    name="cargo_binaries",
    title="Programs built by cargo",
    platforms=("linux", "macos", "windows"),
    kinds=("library",),
    needs=(),
    reads=tuple(
        f"{home}{separator}{file}"
        for home in _HOMES
        for separator in ("\\" if "\\" in home else "/",)
        for file in _FILES
    ),
    limits="cargo notes no authors, and of a program that was built of a checkout and copied to its place nothing.",
    collect=collect,
)
