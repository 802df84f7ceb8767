"""Proxies of browsers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.browsers.proxies import (
    of_chromium_policies,
    of_chromium_preferences,
    of_mozilla_policies,
    of_mozilla_preferences,
)
from phaseout.parsers.windows.proxy_settings import ProxySettings

NONE = ProxySettings("")


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ({"ProxyMode": "fixed_servers", "ProxyServer": "a:1", "ProxyPacUrl": "x"}, ProxySettings("a:1")),
        ({"ProxyMode": "direct", "ProxyServer": "a:1"}, NONE),
        ({"ProxySettings": {"ProxyMode": "pac_script", "ProxyPacUrl": "file:///x"}}, ProxySettings("", "file:///x")),
        ({"ProxySettings": '{"ProxyMode": "fixed_servers", "ProxyServer": "b:2"}'}, ProxySettings("b:2")),
        ({"ProxySettings": ""}, NONE),
        (None, NONE),
        ([1], NONE),
    ],
)
def test_chromium_policies(policies: object, expected: ProxySettings) -> None:
    assert of_chromium_policies(policies) == expected


def test_what_should_be_json_and_is_not() -> None:
    with pytest.raises(ValueError, match="truncated"):
        of_chromium_policies({"ProxySettings": "{"})


def test_chromium_preferences() -> None:
    assert of_chromium_preferences(b'{"proxy": {"mode": "pac_script", "pac_url": "p"}}') == ("", "p")
    assert of_chromium_preferences(b'{"proxy": {"mode": "system"}}') == NONE
    assert of_chromium_preferences(b"not read without the word") == NONE


def test_mozilla_policies() -> None:
    manual = {"Mode": "manual", "HTTPProxy": "a:1", "SSLProxy": "b:2", "AutoConfigURL": "unused"}
    assert of_mozilla_policies({"Proxy": manual}) == ("http=a:1;ssl=b:2", "")
    assert of_mozilla_policies({"Proxy": {"Mode": "autoConfig", "AutoConfigURL": "p"}}) == ("", "p")
    assert of_mozilla_policies({"Proxy": {"Mode": "none", "HTTPProxy": "a:1"}}) == NONE


def test_mozilla_preferences() -> None:
    lines = 'user_pref("network.proxy.http", "127.0.0.1");\nuser_pref("network.proxy.http_port", 8080);\n'
    assert of_mozilla_preferences(lines) == NONE
    assert of_mozilla_preferences(f'{lines}user_pref("network.proxy.type", 1);') == ("http=127.0.0.1:8080", "")
    script = 'user_pref("network.proxy.type", 2);\nuser_pref("network.proxy.autoconfig_url", "file:///p");\n'
    assert of_mozilla_preferences(script) == ("", "file:///p")
    assert of_mozilla_preferences(f"// {script}") == NONE


@given(st.recursive(st.none() | st.text() | st.integers(), lambda one: st.dictionaries(st.text(), one)))
def test_nothing_is_raised_but_value_errors(value: object) -> None:
    of_mozilla_policies({"Proxy": value})
    of_chromium_policies({"ProxySettings": value if isinstance(value, dict) else None})
