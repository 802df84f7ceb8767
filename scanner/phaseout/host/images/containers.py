"""Container images in a file or folder: of `docker save`, in a layout of the Open Container Initiative, or as a root.

References:
    https://github.com/opencontainers/image-spec (image-layout.md, image-index.md, manifest.md, layer.md);
    https://github.com/moby/docker-image-spec; containers-transports(5) (`docker-archive`, `oci`, `oci-archive`)
"""

from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host.filesystem.node import Node
from phaseout.host.filesystem.posix import PosixLayout
from phaseout.host.filesystem.resolve import Resolver
from phaseout.host.filesystem.stored_files import StoredFiles
from phaseout.host.images.stored import NodeBytes
from phaseout.host.images.tree import MergedTree
from phaseout.host.images.unpacking import CannotUnpackError, Unpacking
from phaseout.model.nouns import Problem
from phaseout.parsers.containers.oci_image import (
    Reference,
    StoredImage,
    manifest,
    operating_system,
    references,
    saved_images,
)
from phaseout.parsers.images.tar import is_tar

_INDEX = "index.json"
_DOCKER = "manifest.json"
_LAYOUT = "oci-layout"
_JSON = 4 << 20  # bytes, as registries take at most
_IMAGES = 1_000
_LEVELS = 4  # of indexes within indexes
_LAYERS = 500
_SAVE_AGAIN = "save the image again"


class ContainerImage(NamedTuple):
    """An image in a file.

    Attributes:
        name: by which it can be asked for.
        stored: where its parts lie.
        problems: what could not be read of what names it.
    """

    name: str
    stored: StoredImage


class Images:
    """The container images that a folder holds, which may be the content of an archive.

    Args:
        folder: the folder.

    Attributes:
        found: the images.
        problems: what could not be read.
        elsewhere: how many images are named whose content is not here.
    """

    def __init__(self, folder: Node) -> None:
        layout = PosixLayout(lambda: folder)
        self._files = StoredFiles(layout)
        self._resolver = Resolver(layout)
        self.elsewhere = 0
        self.problems: list[Problem] = []
        stored = dict.fromkeys(self._stored())
        named = {one.config: one.names for one in stored if one.names}
        images: dict[str, StoredImage] = {}
        for one in stored:
            images.setdefault(one.config or repr(one.layers), one._replace(names=named.get(one.config, one.names)))
        self.found = tuple(_named(list(images.values())))
        self.problems += self._files.problems

    def merged(self, image: ContainerImage, unpacking: Unpacking) -> tuple[Node, list[Problem]]:
        """The root of an image, and what could not be read of it."""
        tree, problems = MergedTree(), []
        layers = image.stored.layers
        if len(layers) > _LAYERS:
            problems.append(Problem(image.name, f"more than {_LAYERS} layers: the uppermost were not read", "limit"))
        for number, path in enumerate(layers[:_LAYERS], 1):
            whole = True
            where = f"layer {number} of {len(layers)} ({path.rpartition('/')[2][:12] or 'without a name'})"
            try:
                packed = NodeBytes(self._resolver.place(f"/{path}").nodes[0])
                stored = unpacking.unpacked(packed)
            except CannotUnpackError as error:
                problems.append(Problem(where, error.why, error.cause, remedy=error.remedy or _SAVE_AGAIN))
                if error.part is None:
                    continue
                stored, whole = error.part, False
            except OSError as error:
                why = "not in the image" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
                problems.append(Problem(where, why, "missing", remedy=_SAVE_AGAIN))
                continue
            before = len(tree.broken)
            if stored.size and not is_tar(stored.read(0, 512)) and stored.read(0, 512).strip(b"\0"):
                why = "no tar archive: encrypted, or of a kind that phaseout does not read"
                problems.append(Problem(where, why, "unsupported"))
                continue
            tree.add(stored, marks=True)
            broken = tree.broken[before:] if whole else []  # else it is said already
            problems += [Problem(where, why, "damaged", remedy=_SAVE_AGAIN) for why in broken]
        return tree.root, problems

    def system(self, image: ContainerImage) -> str:
        """The operating system that its configuration names, such as `linux`."""
        data = self._files.read(f"/{image.stored.config}", _JSON) if image.stored.config else None
        try:
            return operating_system(data) if data else ""
        except ValueError:
            return ""

    def _stored(self) -> Iterator[StoredImage]:
        docker = self._files.read(f"/{_DOCKER}", _JSON)
        if docker:
            try:
                yield from saved_images(docker)
            except ValueError as error:
                self.problems.append(Problem(_DOCKER, f"is damaged: {error}", "damaged", remedy=_SAVE_AGAIN))
        if self._files.exists(f"/{_LAYOUT}"):
            yield from self._indexed(Reference(_INDEX, "", "", about=False), 0)

    def _indexed(self, reference: Reference, level: int) -> Iterator[StoredImage]:
        if reference.about:
            return
        data = self._files.read(f"/{reference.path}", _JSON) if reference.path else None
        if data is None:
            self.elsewhere += 1
            return
        try:
            image = manifest(data) if level else None
            if image is not None:
                of_several = f" ({reference.platform})" if reference.platform and level > 1 else ""
                name = f"{reference.name}{of_several}" if reference.name else ""
                yield image._replace(names=(name,) if name else ())
            elif level >= _LEVELS:
                why = f"more than {_LEVELS} levels of indexes"
                self.problems.append(Problem(reference.path, why, "limit"))
            else:
                for one in references(data)[:_IMAGES]:
                    yield from self._indexed(one._replace(name=one.name or reference.name), level + 1)
        except ValueError as error:
            self.problems.append(Problem(reference.path, f"is damaged: {error}", "damaged", remedy=_SAVE_AGAIN))


def holds_images(folder: Node) -> bool:
    """Whether a folder holds container images, rather than being the root of a system."""
    files = StoredFiles(PosixLayout(lambda: folder))
    if files.is_file(f"/{_LAYOUT}") and files.is_file(f"/{_INDEX}"):
        return True
    docker = files.read(f"/{_DOCKER}", _JSON)
    try:
        return bool(docker and saved_images(docker))
    except ValueError:
        return False


def _named(images: list[StoredImage]) -> Iterator[ContainerImage]:
    """The images with names that differ: that of the image, else the beginning of the digest of its configuration."""
    taken: set[str] = set()
    for number, image in enumerate(images[:_IMAGES], 1):
        digest = image.config.rpartition("/")[2].partition(".")[0][:12]
        names = (*image.names, digest, str(number))
        name = next((name for name in names if name and name not in taken), f"{names[0]} {number}")
        taken.add(name)
        yield ContainerImage(name, image)
