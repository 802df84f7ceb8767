"""What a container image says of itself in a file of `docker save`, or in a layout of the Open Container Initiative.

References:
    https://github.com/opencontainers/image-spec (image-layout.md, image-index.md, manifest.md, descriptor.md);
    https://github.com/moby/docker-image-spec ("Combined Image JSON + Filesystem Changeset Format": `manifest.json`)
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from phaseout.parsers.encodings.lenient_json import decode, member, text

_DIGEST = re.compile(r"([a-z0-9]+(?:[.+_-][a-z0-9]+)*):([a-zA-Z0-9=_-]{1,512})")
_REFERENCES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_ATTESTATION = "vnd.docker.reference.type"


class StoredImage(NamedTuple):
    """An image with the paths of its configuration and of its layers, the lowest layer first; `names` may be empty."""

    config: str
    layers: tuple[str, ...]
    names: tuple[str, ...] = ()


class Reference(NamedTuple):
    """What an index names: the path of a manifest or of a further index, and what it is called.

    With `about`, it is no image but says something of one.
    """

    path: str
    name: str
    platform: str
    about: bool


def saved_images(data: bytes) -> tuple[StoredImage, ...]:
    """The images of a `manifest.json` of `docker save`.

    Raises:
        ValueError: it is not one; the text says why.
    """
    found = decode(data, list[Any])
    return tuple(
        StoredImage(text(one.get("Config")), _texts(one.get("Layers")), _texts(one.get("RepoTags")))
        for one in found
        if isinstance(one, dict) and isinstance(one.get("Layers"), list)
    )


def references(data: bytes) -> tuple[Reference, ...]:
    """What an index names.

    Raises:
        ValueError: it is no index; the text says why.
    """
    found = decode(data, dict[str, Any]).get("manifests")
    if not isinstance(found, list):
        raise ValueError("an index without manifests")  # noqa: TRY004  (it is the content that is wrong)
    return tuple(_references(found))


def manifest(data: bytes) -> StoredImage | None:
    """The image of a manifest; `None` if it is an index.

    Raises:
        ValueError: it is neither; the text says why.
    """
    found = decode(data, dict[str, Any])
    layers = found.get("layers")
    if isinstance(found.get("manifests"), list):
        return None
    if not isinstance(layers, list):
        raise ValueError("a manifest without layers")  # noqa: TRY004
    return StoredImage(blob(member(found, "config", "digest")), tuple(blob(member(one, "digest")) for one in layers))


def operating_system(data: bytes) -> str:
    """The system that a configuration names, such as `linux`; empty where it names none.

    Raises:
        ValueError: it is no JSON object; the text says why.
    """
    return text(decode(data, dict[str, Any]).get("os"))


def blob(digest: Any) -> str:
    """Where a layout keeps what has a digest; empty where it is not one."""
    found = _DIGEST.fullmatch(text(digest))
    return f"blobs/{found[1]}/{found[2]}" if found else ""


def _references(found: list[Any]) -> Iterator[Reference]:
    for one in found:
        notes = member(one, "annotations")
        names = (text(member(notes, key)) for key in _REFERENCES)
        parts = (text(member(one, "platform", key)) for key in ("os", "architecture", "variant"))
        yield Reference(
            blob(member(one, "digest")),
            next(filter(None, names), ""),
            "/".join(filter(None, parts)),
            isinstance(notes, dict) and _ATTESTATION in notes,
        )


def _texts(found: Any) -> tuple[str, ...]:
    return tuple(filter(None, map(text, found))) if isinstance(found, list) else ()
