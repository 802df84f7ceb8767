"""Where container engines keep everything: their usual folders, and those that settings and command lines name.

References:
    https://docs.docker.com/reference/cli/dockerd/; containers-storage.conf(5);
    https://github.com/cri-o/cri-o/blob/main/docs/crio.conf.5.md
"""

from collections.abc import Generator, Iterator

from phaseout.host import Host
from phaseout.model.nouns import LeftOut, Problem
from phaseout.parsers.containers.engine_settings import Storage, docker_flags, docker_root, expanded, storage
from phaseout.sources.kit.parsed import parsed
from phaseout.sources.kit.places import Place, places

DOCKER = ("/var/lib/docker", "/var/snap/docker/common/var-lib-docker", "~/.local/share/docker")
PODMAN = ("/var/lib/containers/storage", "~/.local/share/containers/storage")
DOCKER_SETTINGS = (
    *("/etc/docker/daemon.json", "/var/snap/docker/current/config/daemon.json", "~/.config/docker/daemon.json"),
)
_UNITS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_USER_UNITS = ("~/.config/systemd/user", "~/.local/share/systemd/user")
# Where a command line of dockerd, or its options, may be written.
DOCKER_FLAGS = (
    *(f"{folder}/docker{below}" for folder in (*_UNITS, *_USER_UNITS) for below in (".service", ".service.d/*.conf")),
    *("/etc/default/docker", "/etc/sysconfig/docker", "/etc/sysconfig/docker-storage", "/etc/conf.d/docker"),
    *("/etc/init.d/docker", "/etc/init/docker.conf"),
)
PODMAN_SETTINGS = (
    *("/etc/containers/storage.conf", "/usr/share/containers/storage.conf"),
    *("/etc/crio/crio.conf", "/etc/crio/crio.conf.d/*.conf"),
)
PODMAN_USER_SETTINGS = "~/.config/containers/storage.conf"


def promised(host: Host, found: list[tuple[Place, str]], engine: str) -> Generator[Problem, None, list[Place]]:
    """The folders that settings name; one that is not there may be on a disk that is not mounted."""
    there: list[Place] = []
    for place, where in found:
        if host.files.gone(place.path):
            yield Problem(place.path, f"{where} puts the containers of {engine} there, and it is not there", "missing")
        else:
            there.append(place)
    return there


def docker_roots(host: Host) -> Generator[Problem | LeftOut, None, list[tuple[Place, str]]]:
    """The folders that settings and command lines of Docker name, each with the file that does."""
    if host.info.platform == "windows":
        return []
    found: list[tuple[Place, str]] = []
    files = list(places(host, DOCKER_SETTINGS))
    for place in places(host, DOCKER_FLAGS):
        roots, settings = docker_flags(host.files.text(place.path, 1 << 20) or "")
        found += [(Place(root.rstrip("/"), place.user), place.path) for root in roots]
        files += [Place(path, place.user) for path in settings]
    for place in files:
        root = yield from parsed(host, place.path, docker_root)
        if root and root.startswith("/"):
            found.append((Place(root.rstrip("/"), place.user), place.path))
    return found


def podman_roots(host: Host) -> Generator[Problem | LeftOut, None, list[tuple[Place, str]]]:
    """The folders that settings of Podman and CRI-O name. Those of the system move the folders of no user."""
    if host.info.platform == "windows":
        return []
    found: list[tuple[Place, str]] = []
    rootless: list[tuple[str, str]] = []
    for place in places(host, PODMAN_SETTINGS):
        settings = yield from parsed(host, place.path, storage)
        found += [(Place(folder, ""), place.path) for folder in _named(host, settings, {})]
        if settings and settings.rootless:
            rootless.append((settings.rootless, place.path))
    own: dict[str, tuple[Storage, str]] = {}
    for place in places(host, (PODMAN_USER_SETTINGS,)):
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
        if folder and folder.startswith("/") and folder not in PODMAN:
            yield folder
    yield from filter(host.files.is_dir, (expanded(folder, variables) for folder in settings.images))
