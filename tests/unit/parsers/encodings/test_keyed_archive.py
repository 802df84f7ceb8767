"""Archives of objects: what they hold, and circles in them."""

import plistlib
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.encodings.keyed_archive import unarchived
from phaseout.parsers.encodings.property_list import mapping

from tests.support.keyed_archive_writer import archived


def test_what_was_archived() -> None:
    value = {"name": "Acme", "list": ["a", 1, b"\1"], "none": None, "inner": {"deep": True}}
    assert unarchived(archived("store", value), "store") == value
    assert unarchived(archived("store", value)) is None


def test_objects_of_foundation() -> None:
    uid = plistlib.UID
    objects: list[Any] = [
        "$null",
        {"$class": uid(9), "url": uid(2), "uuid": uid(4)},
        {"$class": uid(9), "NS.base": uid(0), "NS.relative": uid(3)},
        "file:///Applications/Acme.app/",
        {"$class": uid(9), "NS.uuidbytes": bytes(range(16))},
    ]
    archive = {"$objects": objects, "$top": {"root": uid(1)}}
    assert unarchived(archive) == {
        "url": "file:///Applications/Acme.app/",
        "uuid": "00010203-0405-0607-0809-0A0B0C0D0E0F",
    }


def test_circles_and_bombs_end() -> None:
    uid = plistlib.UID
    circle = {"$objects": ["$null", {"NS.objects": [uid(1), uid(1)]}], "$top": {"root": uid(1)}}
    assert unarchived(circle) is not None
    assert unarchived({"$objects": [], "$top": {"root": uid(7)}}) is None
    assert unarchived({"$objects": 1, "$top": 2}) is None


def test_real_file(corpora: Path) -> None:
    archive = mapping((corpora / "plaso/test_data/plist/NSKeyedArchiver.plist").read_bytes())
    assert archive is not None
    found = unarchived(archive)
    assert (found["MyString"], found["MyInteger"], found["MyArray"]) == ("Some string", 98, [])


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["NS.keys", "NS.objects", "NS.string", "NS.uuidbytes", "a"]),
            st.integers(0, 5).map(plistlib.UID)
            | st.binary(max_size=16)
            | st.lists(st.integers(0, 5).map(plistlib.UID)),
        )
        | st.text(max_size=3),
        max_size=6,
    )
)
def test_arbitrary_archives(objects: list[Any]) -> None:
    unarchived({"$objects": objects, "$top": {"root": plistlib.UID(0)}})
