"""Which systems a folder holds: one, one in a folder below it, or several.

The disk of a system is not always its root. OSTree keeps roots below `/ostree/deploy`, Btrfs keeps `/` and `/home` in
subvolumes that lie side by side, a Mac has two volumes, and several partitions may be mounted in one folder.

References:
    https://ostreedev.github.io/ostree/deployment/ (`/ostree/deploy/OS/deploy/CHECKSUM.N` and `var` beside it);
    https://uapi-group.org/specifications/specs/boot_loader_specification/ (`loader/entries`); btrfs-subvolume(8);
    snapper(8) (`.snapshots/N/snapshot`); os-release(5).
"""

import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from phaseout.host import NotAHostError
from phaseout.host.filesystem.files import Files
from phaseout.host.filesystem.macos import DATA
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.host.filesystem.windows import drives_in, is_windows
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
_OSTREE = "ostree/deploy"
_DEPLOYMENT = re.compile(r"/ostree/deploy/[^/]+/deploy/[^/]+\.\d+")
_ENTRIES = ("/boot/loader/entries", "/loader/entries")
_OPTION = re.compile(r"^options[ \t][^\n]*\bostree=(/[^ \t\n]+)", re.MULTILINE)
_VERSION = re.compile(r"^version[ \t]+(\d+)[ \t]*$", re.MULTILINE)


class System(NamedTuple):
    """An operating system in a folder.

    Attributes:
        platform: which one.
        root: the folder that is its root.
        bound: path in the system → folder of this machine that is mounted there while the system runs.
        beside: further systems that lie in the folder, and are no part of this one.
    """

    platform: Platform
    root: str
    bound: Mapping[str, str]
    beside: tuple[str, ...] = ()


def find_system(folder: str, wanted: Platform | None = None) -> System:
    """The one system that a folder holds.

    Args:
        folder: the folder.
        wanted: the system whose root the folder is said to be, whatever its content says.

    Raises:
        NotAHostError: it holds none, or several of which none is the folder itself.
    """
    platforms = _platforms(folder)
    if wanted or platforms:
        platform = wanted or platforms[0]
        others = [f"{folder} (--os {other})" for other in platforms if other != platform]
        return System(platform, folder, {}, (*others, *_beside(folder, platform)))
    below = dict(_below(folder)) or dict(_snapshots(folder))
    deployments = {path: path for path in _deployments(folder)}
    if deployments:
        booted = _booted(folder)
        chosen = booted if booted in deployments else next(iter(deployments)) if len(deployments) == 1 else None
        if chosen is None:
            raise NotAHostError(_several(folder, deployments))
        var = os.path.join(os.path.dirname(os.path.dirname(chosen)), "var")
        return System("linux", chosen, {"/var": var}, tuple(below))
    macs = {path: os.path.isfile(path + _MAC_SYSTEM) for path, kind in below.items() if kind == "macos"}
    if len(macs) == len(below) == 2 and sorted(macs.values()) == [False, True]:
        data, system = sorted(macs, key=macs.__getitem__)
        return System("macos", system, {DATA: data})
    if len(below) > 1:
        raise NotAHostError(_several(folder, below))
    for path, kind in below.items():
        return System(kind, path, dict(_subvolumes(folder, path)) if kind == "linux" else {})
    known = ", ".join(("Windows\\System32", *(marks[0] for _, marks in _MARKS)))
    raise NotAHostError(
        f"{folder}: holds no operating system that phaseout knows (looked for {known}); --os says which it is"
    )


def _platforms(folder: str) -> tuple[Platform, ...]:
    """The systems whose root a folder is; one beside Windows only by marks that nothing but a system has."""
    files = PosixFiles(folder)
    if is_windows(folder):
        return ("windows", "linux") if any(map(files.exists, _OS_RELEASE)) else ("windows",)
    return tuple(platform for platform, marks in _MARKS if any(map(files.exists, marks)))[:1]


def _beside(folder: str, platform: Platform) -> Iterator[str]:
    """Further systems, each in a folder of its own."""
    drives = {part.strip("/") for part in drives_in(folder).values()} if platform == "windows" else _MOUNTED
    for path, _ in _below(folder):
        if os.path.basename(path) not in drives:
            yield path


def _below(folder: str) -> Iterator[tuple[str, Platform]]:
    """The systems in the folders of a folder, by marks that nothing but a system has."""
    for path in _folders(folder):
        files = PosixFiles(path)
        if is_windows(path):
            yield path, "windows"
        elif files.exists(_MAC_SYSTEM) or files.exists(_MAC_DATA):
            yield path, "macos"
        elif any(map(files.exists, _OS_RELEASE)):
            yield path, "linux"


def _snapshots(folder: str) -> Iterator[tuple[str, Platform]]:
    """The states of a system that snapper keeps, which is where openSUSE has the current one, too."""
    for top in ("@/.snapshots", ".snapshots"):
        for path in _folders(os.path.join(folder, top)):
            root = os.path.join(path, "snapshot")
            if _platforms(root) == ("linux",):
                yield root, "linux"


def _deployments(folder: str) -> Iterator[str]:
    for system in _folders(os.path.join(folder, _OSTREE)):
        for path in _folders(os.path.join(system, "deploy")):
            if os.path.isdir(os.path.join(path, "usr")):
                yield path


def _booted(folder: str) -> str | None:
    """The deployment that the newest boot entry names."""
    files: Files = PosixFiles(folder)
    found: list[tuple[int, str]] = []
    for entries in _ENTRIES:
        for entry in files.list(entries):
            text = files.text(f"{entries}/{entry.name}", 1 << 20) or ""
            option, version = _OPTION.search(text), _VERSION.search(text)
            real = files.real(option[1]) if option else None
            if real and _DEPLOYMENT.fullmatch(real):
                found.append((int(version[1]) if version else 0, folder + real))
    return max(found, default=(0, None))[1]


def _subvolumes(folder: str, root: str) -> Iterator[tuple[str, str]]:
    """The folders beside a root that its `/etc/fstab` mounts as subvolumes of the same disk."""
    if os.path.dirname(root) != folder and not root.startswith(os.path.join(folder, "@")):
        return
    for entry in fstab_entries(PosixFiles(root).text("/etc/fstab", 1 << 20) or ""):
        path = os.path.normpath(os.path.join(folder, entry.subvolume))
        if entry.subvolume and path.startswith(folder + "/") and os.path.isdir(path) and not os.path.islink(path):
            yield entry.point, path


def _folders(folder: str) -> list[str]:
    """The folders of a folder, without links to some."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []
    return found[:_MOST]


def _several(folder: str, found: Mapping[str, str]) -> str:
    names = ", ".join(found)
    return f"{folder}: holds several systems: name one of them with --root: {names}"
