r"""Linux distributions in the Windows Subsystem for Linux, and the packages inside those that lie in a folder.

Version 1 keeps its files in the folder `rootfs`, which is looked into. Version 2 keeps them in a disk image, which is
not: it is named as a problem, so that nobody takes the host for seen.

References:
    https://learn.microsoft.com/windows/wsl/disk-space; https://github.com/microsoft/WSL (src/windows/service:
    `Lxss`, State, Version, BasePath, VhdFileName)
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.host.filesystem.layers import layered_host
from phaseout.host.registry.base import Key
from phaseout.host.users import User
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.windows.image_path import absolute, for_user
from phaseout.sources.source import Inside, Source, Trace

_KEY = r"Software\Microsoft\Windows\CurrentVersion\Lxss"
_STATES = {1: "installed", 3: "installing", 4: "uninstalling", 5: "converting", 6: "exporting"}
_DISK = "ext4.vhdx"
_NOT_SEEN = "a disk image that is not looked into"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every distribution of every user."""
    registry = host.registry
    assert registry is not None
    for user in host.users:
        lxss = registry.key(rf"HKU\{user.sid}\{_KEY}") if user.sid else None
        for key in lxss.subkeys() if lxss is not None else ():
            if key.name.startswith("{"):
                yield from _distribution(host, user, key)
            else:
                yield LeftOut("a setting")


def _distribution(host: Host, user: User, key: Key) -> Iterator[Trace]:
    name = key.text("DistributionName") or key.name
    folder = absolute(key.text("BasePath"), for_user(host.variables, user.home)).removeprefix("\\\\?\\")
    folder = folder.rstrip("\\")
    version = key.number("Version")
    disk = rf"{folder}\{key.text('VhdFileName') or _DISK}"
    rootfs = rf"{folder}\rootfs"
    gone = bool(folder) and not host.files.gone(folder[:3]) and host.files.gone(folder)
    yield Item(
        kind="app",
        name=name,
        state="leftover" if gone else "installed",
        version=key.text("OsVersion"),
        path=folder,
        user=user.name,
        ids={"package_family": key.text("PackageFamilyName"), "registry_key": key.name},
        details={
            "flavor": key.text("Flavor"),
            "state": _STATES.get(key.number("State"), key.text("State")),
            "wsl": key.text("Version"),
        },
        evidence=(Evidence(key.path, f"DistributionName: {name}, BasePath: {key.text('BasePath')}"),),
    )
    if gone:
        return
    inside = layered_host(host, [rootfs], name) if version != 2 and folder else None
    if inside is not None:
        yield Inside(f"WSL {name}", user.name, inside)
    else:
        yield Problem(disk if folder else key.path, _NOT_SEEN)


SOURCE = Source(
    name="wsl",
    title="Linux distributions in WSL, and the packages inside",
    platforms=("windows",),
    kinds=("app", "package", "library"),
    needs=("registry",),
    reads=(rf"HKU\*\{_KEY}", r"C:\**\rootfs"),
    limits="What is in a disk image (ext4.vhdx), as WSL 2 keeps it, is not seen.",
    collect=collect,
)
