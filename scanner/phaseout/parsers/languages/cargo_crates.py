"""What `cargo install` notes of the programs that it built: `.crates2.json`, or the older `.crates.toml`.

References:
    https://doc.rust-lang.org/cargo/guide/cargo-home.html; `ops/common_for_install_and_uninstall.rs` of
    https://github.com/rust-lang/cargo (a key is `NAME VERSION (SOURCE)`).
"""

from typing import Any, NamedTuple

from phaseout.parsers.encodings.lenient_json import decode, member, text


class Crate(NamedTuple):
    """One crate with the programs that were built of it, and where it came from (`registry+https://…`, `path+file://…`)."""

    name: str
    version: str
    origin: str
    programs: tuple[str, ...]


def crates_json(data: bytes) -> list[Crate]:
    """The crates of a `.crates2.json`.

    Raises:
        ValueError: it is not a JSON object; the text says why.
    """
    installs = member(decode(data, dict[str, Any]), "installs")
    return [_crate(key, member(about, "bins")) for key, about in installs.items()] if isinstance(installs, dict) else []


def crates_toml(data: bytes) -> list[Crate]:
    """The crates of a `.crates.toml`.

    Raises:
        ValueError: it is not TOML; the text says why.
    """
    import tomllib

    try:
        found = tomllib.loads(data.decode("utf-8", "backslashreplace"))
    except RecursionError as error:
        raise ValueError("no TOML: too deep") from error
    installs = found.get("v1")
    return [_crate(key, programs) for key, programs in installs.items()] if isinstance(installs, dict) else []


def _crate(key: str, programs: Any) -> Crate:
    name, _, rest = key.partition(" ")
    version, _, origin = rest.partition(" ")
    names = tuple(filter(None, map(text, programs if isinstance(programs, list) else [])))
    return Crate(name, version, origin.removeprefix("(").removesuffix(")"), names)
