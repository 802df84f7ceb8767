"""Safari's lists of extensions."""

import datetime as dt
import plistlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.browsers.safari_extensions import SafariExtension, safari_extensions


@pytest.mark.parametrize("fmt", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_extensions_of_apps(fmt: plistlib.PlistFormat) -> None:
    value = {
        "com.kaspersky.urla (2Y8XE5CQ94)": {"Enabled": True, "AddedDate": dt.datetime(2024, 1, 31, 12, 0, 0)},  # noqa: DTZ001
        "com.example.x (UNSIGNED)": {"Enabled": False},
        "com.example.y": {"Enabled": "x", "AddedDate": {"NS.time": 5}},
        "odd": 5,
    }
    assert list(safari_extensions(plistlib.dumps(value, fmt=fmt, sort_keys=False))) == [
        SafariExtension("com.kaspersky.urla", "com.kaspersky.urla", "2Y8XE5CQ94", "", True, "2024-01-31T12:00:00Z"),
        SafariExtension("com.example.x", "com.example.x", "", "", False, ""),
        SafariExtension("com.example.y", "com.example.y", "", "", None, ""),
        None,
    ]


def test_legacy_extensions() -> None:
    value = {
        "Installed Extensions": [
            {"Archive File Name": "X-1.safariextz", "Bundle Directory Name": "X.safariextension", "Enabled": True},
            {"Archive File Name": "Y.safariextz"},
            {},
            5,
        ]
    }
    assert list(safari_extensions(plistlib.dumps(value))) == [
        SafariExtension("X", "", "", "X-1.safariextz", True, ""),
        SafariExtension("Y", "", "", "Y.safariextz", None, ""),
        None,
        None,
    ]


@pytest.mark.parametrize("data", [b"", b"bplist00", b"<plist><array/></plist>", b"x" * 50])
def test_damage_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        list(safari_extensions(data))


@given(st.binary(max_size=100) | st.binary(max_size=60).map(lambda data: b"bplist00" + data))
@settings(max_examples=100)
def test_any_bytes_raise_value_errors_only(data: bytes) -> None:
    try:
        list(safari_extensions(data))
    except ValueError:
        return
