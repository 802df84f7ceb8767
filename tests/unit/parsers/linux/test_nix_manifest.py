"""Manifests of profiles of Nix, and names in its store."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.nix_manifest import manifest_json, manifest_nix
from phaseout.parsers.linux.store_name import split, store_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kesl-12.1.0.1543", ("kesl", "12.1.0.1543")),
        ("adb-sync-unstable-2019-01-01", ("adb-sync-unstable", "2019-01-01")),
        ("openssl-3.0.13-bin", ("openssl", "3.0.13")),
        ("hello", ("hello", "")),
        ("x-", ("x-", "")),
    ],
)
def test_name_and_version(name: str, expected: tuple[str, str]) -> None:
    assert split(name) == expected


def test_names_in_the_store() -> None:
    assert store_name("/nix/store/7533mbqgl8hhy26h0p62f5pa7k557bxx-hello-2.12.1") == "hello-2.12.1"
    assert store_name("/elsewhere/hello-1") == "hello-1"


def test_switched_off_elements_are_not_in_the_profile() -> None:
    data = b'{"elements":[{"active":false,"storePaths":["/nix/store/x-a-1"]},{"storePaths":["/nix/store/x-b-1"]}]}'
    assert [element.path for element in manifest_json(data)] == ["/nix/store/x-b-1"]


def test_real_captures(corpora: Path) -> None:
    captures = corpora / "captures"
    if not (captures / "nix-2.26").is_dir():
        pytest.skip(f"not here: {captures}/nix-2.26")
    expressions = [path.read_bytes() for path in captures.glob("nix-2.26/nix/store/*-env-manifest.nix")]
    names = {element.name for data in expressions for element in manifest_nix(data)}
    assert {"hello-2.12.1", "kesl-12.1.0.1543", "adb-sync-unstable-2019-01-01"} <= names
    for version in ("nix-2.26", "nix-2.8"):
        found = [path.read_bytes() for path in captures.glob(f"{version}/nix/store/*-profile/manifest.json")]
        assert {"hello-2.12.1"} <= {element.name for data in found for element in manifest_json(data)}


@given(data=st.binary() | st.text(alphabet='[]{}"\\;= nameoutPath').map(str.encode))
def test_any_input_is_a_list_or_damaged(data: bytes) -> None:
    for parse in (manifest_json, manifest_nix):
        try:
            assert isinstance(parse(data), list)
        except ValueError:
            continue
