"""Containers and images of containerd, and the packages inside: on nodes of Kubernetes, of nerdctl, of Docker.

What a container has is its own snapshot upon those of its image; all of them are folders. A snapshot that belongs to
no container and no image that is known is opened as well, so that none remains unseen.

References:
    https://github.com/containerd/containerd/blob/main/docs/ops.md (root), docs/snapshotters/README.md, and
    plugins/snapshots/overlay, …/native, …/btrfs; https://docs.k3s.io/advanced; https://docs.rke2.io/advanced;
    https://microk8s.io/docs/configuring-services; https://github.com/containerd/nerdctl/blob/main/docs/dir.md
"""

from collections.abc import Generator, Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.filesystem.layers import layered_host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.containers.containerd_metadata import (
    Container,
    Namespace,
    Snapshot,
    manifests,
    namespaces,
    snapshots,
)
from phaseout.parsers.containers.docker_config import ImageConfig, chain_id, image_config
from phaseout.parsers.containers.engine_settings import containerd_root
from phaseout.parsers.containers.image_reference import image_purl, image_reference
from phaseout.sources.kit.container_roots import DOCKER, DOCKER_FLAGS, DOCKER_SETTINGS, docker_roots
from phaseout.sources.kit.parsed import parsed
from phaseout.sources.kit.places import Place, Seen, places
from phaseout.sources.source import Inside, Source, Trace

_ROOTS = (
    *("/var/lib/containerd", "/var/lib/rancher/k3s/agent/containerd", "/var/lib/rancher/rke2/agent/containerd"),
    *("/var/snap/microk8s/common/var/lib/containerd", "/var/lib/k0s/containerd", "~/.local/share/containerd"),
    *("~/.rancher/k3s/agent/containerd", *(f"{root}/containerd/daemon" for root in DOCKER)),
)
_SETTINGS = ("/etc/containerd/config.toml", "~/.config/containerd/config.toml")
_DATABASE = "io.containerd.metadata.v1.bolt/meta.db"
_SNAPSHOTTER = "io.containerd.snapshotter.v1."
_BLOBS = "io.containerd.content.v1.content/blobs/sha256"
# Where the files of a snapshot lie below the folder of its snapshotter; all others keep them in other forms.
_LAYOUTS = {"overlayfs": "snapshots/{}/fs", "fuse-overlayfs": "snapshots/{}/fs", "native": "snapshots/{}"}
_BTRFS = ("active", "snapshots", "view")
_WHOLE = ("native", "btrfs")  # of which each snapshot has all files
_LARGEST = 512 << 20  # bytes of a database
_MOST = 500  # snapshots upon each other
_REMEDY = "run phaseout inside"


class _Store(NamedTuple):
    """A snapshotter: its folder, and its snapshots by name."""

    name: str
    folder: str
    snapshots: dict[str, Snapshot]
    opened: set[str]  # snapshots that were seen, alone or below others


def collect(host: Host) -> Iterator[Trace]:
    """An item for every container and image, and what is inside of these and of all other snapshots."""
    seen = Seen()
    for place in (*places(host, _ROOTS), *(yield from _moved(host))):
        if seen.first(host.files.real(place.path) or place.path, place.user):
            yield from _containerd(host, place.path, place.user)


def _moved(host: Host) -> Generator[Problem | LeftOut, None, list[Place]]:
    """The folders that settings name, and those within a Docker that was moved."""
    found: list[Place] = []
    for place in places(host, _SETTINGS):
        root = yield from parsed(host, place.path, containerd_root)
        if root and root.startswith("/"):
            if host.files.gone(root):
                yield Problem(root, f"{place.path} puts the files of containerd there, and it is not there", "missing")
            else:
                found.append(Place(root.rstrip("/"), place.user))
    docker = docker_roots(host)
    try:
        while True:
            next(docker)  # what is wrong with the settings of Docker, the source of Docker's containers says
    except StopIteration as stop:
        for place, _ in stop.value:
            folder = f"{place.path}/containerd/daemon"
            if host.files.is_dir(folder):
                found.append(Place(folder, place.user))
    return found


def _containerd(host: Host, root: str, user: str) -> Iterator[Trace]:
    stores: dict[str, _Store] = {}
    for entry in host.files.list(root):
        if entry.name.startswith(_SNAPSHOTTER):
            store = yield from _store(host, f"{root}/{entry.name}", entry.name.removeprefix(_SNAPSHOTTER))
            if store is not None:
                stores[store.name] = store
    where = f"{root}/{_DATABASE}"
    if stores and not host.files.exists(where):
        yield Problem(where, "the database of the containers is not there", "missing")
    for namespace in (yield from parsed(host, where, namespaces, _LARGEST)) or ():
        for container in namespace.containers:
            config = yield from _config(host, root, namespace.images.get(container.image, ""))
            yield _container(where, user, namespace, container, config)
            store = stores.get(container.snapshotter)
            key = namespace.snapshots.get(container.snapshotter, {}).get(container.snapshot, "")
            yield from _inside(host, root, user, f"container {container.name}", store, key)
        for digest, names in _by_digest(namespace.images).items():
            config = yield from _config(host, root, digest)
            for name in names:
                yield _image(where, user, namespace, name, digest, config)
            yield from _image_files(host, root, user, names[0], namespace, stores, config)
    for store in stores.values():
        yield from _others(host, user, store)


def _store(host: Host, folder: str, name: str) -> Generator[Problem | LeftOut, None, _Store | None]:
    """The snapshotter of a folder; `None` if nothing is in it, or nothing can be read."""
    tops = _BTRFS if name == "btrfs" else ("snapshots",)
    if not any(host.files.list(f"{folder}/{top}") for top in tops) and not host.files.exists(f"{folder}/metadata.db"):
        return None
    if name not in _LAYOUTS and name != "btrfs":
        why = f"files of containers that the snapshotter {name} keeps in a form of its own"
        yield Problem(folder, why, "unsupported", remedy=_REMEDY)
        return None
    if not host.files.exists(f"{folder}/metadata.db"):
        yield Problem(f"{folder}/metadata.db", "the database of the snapshots is not there", "missing")
    found = yield from parsed(host, f"{folder}/metadata.db", snapshots, _LARGEST)
    return _Store(name, folder, found or {}, set())


def _config(host: Host, root: str, digest: str) -> Generator[Problem | LeftOut, None, ImageConfig | None]:
    """The configuration of an image; of one for several processors, the first that is there."""
    waiting, tried = [digest], 0
    while waiting and tried < _MOST:
        tried += 1
        path = _blob(root, waiting.pop(0))
        found = (yield from parsed(host, path, manifests)) if path and host.files.exists(path) else None
        inner, config = found or ([], "")
        waiting += inner
        path = _blob(root, config)
        if path and host.files.exists(path):
            return (yield from parsed(host, path, image_config))
    return None


def _blob(root: str, digest: str) -> str:
    kind, _, name = digest.partition(":")
    return f"{root}/{_BLOBS}/{name}" if kind == "sha256" and name.isalnum() else ""


def _by_digest(images: dict[str, str]) -> dict[str, list[str]]:
    """Digest → its names; those by digest only where there is no other."""
    found: dict[str, list[str]] = {}
    for name, digest in images.items():
        found.setdefault(digest, []).append(name)
    plain = {digest: [name for name in names if not _is_digest(name)] for digest, names in found.items()}
    return {digest: plain[digest] or names[:1] for digest, names in found.items()}


def _is_digest(name: str) -> bool:
    return "@" in name or name.startswith("sha256:")


def _image_files(
    host: Host,
    root: str,
    user: str,
    name: str,
    namespace: Namespace,
    stores: dict[str, _Store],
    config: ImageConfig | None,
) -> Iterator[Trace]:
    """What is inside an image, unless a container of it was opened."""
    chain = chain_id(config.layers) if config is not None else ""
    if not chain:
        yield Problem(f"{root}: image {name}", "its manifest or configuration is not there", "missing")
        return
    for kind, keys in namespace.snapshots.items():
        if chain in keys:
            store = stores.get(kind)
            if store is None or keys[chain] not in store.opened:
                yield from _inside(host, root, user, f"image {name}", store, keys[chain])
            return
    why = "it was fetched and never unpacked: its files are in archives that are not read"
    yield Problem(f"{root}: image {name}", why, "unsupported", remedy=_REMEDY)


def _inside(host: Host, root: str, user: str, name: str, store: _Store | None, key: str) -> Iterator[Trace]:
    if store is None or key not in store.snapshots:
        yield Problem(f"{root}: {name}", "its snapshot is not known, or not read", "unsupported", remedy=_REMEDY)
        return
    folders: list[str] = []
    for _ in range(_MOST):
        if key not in store.snapshots:
            break
        snapshot = store.snapshots[key]
        store.opened.add(key)
        if not folders or store.name not in _WHOLE:
            folders.append(_folder(host, store, snapshot.id))
        key = snapshot.parent
    if key and store.name not in _WHOLE:
        yield Problem(f"{root}: {name}", "its lowest layers are missing, or too many", "limit")
    found = layered_host(host, folders, name)
    if found is None:
        yield Problem(f"{root}: {name}", "its files are not there", "missing", remedy=_REMEDY)
    else:
        yield Inside(name, user, found)


def _folder(host: Host, store: _Store, identifier: str) -> str:
    if store.name == "btrfs":
        kept = (f"{store.folder}/{top}/{identifier}" for top in _BTRFS)
        return next(filter(host.files.is_dir, kept), f"{store.folder}/snapshots/{identifier}")
    return f"{store.folder}/{_LAYOUTS[store.name].format(identifier)}"


def _others(host: Host, user: str, store: _Store) -> Iterator[Trace]:
    """What is in the snapshots, and in the folders, that no container and no image has."""
    parents = {snapshot.parent for snapshot in store.snapshots.values()}
    for key, snapshot in store.snapshots.items():
        if key not in parents and key not in store.opened:
            short = key.rpartition("/")[2].removeprefix("sha256:")[:12]
            what = "container" if snapshot.active else "image layers"
            yield from _inside(host, store.folder, user, f"{what} {short}", store, key)
    known = {snapshot.id for snapshot in store.snapshots.values()}
    for top in _BTRFS if store.name == "btrfs" else ("snapshots",):
        for entry in host.files.list(f"{store.folder}/{top}"):
            if entry.kind != "dir" or entry.name in known:
                continue
            found = layered_host(host, [_folder(host, store, entry.name)], f"snapshot {entry.name}")
            if found is not None:
                yield Inside(f"snapshot {entry.name} of {store.name}", user, found)


def _container(where: str, user: str, namespace: Namespace, container: Container, config: ImageConfig | None) -> Item:
    repository, tag = image_reference(container.image)
    return Item(
        kind="app",
        name=container.name,
        vendor=config.vendor if config else "",
        version=tag,
        user=user,
        ids={"purl": image_purl(repository, tag)} if repository else {},
        details={"engine": "containerd", "id": container.id, "image": container.image},
        evidence=(Evidence(where, f"{namespace.name}: {container.id}: {container.image}"),),
    )


def _image(where: str, user: str, namespace: Namespace, name: str, digest: str, config: ImageConfig | None) -> Item:
    repository, tag = image_reference(name)
    return Item(
        kind="package",
        name=repository,
        vendor=config.vendor if config else "",
        version=tag,
        user=user,
        ids={"purl": image_purl(repository, tag)},
        details={
            "arch": config.arch if config else "",
            "created": config.created if config else "",
            "engine": "containerd",
            "id": digest,
        },
        evidence=(Evidence(where, f"{namespace.name}: {name}"),),
    )


_FILES = (
    *(_DATABASE, f"{_BLOBS}/*", f"{_SNAPSHOTTER}*/metadata.db", f"{_SNAPSHOTTER}*/snapshots/*"),
    f"{_SNAPSHOTTER}*/snapshots/*/fs",
    *(f"{_SNAPSHOTTER}btrfs/{top}/*" for top in _BTRFS),
)
SOURCE = Source(
    name="containerd",
    title="Containers and images of containerd, and the packages inside",
    platforms=("linux",),
    kinds=("app", "package", "library", "service", "task", "file", "driver", "program"),
    needs=(),
    reads=(
        *(f"{root}/{file}" for root in _ROOTS for file in _FILES),
        *(*_SETTINGS, *DOCKER_SETTINGS, *DOCKER_FLAGS),
        *(f"/**/{file}" for file in (*_FILES, "*.json")),  # in the folders that settings name
    ),
    limits="Whether a container runs is seen among the processes; volumes are not read.",
    collect=collect,
)
