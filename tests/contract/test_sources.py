"""What holds for every source: its metadata is complete, and bad input costs one problem and nothing else."""

import os
from pathlib import Path

import pytest
from phaseout.host import Host
from phaseout.model.nouns import Platform, SourceRun
from phaseout.scan.worker import run_source
from phaseout.sources import ALL, load
from phaseout.sources.source import Source

from tests.support.trees import Tree

SOURCES = load()
ON_LINUX = [one for one in SOURCES if "linux" in one.platforms and "processes" not in one.needs]


def places(one: Source) -> list[str]:
    """The declared places as concrete paths of files, a level for each star, on a host with the user ada."""
    found = []
    for pattern in one.reads:
        if ":" in pattern or pattern.startswith("HK"):
            continue
        path = pattern.replace("~", "/home/ada", 1) if pattern.startswith("~") else pattern
        path = path.replace("**/", "").replace("**", "x").replace("[!.]", "x")
        path = "/".join(part.replace("*", "x").replace("?", "0") for part in path.split("/"))
        if not any(mark in path for mark in "[{"):
            found.append(path)
    return found


@pytest.mark.parametrize("one", SOURCES, ids=lambda one: one.name)
def test_metadata_is_complete(one: Source) -> None:
    assert one.name == one.name.lower()
    assert one.name in {name.rpartition(".")[2] for name in ALL}
    assert one.title[0].isupper() or one.title[0].islower()
    assert not one.title.endswith(".")
    assert one.limits.endswith(".")
    assert one.kinds
    assert one.platforms
    assert one.reads or "processes" in one.needs
    assert all(place.startswith(("/", "~", "HKLM", "HKU", "%")) or place[1:3] == ":\\" for place in one.reads), (
        one.reads
    )


@pytest.mark.parametrize("platform", ["linux", "macos", "windows"])
def test_a_platform_has_the_sources_that_say_so(platform: Platform) -> None:
    assert load(platform) == tuple(one for one in SOURCES if platform in one.platforms)


def test_names_are_unique() -> None:
    names = [one.name for one in SOURCES]
    assert len(set(names)) == len(names)


def bad(kind: str, root: Path, path: str) -> None:
    """Puts something bad at a place, unless a folder on the way is a file or a loop already."""
    file = root / path.lstrip("/")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists() or file.is_symlink():
            return
        if kind == "fifo":
            os.mkfifo(file)
        elif kind == "zero":
            file.symlink_to("/dev/zero")
        elif kind == "loop":
            file.symlink_to(file.name)
        elif kind == "huge":
            with file.open("wb") as handle:
                handle.truncate(2 << 30)
        elif kind == "binary":
            file.write_bytes(bytes(range(256)) * 64)
        elif kind == "truncated":
            file.write_bytes(b"Package: x\nStatus: install ok insta")
        elif kind == "folder":
            file.mkdir()
    except OSError:
        return


def outcome(one: Source, host: Host) -> SourceRun:
    items = 0

    def count(_: object) -> None:
        nonlocal items
        items += 1

    result = run_source(one, host, count)
    assert result.items == items
    return result


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fifo", "zero", "loop", "huge", "binary", "truncated", "folder"])
@pytest.mark.parametrize("one", ON_LINUX, ids=lambda one: one.name)
def test_bad_files_end_no_source(one: Source, kind: str, tree: Tree) -> None:
    """In every place that it reads at once: it comes to its end, and says so where it could not read."""
    for path in places(one):
        bad(kind, tree.root, path)
    result = outcome(one, tree.host())
    assert result.status in {"ok", "partial"}, result.reason
    assert result.rows == result.items + sum(result.left_out.values())


def test_a_bad_file_is_named(tree: Tree) -> None:
    dpkg = next(one for one in SOURCES if one.name == "dpkg")
    bad("huge", tree.root, "/var/lib/dpkg/status")
    tree.write("/var/lib/dpkg/status.d/bash", "Package: bash\nVersion: 1\n")
    result = outcome(dpkg, tree.host())
    assert result.items == 1
    assert [problem.where for problem in result.problems] == ["/var/lib/dpkg/status"]


def test_a_source_that_raises_fails_alone(tree: Tree) -> None:
    def collect(_: Host):  # type: ignore[no-untyped-def]  # noqa: ANN202
        yield from ()
        raise ZeroDivisionError("at home")

    broken = SOURCES[0]._replace(name="broken", collect=collect)
    result = outcome(broken, tree.host())
    assert (result.status, result.reason) == ("failed", "ZeroDivisionError: at home")
