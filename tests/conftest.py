"""What all tests share: a root folder to fill, a source to run over it, and the real captures."""

import json
import os
import plistlib
import subprocess
import sys
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import HealthCheck, settings

from scanner.host import Host
from scanner.host.files import Files
from scanner.host.macos import MacFiles
from scanner.host.registry import Key, Registry
from scanner.host.registry.memory import registry_in_memory
from scanner.host.target import offline_host
from scanner.host.users import posix_users
from scanner.host.windows import windows_host
from scanner.host.windows_files import WindowsFiles
from scanner.model import HostInfo, Item, Problem, SourceRun
from scanner.parsers.registry_values import Value
from scanner.sources import ALL
from scanner.sources.source import Source
from scanner.worker import run_source

# A loaded machine is no failure; and what runs for everybody must not find something new each time.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

ROOT = Path(__file__).parents[1]
CORPORA = Path(os.environ.get("PHASEOUT_CORPORA", ROOT.parent / "shared" / "corpora"))
WINE = Path(os.environ.get("PHASEOUT_WINE", "/none"))
_THERE = """\
import json, sys
sys.path.insert(0, {root!r})
def tell(value):
    print("@@" + json.dumps(value) + "@@")
"""


class Tree:
    """A folder that is filled like the root of a machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("/etc/os-release", 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\n')
        self.write("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nada:x:1000:1000:Ada:/home/ada:/bin/bash\n")

    def write(self, path: str, content: str | bytes = b"", mode: int | None = None) -> Path:
        """Writes a file at a path of the target, with its folders."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        if mode is not None:
            file.chmod(mode)
        return file

    def link(self, path: str, target: str) -> None:
        """Makes a symbolic link at a path of the target."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
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


class Result:
    """What one source gave."""

    def __init__(self, run: SourceRun, items: tuple[Item, ...]) -> None:
        self.run = run
        self.items = items

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.run.problems

    def names(self) -> list[str]:
        return [item.name for item in self.items]

    def one(self, name: str) -> Item:
        """The only item of that name."""
        (item,) = (item for item in self.items if item.name == name)
        return item


class ObservedFiles(Files):
    """Files that remember which paths of the target were asked for."""

    def __init__(self, files: Files) -> None:
        super().__init__(files._root or "/", files._left_alone)
        self.asked: set[str] = set()
        self._unobserved = files

    def gone(self, path: str) -> bool:
        """Whether a program that some file names is still there may be asked of any path."""
        return self._unobserved.gone(path)

    def _canonical(self, path: str) -> str:
        self.asked.add(path.rstrip("/") or "/")
        return super()._canonical(path)


class ObservedWindowsFiles(WindowsFiles):
    """The same for the files of Windows."""

    def __init__(self, files: WindowsFiles) -> None:
        self.__dict__.update(files.__dict__)
        self.asked: set[str] = set()
        self._unobserved = files

    def gone(self, path: str) -> bool:
        """Whether a program that some key names is still there may be asked of any path."""
        return self._unobserved.gone(path)

    def open(self, path: str, limit: int = 1 << 40) -> BinaryIO | None:
        """What such a program says of itself may be read as well."""
        return self._unobserved.open(path, limit)

    def _canonical(self, path: str) -> str:
        self.asked.add(path.rstrip("\\"))
        return super()._canonical(path)


class ObservedMacFiles(MacFiles):
    """The same for the files of macOS."""

    def __init__(self, files: MacFiles) -> None:
        self.__dict__.update(files.__dict__)
        self.asked: set[str] = set()
        self._unobserved = files

    def gone(self, path: str) -> bool:
        """Whether a program that some file names is still there may be asked of any path."""
        return self._unobserved.gone(path)

    def part(self, path: str, offset: int, size: int) -> bytes | None:
        """The signature of such a program may be read as well."""
        return self._unobserved.part(path, offset, size)

    def _canonical(self, path: str) -> str:
        self.asked.add(path.rstrip("/") or "/")
        return super()._canonical(path)


class ObservedRegistry(Registry):
    """A registry that remembers which keys were asked for."""

    def __init__(self, registry: Registry) -> None:
        self.__dict__.update(registry.__dict__)
        self.asked: set[str] = set()

    def key(self, path: str) -> Key | None:
        """The key at a path."""
        self.asked.add(path)
        return super().key(path)


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
        self.folder("/Users/Shared")
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
        self.folder(r"C:\Windows\System32\config")
        self.folder(r"C:\Program Files")
        self.folder(r"C:\Users\ada")

    def key(self, path: str, values: Mapping[str, Value] | None = None) -> None:
        r"""Adds a key (`HKLM\SOFTWARE\…`) with its values."""
        self.keys.setdefault(path, {}).update(values or {})

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


def source(name: str) -> Source:
    """The registered source of that name."""
    (module,) = (module for module in ALL if module.rpartition(".")[2] == name)
    found = import_module(f"scanner.sources.{module}").SOURCE
    assert isinstance(found, Source)
    return found


def run(name: str, host: Host) -> Result:
    """Runs one source over a host, and checks what must hold for every source.

    The places it asked for are those that it declares, and no row is lost.
    """
    one = source(name)
    observed = _observed(host.files)
    registry = None if host.registry is None else ObservedRegistry(host.registry)
    watched = Host(host.info, observed, host.users, host.processes, registry, host.variables)
    watched.deep, watched.modules = host.deep, host.modules
    items: list[Item] = []
    outcome = run_source(one, watched, items.append)
    assert outcome.status != "failed", outcome.reason
    assert outcome.items == len(items)
    assert outcome.rows == outcome.items + sum(outcome.left_out.values())
    assert {item.kind for item in items} <= set(one.kinds)
    asked = observed.asked | (registry.asked if registry is not None else set())
    undeclared = sorted(path for path in asked if not declared(path, one, host))
    assert not undeclared, f"read without declaring it in `reads`: {undeclared}"
    return Result(
        outcome, tuple(sorted(items, key=lambda item: (item.kind, item.name, item.version, item.path, item.user)))
    )


def _observed(files: Files) -> ObservedFiles | ObservedMacFiles | ObservedWindowsFiles:
    if isinstance(files, WindowsFiles):
        return ObservedWindowsFiles(files)
    return ObservedMacFiles(files) if isinstance(files, MacFiles) else ObservedFiles(files)


def declared(path: str, one: Source, host: Host) -> bool:
    """Whether a path is one of those that the source says it reads, or a folder on the way to one."""
    separator = "\\" if host.info.platform == "windows" else "/"
    parts = _parts(path, separator)
    for pattern in one.reads:
        places = (
            [pattern] if not pattern.startswith("~") else [user.home + pattern[1:] for user in host.users if user.home]
        )
        for place in places:
            if _fits(parts, _parts(place, separator)):
                return True
    return False


def _parts(path: str, separator: str) -> list[str]:
    return (path.lower() if separator == "\\" else path).strip(separator).split(separator)


def _fits(parts: list[str], wanted: list[str]) -> bool:
    """`*` is one level, `**` any number; a folder above a declared place is declared with it."""
    for index, pattern in enumerate(wanted):
        if pattern == "**":
            return True
        if index >= len(parts):
            return True
        if not fnmatchcase(parts[index], pattern):
            return False
    return len(parts) <= len(wanted)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "root")


@pytest.fixture
def mac_tree(tmp_path: Path) -> MacTree:
    return MacTree(tmp_path / "root")


@pytest.fixture
def windows_tree(tmp_path: Path) -> WindowsTree:
    return WindowsTree(tmp_path / "root")


@pytest.fixture
def on_windows(tmp_path: Path) -> Callable[..., Any]:
    """Runs code by Windows Python under Wine; what it gives to `tell` comes back."""
    if not (WINE / "run").is_file():
        pytest.skip("no Windows Python: scripts/wine_python FOLDER makes one, and PHASEOUT_WINE names it")

    def run_there(code: str, *arguments: str) -> Any:
        script = tmp_path / "there.py"
        script.write_text(_THERE.format(root=f"Z:{ROOT}") + code)
        command = [str(WINE / "run"), f"Z:{script}", *arguments]
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)
        output = done.stdout.decode("utf-8", "replace")
        assert "@@" in output, output
        return json.loads(output.split("@@")[1])

    return run_there


@pytest.fixture
def corpora() -> Path:
    if not CORPORA.is_dir():
        pytest.skip(f"the real captures are not here: {CORPORA}")
    return CORPORA


@pytest.fixture
def as_host() -> Callable[[Path], Host]:
    """Opens a folder of real captures in place, as a Linux host."""

    def open_host(root: Path) -> Host:
        files = Files(str(root))
        return Host(HostInfo(name="capture", platform="linux", root=str(root)), files, posix_users(files))

    return open_host
