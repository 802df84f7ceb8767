"""A source touches only what it declares. The harness checks that in every test of a source; here, that it can fail."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from phaseout.host import Host
from phaseout.host.filesystem.files import Files
from phaseout.host.filesystem.layers import layered_host
from phaseout.model.nouns import HostInfo, Platform
from phaseout.sources import INSIDE, load
from phaseout.sources.source import Inside, Source, Trace

from tests.support.harness import run_one, source
from tests.support.observer import Touch, undeclared
from tests.support.trees import MacTree, Tree, WindowsTree

SECRETS: dict[Platform, str] = {
    "linux": "/etc/shadow",
    "macos": "/private/etc/master.passwd",
    "windows": "C:\\Windows\\System32\\config\\SAM",
}
DEEP: dict[Platform, str] = {
    **SECRETS,
    "linux": "/etc/ssl/private/shadow",
    "macos": "/private/etc/ssl/private/x/master.passwd",
    "windows": "C:\\Windows\\System32\\config\\" + "x\\" * 8 + "SAM",
}


def opened(files: Files, path: str) -> None:
    file = files.open(path)
    if file is not None:
        file.close()


def queried(files: Files, path: str) -> None:
    with files.database(path):
        pass


WAYS: dict[str, Callable[[Files, str], object]] = {
    "read": lambda files, path: files.read(path),
    "text": lambda files, path: files.text(path),
    "part": lambda files, path: files.part(path, 0, 1),
    "head": lambda files, path: files.head(path, 1),
    "open": opened,
    "database": queried,
    "list": lambda files, path: files.list(path),
    "walk": lambda files, path: list(files.walk(path, 1)),
    "stat": lambda files, path: files.stat(path),
    "exists": lambda files, path: files.exists(path),
    "gone": lambda files, path: files.gone(path),
    "link": lambda files, path: files.link(path),
    "real": lambda files, path: files.real(path),
    "layered": lambda files, path: files.layered((path,)),
}


_CONTENT = frozenset(("read", "text", "part", "head", "open", "database"))


def host_of(platform: Platform, root: Path) -> Host:
    """A host of that platform, with something of everything that a source may need."""
    tree = WindowsTree(root) if platform == "windows" else MacTree(root) if platform == "macos" else Tree(root)
    host = tree.host()
    host.processes = lambda: iter(())
    return host


def prying(one: Source, pry: Callable[[Host], object]) -> Source:
    """The source, which looks at something else as well."""

    def collect(host: Host) -> Iterator[Trace]:
        yield from one.collect(host)
        pry(host)

    return one._replace(collect=collect)


CASES = [pytest.param(one, platform, id=f"{one.name}-{platform}") for one in load() for platform in one.platforms]


@pytest.mark.slow
@pytest.mark.parametrize(("one", "platform"), CASES)
def test_one_touch_more_is_noticed(one: Source, platform: Platform, tmp_path: Path) -> None:
    """However it is done, and by every source: those that follow settings to any folder among them."""
    host = host_of(platform, tmp_path / "root")
    run_one(one, host)
    for name, way in WAYS.items():
        # A source may list folders, and ask what each name in them is; the content of a file is never free.
        secret = SECRETS[platform] if name in _CONTENT else DEEP[platform]
        with pytest.raises(AssertionError, match=r"without declaring it.*(shadow|master\.passwd|SAM)"):
            run_one(prying(one, lambda host, way=way, secret=secret: way(host.files, secret)), host)  # type: ignore[misc]


@pytest.mark.parametrize("one", [one for one in load("windows") if "registry" in one.needs], ids=lambda one: one.name)
def test_one_key_more_is_noticed(one: Source, windows_tree: WindowsTree) -> None:
    def pry(host: Host) -> None:
        assert host.registry is not None
        host.registry.key(r"HKLM\SAM\Domains\Account")
        host.registry.hive(SECRETS["windows"])

    with pytest.raises(AssertionError, match=r"(?s)without declaring it.*Account.*config\\\\SAM|SAM.*Account"):
        run_one(prying(one, pry), windows_tree.host())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["containers", "guests"])
@pytest.mark.parametrize("way", WAYS)
def test_so_is_one_within_a_container(name: str, way: str, tree: Tree) -> None:
    """There the sources of `INSIDE` read, each what it declares."""
    tree.write("/srv/c/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    tree.write("/srv/c/var/lib/dpkg/status", "Package: kesl\nStatus: install ok installed\nVersion: 1\n")

    def collect(host: Host) -> Iterator[Trace]:
        inside = layered_host(host, ["/srv/c"], "c")
        assert inside is not None
        yield Inside("c", "", inside)

    one = source(name)._replace(collect=collect, reads=("/srv/c",))
    assert run_one(one, tree.host()).names() == ["kesl"]

    def pry(host: Host) -> Iterator[Trace]:
        for trace in collect(host):
            assert isinstance(trace, Inside)
            yield trace
            WAYS[way](trace.host.files, SECRETS["linux"] if way in _CONTENT else DEEP["linux"])

    with pytest.raises(AssertionError, match=r"without declaring it.*shadow"):
        run_one(one._replace(collect=pry), tree.host())


def test_what_reads_within_a_container_declares_it() -> None:
    assert set(INSIDE) <= {f"{one.collect.__module__.removeprefix('phaseout.sources.')}" for one in load()}


def test_stars(tree: Tree) -> None:
    """`*` stays within a name, `**` is any number of whole folders, and a pattern fits the whole path."""
    host = Host(HostInfo(name="a", platform="linux"), tree.host().files)

    def fits(pattern: str, path: str, way: str = "content") -> bool:
        return not undeclared([Touch(way, path)], [pattern], host)  # type: ignore[arg-type]

    assert fits("/a/*.conf", "/a/x.conf")
    assert not fits("/a/*.conf", "/a/b/x.conf")
    assert not fits("/a/*.conf", "/a/x.confs")
    assert not fits("/a/*", "/a/b/c")
    assert fits("/a/**/*.conf", "/a/x.conf")
    assert fits("/a/**/*.conf", "/a/b/c/x.conf")
    assert not fits("/a/**/*.conf", "/a/b/c/x.txt")
    assert not fits("/a/**/b", "/a/xb")
    assert not fits("/a/**", "/a/b")
    assert fits("/a/**", "/a/b", "folder")
    assert fits("/a/b/c", "/a/b", "folder")
    assert not fits("/a/b/c", "/a/b")
    assert not fits("/**/a/b", "/x/y", "folder")
    assert fits("/**/a/b", "/x/a", "folder")
    assert fits("/a/[!.]*", "/a/b")
    assert not fits("/a/[!.]*", "/a/.b")
