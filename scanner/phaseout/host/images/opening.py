"""Opens a host that lies in an image."""

import os
from typing import NamedTuple

from msgspec.structs import replace

from phaseout.host import Host, NotAHostError
from phaseout.host.filesystem.folder import Folder
from phaseout.host.filesystem.local import local_root
from phaseout.host.images.containers import ContainerImage, Images, holds_images
from phaseout.host.images.disk_files import disk
from phaseout.host.images.disks import Disk
from phaseout.host.images.stored import FileBytes, Stored
from phaseout.host.images.tree import MergedTree
from phaseout.host.images.unpacking import CannotUnpackError, Unpacking
from phaseout.host.opening import host_of
from phaseout.host.systems import find_system, platforms_of
from phaseout.model.counting import counted
from phaseout.model.nouns import Platform, Problem
from phaseout.parsers.images.tar import is_tar

_AGAIN = "copy or save the image again"
_NO_IMAGE = (
    "no image that phaseout reads: neither a disk with a file system nor a tar archive. Unpack what another tool "
    "packed, and scan the folder with --root"
)


class SeveralHostsError(Exception):
    """The image holds several hosts; `images` names each as `--image` takes it."""

    def __init__(self, images: tuple[str, ...]) -> None:
        super().__init__()
        self.images = images


class ImagePlace(NamedTuple):
    """What `--image` names: a file or folder, and a part of it, which is empty for the whole.

    Behind `@`, the part ends with an earlier state of a volume: `2@1`, or `@1` where only one volume keeps some.
    """

    path: str
    part: str

    @classmethod
    def of(cls, text: str) -> "ImagePlace":
        """What a text names: the longest beginning before a colon or `@` that exists is the file."""
        at = len(text)
        while at > 0:
            if os.path.exists(text[:at]):
                return cls(os.path.abspath(text[:at]), text[at:].removeprefix(":"))
            at = max(text.rfind(mark, 0, at) for mark in ":@")
        return cls(os.path.abspath(text), "")

    @property
    def name(self) -> str:
        """Both, as reports show them."""
        return f"{self.path}{':' if self.part[:1] not in ('', '@') else ''}{self.part}"


def image_host(image: str, platform: Platform | None = None, *, deep: bool = False) -> Host:
    """The host in an image.

    Args:
        image: the file or folder, and behind a colon the part that is meant.
        platform: overrides what its content says.
        deep: see `Host.deep`.

    Raises:
        NotAHostError: it is no image, or does not hold one system that we know.
        SeveralHostsError: it holds several container images, and none was named.
    """
    place = ImagePlace.of(image)
    try:
        if os.path.isdir(place.path):
            folder = local_root(place.path)
            if not holds_images(folder):
                raise NotAHostError(f"{place.path}: a folder without container images; --root scans a folder")
            return _container(place, Images(folder), Unpacking(), platform, deep=deep)
        stored: Stored = FileBytes(place.path)
    except OSError as error:
        raise NotAHostError(f"{place.path}: {error.strerror or error}") from error
    unpacking, problems = Unpacking(), []
    try:
        content = unpacking.unpacked(stored)
    except CannotUnpackError as error:
        if error.part is None or not error.part.size:
            raise NotAHostError(f"{place.path}: {error.why}; {error.remedy or _AGAIN}") from error
        content = error.part
        problems.append(Problem(place.path, error.why, error.cause, remedy=error.remedy or _AGAIN))
    if not is_tar(content.read(0, 512)):
        return _disk(place, content if content is not stored else disk(place.path), problems, platform, deep=deep)
    return _archive(place, content, problems, unpacking, platform, deep=deep)


def _archive(
    place: ImagePlace,
    content: Stored,
    problems: list[Problem],
    unpacking: Unpacking,
    platform: Platform | None,
    *,
    deep: bool,
) -> Host:
    """The host in a tar archive, of which nothing is cut off unless a problem says so.

    It is a container image, or the archive is the root itself.
    """
    tree = MergedTree()
    tree.add(content, marks=False)
    problems = problems or [Problem(place.path, why, "damaged", remedy=_AGAIN) for why in tree.broken]
    if holds_images(tree.root):
        host = _container(place, Images(tree.root), unpacking, platform, deep=deep)
    else:
        if place.part:
            raise NotAHostError(f"{place.path}: holds one root, and nothing that is called {place.part}")
        host = _root(Folder(place.path, tree.root), platform, deep=deep)
    host.files.problems += problems
    return host


def _disk(
    place: ImagePlace, content: Stored, problems: list[Problem], platform: Platform | None, *, deep: bool
) -> Host:
    """The host on a disk."""
    part, earlier, copy = place.part.partition("@")
    try:
        volumes = Disk(place.path, content)
    except OSError as error:
        raise NotAHostError(f"{place.path}: {error.strerror or error}") from error
    if not any(volume.content.kind != "unknown" for volume in volumes.volumes) and not volumes.problems:
        raise NotAHostError(f"{place.path}: {_NO_IMAGE if content.size else 'an empty file'}")
    notes: tuple[str, ...] = ()
    if earlier:
        part, note = volumes.show_earlier(part, copy)
        notes = (note,)
    system, folder = volumes.system(part, platform)
    host = host_of(system, folder, volumes.find_mounted, deep=deep)
    if host.info.name == os.path.basename(system.root.name):  # it does not say what it is called
        host.info = replace(host.info, name=os.path.basename(place.path))
    host.info = replace(host.info, notes=(*host.info.notes, *notes))
    host.files.problems += [*problems, *volumes.unseen()]
    return host


def _container(
    place: ImagePlace, images: Images, unpacking: Unpacking, platform: Platform | None, *, deep: bool
) -> Host:
    chosen = _chosen(place, images)
    system = images.system(chosen)
    if system not in ("", "linux"):
        raise NotAHostError(f"{place.path}: {chosen.name} is an image of {system}, whose layers phaseout does not read")
    root, problems = images.merged(chosen, unpacking)
    folder = Folder(f"{place.path}:{chosen.name}", root)
    host = _root(folder, platform or (None if platforms_of(folder) else "linux"), deep=deep)
    notes = host.info.notes
    if images.elsewhere:
        notes = (*notes, f"{place.path} names {counted(images.elsewhere, 'further image')} that it does not hold")
    host.info = replace(host.info, name=chosen.name, notes=notes)
    host.files.problems += [*images.problems, *problems]
    return host


def _chosen(place: ImagePlace, images: Images) -> ContainerImage:
    """The image that is meant."""
    found = images.found
    names = [image.name for image in found]
    if place.part:
        for number, image in enumerate(found, 1):
            if place.part in (image.name, *image.stored.names, str(number)):
                return image
        raise NotAHostError(f"{place.path}: no image {place.part}; there are {', '.join(names) or 'none'}")
    if not found:
        raise NotAHostError(f"{place.path}: names {images.elsewhere} images, and holds none of them")
    if len(found) > 1:
        raise SeveralHostsError(tuple(f"{place.path}:{name}" for name in names))
    return found[0]


def _root(folder: Folder, platform: Platform | None, *, deep: bool) -> Host:
    return host_of(find_system(folder, platform), folder, deep=deep)
