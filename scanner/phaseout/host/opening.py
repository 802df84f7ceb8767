"""Opens a host: the live machine, or the folder that holds one."""

import os
import platform as machine
import sys

from phaseout.host import Host
from phaseout.host.filesystem.files import Files
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.host.mounts import kernel_devices, unsafe_mounts
from phaseout.host.users import User, posix_users
from phaseout.model.nouns import HostInfo, Platform

_MARKS: tuple[tuple[Platform, tuple[str, ...]], ...] = (
    # Told by content, never by name: the first whose mark is there.
    (
        "macos",
        (
            "/System/Library/CoreServices/SystemVersion.plist",
            "/private/var/db/dslocal/nodes/Default",  # of a data volume alone
            "/private/var/db/receipts",
        ),
    ),
    (
        "linux",
        (
            "/etc/os-release",
            "/usr/lib/os-release",
            "/var/lib/dpkg",
            "/var/lib/rpm",
            "/lib/apk",
            "/etc/passwd",
            "/usr/bin",
        ),
    ),
)


class NotAHostError(Exception):
    """The folder given as root does not hold an operating system that we know."""


def live_host() -> Host:
    """The machine that this runs on."""
    platform = live_platform()
    if platform == "windows":
        from phaseout.host.windows.opening import live_windows

        return live_windows(lambda: _processes(()))
    if platform == "macos":
        from phaseout.host.macos.opening import live_macos

        return live_macos(_processes)
    mountinfo = _mountinfo()
    skipped_mounts = unsafe_mounts(mountinfo)
    files = PosixFiles("/", skipped_mounts, kernel_devices(mountinfo))
    name, version = _os_release(files)
    users = posix_users(files)
    info = HostInfo(
        name=machine.node(),
        platform=platform,
        os=name,
        os_version=version,
        arch=machine.machine(),
        skipped_mounts=tuple(f"{point} ({kind})" for point, kind in sorted(skipped_mounts.items())),
    )
    return Host(info, files, users, processes=lambda: _processes(users))


def offline_host(root: str, platform: Platform | None = None) -> Host:
    """The host whose root folder is `root`. `platform` overrides what its content says.

    Raises:
        NotAHostError: `root` is no folder, or its content fits no system that we know.
    """
    root = os.path.abspath(root)
    if not os.path.isdir(root):
        raise NotAHostError(f"{root}: no such folder")
    real = os.path.realpath(root).rstrip("/")  # mount points are told without links
    mountinfo = _mountinfo()
    inside = {
        point[len(real) :]: kind for point, kind in unsafe_mounts(mountinfo).items() if point.startswith(real + "/")
    }
    files = PosixFiles(root, inside, kernel_devices(mountinfo))
    platform = platform or _told_by_content(files, root)
    if platform == "windows":
        from phaseout.host.windows.opening import offline_windows

        return offline_windows(root, inside)
    if platform == "macos":
        from phaseout.host.macos.opening import offline_macos

        return offline_macos(root, inside)
    name, version = _os_release(files)
    hostname = (files.text("/etc/hostname", limit=4096) or "").strip().partition("\n")[0]
    info = HostInfo(
        name=hostname or os.path.basename(root) or root,
        platform=platform,
        os=name,
        os_version=version,
        root=root,
        skipped_mounts=tuple(f"{point} ({kind})" for point, kind in sorted(inside.items())),
    )
    return Host(info, files, posix_users(files))


def _processes(users: tuple[User, ...]):  # type: ignore[no-untyped-def]  # noqa: ANN202
    from phaseout.host.processes import processes

    return processes({user.uid: user.name for user in users})


def unopened(root: str | None, platform: Platform | None) -> HostInfo:
    """What is known of a host that could not be opened in time: its name, and the platform that is asked for.

    Args:
        root: the folder; `None` for the live machine.
        platform: as the user says it.
    """
    return HostInfo(
        name=machine.node() if root is None else root, platform=platform or live_platform(), root=root or ""
    )


def live_platform() -> Platform:
    return "windows" if sys.platform == "win32" else "macos" if sys.platform == "darwin" else "linux"


def _told_by_content(files: Files, root: str) -> Platform:
    from phaseout.host.filesystem.windows import is_windows

    if is_windows(root):
        return "windows"
    for platform, marks in _MARKS:
        if any(files.exists(mark) for mark in marks):
            return platform
    known = ", ".join(("Windows\\System32", *(marks[0] for _, marks in _MARKS)))
    raise NotAHostError(
        f"{root}: holds no operating system that phaseout knows (looked for {known}); --os says which it is"
    )


def _mountinfo() -> bytes:
    """The mounts of the machine that this runs on; empty where it is no Linux."""
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            return file.read(8 << 20)
    except OSError:
        return b""


def _os_release(files: Files) -> tuple[str, str]:
    """Name and version from os-release(5)."""
    text = files.text("/etc/os-release", limit=1 << 16) or files.text("/usr/lib/os-release", limit=1 << 16) or ""
    fields = dict(line.partition("=")[::2] for line in text.split("\n") if "=" in line)
    values = {key: value.strip().strip("\"'") for key, value in fields.items()}
    return values.get("NAME", "Linux"), values.get("VERSION_ID", "")
