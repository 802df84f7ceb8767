"""Databases of dconf, written by dconf itself."""

import contextlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.dconf_database import settings

from tests.support.gvdb_writer import database

PROXY: dict[str, str | int | bool] = {
    "/system/proxy/mode": "manual",
    "/system/proxy/use-same-proxy": True,
    "/system/proxy/http/host": "127.0.0.1",
    "/system/proxy/http/port": 8080,
}
OTHER: dict[str, str | int | bool] = {"/org/gnome/name": "x", "/system/proxyless": "y"}


def test_what_lies_in_a_folder() -> None:
    assert settings(database(PROXY | OTHER), "/system/proxy/") == PROXY
    assert settings(database({}), "/system/proxy/") == {}
    assert settings(database(PROXY, order=">"), "/system/proxy/") == PROXY


def test_what_dconf_writes(tmp_path: Path) -> None:
    if not shutil.which("dconf"):
        pytest.skip("not installed: dconf")
    keys = tmp_path / "keys.d"
    keys.mkdir()
    (keys / "local").write_text(
        "[system/proxy]\nmode='manual'\nuse-same-proxy=true\nignore-hosts=['a', 'b']\n"
        "[system/proxy/http]\nhost='127.0.0.1'\nport=8080\n[org/gnome]\nname='ü'\n"
    )
    subprocess.run(["dconf", "compile", tmp_path / "user", keys], check=True)
    assert settings((tmp_path / "user").read_bytes(), "/system/proxy/") == PROXY
    assert settings((tmp_path / "user").read_bytes(), "/org/") == {"/org/gnome/name": "ü"}


@given(st.binary(max_size=200))
def test_other_bytes(data: bytes) -> None:
    for text in (data, b"GVariant" + data):
        with contextlib.suppress(ValueError):
            assert isinstance(settings(text, "/"), dict)


@given(st.data())
def test_damage(data: st.DataObject) -> None:
    good = bytearray(database(PROXY))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(8, len(good) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        assert isinstance(settings(bytes(good[: data.draw(st.integers(8, len(good)))]), "/"), dict)
