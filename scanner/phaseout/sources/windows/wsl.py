r"""Linux distributions in the Windows Subsystem for Linux, and the packages inside those that lie in a folder.

Version 1 keeps its files in the folder `rootfs`, which is scanned. Version 2 keeps them in a disk image, which is not:
that is a problem, so that the host does not count as seen.

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
from phaseout.parsers.windows.image_path import absolute
from phaseout.sources.kit import windows_programs
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.windows_programs import variables_of
from phaseout.sources.kit.windows_registry import registry_of, subkeys
from phaseout.sources.source import Inside, Source, Trace

_KEY = r"Software\Microsoft\Windows\CurrentVersion\Lxss"
_STATES = {1: "installed", 3: "installing", 4: "uninstalling", 5: "converting", 6: "exporting"}
_DISK = "ext4.vhdx"
_NOT_SEEN = "a disk image, which is not scanned: scan within the distribution"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every distribution of every user."""
    registry, missing = registry_of(host), MissingFiles(host)
    for user in host.users:
        for key in subkeys(registry.key(rf"HKU\{user.sid}\{_KEY}") if user.sid else None):
            if key.name.startswith("{"):
                yield from _distribution(host, user, key, missing)
            else:
                yield LeftOut("a setting")


def _distribution(host: Host, user: User, key: Key, missing: MissingFiles) -> Iterator[Trace]:
    name = key.text("DistributionName") or key.name
    folder = absolute(key.text("BasePath"), variables_of(host, user)).removeprefix("\\\\?\\")
    folder = folder.rstrip("\\")
    version = key.number("Version")
    disk = rf"{folder}\{key.text('VhdFileName') or _DISK}"
    rootfs = rf"{folder}\rootfs"
    state, notes = missing.state(folder)
    yield Item(
        kind="app",
        name=name,
        state=state,
        version=key.text("OsVersion"),
        path=folder,
        user=user.name,
        ids={"package_family": key.text("PackageFamilyName"), "registry_key": key.name},
        details={
            "flavor": key.text("Flavor"),
            "state": _STATES.get(key.number("State"), key.text("State")),
            "wsl": key.text("Version"),
        },
        notes=notes,
        evidence=(Evidence(key.path, f"DistributionName: {name}, BasePath: {key.text('BasePath')}"),),
    )
    if state == "leftover":
        return
    inside = layered_host(host, [rootfs], name) if version != 2 and folder else None
    if inside is not None:
        yield Inside(f"WSL {name}", user.name, inside)
    else:
        yield Problem(disk if folder else key.path, _NOT_SEEN, "unsupported")


SOURCE = Source(
    name="wsl",
    title="Linux distributions in WSL, and the packages inside",
    platforms=("windows",),
    kinds=("app", "package", "library", "service", "task", "file", "driver", "program"),
    needs=("registry",),
    reads=(rf"HKU\*\{_KEY}", windows_programs.READS, r"C:\**\rootfs"),
    limits="What WSL 2 keeps in a disk image (ext4.vhdx) is not seen.",
    collect=collect,
)
