"""Roots of other systems in folders of this one, and the packages in them.

These are containers of LXC, LXD, Incus and systemd-nspawn, chroots, portable services, and extensions of the system.
Each is opened as it lies on the disk and need not run. One that lies in an image, a volume or a pool that is not
mounted is named.

References:
    lxc.container.conf(5), lxc.conf(5); https://documentation.ubuntu.com/lxd/latest/ (storage pools),
    https://linuxcontainers.org/incus/docs/main/; https://github.com/lxc/incus (internal/server/db/cluster/schema.go);
    machinectl(1) "FILES AND DIRECTORIES", portablectl(1), systemd-sysext(8), systemd.v(7); schroot.conf(5)
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.host.filesystem.files import Marks
from phaseout.host.filesystem.layers import layered_host
from phaseout.model.nouns import Evidence, Item, Problem
from phaseout.model.quoting import quoted
from phaseout.parsers.containers.lxc_config import rootfs, settings
from phaseout.parsers.encodings.keyfile import sections
from phaseout.sources.kit.places import Seen, places
from phaseout.sources.source import Inside, Source, Trace

_LXC = ("/var/lib/lxc", "~/.local/share/lxc")
_LXC_SETTINGS = ("/etc/lxc/lxc.conf", "~/.config/lxc/lxc.conf")
_LXD = {"/var/lib/incus": "Incus", "/var/snap/lxd/common/lxd": "LXD", "/var/lib/lxd": "LXD"}
# The database as SQLite keeps it, written when the daemon ends; in a cluster, other machines may have an instance.
_DATABASE = "database/global/db.bin"
_INSTANCES = """
SELECT i.name, p.name, (
    SELECT c.value FROM instances_devices d JOIN instances_devices_config c ON c.instance_device_id = d.id
    WHERE d.instance_id = i.id AND c.key = 'pool' LIMIT 1
)
FROM instances i LEFT JOIN projects p ON p.id = i.project_id
WHERE (SELECT count(*) FROM nodes) < 2 LIMIT 10000
"""
_MACHINES = {
    "machine": ("/var/lib/machines", "/usr/local/lib/machines", "/usr/lib/machines", "/var/lib/container"),
    "portable service": ("/var/lib/portables", "/etc/portables", "/run/portables", "/usr/lib/portables"),
    "system extension": (
        *("/etc/extensions", "/run/extensions", "/var/lib/extensions"),
        *("/usr/lib/extensions", "/usr/local/lib/extensions", "/var/lib/extensions.mutable"),
    ),
    "configuration extension": (
        *("/run/confexts", "/var/lib/confexts", "/usr/lib/confexts", "/usr/local/lib/confexts", "/etc/confexts"),
    ),
    "chroot": ("/srv/chroot", "/var/chroot", "/var/lib/schroot/unpack", "/var/lib/schroot/chroots"),
}
_SCHROOT = ("/etc/schroot/schroot.conf", "/etc/schroot/chroot.d/*")
_SCHROOT_FOLDERS = ("directory", "plain", "btrfs-snapshot")
_IMAGES = (".raw", ".img", ".qcow2", ".vmdk", ".vdi", ".vhdx", ".squashfs", ".sqfs", ".erofs", ".tar", ".tgz")
_IMAGES_PACKED = (".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2")
_ROOT = ("usr", "etc", "opt", "var", "bin")  # one of these is in every root, extensions included
_OPEN_IT = "mount it, and scan it with --root"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every container, and what is inside of it and of every other root."""
    seen = Seen()
    yield from _lxc(host, seen)
    for top, engine in _LXD.items():
        yield from _lxd(host, top, engine, seen)
    yield from _schroot(host, seen)
    for what, folders in _MACHINES.items():
        for folder in folders:
            yield from _machines(host, folder, what, seen)


def _lxc(host: Host, seen: Seen) -> Iterator[Trace]:
    tops = list(_LXC)
    for place in places(host, _LXC_SETTINGS):
        own = settings(host.files.text(place.path, 1 << 20) or "").get("lxc.lxcpath", "")
        if own.startswith("/"):
            tops.append(own.rstrip("/"))
    for place in places(host, tops):
        for entry in host.files.list(place.path):
            path = f"{place.path}/{entry.name}"
            text = host.files.text(f"{path}/config", 1 << 20) if entry.kind != "file" else None
            if text is None and not host.files.is_dir(f"{path}/rootfs"):
                continue
            found = rootfs(settings(text or ""))
            folders = found.folders if found else (f"{path}/rootfs",)
            yield _container("LXC", entry.name, place.user, path)
            if folders:
                marks = _marks(found.kind if found else "", place.user)
                yield from _inside(host, f"LXC container {entry.name}", place.user, path, folders, seen, marks)
            else:
                kind = found.kind if found else ""
                yield _unread(path, f"the files of LXC container {entry.name} are in storage of kind {quoted(kind)}")


def _lxd(host: Host, top: str, engine: str, seen: Seen) -> Iterator[Trace]:
    known: set[str] = set()
    for pool in host.files.list(f"{top}/storage-pools"):
        folder = f"{top}/storage-pools/{pool.name}"
        for entry in host.files.list(f"{folder}/containers"):
            path = f"{folder}/containers/{entry.name}"
            known.add(entry.name)
            yield _container(engine, entry.name, "", path)
            yield from _inside(host, f"{engine} container {entry.name}", "", path, (f"{path}/rootfs",), seen)
        for entry in host.files.list(f"{folder}/virtual-machines"):
            path = f"{folder}/virtual-machines/{entry.name}"
            known.add(entry.name)
            yield _container(engine, entry.name, "", path)
            yield _unread(path, f"the disk of {engine} virtual machine {entry.name}")
    for kind in ("containers", "virtual-machines"):
        for entry in host.files.list(f"{top}/{kind}"):  # links into pools, which may not be mounted
            if entry.name not in known:
                path = f"{top}/{kind}/{entry.name}"
                yield _container(engine, entry.name, "", path)
                known.add(entry.name)
                yield _unread(path, f"the files of {engine} instance {entry.name} are in a pool that is not mounted")
    where = f"{top}/{_DATABASE}"
    for name, pool_name in _instances(host, top):
        if name not in known:
            known.add(name)
            yield _container(engine, name, "", where)
            pool_of = f"pool {quoted(pool_name)}" if pool_name else "a pool"
            yield _unread(where, f"the files of {engine} instance {name} are in {pool_of} that is not mounted")
    for pool in host.files.list(f"{top}/storage-pools"):
        folder = f"{top}/storage-pools/{pool.name}"  # has a folder for each kind of volume from the start
        if host.files.is_dir(folder) and not host.files.list(folder):
            yield _unread(folder, f"a pool of {engine} that is not mounted")


def _instances(host: Host, top: str) -> Iterator[tuple[str, str]]:
    """Folder and pool of every instance of this machine that the engine's database knows, as it last stopped."""
    found: list[tuple[str, str]] = []
    path = f"{top}/{_DATABASE}"
    if not host.files.is_file(path):
        return
    with host.files.database(path) as database:
        for instance, project, pool in database.execute(_INSTANCES) if database else ():
            if isinstance(instance, str) and "/" not in instance:
                folder = instance if project in (None, "default") else f"{project}_{instance}"
                found.append((folder, pool if isinstance(pool, str) else ""))
    yield from found


def _schroot(host: Host, seen: Seen) -> Iterator[Trace]:
    for place in places(host, _SCHROOT):
        for name, keys in sections(host.files.text(place.path, 1 << 20) or "").items():
            kind = keys.get("type", "plain")
            folder = keys.get("directory", "")
            if kind in _SCHROOT_FOLDERS and folder.startswith("/"):
                if host.files.is_dir(folder):
                    yield from _inside(host, f"chroot {name}", "", place.path, (folder,), seen)
            elif name and keys and not host.files.gone(keys.get("file", "/")):
                where = keys.get("file") or keys.get("device") or f"{place.path}: {name}"
                yield _unread(where, f"chroot {name}, which is of type {kind}")


def _machines(host: Host, folder: str, what: str, seen: Seen) -> Iterator[Trace]:
    for entry in host.files.list(folder):
        path = f"{folder}/{entry.name}"
        if entry.name.lower().endswith((*_IMAGES, *_IMAGES_PACKED)) and not host.files.is_dir(path):
            yield _unread(path, f"the image of a {what}")
        elif not host.files.is_dir(path):
            continue
        elif entry.name.endswith(".v"):  # the versions of one
            yield from _machines(host, path, what, seen)
        elif any(inside.name in _ROOT for inside in host.files.list(path)):
            if what == "machine":
                yield _container("systemd-nspawn", entry.name, "", path)
            yield from _inside(host, f"{what} {entry.name}", "", path, (path,), seen)
        elif what == "system extension" and folder.endswith(".mutable"):
            yield from _inside(host, f"{what} {entry.name}", "", path, (folder,), seen)


def _marks(kind: str, user: str) -> Marks:
    """What marks deletions in the layers of a container of LXC."""
    if kind.startswith("overlay"):
        return "overlay userxattr" if user else "overlay"
    return "aufs" if kind == "aufs" else ""


def _inside(
    host: Host, name: str, user: str, path: str, folders: tuple[str, ...], seen: Seen, marks: Marks = ""
) -> Iterator[Inside | Problem]:
    real = host.files.real(folders[0])
    found = layered_host(host, folders, name, marks) if real is not None else None
    if found is None or not found.files.list("/"):
        yield _unread(path, f"the files of {name} are not there")
    elif real is not None and seen.first(real, user):
        yield Inside(name, user, found)


def _unread(path: str, why: str) -> Problem:
    return Problem(path, f"{why}, and not read", "unsupported", remedy=_OPEN_IT)


def _container(engine: str, name: str, user: str, path: str) -> Item:
    return Item(
        kind="app",
        name=name,
        path=path,
        user=user,
        details={"engine": engine},
        evidence=(Evidence(path, f"a container of {engine}"),),
    )


SOURCE = Source(
    name="guests",
    title="Containers of LXC and systemd, chroots, system extensions, and the packages inside",
    platforms=("linux",),
    kinds=("app", "package", "library", "service", "task", "file", "driver", "program"),
    needs=(),
    reads=(
        *(f"{top}/*/{inside}" for top in _LXC for inside in ("config", "rootfs")),
        *_LXC_SETTINGS,
        *(f"{top}/storage-pools/*/{kind}/*/rootfs" for top in _LXD for kind in ("containers", "virtual-machines")),
        *(f"{top}/{kind}/*" for top in _LXD for kind in ("containers", "virtual-machines")),
        *(f"{top}/{_DATABASE}" for top in _LXD),
        *_SCHROOT,
        *(f"{folder}/*/*" for folders in _MACHINES.values() for folder in folders),
        *(f"/**/{inside}" for inside in ("config", "rootfs")),  # in the folders that those settings name
    ),
    limits="Containers and chroots in other folders are found only where the settings of LXC or schroot name them.",
    collect=collect,
)
