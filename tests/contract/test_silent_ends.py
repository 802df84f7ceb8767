"""No source ends silently: what it could not read for a limit, or as it vanished, is a problem that hides software.

Every source runs over a root in which all places that it declares are filled: once as it is, and once through files
that end early. If it then has fewer rows, it must say so, and with a cause of that kind.
"""

import plistlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from phaseout.host import Host
from phaseout.host.filesystem.files import MIB, Entry, Files
from phaseout.host.opening import offline_host
from phaseout.model.nouns import Item, Platform, Problem, SourceRun
from phaseout.scan.worker import run_source
from phaseout.sources import load
from phaseout.sources.source import Source, Trace

from tests.support.harness import source
from tests.support.observer import ObservedFiles
from tests.support.pe_writer import ENGLISH, executable
from tests.support.roots import debian, macos, windows

MAKE: dict[Platform, Callable[[Path, bool], None]] = {"linux": debian, "macos": macos, "windows": windows}
CASES = [
    pytest.param(one, platform, id=f"{platform}-{one.name}")
    for platform in MAKE
    for one in load(platform)
    if "processes" not in one.needs
]


class SmallFiles(ObservedFiles):
    """Every file is larger than the limit."""

    def read(self, path: str, limit: int = 16 * MIB) -> bytes | None:
        return super().read(path, min(limit, 1))


class ShortFolders(ObservedFiles):
    """Every folder ends after its first entry, and says so, as those with a million entries do."""

    def list(self, path: str) -> tuple[Entry, ...]:
        entries = super().list(path)
        if len(entries) > 1:
            self.problems.append(Problem(path, "more than 1 entries: the rest was not listed", "limit"))
        return entries[:1]


class VanishingFiles(ObservedFiles):
    """What a folder lists is gone when it is asked for, except for folders on the way to files."""

    root = Path()

    def list(self, path: str) -> tuple[Entry, ...]:
        entries = super().list(path)
        for entry in entries:
            if entry.kind != "dir":
                (self.root / below_root(path) / entry.name).unlink(missing_ok=True)
        return entries


def run(one: Source, host: Host) -> tuple[SourceRun, set[tuple[str, str, str]]]:
    items: list[Item] = []
    ended = run_source(one, host, items.append)
    return ended, {(item.kind, item.name, item.user) for item in items if item.state != "leftover"}


def below_root(path: str) -> str:
    """A path of the target as a path below its root."""
    return path.removeprefix("C:").replace("\\", "/").strip("/")


def places(one: Source, platform: Platform) -> list[str]:
    """The declared places of files as concrete paths below a root, each star as two names; the user is ada."""
    home = "Users/ada" if platform != "linux" else "home/ada"
    found: list[str] = []
    for pattern in one.reads:
        if pattern.startswith("HK") or (pattern[1:2] == ":") != (platform == "windows" and pattern[0] != "~"):
            continue
        path = f"{home}/{pattern[1:]}" if pattern.startswith("~") else pattern
        path = below_root(path).replace("//", "/").replace("**/", "").replace("**", "x").replace("[!.]", "x")
        path = "/".join(part.replace("?", "0") for part in path.split("/"))
        if not any(mark in path for mark in "[{%"):
            found += dict.fromkeys(path.replace("*", name) for name in "xy")
    return found


def content(path: str) -> bytes:
    """Something that a file of this name may hold."""
    name = Path(path).stem
    if path.endswith(".plist"):
        keys = ("CFBundleIdentifier", "CFBundleName", "Label", "Program", "PackageIdentifier")
        return plistlib.dumps(dict.fromkeys(keys, f"com.example.{name}"))
    if path.endswith((".exe", ".dll", ".sys")):
        return executable({ENGLISH: {"CompanyName": "Kaspersky", "ProductName": name, "FileDescription": name}})
    return f"Package: {name}\n[Desktop Entry]\nName={name}\nExec={name}\n{{}}\n".encode()


def filled(one: Source, platform: Platform, root: Path) -> None:
    """A whole system, and in every place that the source declares a file if there is none."""
    root.mkdir()
    MAKE[platform](root, True)
    for path in places(one, platform):
        file = root / path
        if not file.exists() and not file.is_symlink() and not any(folder.is_file() for folder in file.parents):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content(path))


def check(
    one: Source, platform: Platform, kind: Callable[[Files], ObservedFiles], causes: set[str], folder: Path
) -> bool:
    """Whether the source saw less; raises if it did not say so."""
    filled(one, platform, folder / "a")
    shutil.copytree(folder / "a", folder / "b", symlinks=True)
    _, before = run(one, offline_host(str(folder / "a"), platform))
    short = offline_host(str(folder / "b"), platform)
    files = kind(short.files)
    if isinstance(files, VanishingFiles):
        files.root = folder / "b"
    ended, after = run(one, Host(short.info, files, short.users, registry=short.registry, variables=short.variables))
    if before <= after:
        return False
    hiding = {problem.cause for problem in ended.problems if problem.hides}
    assert hiding & causes, f"{sorted(before - after)} not seen, and only {hiding or 'nothing'} said"
    assert ended.status == "partial"
    return True


KINDS = pytest.mark.parametrize(
    ("kind", "causes"),
    [(SmallFiles, {"limit"}), (ShortFolders, {"limit"}), (VanishingFiles, {"vanished", "missing"})],
    ids=["large files", "long folders", "vanishing names"],
)


@pytest.mark.slow
@KINDS
@pytest.mark.parametrize(("one", "platform"), CASES)
def test_an_early_end_is_said(
    one: Source, platform: Platform, kind: Callable[[Files], ObservedFiles], causes: set[str], tmp_path: Path
) -> None:
    check(one, platform, kind, causes, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("opkg", SmallFiles), ("cron", SmallFiles), ("kernel_modules", SmallFiles), ("firefox_addons", SmallFiles)),
        *(("systemd", ShortFolders), ("guests", ShortFolders), ("containers", ShortFolders)),
        *(("cron", VanishingFiles), ("desktop_entries", VanishingFiles), ("native_messaging", VanishingFiles)),
    ],
)
def test_a_source_that_ends_silently_is_found(
    name: str, kind: Callable[[Files], ObservedFiles], tmp_path: Path
) -> None:
    """The test above can fail: here the source forgets what the files said."""

    def collect(host: Host) -> Iterator[Trace]:
        for trace in one.collect(host):
            host.files.problems.clear()
            if not isinstance(trace, Problem):
                yield trace
        host.files.problems.clear()

    one = source(name)
    with pytest.raises(AssertionError, match="not seen, and only"):
        check(one._replace(collect=collect), "linux", kind, {"limit", "vanished", "missing"}, tmp_path)
