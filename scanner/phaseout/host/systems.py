"""Which systems a folder holds: one, one in a folder below it, or several.

The disk of a system is not always its root. OSTree keeps roots below `/ostree/deploy`, Btrfs keeps `/` and `/home` in
subvolumes that lie side by side, a Mac has two volumes, and several partitions may be mounted in one folder.

References:
    https://ostreedev.github.io/ostree/deployment/ (`/ostree/deploy/OS/deploy/CHECKSUM.N` and `var` beside it);
    https://uapi-group.org/specifications/specs/boot_loader_specification/ (`loader/entries`); btrfs-subvolume(8);
    snapper(8) (`.snapshots/N/snapshot`); os-release(5).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from phaseout.host import NotAHostError
from phaseout.host.filesystem.files import Files
from phaseout.host.filesystem.folder import Folder
from phaseout.host.filesystem.macos import DATA
from phaseout.host.filesystem.node import Node
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.model.nouns import Platform
from phaseout.parsers.linux.fstab import fstab_entries

_MAC_SYSTEM = "/System/Library/CoreServices/SystemVersion.plist"
_MAC_DATA = "/private/var/db/dslocal/nodes/Default"
_OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
_MARKS: tuple[tuple[Platform, tuple[str, ...]], ...] = (
    # Told by content, never by name: the first whose mark is there.
    ("macos", (_MAC_SYSTEM, _MAC_DATA, "/private/var/db/receipts")),
    (
        "linux",
        (*_OS_RELEASE, "/var/lib/dpkg", "/var/lib/rpm", "/lib/apk", "/etc/passwd", "/usr/bin", "/nix/var/nix/profiles"),
    ),
)
_MOST = 200  # folders of one that are asked for a system
_MOUNTED = frozenset(("Volumes", "media", "mnt", "run"))  # where `sources.territory` has an eye on other systems
_OSTREE = "/ostree/deploy"
_DEPLOYMENT = re.compile(r"/ostree/deploy/[^/]+/deploy/[^/]+\.\d+")
_ENTRIES = ("/boot/loader/entries", "/loader/entries")
_OPTION = re.compile(r"^options[ \t][^\n]*\bostree=(/[^ \t\n]+)", re.MULTILINE)
_VERSION = re.compile(r"^version[ \t]+(\d+)[ \t]*$", re.MULTILINE)


class System(NamedTuple):
    """An operating system in a folder.

    Attributes:
        platform: which one.
        root: the folder that is its root.
        bound: path in the system → the folder that is mounted there while the system runs.
        beside: further systems that lie in the folder, and are no part of this one.
    """

    platform: Platform
    root: Folder
    bound: Mapping[str, str | Node]
    beside: tuple[str, ...] = ()


def find_system(folder: Folder, wanted: Platform | None = None) -> System:
    """The one system that a folder holds.

    Args:
        folder: the folder.
        wanted: the system whose root the folder is said to be, whatever its content says.

    Raises:
        NotAHostError: it holds none, or several of which none is the folder itself.
    """
    platforms = platforms_of(folder)
    if wanted or platforms:
        platform = wanted or platforms[0]
        others = [f"{folder.name} (--os {other})" for other in platforms if other != platform]
        return System(platform, folder, {}, (*others, *_beside(folder, platform)))
    below = dict(_below(folder)) or dict(_snapshots(folder))
    files = PosixFiles(folder.place)
    deployments = tuple(_deployments(folder, files))
    if deployments:
        booted = _booted(files)
        chosen = booted if booted in deployments else deployments[0] if len(deployments) == 1 else None
        if chosen is None:
            raise NotAHostError(_several(folder, deployments))
        var = f"{chosen.rpartition('/deploy/')[0]}/var"
        bound = {"/sysroot": folder.place}  # where a running system has the disk, with further deployments
        if files.is_dir(var):
            bound["/var"] = folder.below(var).place
        return System("linux", folder.below(chosen), bound, tuple(folder.below(path).name for path in below))
    macs = {path: files.is_file(path + _MAC_SYSTEM) for path, kind in below.items() if kind == "macos"}
    if len(macs) == len(below) == 2 and sorted(macs.values()) == [False, True]:
        data, system = sorted(macs, key=macs.__getitem__)
        return System("macos", folder.below(system), {DATA: folder.below(data).place})
    if len(below) > 1:
        raise NotAHostError(_several(folder, below))
    for path, kind in below.items():
        return System(kind, folder.below(path), dict(_subvolumes(folder, path)) if kind == "linux" else {})
    known = ", ".join(("Windows\\System32", *(marks[0] for _, marks in _MARKS)))
    raise NotAHostError(
        f"{folder.name}: holds no operating system that phaseout knows (looked for {known}); --os says which it is"
    )


def platforms_of(folder: Folder) -> tuple[Platform, ...]:
    """The systems whose root a folder is; one beside Windows only by marks that nothing but a system has."""
    files = PosixFiles(folder.place)
    from phaseout.host.filesystem.windows import is_windows

    if is_windows(folder):
        return ("windows", "linux") if any(map(files.exists, _OS_RELEASE)) else ("windows",)
    return tuple(platform for platform, marks in _MARKS if any(map(files.exists, marks)))[:1]


def _beside(folder: Folder, platform: Platform) -> Iterator[str]:
    """Further systems, each in a folder of its own."""
    from phaseout.host.filesystem.windows import drives_in

    drives = {part.strip("/") for part in drives_in(folder).values()} if platform == "windows" else _MOUNTED
    for path, _ in _below(folder):
        if path.removeprefix("/") not in drives:
            yield folder.below(path).name


def _below(folder: Folder) -> Iterator[tuple[str, Platform]]:
    """The systems in the folders of a folder, by marks that nothing but a system has."""
    for path in _folders(folder):
        below = folder.below(path)
        files = PosixFiles(below.place)
        from phaseout.host.filesystem.windows import is_windows

        if is_windows(below):
            yield path, "windows"
        elif files.exists(_MAC_SYSTEM) or files.exists(_MAC_DATA):
            yield path, "macos"
        elif any(map(files.exists, _OS_RELEASE)):
            yield path, "linux"


def _snapshots(folder: Folder) -> Iterator[tuple[str, Platform]]:
    """The states of a system that snapper keeps, which is where openSUSE has the current one, too."""
    files = PosixFiles(folder.place)
    for top in ("/@/.snapshots", "/.snapshots"):
        for path in _folders(folder, top):
            root = f"{path}/snapshot"
            if files.real(root) == root and platforms_of(folder.below(root)) == ("linux",):
                yield root, "linux"


def _deployments(folder: Folder, files: Files) -> Iterator[str]:
    for system in _folders(folder, _OSTREE):
        for path in _folders(folder, f"{system}/deploy"):
            if files.is_dir(f"{path}/usr"):
                yield path


def _booted(files: Files) -> str | None:
    """The deployment that the newest boot entry names."""
    found: list[tuple[int, str]] = []
    for entries in _ENTRIES:
        for entry in files.list(entries):
            text = files.text(f"{entries}/{entry.name}", 1 << 20) or ""
            option, version = _OPTION.search(text), _VERSION.search(text)
            real = files.real(option[1]) if option else None
            if real and _DEPLOYMENT.fullmatch(real):
                found.append((int(version[1]) if version else 0, real))
    return max(found)[1] if found else None


def _subvolumes(folder: Folder, root: str) -> Iterator[tuple[str, str | Node]]:
    """The folders beside a root that its `/etc/fstab` mounts as subvolumes of the same disk."""
    if root.count("/") > 1 and not root.startswith("/@"):
        return
    files = PosixFiles(folder.place)
    for entry in fstab_entries(PosixFiles(folder.below(root).place).text("/etc/fstab", 1 << 20) or ""):
        path = f"/{entry.subvolume}"
        if entry.subvolume and files.is_dir(path) and files.real(path) == path:
            yield entry.point, folder.below(path).place


def _folders(folder: Folder, path: str = "") -> list[str]:
    """The folders of a folder, without links to some."""
    return [f"{path}/{entry.name}" for entry in folder.entries(path or "/") if entry.kind == "dir"][:_MOST]


def _several(folder: Folder, found: Iterable[str]) -> str:
    names = ", ".join(folder.below(path).name for path in found)
    option = "--root" if folder.local else "--image"
    return f"{folder.name}: holds several systems: name one of them with {option}: {names}"
