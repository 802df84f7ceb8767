"""Records of proxies."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.proxy_settings import ProxySettings, winhttp_settings, wininet_settings


def _text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("latin-1")


def wininet(flags: int, proxy: str = "", script: str = "") -> bytes:
    """A record of a connection."""
    return struct.pack("<III", 0x46, 9, flags) + _text(proxy) + _text("<local>") + _text(script) + bytes(32)


def winhttp(access: int, proxy: str) -> bytes:
    """The record of the services of Windows."""
    return struct.pack("<III", 0x18, 0, access) + _text(proxy) + _text("<local>")


def test_only_what_is_in_use_counts() -> None:
    record = {flags: wininet_settings(wininet(flags, "127.0.0.1:8080", "http://x/a.pac")) for flags in (1, 2, 4, 6, 9)}
    assert record[1] == record[9] == ProxySettings("")
    assert record[2] == ProxySettings("127.0.0.1:8080")
    assert record[4] == ProxySettings("", "http://x/a.pac")
    assert record[6] == ProxySettings("127.0.0.1:8080", "http://x/a.pac")
    assert wininet_settings(b"short") == ProxySettings("")


def test_the_services_of_windows() -> None:
    assert winhttp_settings(winhttp(1, "p:1")) == ProxySettings("")
    assert winhttp_settings(winhttp(2, "p:1")) == winhttp_settings(winhttp(3, "p:1")) == ProxySettings("p:1")


def test_a_text_beyond_the_end() -> None:
    with pytest.raises(ValueError, match="beyond the end"):
        wininet_settings(wininet(2, "127.0.0.1:8080")[:20])


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    for parse in (wininet_settings, winhttp_settings):
        try:
            parse(data)
        except ValueError as error:
            assert "beyond the end" in str(error)  # noqa: PT017
