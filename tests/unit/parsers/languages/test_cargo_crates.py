"""What `cargo install` notes."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.languages.cargo_crates import Crate, crates_json, crates_toml

REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"
JSON = f'{{"installs": {{"ripgrep 13.0.0 ({REGISTRY})": {{"version_req": null, "bins": ["rg"], "features": []}}}}}}'
TOML = f'[v1]\n"ripgrep 13.0.0 ({REGISTRY})" = ["rg"]\n'


def test_both_files_tell_the_same() -> None:
    expected = [Crate("ripgrep", "13.0.0", REGISTRY, ("rg",))]
    assert crates_json(JSON.encode()) == expected
    assert crates_toml(TOML.encode()) == expected


def test_odd_shapes() -> None:
    assert crates_json(b"{}") == []
    assert crates_json(b'{"installs": []}') == []
    assert crates_json(b'{"installs": {"x": 3, "": {"bins": [1, "b", null]}}}') == [
        Crate("x", "", "", ()),
        Crate("", "", "", ("1", "b")),
    ]
    assert crates_toml(b"v1 = 3") == []


@pytest.mark.parametrize("data", [b"", b"[", b"\xff", b"[" * 10_000])
def test_damage_is_told(data: bytes) -> None:
    with pytest.raises(ValueError):
        crates_json(data)


@pytest.mark.parametrize("data", [b"[", b"\xff", b"v1 = " + b"[" * 10_000])
def test_damage_of_toml_is_told(data: bytes) -> None:
    with pytest.raises(ValueError):
        crates_toml(data)


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    for parse in (crates_json, crates_toml):
        with contextlib.suppress(ValueError):
            assert all(isinstance(crate, Crate) for crate in parse(data))
