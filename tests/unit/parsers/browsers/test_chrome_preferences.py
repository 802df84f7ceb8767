"""What a profile knows of its extensions."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.browsers import chrome_preferences
from phaseout.parsers.browsers.chrome_preferences import Setting


def read(**extensions: object) -> dict[str, Setting | None]:
    return dict(chrome_preferences.settings(json.dumps({"extensions": {"settings": extensions}}).encode()))


def one(**members: object) -> Setting:
    (found,) = read(x=members).values()
    assert found is not None
    return found


def test_a_whole_setting() -> None:
    found = one(
        path="abc/1.0_0",
        location=1,
        state=1,
        from_webstore=True,
        was_installed_by_default=False,
        first_install_time="13439762687018310",
        last_update_time="13439762687018310",
        manifest={"name": "X"},
    )
    assert found == Setting(
        "abc/1.0_0", 1, True, "", True, False, False, "2026-11-21T19:24:47Z", "2026-11-21T19:24:47Z", b'{"name": "X"}'
    )
    assert found.place == "installed by the user"


@pytest.mark.parametrize(
    ("members", "enabled", "reasons"),
    [
        ({"state": 0}, False, ""),
        ({"state": 1, "disable_reasons": 0}, True, ""),
        ({"disable_reasons": []}, True, ""),
        ({"disable_reasons": [1, 8192]}, False, "by the user, put there from outside, not yet acknowledged"),
        ({"disable_reasons": 65537}, False, "by the user, blocked by policy"),
        ({"disable_reasons": [1 << 40]}, False, f"reason {1 << 40}"),
        ({"disable_reasons": [10**30]}, False, "for an unknown reason"),
        ({"disable_reasons": ["x", -1, None]}, True, ""),
    ],
)
def test_enabled_or_why_not(members: dict[str, object], enabled: bool, reasons: str) -> None:
    found = one(**members)
    assert (found.enabled, found.reasons) == (enabled, reasons)


@pytest.mark.parametrize("moment", ["", "-5", "99999999999999999999", "²", None, [], "0", "1"])
def test_a_moment_that_is_none_is_empty(moment: object) -> None:
    assert one(first_install_time=moment).installed == ""


def test_a_damaged_record_costs_itself() -> None:
    assert read(a=5, b={"path": 7, "location": "x"}, c=None) == {
        "a": None,
        "b": Setting("", 0, True, "", False, False, False, "", "", b""),
        "c": None,
    }


@pytest.mark.parametrize("data", [b"", b"[]", b'{"extensions": 1}', b'{"extensions": {"settings": []}}', b"{\xff"])
def test_a_damaged_file_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        list(chrome_preferences.settings(data))


def test_a_file_without_extensions_has_none() -> None:
    assert list(chrome_preferences.settings(b"{}")) == []


def test_a_real_profile_of_2014(corpora: Path) -> None:
    found = dict(chrome_preferences.settings((corpora / "plaso/test_data/Preferences").read_bytes()))
    assert None not in found.values()
    settings = {name: one for name, one in found.items() if one is not None}
    assert {name for name, one in settings.items() if one.location == 5} >= {"ahfgeienlihckogmohjhadlkjgocpleb"}
    drive = settings["apdfllckaahabafndbhieahigkjlhalf"]
    assert (drive.path, drive.by_default, drive.from_store) == ("apdfllckaahabafndbhieahigkjlhalf\\6.3_0", True, True)
    assert drive.installed == "2014-11-05T18:32:11Z"


@given(
    st.binary(max_size=100)
    | st.dictionaries(
        st.text(),
        st.none()
        | st.integers()
        | st.dictionaries(
            st.sampled_from((*Setting._fields, "disable_reasons", "first_install_time")),
            st.integers() | st.text() | st.lists(st.integers()),
        ),
    ).map(lambda value: json.dumps({"extensions": {"settings": value}}).encode())
)
@settings(max_examples=100)
def test_any_bytes_raise_value_errors_only(data: bytes) -> None:
    try:
        list(chrome_preferences.settings(data))
    except ValueError:
        return
