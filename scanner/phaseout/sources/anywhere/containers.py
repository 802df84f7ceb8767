"""Containers and images that Docker, Podman and CRI-O have on disk, and the packages inside. No engine is asked.

The layers of a container are read where they lie, so it need not run. An image that no container was made of is read
itself.

References:
    https://docs.docker.com/engine/storage/drivers/overlayfs-driver/; https://github.com/moby/moby (daemon/graphdriver,
    image/fs.go, layer/filestore.go); https://github.com/containers/storage/blob/main/docs/containers-storage.conf.5.md;
    https://github.com/containers/podman (libpod/sqlite_state_internal.go)
"""

import re
from collections.abc import Callable, Generator, Iterator
from typing import NamedTuple, TypeVar

from phaseout.host import Host
from phaseout.host.filesystem.layers import layered_host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.containers.container_storage import STATES, config_file, stored_containers, stored_images
from phaseout.parsers.containers.docker_config import (
    ImageConfig,
    chain_id,
    docker_container,
    image_config,
    repositories,
)
from phaseout.parsers.containers.engine_settings import Storage, docker_flags, docker_root, expanded, storage
from phaseout.parsers.containers.image_reference import image_purl, image_reference
from phaseout.sources.kit.parsed import damaged, parsed
from phaseout.sources.kit.places import Place, Seen, places
from phaseout.sources.source import Inside, Source, Trace

_T = TypeVar("_T")

_DOCKER = ("/var/lib/docker", "/var/snap/docker/common/var-lib-docker", "~/.local/share/docker")
_PODMAN = ("/var/lib/containers/storage", "~/.local/share/containers/storage")
_DRIVERS = ("overlay", "vfs")
_DOCKER_SETTINGS = (
    *("/etc/docker/daemon.json", "/var/snap/docker/current/config/daemon.json", "~/.config/docker/daemon.json"),
)
_UNITS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_USER_UNITS = ("~/.config/systemd/user", "~/.local/share/systemd/user")
# Where a command line of dockerd, or its options, may be written.
_DOCKER_FLAGS = (
    *(f"{folder}/docker{below}" for folder in (*_UNITS, *_USER_UNITS) for below in (".service", ".service.d/*.conf")),
    *("/etc/default/docker", "/etc/sysconfig/docker", "/etc/sysconfig/docker-storage", "/etc/conf.d/docker"),
    *("/etc/init.d/docker", "/etc/init/docker.conf"),
)
_PODMAN_SETTINGS = (
    *("/etc/containers/storage.conf", "/usr/share/containers/storage.conf"),
    *("/etc/crio/crio.conf", "/etc/crio/crio.conf.d/*.conf"),
)
_PODMAN_USER_SETTINGS = "~/.config/containers/storage.conf"
_REMAPPED = re.compile(r"\d+\.\d+")  # userns-remap puts everything one folder deeper: UID.GID
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
    roots = list(places(host, _DOCKER))
    roots += yield from _promised(host, (yield from _docker_roots(host)), "Docker")
    for place in roots:
        if seen.first(host.files.real(place.path) or place.path, place.user):
            yield from _docker(host, _Engine("docker", *place))
            for entry in host.files.list(place.path):
                if entry.kind == "dir" and _REMAPPED.fullmatch(entry.name):
                    yield from _docker(host, _Engine("docker", f"{place.path}/{entry.name}", place.user))
    roots = list(places(host, _PODMAN))
    roots += yield from _promised(host, (yield from _podman_roots(host)), "Podman or CRI-O")
    for place in roots:
        if seen.first(host.files.real(place.path) or place.path, place.user):
            for driver in _DRIVERS:
                yield from _podman(host, _Engine("podman", *place), driver, tuple(other.path for other in roots))


def _promised(host: Host, found: list[tuple[Place, str]], engine: str) -> Generator[Problem, None, list[Place]]:
    """The folders that settings name; one that is not there may be on a disk that is not mounted."""
    there: list[Place] = []
    for place, where in found:
        if host.files.gone(place.path):
            yield Problem(place.path, f"{where} puts the containers of {engine} there, and it is not there", "missing")
        else:
            there.append(place)
    return there


def _docker_roots(host: Host) -> Generator[Problem | LeftOut, None, list[tuple[Place, str]]]:
    """The folders that settings and command lines of Docker name, each with the file that does."""
    if host.info.platform == "windows":
        return []
    found: list[tuple[Place, str]] = []
    files = list(places(host, _DOCKER_SETTINGS))
    for place in places(host, _DOCKER_FLAGS):
        roots, settings = docker_flags(host.files.text(place.path, 1 << 20) or "")
        found += [(Place(root.rstrip("/"), place.user), place.path) for root in roots]
        files += [Place(path, place.user) for path in settings]
    for place in files:
        root = yield from parsed(host, place.path, docker_root)
        if root and root.startswith("/"):
            found.append((Place(root.rstrip("/"), place.user), place.path))
    return found


def _podman_roots(host: Host) -> Generator[Problem | LeftOut, None, list[tuple[Place, str]]]:
    """The folders that settings of Podman and CRI-O name. Those of the system move the folders of no user."""
    if host.info.platform == "windows":
        return []
    found: list[tuple[Place, str]] = []
    rootless: list[tuple[str, str]] = []
    for place in places(host, _PODMAN_SETTINGS):
        settings = yield from parsed(host, place.path, storage)
        found += [(Place(folder, ""), place.path) for folder in _named(host, settings, {})]
        if settings and settings.rootless:
            rootless.append((settings.rootless, place.path))
    own: dict[str, tuple[Storage, str]] = {}
    for place in places(host, (_PODMAN_USER_SETTINGS,)):
        settings = yield from parsed(host, place.path, storage)
        if settings:
            own[place.user] = settings, place.path
    for user in host.users if rootless or own else ():
        variables = {"HOME": user.home, "USER": user.name, "UID": str(user.uid)}
        if user.name in own:
            settings, where = own[user.name]
            found += [(Place(folder, user.name), where) for folder in _named(host, settings, variables)]
        else:
            folders = [(expanded(folder, variables), where) for folder, where in rootless if user.home]
            found += [(Place(folder, user.name), where) for folder, where in folders if host.files.is_dir(folder)]
    return found


def _named(host: Host, settings: Storage | None, variables: dict[str, str]) -> Iterator[str]:
    """The folders of a settings file: its root, there or not, and the stores of images that are there."""
    if settings is None:
        return
    for folder in (expanded(settings.root, variables), variables and expanded(settings.rootless, variables)):
        if folder and folder.startswith("/") and folder not in _PODMAN:
            yield folder
    yield from filter(host.files.is_dir, (expanded(folder, variables) for folder in settings.images))


def _docker(host: Host, engine: _Engine) -> Iterator[Trace]:
    used: set[str] = set()
    for entry in host.files.list(f"{engine.root}/containers"):
        where = f"{engine.root}/containers/{entry.name}/config.v2.json"
        found = yield from parsed(host, where, docker_container)
        if found is None:
            continue
        used.add(found.image_id)
        name = found.name or entry.name
        one = _Container(entry.name, name, found.image, found.state, found.created, found.command, found.vendor)
        yield _container(host, engine, where, one)
        layer = _word(host, f"{engine.root}/image/{found.driver}/layerdb/mounts/{entry.name}/mount-id")
        folders = yield from _docker_folders(host, engine, found.driver, layer)
        yield from _inside(host, engine, f"container {name}", folders)
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
                yield from _inside(host, engine, f"image {tags[0]}", folders)


def _docker_folders(host: Host, engine: _Engine, driver: str, layer: str) -> Generator[Problem, None, list[str]]:
    if not layer:
        return []
    if driver == "vfs":
        return [f"{engine.root}/vfs/dir/{layer}"]
    return (yield from _overlay(host, [f"{engine.root}/{driver}"], layer))


def _podman(host: Host, engine: _Engine, driver: str, stores: tuple[str, ...]) -> Iterator[Trace]:
    """What a store holds; the layers that it does not have itself may be in another one."""
    store = f"{engine.root}/{driver}-images"
    images = yield from _records(host, f"{store}/images.json", stored_images)
    configs: dict[str, ImageConfig | None] = {}
    for image in images:
        configs[image.id] = yield from parsed(host, f"{store}/{image.id}/{config_file(image.id)}", image_config)
    states = _states(host, engine)
    used: set[str] = set()
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
            yield from _inside(host, engine, f"container {name}", folders)
    for image in images:
        yield from _image(engine, f"{store}/images.json", f"sha256:{image.id}", list(image.names), configs[image.id])
        if image.names and image.id not in used:
            folders = yield from _podman_folders(host, engine, driver, image.layer, stores)
            yield from _inside(host, engine, f"image {image.names[0]}", folders)


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
    tops = [f"{root}/{driver}" for root in dict.fromkeys((engine.root, *stores))]
    if driver == "vfs":
        return [f"{top}/dir/{layer}" for top in tops if host.files.is_dir(f"{top}/dir/{layer}")][:1]
    return (yield from _overlay(host, tops, layer))


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


def _inside(host: Host, engine: _Engine, name: str, folders: list[str]) -> Iterator[Trace]:
    found = layered_host(host, folders, name) if folders else None
    if found is None:
        yield Problem(f"{engine.root}: {name}", _NO_FILES, "unsupported", remedy="run phaseout inside")
    else:
        yield Inside(name, engine.user, found)


_DOCKER_FILES = (
    *("containers/*/config.v2.json", "image/*/repositories.json", "image/*/imagedb/content/sha256/*"),
    *("image/*/layerdb/mounts/*/mount-id", "image/*/layerdb/sha256/*/cache-id"),
    *("overlay*/*/lower", "overlay*/*/diff", "overlay*/l/*", "vfs/dir/*"),
)
_PODMAN_FILES = (
    *("*-containers/containers.json", "*-containers/volatile-containers.json", "*-images/images.json"),
    *("*-images/*/*", "overlay/*/lower", "overlay/*/diff", "overlay/l/*", "vfs/dir/*", "db.sql"),
)
SOURCE = Source(
    name="containers",
    title="Containers and images of Docker and Podman, and the packages inside",
    platforms=("linux", "macos", "windows"),
    kinds=("app", "package", "library", "service", "task", "file", "driver"),
    needs=(),
    reads=(
        *(f"{root}/{file}" for root in _DOCKER for file in _DOCKER_FILES),
        *(f"{root}/{file}" for root in _PODMAN for file in _PODMAN_FILES),
        *(*_DOCKER_SETTINGS, *_DOCKER_FLAGS, *_PODMAN_SETTINGS, _PODMAN_USER_SETTINGS),
        *(
            f"/**/{file}" for file in (*_DOCKER_FILES, *_PODMAN_FILES, "*.json")
        ),  # in the folders that the settings name
    ),
    limits="Volumes are not read, and neither are containers whose engine keeps them in volumes or pools of its own.",
    collect=collect,
)
