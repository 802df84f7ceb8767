"""Policies that bring extensions."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.browsers.chrome_policy import Brought, brought, forcelist


def test_chromium() -> None:
    policies = {
        "ExtensionInstallForcelist": ["abc;https://store", "def", " ", 5, None],
        "ExtensionSettings": {
            "ghi,jkl": {"installation_mode": "normal_installed", "update_url": "https://x"},
            "mno": {"installation_mode": "blocked"},
            "pqr": "odd",
            "*": {"installation_mode": "force_installed"},
        },
    }
    found = list(brought(policies))
    assert found == [
        Brought("abc", "force_installed", "https://store"),
        Brought("def", "force_installed", ""),
        Brought("5", "force_installed", ""),
        Brought("ghi", "normal_installed", "https://x"),
        Brought("jkl", "normal_installed", "https://x"),
        Brought("mno", "blocked", ""),
        Brought("pqr", "allowed", ""),
    ]
    assert [one.installs for one in found] == [True] * 5 + [False] * 2


def test_firefox() -> None:
    policies = {
        "ExtensionSettings": {"a@b": {"installation_mode": "force_installed", "install_url": "https://x/a.xpi"}},
        "Extensions": {"Install": ["https://x/b.xpi", None], "Uninstall": ["c@d"]},
    }
    assert list(brought(policies)) == [
        Brought("", "force_installed", "https://x/b.xpi"),
        Brought("a@b", "force_installed", "https://x/a.xpi"),
    ]


def test_settings_may_be_json_in_a_text() -> None:
    text = json.dumps({"abc": {"installation_mode": "force_installed"}})
    assert list(brought({"ExtensionSettings": text})) == [Brought("abc", "force_installed", "")]
    with pytest.raises(ValueError):
        list(brought({"ExtensionSettings": "{"}))


@pytest.mark.parametrize(
    "odd", [None, [], "x", 5, {"ExtensionInstallForcelist": "x", "Extensions": [], "ExtensionSettings": []}]
)
def test_what_is_no_policy_brings_nothing(odd: object) -> None:
    assert list(brought(odd)) == []
    assert list(forcelist(odd)) == []


VALUES = (
    st.none()
    | st.text(max_size=9)
    | st.lists(st.text(max_size=9) | st.none())
    | st.dictionaries(
        st.text(max_size=5), st.none() | st.text(max_size=5) | st.dictionaries(st.text(max_size=5), st.text(max_size=5))
    )
)


@given(st.dictionaries(st.sampled_from(["ExtensionInstallForcelist", "ExtensionSettings", "Extensions", "x"]), VALUES))
@settings(max_examples=80)
def test_any_value_raises_value_errors_only(policies: object) -> None:
    try:
        list(brought(policies))
    except ValueError:
        return
