"""What Podman, Buildah and CRI-O note on disk of their containers and images.

References:
    https://github.com/containers/storage (containers.go, images.go: the records; store.go: makeBigDataBaseName);
    https://github.com/containers/podman (libpod/define/containerstate.go)
"""

from base64 import b64encode
from contextlib import suppress
from typing import Any, NamedTuple

from phaseout.parsers.encodings.lenient_json import decode, member, text

STATES = ("unknown", "created", "initialized", "running", "stopped", "paused", "exited", "removing", "stopping")


class StoredContainer(NamedTuple):
    """A record of `containers.json`; `image` is the name that it was made by."""

    id: str
    name: str
    image: str
    image_id: str
    layer: str
    created: str


class StoredImage(NamedTuple):
    """A record of `images.json`."""

    id: str
    names: tuple[str, ...]
    layer: str
    created: str


def stored_containers(data: bytes) -> list[StoredContainer | None]:
    """Every record; `None` for one without an id.

    Raises:
        ValueError: it is not a JSON array; the text says why.
    """
    return [_container(record) for record in decode(data, list[Any])]


def stored_images(data: bytes) -> list[StoredImage | None]:
    """Every record; `None` for one without an id.

    Raises:
        ValueError: it is not a JSON array; the text says why.
    """
    return [_image(record) for record in decode(data, list[Any])]


def stored_parents(data: bytes) -> frozenset[str]:
    """The ids of the layers that records of `layers.json` name as the ones below them.

    Raises:
        ValueError: it is not a JSON array; the text says why.
    """
    return frozenset(filter(None, (text(member(record, "parent")) for record in decode(data, list[Any]))))


def config_file(image: str) -> str:
    """The name of the file that holds the configuration of an image."""
    return f"={b64encode(f'sha256:{image}'.encode('utf-8', 'replace')).decode()}"


def _container(record: Any) -> StoredContainer | None:
    found = text(member(record, "id"))
    if not found:
        return None
    image = ""
    with suppress(ValueError):  # `metadata` is in the words of the program that made it
        image = text(member(decode(text(member(record, "metadata")).encode("utf-8", "replace")), "image-name"))
    names = _names(record)
    return StoredContainer(
        found,
        names[0] if names else "",
        image,
        text(member(record, "image")),
        text(member(record, "layer")),
        text(member(record, "created")),
    )


def _image(record: Any) -> StoredImage | None:
    found = text(member(record, "id"))
    if not found:
        return None
    return StoredImage(found, _names(record), text(member(record, "layer")), text(member(record, "created")))


def _names(record: Any) -> tuple[str, ...]:
    names = member(record, "names")
    return tuple(filter(None, map(text, names))) if isinstance(names, list) else ()
