"""Bills of materials: paths and kinds, several leaves, and damage."""

import struct

from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.macos.bom import Entry, bill

from tests.support.bom_writer import bom


def test_paths() -> None:
    assert bill(bom("Applications/Acme.app/Contents/Info.plist", "Applications/Empty/")) == (
        Entry("Applications", folder=True),
        Entry("Applications/Acme.app", folder=True),
        Entry("Applications/Empty", folder=True),
        Entry("Applications/Acme.app/Contents", folder=True),
        Entry("Applications/Acme.app/Contents/Info.plist", folder=False),
    )


def test_several_leaves() -> None:
    names = [f"{number:04}" for number in range(1000)]
    entries = bill(bom(*names), limit=2000)
    assert [entry.path for entry in entries] == names
    assert len(bill(bom(*names), limit=10)) == 10


def test_what_is_none() -> None:
    assert bill(b"") == ()
    assert bill(b"BOMStore") == ()
    assert bill(bom("a").replace(b"Paths", b"Other")) == ()


def test_leaves_in_a_circle() -> None:
    data = bom(*(f"{number:04}" for number in range(600)))
    blocks = struct.unpack_from(">I", data, 12)[0]
    leaf = struct.pack(">2HI", 1, 256, blocks - 4)  # goes on with the second of three, before the root and the tree
    assert data.count(leaf) == 1
    circle = data.replace(leaf, struct.pack(">2HI", 1, 256, blocks - 5))
    assert len(bill(circle, limit=10_000)) == 255


@given(st.binary(max_size=60), st.integers(min_value=0, max_value=1200))
def test_damage(noise: bytes, at: int) -> None:
    data = bom("Library/a", "Library/b/c")
    bill(data[:at] + noise + data[at + len(noise) :])
    bill(noise)
