r"""Opens a Windows host: the running one, or the folder that holds its drives.

The folder is the system volume itself, or holds volumes as `C`, `C:` or `C%3A`. A user who is not logged on is read
from the hive where it lies; see `phaseout.host.windows.profiles` for who is a user.

References:
    Microsoft, "Registry Hives" (which file is which key), "Recognized Environment Variables".
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from phaseout.host import Host
from phaseout.host.filesystem.files import Files
from phaseout.host.filesystem.folder import Folder
from phaseout.host.filesystem.node import Node
from phaseout.host.filesystem.windows import SYSTEM_FOLDERS, WindowsFiles, drives_in
from phaseout.host.processes.process import Process
from phaseout.host.registry.base import Key, Mounts, Registry
from phaseout.host.registry.hives import open_hive
from phaseout.host.windows.environment import environment
from phaseout.host.windows.profiles import (
    PROFILE_LIST,
    kept_elsewhere,
    missing_classes,
    missing_hives,
    mount_profiles,
    profiles,
)
from phaseout.host.windows.wow64 import NOTE, TROUBLE, redirected, see_everything
from phaseout.model.nouns import HostInfo, Problem
from phaseout.parsers.windows.image_path import absolute

_VERSION = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_FOLDERS = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion"
_CONTROL = r"HKLM\SYSTEM\CurrentControlSet\Control"
_ENVIRONMENT = _CONTROL + r"\Session Manager\Environment"
_MOUNTED = r"HKLM\SYSTEM\MountedDevices"
_DRIVE = re.compile(r"\\DosDevices\\([A-Za-z]):")
GPT_VOLUME = b"DMIO:ID:"  # and the id of the partition; else the signature of the disk, and where the partition begins
_ABSENT = "a drive of this system, on a partition that is not in the image or cannot be read"
_ABSENT_HELP = "scan the image of that disk as well; if the disk is gone for good, mountvol /r forgets it"
_FIRST_11 = 22000  # build; Windows 11 still calls itself "Windows 10" in ProductName


def offline_windows(
    root: Folder,
    skipped_mounts: Mapping[str, str],
    volume: Callable[[bytes], Node | None] | None = None,
    *,
    deep: bool = False,
) -> Host:
    """The Windows machine whose drives are in a folder.

    Args:
        root: the folder.
        skipped_mounts: mount point below `root` → file system type.
        volume: gives the root of a volume by what Windows calls it in `MountedDevices`; for a folder in an image, which
            may hold further volumes.
        deep: see `Host`.
    """
    drives: dict[str, str | Node] = dict(drives_in(root))
    files, registry, system = _machine(root.place, drives, skipped_mounts)
    drive = _letter(registry)
    if list(drives.values()) == [""] and drive and drive not in drives:  # the one volume there is not C:
        drives = {drive: ""}
        files, registry, system = _machine(root.place, drives, skipped_mounts)
    absent: list[Problem] = []
    if volume is not None:
        found = {letter: volume(name) for letter, name in _mounted(registry) if letter not in drives}
        absent = [
            Problem(f"{letter}:\\", _ABSENT, "missing", remedy=_ABSENT_HELP) for letter in found if not found[letter]
        ]
        drives.update((letter, node) for letter, node in found.items() if node)
        files, registry, system = _machine(root.place, drives, skipped_mounts)
        files.problems += absent
    people = Mounts("HKU", registry.problems)
    for name in (".DEFAULT", "S-1-5-18"):  # one hive, two names
        people.mount(name, _opener(files, rf"{system}\System32\config\DEFAULT", rf"HKU\{name}", registry))
    return windows_host(
        registry,
        files,
        system,
        root=root.name,
        people=people,
        skipped_mounts=tuple(f"{point} ({kind})" for point, kind in sorted(skipped_mounts.items())),
        deep=deep,
    )


def windows_host(
    registry: Registry,
    files: Files,
    system: str,
    *,
    root: str,
    people: Mounts | None = None,
    skipped_mounts: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    processes: Callable[[], Iterator[Process | Problem]] | None = None,
    deep: bool = False,
    modules: Callable[[int], frozenset[str] | None] | None = None,
) -> Host:
    """A host of a registry that has `HKLM`, and of files.

    Args:
        registry: where users, version and folders are looked up.
        files: the drives.
        system: the folder of Windows.
        root: the folder that holds the drives; empty for the live machine.
        people: what becomes `HKU`, and gets the hives of all users that it has not; without it `HKU` stays as it is.
        skipped_mounts: the drives or mounts that are skipped.
        notes: see `HostInfo`.
        processes: gives the running ones.
        deep: see `Host`.
        modules: see `Host`.
    """
    variables = _variables(registry, system)
    found = profiles(registry, files, variables)
    users = tuple(profile.user for profile in found)
    files.problems += kept_elsewhere(registry)
    if people is not None:
        files.problems += missing_hives(people, found, files)
        files.problems += missing_classes(people, found, registry, files)
        users = mount_profiles(people, found, files, registry)
        registry.root(people)
    return Host(
        _info(registry, root, skipped_mounts, notes),
        files,
        users,
        processes=processes,
        registry=registry,
        variables=variables,
        deep=deep,
        modules=modules,
    )


def _machine(
    root: str | Node, drives: Mapping[str, str | Node], skipped_mounts: Mapping[str, str]
) -> tuple[WindowsFiles, Registry, str]:
    """The files, a registry with `HKLM`, and the folder of Windows."""
    files = WindowsFiles(root, drives, skipped_mounts)
    folders = [f"{drive}:\\{folder}" for drive in sorted(drives) for folder in SYSTEM_FOLDERS]
    marks = (r"System32\config", "System32", "")
    system = next((folder for mark in marks for folder in folders if files.exists(rf"{folder}\{mark}")), folders[0])
    registry = Registry(files)
    machine = Mounts("HKLM", registry.problems)
    for name in ("SOFTWARE", "SYSTEM"):
        machine.mount(name, _opener(files, rf"{system}\System32\config\{name}", rf"HKLM\{name}", registry))
    registry.root(machine)
    return files, registry, system


def live_windows(
    processes: Callable[[], Iterator[Process | Problem]],
    *,
    deep: bool = False,
    modules: Callable[[int], frozenset[str] | None] | None = None,
) -> Host:
    """The Windows machine that this runs on.

    Args:
        processes: gives the running ones.
        deep: see `Host`.
        modules: see `Host`.
    """
    if sys.platform != "win32":
        raise AssertionError("only Windows has a live registry")
    from phaseout.host.registry import live

    skipped_mounts = _network_drives()
    files = WindowsFiles("", None, skipped_mounts)
    registry = Registry(files)
    system = os.environ.get("SystemRoot", "C:\\Windows")  # noqa: SIM112
    notes = []
    if redirected():
        notes.append(NOTE)
        if not see_everything():
            registry.problems.append(Problem(rf"{system}\System32", TROUBLE, "unsupported"))
    registry.root(live.live_root("HKLM", registry.problems))
    loaded = live.live_root("HKU", registry.problems)
    people = Mounts("HKU", registry.problems)
    for name in loaded.names():
        people.mount(name, partial(loaded.child, name))
    return windows_host(
        registry,
        files,
        system,
        root="",
        people=people,
        notes=tuple(notes),
        skipped_mounts=tuple(f"{drive}\\ ({kind})" for drive, kind in sorted(skipped_mounts.items())),
        processes=processes,
        deep=deep,
        modules=modules,
    )


def _opener(files: WindowsFiles, file: str, path: str, registry: Registry) -> Callable[[], Key | None]:
    return partial(open_hive, files, file, path, registry.problems)


def _mounted(registry: Registry) -> Iterator[tuple[str, bytes]]:
    """The drives of fixed disks, by their letter, and what `MountedDevices` calls their volume."""
    key = registry.key(_MOUNTED)
    for name, value in key.values().items() if key is not None else ():
        letter = _DRIVE.fullmatch(name)
        if letter and isinstance(value, bytes) and (len(value) == 12 or value.startswith(GPT_VOLUME)):
            yield letter[1].upper(), value


def _letter(registry: Registry) -> str:
    version = registry.key(_VERSION)
    root = version.text("SystemRoot") if version is not None else ""
    return root[0].upper() if re.match(r"[A-Za-z]:\\", root) else ""


def _variables(registry: Registry, system: str) -> dict[str, str]:
    """What `%NAMES%` in the registry stand for when no user is asked; names in lower case."""
    drive = system[:2]
    found = {
        "systemroot": system,
        "windir": system,
        "systemdrive": drive,
        "programfiles": rf"{drive}\Program Files",
        "commonprogramfiles": rf"{drive}\Program Files\Common Files",
        "programdata": rf"{drive}\ProgramData",
        "public": rf"{drive}\Users\Public",
    }
    folders = registry.key(_FOLDERS)
    if folders is not None:
        for variable, value in (
            ("programfiles", "ProgramFilesDir"),
            ("programfiles(x86)", "ProgramFilesDir (x86)"),
            ("commonprogramfiles", "CommonFilesDir"),
            ("commonprogramfiles(x86)", "CommonFilesDir (x86)"),
        ):
            folder = absolute(folders.text(value), found)
            if folder:
                found[variable] = folder
    profiles = registry.key(PROFILE_LIST)
    if profiles is not None:
        for variable, value in (("programdata", "ProgramData"), ("public", "Public")):
            folder = absolute(profiles.text(value), found)
            if folder:
                found[variable] = folder
    found["programw6432"] = found["programfiles"]
    found["commonprogramw6432"] = found["commonprogramfiles"]
    found["allusersprofile"] = found["programdata"]
    return environment(registry.key(_ENVIRONMENT), found)


def _info(registry: Registry, root: str, skipped_mounts: tuple[str, ...], notes: tuple[str, ...]) -> HostInfo:
    version = registry.key(_VERSION)
    computer = registry.key(_CONTROL + r"\ComputerName\ComputerName")
    machine = registry.key(_ENVIRONMENT)
    name = computer.text("ComputerName") if computer is not None else ""
    product = version.text("ProductName") if version is not None else ""
    build = version.text("CurrentBuild") if version is not None else ""
    number = ""
    if version is not None:
        number = version.text("CurrentVersion")
        if version.value("CurrentMajorVersionNumber") is not None:
            number = f"{version.number('CurrentMajorVersionNumber')}.{version.number('CurrentMinorVersionNumber')}"
        number = ".".join(filter(None, (number, build, version.text("UBR"))))
        if build.isdecimal() and int(build) >= _FIRST_11 and version.text("InstallationType") == "Client":
            product = product.replace("Windows 10", "Windows 11")
    return HostInfo(
        name=name or os.path.basename(root) or "windows",
        platform="windows",
        os=product or "Windows",
        os_version=number,
        arch=machine.text("PROCESSOR_ARCHITECTURE") if machine is not None else "",
        root=root,
        skipped_mounts=skipped_mounts,
        notes=notes,
    )


def _network_drives() -> dict[str, str]:
    """Drive → why it is skipped."""
    if sys.platform != "win32":
        return {}
    import ctypes

    remote = 4
    kernel = ctypes.windll.kernel32
    letters = kernel.GetLogicalDrives()
    return {
        f"{letter}:": "network"
        for at, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        if letters >> at & 1 and kernel.GetDriveTypeW(f"{letter}:\\") == remote
    }
