"""Bookmarks and aliases: the path that they lead to."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.encodings.property_list import mapping
from phaseout.parsers.windows.file_reference import leads_to

from tests.support.bookmark_writer import bookmark


def test_bookmark() -> None:
    assert leads_to(bookmark("/Applications/Käse Box.app")) == "/Applications/Käse Box.app"


def test_real_aliases(corpora: Path) -> None:
    for name in ("plaso/test_data/plist/com.apple.loginitems.plist", "osquery/plist/test_binary.plist"):
        values = mapping((corpora / name).read_bytes())
        assert values is not None
        found = {entry["Name"]: leads_to(entry["Alias"]) for entry in values["SessionItems"]["CustomListItems"]}
        assert found["iTunesHelper"] == "/Applications/iTunes.app/Contents/MacOS/iTunesHelper.app"


def test_what_is_none() -> None:
    assert leads_to(b"") == ""
    assert leads_to(b"book") == ""
    assert leads_to(bytes(200)) == ""


@given(st.binary(max_size=40), st.integers(min_value=0, max_value=220))
def test_damage(noise: bytes, at: int) -> None:
    data = bookmark("/Applications/Acme.app")
    leads_to(data[:at] + noise + data[at + len(noise) :])
    leads_to(noise)
