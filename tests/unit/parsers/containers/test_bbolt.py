"""bbolt: databases that we write, damage, and those that containerd wrote."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.containers.bbolt import Bucket, Database

from tests.support.bbolt_writer import PAGE, Tree, bbolt, meta

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
TREES = st.recursive(
    st.dictionaries(NAMES, st.binary(max_size=40), max_size=60),
    lambda inner: st.dictionaries(NAMES, st.binary(max_size=9) | inner, max_size=5),
    max_leaves=8,
)


def plain(bucket: Bucket) -> Tree:
    return {name: plain(value) if isinstance(value, Bucket) else value for name, value in bucket.items()}


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(TREES)
def test_what_is_written_is_read(tree: Tree) -> None:
    assert plain(Database(bbolt(tree)).root) == tree


def test_long_values_and_many_keys() -> None:
    tree: Tree = {"long": b"x" * 3 * PAGE, "many": {f"key {number:04}": b"v" for number in range(500)}}
    assert plain(Database(bbolt(tree)).root) == tree


def test_the_later_whole_meta_page_counts() -> None:
    data = bytearray(bbolt({"a": b"1"}))
    data[16 + 40] ^= 0xFF  # of the first meta page
    with pytest.raises(ValueError, match="page 99"):
        plain(Database(bytes(data)).root)
    data[PAGE + 16 + 40] ^= 0xFF
    with pytest.raises(ValueError, match="no meta page is whole"):
        Database(bytes(data))


def test_pages_in_a_circle_end() -> None:
    branch = (3).to_bytes(8, "little") + (1).to_bytes(2, "little") + (1).to_bytes(2, "little") + bytes(4)
    element = (16).to_bytes(4, "little") + bytes(4) + (3).to_bytes(8, "little")
    pages = [meta(0, 3, 1, 4), meta(1, 3, 0, 4), b"", branch + element]
    with pytest.raises(ValueError, match="too deep"):
        plain(Database(b"".join(page.ljust(PAGE, b"\0") for page in pages)).root)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damage_is_a_value_error(data: st.DataObject) -> None:
    whole = bytearray(bbolt({"v1": {"a": {f"{n}": b"x" * n for n in range(90)}, "b": b"c"}}))
    for _ in range(data.draw(st.integers(1, 20))):
        whole[data.draw(st.integers(2 * PAGE, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(PAGE, len(whole)))
    with contextlib.suppress(ValueError):
        plain(Database(bytes(whole[:cut])).root)


@given(st.binary(max_size=300))
def test_other_files(data: bytes) -> None:
    with pytest.raises(ValueError, match="no meta page"):
        Database(data)


CAPTURES = Path(os.environ.get("PHASEOUT_CORPORA", "/none")) / "captures"


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no captures of containerd here")
def test_databases_of_containerd() -> None:
    """Each key, and each short text, that a program of the makers printed is there."""
    files = [file for file in CAPTURES.glob("*containerd*/**/*.db") if Path(f"{file}.dump.txt").is_file()]
    assert files
    for file in files:
        found = repr(plain(Database(file.read_bytes()).root))
        for line in Path(f"{file}.dump.txt").read_text(encoding="utf-8").splitlines()[1:]:
            name = line.strip().removesuffix(" (inline)").partition(" =")[0].strip("[]")
            if name and not name.startswith("0x") and "\\" not in name:
                assert name in found, (file, name)
