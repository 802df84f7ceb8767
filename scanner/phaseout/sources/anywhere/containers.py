"""Containers and images that Docker and Podman have on disk, and the packages inside them. No engine is asked.

An image that no container was made of is looked into itself. The layers of a container are read where they lie, so it
need not run.

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
from phaseout.parsers.containers.image_reference import image_purl, image_reference
from phaseout.parsers.encodings.lenient_json import decode, member, text
from phaseout.sources.kit.places import places
from phaseout.sources.source import Inside, Source, Trace

_T = TypeVar("_T")

_DOCKER = ("/var/lib/docker", "/var/snap/docker/common/var-lib-docker", "~/.local/share/docker")
_PODMAN = ("/var/lib/containers/storage", "~/.local/share/containers/storage")
_DRIVERS = ("overlay", "vfs")
_DOCKER_SETTINGS = "/etc/docker/daemon.json"
_PODMAN_SETTINGS = "/etc/containers/storage.conf"
_ELSEWHERE = re.compile(r'^[ \t]*graphroot[ \t]*=[ \t]*"(/[^"]+)"', re.MULTILINE)
_MOST_LAYERS = 500  # as in the kernel
_NO_FILES = "its files are not there, or kept in a form that is not looked into"


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
    """Where an engine keeps everything, and whose it is; root's is nobody's."""

    name: str
    root: str
    user: str


def collect(host: Host) -> Iterator[Trace]:
    """An item for every container and every name of an image, and what is inside."""
    settings = yield from _read(host, _DOCKER_SETTINGS, decode)
    for place in places(host, (*_DOCKER, text(member(settings, "data-root")) or _DOCKER[0])):
        yield from _docker(host, _Engine("docker", *place))
    elsewhere = _ELSEWHERE.search(host.files.text(_PODMAN_SETTINGS, 1 << 20) or "")
    for place in places(host, (*_PODMAN, elsewhere[1] if elsewhere else _PODMAN[0])):
        for driver in _DRIVERS:
            yield from _podman(host, _Engine("podman", *place), driver)


def _docker(host: Host, engine: _Engine) -> Iterator[Trace]:
    used: set[str] = set()
    for entry in host.files.list(f"{engine.root}/containers"):
        where = f"{engine.root}/containers/{entry.name}/config.v2.json"
        found = yield from _read(host, where, docker_container)
        if found is None:
            continue
        used.add(found.image_id)
        name = found.name or entry.name
        one = _Container(entry.name, name, found.image, found.state, found.created, found.command, found.vendor)
        yield _container(host, engine, where, one)
        layer = _word(host, f"{engine.root}/image/{found.driver}/layerdb/mounts/{entry.name}/mount-id")
        yield from _inside(host, engine, f"container {name}", _docker_folders(host, engine, found.driver, layer))
    for driver in host.files.list(f"{engine.root}/image"):
        store = f"{engine.root}/image/{driver.name}"
        names = (yield from _read(host, f"{store}/repositories.json", repositories)) or {}
        for entry in host.files.list(f"{store}/imagedb/content/sha256"):
            where = f"{store}/imagedb/content/sha256/{entry.name}"
            config = yield from _read(host, where, image_config)
            image = f"sha256:{entry.name}"
            tags = names.get(image, [])
            yield from _image(engine, where, image, tags, config)
            if config is not None and tags and image not in used:
                layers = f"{store}/layerdb/{chain_id(config.layers).replace(':', '/')}"
                layer = _word(host, f"{layers}/cache-id")
                yield from _inside(host, engine, f"image {tags[0]}", _docker_folders(host, engine, driver.name, layer))


def _docker_folders(host: Host, engine: _Engine, driver: str, layer: str) -> list[str]:
    if not layer:
        return []
    return _overlay(host, f"{engine.root}/{driver}", layer) if driver != "vfs" else [f"{engine.root}/vfs/dir/{layer}"]


def _podman(host: Host, engine: _Engine, driver: str) -> Iterator[Trace]:
    store = f"{engine.root}/{driver}-images"
    images = yield from _records(host, f"{store}/images.json", stored_images)
    configs: dict[str, ImageConfig | None] = {}
    for image in images:
        configs[image.id] = yield from _read(host, f"{store}/{image.id}/{config_file(image.id)}", image_config)
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
            yield from _inside(host, engine, f"container {name}", _podman_folders(host, engine, driver, found.layer))
    for image in images:
        yield from _image(engine, f"{store}/images.json", f"sha256:{image.id}", list(image.names), configs[image.id])
        if image.names and image.id not in used:
            folders = _podman_folders(host, engine, driver, image.layer)
            yield from _inside(host, engine, f"image {image.names[0]}", folders)


def _records(
    host: Host, path: str, parse: Callable[[bytes], list[_T | None]]
) -> Generator[Problem | LeftOut, None, list[_T]]:
    """The records of a file that have an id; the others are problems."""
    found = (yield from _read(host, path, parse)) or []
    for record in found:
        if record is None:
            yield Problem(path, "a record without an id")
            yield LeftOut("damaged")
    return [record for record in found if record is not None]


def _podman_folders(host: Host, engine: _Engine, driver: str, layer: str) -> list[str]:
    if not layer:
        return []
    top = f"{engine.root}/{driver}"
    return [f"{top}/dir/{layer}"] if driver == "vfs" else _overlay(host, top, layer)


def _states(host: Host, engine: _Engine) -> dict[str, str]:
    """Id of a container → its state, of the database that Podman has since version 4.8."""
    found: dict[str, str] = {}
    with host.files.database(f"{engine.root}/db.sql") as database:
        for container, state in database.execute("SELECT ID, State FROM ContainerState") if database else ():
            if isinstance(container, str) and isinstance(state, int) and 0 <= state < len(STATES):
                found[container] = STATES[state]
    return found


def _overlay(host: Host, top: str, layer: str) -> list[str]:
    """The folders that overlayfs would put one upon the other, the uppermost first."""
    below = dict.fromkeys(_word(host, f"{top}/{layer}/lower").split(":"))
    return [f"{top}/{layer}/diff", *(f"{top}/{name}" for name in below if name)][:_MOST_LAYERS]


def _word(host: Host, path: str) -> str:
    return (host.files.text(path, 1 << 16) or "").strip()


def _read(host: Host, path: str, parse: Callable[[bytes], _T]) -> Generator[Problem | LeftOut, None, _T | None]:
    """Gives what a file holds; one that is there and damaged is a problem."""
    data = host.files.read(path)
    if data is None:
        return None
    try:
        return parse(data)
    except ValueError as error:
        yield Problem(path, str(error))
        yield LeftOut("damaged")
        return None


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
        yield Problem(f"{engine.root}: {name}", _NO_FILES)
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
        *(_DOCKER_SETTINGS, _PODMAN_SETTINGS),
        "/**/overlay/*",  # the folders that the settings name
    ),
    limits="Volumes, what containerd itself keeps, and the disks of virtual machines that run containers are not seen.",
    collect=collect,
)
