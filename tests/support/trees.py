"""Folders that are filled like the root of a machine."""

import os
import plistlib
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from phaseout.host import Host
from phaseout.host.filesystem.windows import WindowsFiles
from phaseout.host.opening import offline_host
from phaseout.host.registry.memory import registry_in_memory
from phaseout.host.windows.opening import windows_host
from phaseout.model.nouns import Problem
from phaseout.parsers.windows.reg_text import entries
from phaseout.parsers.windows.registry_values import Value

KESL = """\
Package: kesl
Status: install ok installed
Maintainer: Kaspersky Lab <support@kaspersky.com>
Architecture: amd64
Version: 12.1.0-1543
"""


class Tree:
    """A folder that is filled like the root of a machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("/etc/os-release", 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\n')
        self.write("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nada:x:1000:1000:Ada:/home/ada:/bin/bash\n")
        for folder in ("/root", "/home/ada", "/usr/bin", "/var/lib"):
            self.folder(folder)

    def write(self, path: str, content: str | bytes = b"", mode: int | None = None) -> Path:
        """Writes a file at a path of the target, with its folders."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        if mode is not None:
            file.chmod(mode)
        return file

    def link(self, path: str, target: str) -> None:
        """Makes a symbolic link at a path of the target, also in place of a folder without files."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_dir() and not any(found.is_file() for found in file.rglob("*")):
            shutil.rmtree(file)
        file.symlink_to(target)

    def folder(self, path: str) -> Path:
        """Makes a folder at a path of the target."""
        folder = self.root / path.lstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def fifo(self, path: str) -> None:
        """Makes a FIFO at a path of the target: opening it would wait for a writer."""
        assert sys.platform != "win32"
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(file)

    def copy(self, path: str, original: Path) -> None:
        """Puts a copy of a real capture at a path of the target."""
        self.write(path, original.read_bytes())

    def host(self) -> Host:
        """The tree as an offline Linux host."""
        return offline_host(str(self.root), "linux")


class MacTree(Tree):
    """A folder that is filled like the disk of a Mac whose user is `ada`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.plist(
            "/System/Library/CoreServices/SystemVersion.plist",
            {"ProductName": "macOS", "ProductVersion": "14.5", "ProductBuildVersion": "23F79"},
        )
        self.plist(
            "/private/var/db/dslocal/nodes/Default/users/ada.plist",
            {"name": ["ada"], "uid": ["501"], "home": ["/Users/ada"]},
        )
        self.folder("/Users/ada")
        for folder in ("/Users/Shared", "/Applications/Utilities", "/Library/Preferences", "/usr"):
            self.folder(folder)
        self.link("/var", "private/var")

    def plist(self, path: str, value: dict[str, Any] | list[Any], *, binary: bool = False) -> Path:
        """Writes a property list."""
        fmt = plistlib.FMT_BINARY if binary else plistlib.FMT_XML
        return self.write(path, plistlib.dumps(value, fmt=fmt, sort_keys=False))

    def app(self, path: str, program: bytes = b"#!/bin/sh\n", **info: object) -> None:
        """Makes an application bundle; the members of its `Info.plist` are those given, after usual ones."""
        name = path.rpartition("/")[2].rpartition(".")[0]
        values = {"CFBundleExecutable": name, "CFBundleName": name, "CFBundlePackageType": "APPL", **info}
        self.plist(f"{path}/Contents/Info.plist", values)
        self.write(f"{path}/Contents/MacOS/{values['CFBundleExecutable']}", program, 0o755)

    def host(self) -> Host:
        """The tree as an offline Mac, told by its content."""
        return offline_host(str(self.root))


class WindowsTree:
    """A folder that is filled like drive C: of a Windows machine, and a registry in memory.

    There are two users: `ada` with a profile folder, and the system itself.
    """

    ADA = "S-1-5-21-1-2-3-1001"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.keys: dict[str, dict[str, Value]] = {}
        profiles = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
        self.key(rf"{profiles}\{self.ADA}", {"ProfileImagePath": r"%SystemDrive%\Users\ada"})
        self.key(rf"{profiles}\S-1-5-18", {"ProfileImagePath": r"%systemroot%\system32\config\systemprofile"})
        self.key(r"HKLM\SOFTWARE\WOW6432Node")
        for folder in (
            r"Windows\System32\config",
            r"Windows\System32\drivers",
            "Program Files",
            "ProgramData",
            r"Users\ada",
        ):
            self.folder(rf"C:\{folder}")
        self.folder(r"C:\Program Files (x86)")

    def key(self, path: str, values: Mapping[str, Value] | None = None) -> None:
        r"""Adds a key (`HKLM\SOFTWARE\…`) with its values."""
        self.keys.setdefault(path, {}).update(values or {})

    def export(self, data: bytes) -> None:
        """Adds the keys of a text that regedit exported."""
        for entry in entries(data):
            assert not isinstance(entry, Problem), entry
            self.key(entry[0].replace("ControlSet001", "CurrentControlSet"), entry[1])

    def write(self, path: str, content: str | bytes = b"") -> Path:
        r"""Writes a file (`C:\…`), with its folders."""
        file = self.root / path[3:].replace("\\", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def folder(self, path: str) -> Path:
        r"""Makes a folder (`C:\…`)."""
        folder = self.root / path[3:].replace("\\", "/")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def host(self) -> Host:
        """The tree as an offline Windows host."""
        files = WindowsFiles(str(self.root), {"C": ""})
        return windows_host(registry_in_memory(self.keys, files), files, "C:\\Windows", root=str(self.root))
