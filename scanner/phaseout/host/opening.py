"""Opens a host: the live machine, or the folder that holds one."""

import os
import platform as machine
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from phaseout.host import Host, NotAHostError
from phaseout.host.filesystem.files import Files
from phaseout.host.filesystem.folder import Folder
from phaseout.host.filesystem.local import local_root
from phaseout.host.filesystem.node import Node
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.host.mounts import kernel_devices, own_mountinfo, unsafe_mounts
from phaseout.host.users import User, posix_homes
from phaseout.model.nouns import HostInfo, Platform, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from phaseout.host.processes.process import Process
    from phaseout.host.systems import System


def live_host(*, deep: bool = False, modules: bool = False) -> Host:
    """The machine that this runs on.

    Args:
        deep: see `Host.deep`.
        modules: whether `Host.modules` gives what processes have loaded.
    """
    platform = live_platform()
    loaded = _loaded if modules else None
    if platform == "windows":
        from phaseout.host.windows.opening import live_windows

        return live_windows(lambda: _processes(()), deep=deep, modules=loaded)
    if platform == "macos":
        from phaseout.host.macos.opening import live_macos

        return live_macos(_processes, deep=deep, modules=loaded)
    mountinfo = own_mountinfo()
    skipped_mounts = unsafe_mounts(mountinfo)
    files = PosixFiles("/", skipped_mounts, kernel_devices(mountinfo))
    name, version = _os_release(files)
    users, missing = posix_homes(files)
    files.problems += missing
    info = HostInfo(
        name=machine.node(),
        platform=platform,
        os=name,
        os_version=version,
        arch=machine.machine(),
        skipped_mounts=tuple(f"{point} ({kind})" for point, kind in sorted(skipped_mounts.items())),
    )
    return Host(info, files, users, processes=lambda: _processes(users), deep=deep, modules=loaded)


def offline_host(root: str, platform: Platform | None = None, *, deep: bool = False) -> Host:
    """The host whose root folder is `root`, or lies in a folder of it. For `deep` see `Host.deep`.

    Args:
        root: the folder.
        platform: overrides what its content says.
        deep: see `Host.deep`.

    Raises:
        NotAHostError: `root` is no folder, or its content fits no system that we know, or several.
    """
    from phaseout.host.systems import find_system

    root = os.path.abspath(root)
    if not os.path.isdir(root):
        raise NotAHostError(f"{root}: no such folder")
    folder = Folder(root, root)
    return host_of(find_system(folder, platform), folder, deep=deep)


def host_of(
    system: "System", folder: Folder, volume: Callable[[bytes], Node | None] | None = None, *, deep: bool = False
) -> Host:
    """The host of a system that was found in a folder, which says so where it is not the folder itself.

    Args:
        system: the system.
        folder: where it was looked for.
        volume: see `offline_windows`.
        deep: see `Host.deep`.
    """
    host = _opened(system, volume, deep=deep)
    for other in system.beside:
        why = "another system, which is no part of the one that was scanned"
        option = "--root" if folder.local else "--image"
        host.files.problems.append(Problem(other, why, "unsupported", remedy=f"scan it with {option}"))
    if system.root.name != folder.name:
        host.info = replace(host.info, notes=(*host.info.notes, f"the system is in {system.root.name}"))
    return host


def _opened(system: "System", volume: Callable[[bytes], Node | None] | None, *, deep: bool) -> Host:
    root = system.root
    mountinfo = own_mountinfo() if root.local else b""
    inside = _mounts_below(root.local, mountinfo)
    if system.platform == "windows":
        from phaseout.host.windows.opening import offline_windows

        return offline_windows(root, inside, volume, deep=deep)
    if system.platform == "macos":
        from phaseout.host.macos.opening import offline_macos

        return offline_macos(root, inside, system.bound.get("/System/Volumes/Data", ""), deep=deep)
    devices = kernel_devices(mountinfo)
    bound = {
        point: partial(local_root, place, _mounts_below(place, mountinfo) if isinstance(place, str) else None, devices)
        for point, place in system.bound.items()
    }
    files = PosixFiles(root.place, inside, devices, bound)
    name, version = _os_release(files)
    hostname = (files.text("/etc/hostname", limit=4096) or "").strip().partition("\n")[0]
    info = HostInfo(
        name=hostname or os.path.basename(root.name) or root.name,
        platform=system.platform,
        os=name,
        os_version=version,
        root=root.name,
        skipped_mounts=tuple(f"{point} ({kind})" for point, kind in sorted(inside.items())),
    )
    users, missing = posix_homes(files)
    files.problems += missing
    return Host(info, files, users, deep=deep)


def _mounts_below(folder: str, mountinfo: bytes) -> dict[str, str]:
    """Path below a folder → file system type of the mounts that are skipped."""
    real = os.path.realpath(folder).rstrip("/")  # the kernel lists mount points without links
    return {
        point[len(real) :]: kind for point, kind in unsafe_mounts(mountinfo).items() if point.startswith(real + "/")
    }


def _processes(users: tuple[User, ...]) -> "Iterator[Process | Problem]":
    from phaseout.host.processes import processes

    return processes({user.uid: user.name for user in users}, [user.home for user in users if user.home])


def unopened(root: str | None, platform: Platform | None) -> HostInfo:
    """What is known of a host that could not be opened in time: its name, and the platform that is asked for.

    Args:
        root: the folder; `None` for the live machine.
        platform: as the user says it.
    """
    return HostInfo(
        name=machine.node() if root is None else root, platform=platform or live_platform(), root=root or ""
    )


def _loaded(pid: int) -> frozenset[str] | None:
    from phaseout.host.processes import modules

    return modules(pid)


def live_platform() -> Platform:
    return "windows" if sys.platform == "win32" else "macos" if sys.platform == "darwin" else "linux"


def _os_release(files: Files) -> tuple[str, str]:
    """Name and version from os-release(5)."""
    text = files.text("/etc/os-release", limit=1 << 16) or files.text("/usr/lib/os-release", limit=1 << 16) or ""
    fields = dict(line.partition("=")[::2] for line in text.split("\n") if "=" in line)
    values = {key: value.strip().strip("\"'") for key, value in fields.items()}
    return values.get("NAME", "Linux"), values.get("VERSION_ID", "")
