"""Containers and images that Docker, Podman and CRI-O have on disk, and the packages inside. No engine is asked.

The layers of a container are read where they lie, so it need not run. An image that no container was made of is read
itself.

References:
    https://docs.docker.com/engine/storage/drivers/overlayfs-driver/; https://github.com/moby/moby (daemon/graphdriver,
    image/fs.go, layer/filestore.go); https://github.com/containers/storage/blob/main/docs/containers-storage.conf.5.md;
    https://github.com/containers/podman (libpod/sqlite_state_internal.go)
"""

from collections.abc import Callable, Generator, Iterator
from typing import NamedTuple, TypeVar

from phaseout.host import Host
from phaseout.host.filesystem.files import Marks
from phaseout.host.filesystem.layers import layered_host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.model.regex import regex
from phaseout.parsers.containers.container_storage import (
    STATES,
    config_file,
    stored_containers,
    stored_images,
    stored_parents,
)
from phaseout.parsers.containers.docker_config import (
    ImageConfig,
    chain_id,
    docker_container,
    image_config,
    repositories,
)
from phaseout.parsers.containers.image_reference import image_purl, image_reference
from phaseout.sources.kit.container_roots import (
    DOCKER,
    DOCKER_FLAGS,
    DOCKER_SETTINGS,
    PODMAN,
    PODMAN_SETTINGS,
    PODMAN_USER_SETTINGS,
    docker_roots,
    podman_roots,
    promised,
)
from phaseout.sources.kit.parsed import damaged, parsed
from phaseout.sources.kit.places import Seen, places
from phaseout.sources.source import Inside, Source, Trace

_T = TypeVar("_T")

# Drivers whose layers are whole copies, and where these are; those of zfs are there only while they are mounted.
_COPIES = {"vfs": "vfs/dir", "btrfs": "btrfs/subvolumes", "zfs": "zfs/graph"}
_DRIVERS = ("overlay", *_COPIES)
_REMAPPED = regex(r"\d+\.\d+")  # userns-remap puts everything one folder deeper: UID.GID
_MOUNT_PROGRAM = ".has-mount-program"
_MOST_LAYERS = 500  # as in the kernel
_NO_FILES = "its files are not there, or kept in a form that phaseout does not read"


class _Container(NamedTuple):
    """What both engines tell of a container."""

    id: str
    name: str
    image: str
    state: str
    created: str
    command: str = ""
    vendor: str = ""


class _Engine(NamedTuple):
    """Where an engine keeps everything, and its user; empty for root."""

    name: str
    root: str
    user: str


def collect(host: Host) -> Iterator[Trace]:
    """An item for every container and every name of an image, and what is inside."""
    seen = Seen()
    roots = list(places(host, DOCKER))
    roots += yield from promised(host, (yield from docker_roots(host)), "Docker")
    for place in roots:
        if seen.first(host.files.real(place.path) or place.path, place.user):
            yield from _docker(host, _Engine("docker", *place))
            for entry in host.files.list(place.path):
                if entry.kind == "dir" and _REMAPPED.fullmatch(entry.name):
                    yield from _docker(host, _Engine("docker", f"{place.path}/{entry.name}", place.user))
    roots = list(places(host, PODMAN))
    roots += yield from promised(host, (yield from podman_roots(host)), "Podman or CRI-O")
    for place in roots:
        if seen.first(host.files.real(place.path) or place.path, place.user):
            for driver in _DRIVERS:
                yield from _podman(host, _Engine("podman", *place), driver, tuple(other.path for other in roots))


def _docker(host: Host, engine: _Engine) -> Iterator[Trace]:
    used: set[str] = set()
    opened: set[str] = set()
    for entry in host.files.list(f"{engine.root}/containers"):
        where = f"{engine.root}/containers/{entry.name}/config.v2.json"
        found = yield from parsed(host, where, docker_container)
        if found is None:
            continue
        used.add(found.image_id)
        name = found.name or entry.name
        one = _Container(entry.name, name, found.image, found.state, found.created, found.command, found.vendor)
        yield _container(host, engine, where, one)
        if found.in_containerd and any(map(host.files.exists, _containerd(engine.root))):
            continue  # its files are in the snapshots that the source `containerd` opens
        layer = _word(host, f"{engine.root}/image/{found.driver}/layerdb/mounts/{entry.name}/mount-id")
        folders = yield from _docker_folders(host, engine, found.driver, layer)
        opened.update(folders)
        yield from _inside(host, engine, f"container {name}", folders, _docker_marks(engine, found.driver))
    for driver in host.files.list(f"{engine.root}/image"):
        store = f"{engine.root}/image/{driver.name}"
        names = (yield from parsed(host, f"{store}/repositories.json", repositories)) or {}
        for entry in host.files.list(f"{store}/imagedb/content/sha256"):
            where = f"{store}/imagedb/content/sha256/{entry.name}"
            config = yield from parsed(host, where, image_config)
            image = f"sha256:{entry.name}"
            tags = names.get(image, [])
            yield from _image(engine, where, image, tags, config)
            if config is not None and tags and image not in used:
                layers = f"{store}/layerdb/{chain_id(config.layers).replace(':', '/')}"
                layer = _word(host, f"{layers}/cache-id")
                folders = yield from _docker_folders(host, engine, driver.name, layer)
                opened.update(folders)
                yield from _inside(host, engine, f"image {tags[0]}", folders, _docker_marks(engine, driver.name))
    for entry in host.files.list(engine.root):
        if entry.kind == "dir" and (entry.name.startswith(_DRIVERS) or entry.name in ("aufs", "fuse-overlayfs")):
            yield from _others(host, engine, entry.name, opened, _docker_marks(engine, entry.name))


def _docker_marks(engine: _Engine, driver: str) -> Marks:
    """What marks deletions for a driver of Docker; `vfs`, `btrfs` and `zfs` have whole copies."""
    if driver.startswith("overlay"):
        return _overlay_marks(engine)
    others: dict[str, Marks] = {"fuse-overlayfs": "fuse-overlayfs", "aufs": "aufs"}
    return others.get(driver, "")


def _podman_marks(host: Host, engine: _Engine, driver: str) -> Marks:
    """The same of Podman, which notes whether a program mounts for it: that is fuse-overlayfs."""
    if driver != "overlay":
        return ""
    program = _word(host, f"{engine.root}/overlay/{_MOUNT_PROGRAM}") == "true"
    return "fuse-overlayfs" if program else _overlay_marks(engine)


def _overlay_marks(engine: _Engine) -> Marks:
    return "overlay userxattr" if engine.user else "overlay"


def _containerd(root: str) -> Iterator[str]:
    """Where a containerd that keeps the files of this Docker has its database."""
    for folder in (f"{root}/containerd/daemon", "/var/lib/containerd"):
        yield f"{folder}/io.containerd.metadata.v1.bolt/meta.db"


def _docker_folders(host: Host, engine: _Engine, driver: str, layer: str) -> Generator[Problem, None, list[str]]:
    if not layer:
        return []
    if driver in _COPIES:
        return _copy(host, [f"{engine.root}/{_COPIES[driver]}"], layer)
    if driver == "aufs":
        top = f"{engine.root}/aufs"
        names = (layer, *_word(host, f"{top}/layers/{layer}").split())
        return [f"{top}/diff/{name}" for name in names[:_MOST_LAYERS]]
    return (yield from _overlay(host, [f"{engine.root}/{driver}"], layer))


def _copy(host: Host, tops: list[str], layer: str) -> list[str]:
    """The folder with all that a layer shows; none where it is not there, or not mounted."""
    return [f"{top}/{layer}" for top in tops if host.files.list(f"{top}/{layer}")][:1]


def _podman(host: Host, engine: _Engine, driver: str, stores: tuple[str, ...]) -> Iterator[Trace]:
    """What a store holds; the layers that it does not have itself may be in another one."""
    store = f"{engine.root}/{driver}-images"
    images = yield from _records(host, f"{store}/images.json", stored_images)
    configs: dict[str, ImageConfig | None] = {}
    for image in images:
        configs[image.id] = yield from parsed(host, f"{store}/{image.id}/{config_file(image.id)}", image_config)
    states = _states(host, engine)
    marks = _podman_marks(host, engine, driver)
    used: set[str] = set()
    opened: set[str] = set()
    for file in ("containers.json", "volatile-containers.json"):
        where = f"{engine.root}/{driver}-containers/{file}"
        for found in (yield from _records(host, where, stored_containers)):
            used.add(found.image_id)
            name = found.name or found.id
            config = configs.get(found.image_id)
            vendor = config.vendor if config else ""
            one = _Container(found.id, name, found.image, states.get(found.id, ""), found.created, vendor=vendor)
            yield _container(host, engine, where, one)
            folders = yield from _podman_folders(host, engine, driver, found.layer, stores)
            opened.update(folders)
            yield from _inside(host, engine, f"container {name}", folders, marks)
    for image in images:
        yield from _image(engine, f"{store}/images.json", f"sha256:{image.id}", list(image.names), configs[image.id])
        if image.names and image.id not in used:
            folders = yield from _podman_folders(host, engine, driver, image.layer, stores)
            opened.update(folders)
            yield from _inside(host, engine, f"image {image.names[0]}", folders, marks)
    yield from _others(host, engine, driver, opened, marks)


def _others(host: Host, engine: _Engine, driver: str, opened: set[str], marks: Marks) -> Iterator[Trace]:
    """What is in the layers that no container and no image has whose records are here: none remains unseen.

    Of layers upon each other, the uppermost is opened.
    """
    if driver == "aufs":
        top, inner = f"{engine.root}/aufs/diff", ""
    elif driver in _COPIES:
        top, inner = f"{engine.root}/{_COPIES[driver]}", ""
    else:
        top, inner = f"{engine.root}/{driver}", "/diff"
    names = [entry.name for entry in host.files.list(top) if entry.kind == "dir" and entry.name != "l"]
    if driver == "aufs":
        layers = f"{engine.root}/aufs/layers"
        below = {lower for name in names for lower in _word(host, f"{layers}/{name}").split()}
    elif driver in _COPIES:
        below = yield from _parents(host, engine, driver)
    else:
        lowers = {lower for name in names for lower in _word(host, f"{top}/{name}/lower").split(":") if lower}
        below = {
            (host.files.real(f"{top}/{lower}") or "").removeprefix(f"{top}/").partition("/")[0] for lower in lowers
        }
    known = {host.files.real(folder) for folder in opened}
    for name in names:
        folder = f"{top}/{name}{inner}"
        if name not in below and host.files.real(folder) not in known and host.files.list(folder):
            folders = yield from _docker_folders(host, engine, driver, name)
            yield from _inside(host, engine, f"layer {name[:12]}", folders, marks)


def _parents(host: Host, engine: _Engine, driver: str) -> Generator[Problem | LeftOut, None, set[str]]:
    """The layers that others were copied from, for a driver whose layers do not say so themselves."""
    found = set((yield from parsed(host, f"{engine.root}/{driver}-layers/layers.json", stored_parents)) or ())
    chains = f"{engine.root}/image/{driver}/layerdb/sha256"
    mounts = f"{engine.root}/image/{driver}/layerdb/mounts"
    above = [f"{chains}/{entry.name}" for entry in host.files.list(chains)]
    for entry in host.files.list(mounts):  # of a container, made from a copy of its own of the image
        above.append(f"{mounts}/{entry.name}")
        found.add(_word(host, f"{mounts}/{entry.name}/init-id"))
    for layer in above:
        parent = _word(host, f"{layer}/parent").removeprefix("sha256:")
        if parent.isalnum():
            found.add(_word(host, f"{chains}/{parent}/cache-id"))
    return found


def _records(
    host: Host, path: str, parse: Callable[[bytes], list[_T | None]]
) -> Generator[Problem | LeftOut, None, list[_T]]:
    """The records of a file that have an id; the others are problems."""
    found = (yield from parsed(host, path, parse)) or []
    for record in found:
        if record is None:
            yield from damaged(path, "a record without an id")
    return [record for record in found if record is not None]


def _podman_folders(
    host: Host, engine: _Engine, driver: str, layer: str, stores: tuple[str, ...]
) -> Generator[Problem, None, list[str]]:
    if not layer:
        return []
    roots = dict.fromkeys((engine.root, *stores))
    if driver in _COPIES:
        return _copy(host, [f"{root}/{_COPIES[driver]}" for root in roots], layer)
    return (yield from _overlay(host, [f"{root}/{driver}" for root in roots], layer))


def _states(host: Host, engine: _Engine) -> dict[str, str]:
    """Id of a container → its state, of the database that Podman has since version 4.8."""
    found: dict[str, str] = {}
    with host.files.database(f"{engine.root}/db.sql") as database:
        for container, state in database.execute("SELECT ID, State FROM ContainerState") if database else ():
            if isinstance(container, str) and isinstance(state, int) and 0 <= state < len(STATES):
                found[container] = STATES[state]
    return found


def _overlay(host: Host, tops: list[str], layer: str) -> Generator[Problem, None, list[str]]:
    """The folders that overlayfs would put one upon the other, the uppermost first."""
    top = next((top for top in tops if host.files.is_dir(f"{top}/{layer}")), tops[0])
    below = list(filter(None, dict.fromkeys(_word(host, f"{top}/{layer}/lower").split(":"))))
    if len(below) >= _MOST_LAYERS:
        yield Problem(f"{top}/{layer}", f"more than {_MOST_LAYERS} layers: the lowest were not read", "limit")
    found = [f"{top}/{layer}/diff"]
    for name in below[: _MOST_LAYERS - 1]:
        others = [other for other in tops if other != top and not host.files.is_dir(f"{top}/{name}")]
        found.append(
            next((f"{other}/{name}" for other in others if host.files.is_dir(f"{other}/{name}")), f"{top}/{name}")
        )
    return found


def _word(host: Host, path: str) -> str:
    return (host.files.text(path, 1 << 16) or "").strip()


def _container(host: Host, engine: _Engine, where: str, one: _Container) -> Item:
    repository, tag = image_reference(one.image)
    running = host.live and one.state in ("running", "paused", "restarting")
    return Item(
        kind="app",
        name=one.name,
        state="running" if running else "installed",
        vendor=one.vendor,
        version=tag,
        user=engine.user,
        command=one.command,
        ids={"purl": image_purl(repository, tag)} if repository else {},
        details={
            "created": one.created,
            "engine": engine.name,
            "id": one.id,
            "image": one.image,
            "state": one.state,
        },
        evidence=(Evidence(where, f"{one.name}: {one.image}"),),
    )


def _image(engine: _Engine, where: str, image: str, names: list[str], config: ImageConfig | None) -> Iterator[Item]:
    """An item for every name; one without any goes by its digest."""
    for name in names or [image]:
        repository, tag = image_reference(name) if names else (image, "")
        yield Item(
            kind="package",
            name=repository,
            vendor=config.vendor if config else "",
            version=tag,
            user=engine.user,
            ids={"purl": image_purl(repository, tag)} if names else {},
            details={
                "arch": config.arch if config else "",
                "created": config.created if config else "",
                "engine": engine.name,
                "id": image,
            },
            evidence=(Evidence(where, name),),
        )


def _inside(host: Host, engine: _Engine, name: str, folders: list[str], marks: Marks) -> Iterator[Trace]:
    found = layered_host(host, folders, name, marks) if folders else None
    if found is None:
        yield Problem(f"{engine.root}: {name}", _NO_FILES, "unsupported", remedy="run phaseout inside")
    else:
        yield Inside(name, engine.user, found)


_DOCKER_FILES = (
    *("containers/*/config.v2.json", "image/*/repositories.json", "image/*/imagedb/content/sha256/*"),
    *("image/*/layerdb/mounts/*/mount-id", "image/*/layerdb/sha256/*/cache-id"),
    *("image/*/layerdb/sha256/*/parent", "image/*/layerdb/mounts/*/parent", "image/*/layerdb/mounts/*/init-id"),
    *("fuse-overlayfs/*/lower", "fuse-overlayfs/*/diff", "fuse-overlayfs/l/*"),
    *("overlay*/*/lower", "overlay*/*/diff", "overlay*/l/*", "aufs/diff/*", "aufs/layers/*"),
    *(f"{folder}/*" for folder in _COPIES.values()),
    "containerd/daemon/io.containerd.metadata.v1.bolt/meta.db",
)
_PODMAN_FILES = (
    *("*-containers/containers.json", "*-containers/volatile-containers.json", "*-images/images.json"),
    *(
        "*-images/*/*",
        f"overlay/{_MOUNT_PROGRAM}",
        "overlay/*/lower",
        "overlay/*/diff",
        "overlay/l/*",
        *(f"{folder}/*" for folder in _COPIES.values()),
        "*-layers/layers.json",
        "db.sql",
    ),
)
SOURCE = Source(
    name="containers",
    title="Containers and images of Docker and Podman, and the packages inside",
    platforms=("linux", "macos", "windows"),
    kinds=("app", "package", "library", "service", "task", "file", "driver", "program"),
    needs=(),
    reads=(
        *(f"{root}/{file}" for root in DOCKER for file in _DOCKER_FILES),
        *(f"{root}/{file}" for root in PODMAN for file in _PODMAN_FILES),
        "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db",
        *(*DOCKER_SETTINGS, *DOCKER_FLAGS, *PODMAN_SETTINGS, PODMAN_USER_SETTINGS),
        *(f"/**/{file}" for file in (*_DOCKER_FILES, *_PODMAN_FILES, "*.json")),  # in the folders that settings name
    ),
    limits="Volumes are not read, and neither are containers whose engine keeps them in volumes or pools of its own.",
    collect=collect,
)
