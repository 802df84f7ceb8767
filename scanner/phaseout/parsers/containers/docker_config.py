"""What Docker notes on disk of its containers and images.

References:
    https://github.com/moby/moby (container/container.go: config.v2.json; reference/store.go: repositories.json;
    layer/layer.go: chain ids); https://github.com/opencontainers/image-spec/blob/main/config.md and …/annotations.md
"""

from typing import Any, NamedTuple

from phaseout.parsers.encodings.lenient_json import decode, member, text
from phaseout.parsers.encodings.sha256 import sha256

_VENDOR = ("org.opencontainers.image.vendor", "vendor", "org.label-schema.vendor", "org.opencontainers.image.authors")


class DockerContainer(NamedTuple):
    """A `config.v2.json`. `image` is the name it was started by, `image_id` the digest; `driver` keeps the files.

    With `in_containerd`, it is a snapshotter of containerd that does.
    """

    id: str
    name: str
    image: str
    image_id: str
    state: str
    command: str
    vendor: str
    created: str
    driver: str
    in_containerd: bool


class ImageConfig(NamedTuple):
    """The configuration of an image; `layers` are the digests of its layers, the lowest first."""

    vendor: str
    created: str
    arch: str
    layers: tuple[str, ...]


def docker_container(data: bytes) -> DockerContainer:
    """The container of a `config.v2.json`.

    Raises:
        ValueError: it is not a JSON object; the text says why.
    """
    found = decode(data, dict[str, Any])
    arguments = found.get("Args")
    command = [found.get("Path"), *(arguments if isinstance(arguments, list) else [])]
    return DockerContainer(
        text(found.get("ID")),
        text(found.get("Name")).removeprefix("/"),
        text(member(found, "Config", "Image")),
        text(found.get("Image")),
        _state(found.get("State")),
        " ".join(filter(None, map(text, command))),
        vendor(member(found, "Config", "Labels")),
        text(found.get("Created")),
        text(found.get("Driver")),
        isinstance(found.get("ImageManifest"), dict),
    )


def image_config(data: bytes) -> ImageConfig:
    """The configuration of an image of Docker or OCI.

    Raises:
        ValueError: it is not a JSON object; the text says why.
    """
    found = decode(data, dict[str, Any])
    layers = member(found, "rootfs", "diff_ids")
    return ImageConfig(
        vendor(member(found, "config", "Labels")),
        text(found.get("created")),
        text(found.get("architecture")),
        tuple(map(text, layers)) if isinstance(layers, list) else (),
    )


def repositories(data: bytes) -> dict[str, list[str]]:
    """Id of an image (`sha256:…`) → its names; those by digest only where there is no other.

    Raises:
        ValueError: it is not a JSON object; the text says why.
    """
    found: dict[str, list[str]] = {}
    of_all = member(decode(data, dict[str, Any]), "Repositories")
    for names in of_all.values() if isinstance(of_all, dict) else ():
        for name, image in names.items() if isinstance(names, dict) else ():
            found.setdefault(text(image), []).append(name)
    return {image: [name for name in names if "@" not in name] or names[:1] for image, names in found.items()}


def chain_id(layers: tuple[str, ...]) -> str:
    """What Docker calls a layer with all below it: one digest made of theirs."""
    chain = ""
    for layer in layers:
        chain = f"sha256:{sha256(f'{chain} {layer}'.encode()).hexdigest()}" if chain else layer
    return chain


def vendor(labels: Any) -> str:
    """Who made the image, of its labels."""
    return next(filter(None, (text(member(labels, name)) for name in _VENDOR)), "")


def _state(state: Any) -> str:
    """In the words of `docker ps`."""
    for name in ("Restarting", "Paused", "Running", "Dead"):
        if member(state, name) is True:
            return name.lower()
    started = text(member(state, "StartedAt"))
    return "created" if not started or started.startswith("0001-") else "exited"
