"""Manifests of native messaging hosts."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.browsers.native_messaging_host import NativeHost, native_host


def test_both_families_of_browsers() -> None:
    value = {
        "name": "com.kaspersky.host",
        "description": "A\nhost",
        "path": "/opt/x y/host",
        "type": "stdio",
        "allowed_origins": ["chrome-extension://abc/", "chrome-extension://abc/", 5, ""],
        "allowed_extensions": ["a@b"],
    }
    assert native_host(json.dumps(value).encode()) == NativeHost(
        "com.kaspersky.host", "A host", "/opt/x y/host", ("abc", "5", "a@b")
    )


@pytest.mark.parametrize("data", [b"", b"[]", b"5", b"{"])
def test_what_is_no_object_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        native_host(data)


@given(
    st.binary(max_size=60)
    | st.dictionaries(
        st.sampled_from(["name", "path", "allowed_origins"]),
        st.none() | st.integers() | st.text() | st.lists(st.none() | st.text()),
    ).map(lambda value: json.dumps(value).encode())
)
@settings(max_examples=80)
def test_any_bytes_raise_value_errors_only(data: bytes) -> None:
    try:
        native_host(data)
    except ValueError:
        return
