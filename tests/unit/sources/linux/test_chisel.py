"""Manifests of chiselled images."""

import sys
from pathlib import Path

import pytest
from phaseout.model.nouns import Item, Problem
from phaseout.sources.linux.chisel import wall_packages

from tests.support.harness import run
from tests.support.trees import Tree

WALL = b"""\
{"jsonwall":"1.0","schema":"1.0","count":4}
{"kind":"package","name":"kesl","version":"12.1.0-1543","sha256":"00","arch":"amd64"}
{"kind":"package","name":"libc6","version":"2.39-0ubuntu8","sha256":"00","arch":"amd64"}
{"kind":"slice","name":"libc6_libs"}
"""


def test_packages_of_an_unpacked_manifest() -> None:
    items = [trace for trace in wall_packages("/x", WALL) if isinstance(trace, Item)]
    assert [(item.name, item.version) for item in items] == [("kesl", "12.1.0-1543"), ("libc6", "2.39-0ubuntu8")]
    assert items[0].ids["purl"] == "pkg:deb/ubuntu/kesl@12.1.0-1543?arch=amd64"


@pytest.mark.parametrize("end", range(0, len(WALL), 7))
def test_a_manifest_that_is_cut_off_is_never_whole(end: int) -> None:
    assert any(isinstance(trace, Problem) for trace in wall_packages("/x", WALL[:end]))


def test_real_captures(corpora: Path) -> None:
    folder = corpora / "captures" / "chisel"
    if not folder.is_dir():
        pytest.skip(f"not here: {folder}")
    traces = list(wall_packages("/x", (folder / "openssl.wall.jsonl").read_bytes()))
    assert {"openssl", "libc6"} <= {trace.name for trace in traces if isinstance(trace, Item)}
    assert not [trace for trace in traces if isinstance(trace, Problem)]


def zstandard(data: bytes) -> bytes:
    """Compressed; the test is skipped where nothing reads Zstandard."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        zstd = pytest.importorskip("backports.zstd")
    return bytes(zstd.compress(data))


def test_a_manifest_is_read(tree: Tree) -> None:
    tree.write("/var/lib/chisel/manifest.wall", zstandard(WALL))
    found = run("chisel", tree.host())
    assert ([item.name for item in found.items], found.problems) == (["kesl", "libc6"], ())


def test_a_damaged_manifest_is_named(tree: Tree) -> None:
    for data in (zstandard(WALL)[:-4], b"\x28\xb5\x2f\xfd rubbish"):
        tree.write("/var/lib/chisel/manifest.wall", data)
        assert [problem.cause for problem in run("chisel", tree.host()).problems] == ["damaged"]


def test_a_manifest_that_nothing_here_reads_is_named(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, module, None)
    tree.write("/var/lib/chisel/manifest.wall", b"\x28\xb5\x2f\xfd")
    (problem,) = run("chisel", tree.host()).problems
    assert (problem.cause, "phaseout[image]" in problem.remedy) == ("unsupported", True)
