r"""Where Docker, Podman and CRI-O keep everything, as their settings say it.

References:
    https://docs.docker.com/reference/cli/dockerd/ (`--data-root`, before 17.05 `-g` and `--graph`; daemon.json);
    containers-storage.conf(5) (`graphroot`, `imagestore`, `additionalimagestores`, `rootless_storage_path`);
    https://github.com/cri-o/cri-o/blob/main/docs/crio.conf.5.md (`root`, `imagestore`)
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from phaseout.model.regex import regex
from phaseout.parsers.encodings.lenient_json import decode, member, text

_FLAG = regex(r"""(?<!\S)["']?(?:--data-root|--graph|-g)(?:[ \t]*=[ \t]*|[ \t]+)["']?(/[^\s"'\\]+)""")
_SETTINGS = regex(r"""(?<!\S)["']?--config-file(?:[ \t]*=[ \t]*|[ \t]+)["']?(/[^\s"'\\]+)""")
_VARIABLE = regex(r"\$(?:\{(\w+)\}|(\w+))")


class Storage(NamedTuple):
    """The folders that a settings file names, as written; empty where it names none."""

    root: str
    rootless: str
    images: tuple[str, ...]  # stores of images beside the root


def docker_root(data: bytes) -> str:
    """The folder that a daemon.json names.

    Raises:
        ValueError: it is not JSON; the text says why.
    """
    found = decode(data)
    return text(member(found, "data-root")) or text(member(found, "graph"))


def docker_flags(written: str) -> tuple[list[str], list[str]]:
    """The folders, and the settings files, that a command line of dockerd names, wherever it is written."""
    plain = written.replace("\\\n", " ")
    lines = "\n".join(line for line in plain.split("\n") if not line.lstrip().startswith(("#", ";")))
    lines = lines.replace('="', '= "').replace("='", "= '")  # DOCKER_OPTS="--data-root …"
    return _FLAG.findall(lines), _SETTINGS.findall(lines)


def storage(data: bytes) -> Storage:
    """The folders that a storage.conf, or a crio.conf, names.

    Raises:
        ValueError: it is not TOML; the text says why.
    """
    found = _toml(data)
    section = member(found, "storage") or member(found, "crio")
    stores = member(section, "options", "additionalimagestores")
    images = [text(member(section, "imagestore")), *(map(text, stores) if isinstance(stores, list) else ())]
    return Storage(
        text(member(section, "graphroot")) or text(member(section, "root")),
        text(member(section, "rootless_storage_path")),
        tuple(filter(None, images)),
    )


def expanded(path: str, variables: Mapping[str, str]) -> str:
    """A path with its variables put in; empty where one of them is not known."""
    missing = False

    def value(found: "re.Match[str]") -> str:
        nonlocal missing
        known = variables.get(found[1] or found[2])
        missing = missing or known is None
        return known or ""

    whole = _VARIABLE.sub(value, path)
    return "" if missing else whole.rstrip("/")


def containerd_root(data: bytes) -> str:
    """The folder that a config.toml of containerd names.

    Raises:
        ValueError: it is not TOML; the text says why.

    References:
        https://github.com/containerd/containerd/blob/main/docs/man/containerd-config.toml.5.md
    """
    return text(member(_toml(data), "root"))


def _toml(data: bytes) -> Any:
    import tomllib

    try:
        return tomllib.loads(data.decode("utf-8", "backslashreplace"))
    except RecursionError as error:
        raise ValueError("no TOML: too deep") from error
