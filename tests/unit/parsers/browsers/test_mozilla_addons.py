"""The list of add-ons of a profile."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.browsers.mozilla_addons import Addon, addons


def read(*entries: object) -> list[Addon | None]:
    return list(addons(json.dumps({"schemaVersion": 37, "addons": entries}).encode()))


def test_a_whole_addon() -> None:
    assert read(
        {
            "id": "a@b",
            "version": "1.2",
            "type": "extension",
            "defaultLocale": {"name": "Name", "creator": "Lab", "developers": None},
            "active": False,
            "userDisabled": True,
            "appDisabled": True,
            "embedderDisabled": True,
            "location": "app-profile",
            "path": "/p/a@b.xpi",
            "sourceURI": "https://addons.mozilla.org/a.xpi",
            "foreignInstall": True,
            "installDate": 1795289068121,
            "updateDate": 1795289068121.0,
        }
    ) == [
        Addon(
            "a@b",
            "Name",
            "1.2",
            "Lab",
            "extension",
            False,
            "by the user, by the program",
            False,
            "profile",
            "/p/a@b.xpi",
            "https://addons.mozilla.org/a.xpi",
            True,
            "2026-11-21T19:24:28Z",
            "2026-11-21T19:24:28Z",
        )
    ]


def test_a_bare_addon_and_damaged_ones() -> None:
    assert read({"id": "a@b"}, {"id": 5}, {}, "x", None) == [
        Addon("a@b", "", "", "", "", False, "", False, "", "", "", False, "", ""),
        None,
        None,
        None,
        None,
    ]


def test_places_and_people() -> None:
    (built_in, old) = read(
        {"id": "x", "location": "app-builtin-addons"},
        {"id": "y", "location": "odd", "descriptor": "/d", "defaultLocale": {"developers": ["A", None, "B"]}},
    )
    assert built_in is not None
    assert built_in.built_in
    assert old is not None
    assert (old.location, old.path, old.vendor) == ("odd", "/d", "A, B")


@pytest.mark.parametrize("data", [b"", b"[]", b'{"addons": {}}', b'{"addons"'])
def test_a_damaged_file_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        list(addons(data))


MEMBERS = ["id", "version", "defaultLocale", "location", "path", "installDate", "sourceURI", "type"]
VALUES = (
    st.none()
    | st.text(max_size=5)
    | st.integers()
    | st.floats()
    | st.lists(st.none())
    | st.dictionaries(
        st.sampled_from(["name", "creator", "developers"]), st.none() | st.text(max_size=5) | st.lists(st.integers())
    )
)


@given(
    st.lists(st.none() | st.dictionaries(st.sampled_from(MEMBERS), VALUES), max_size=4).map(
        lambda found: json.dumps({"addons": found}).encode()
    )
    | st.binary(max_size=100)
)
@settings(max_examples=100)
def test_any_bytes_raise_value_errors_only(data: bytes) -> None:
    try:
        list(addons(data))
    except ValueError:
        return
