"""Package URLs."""

from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.encodings.purl import name_and_version, purl


def test_what_is_empty_is_left_out() -> None:
    assert purl("apk", "musl", "1.2.4-r4", arch="x86_64") == "pkg:apk/musl@1.2.4-r4?arch=x86_64"
    assert purl("rpm", "bash", "5-1", arch="", epoch="1") == "pkg:rpm/bash@5-1?epoch=1"
    assert purl("alpm", "musl", "", arch="any") == "pkg:alpm/musl?arch=any"
    assert purl("alpm", "musl") == "pkg:alpm/musl"


def test_what_would_be_read_otherwise_is_written_out() -> None:
    assert purl("npm", "@scope/name", "1.0.0+build") == "pkg:npm/%40scope/name@1.0.0%2Bbuild"
    assert purl("brew", "python@3.13", "3.13 (x)/1#2?3") == "pkg:brew/python%403.13@3.13%20%28x%29%2F1%232%3F3"
    assert purl("deb", "caf\udce9", "1:2~3+deb12") == "pkg:deb/caf%E9@1:2~3%2Bdeb12"
    assert purl("scoop", "half \ud800") == "pkg:scoop/half%20%ED%A0%80"


@given(st.text(min_size=1, max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_it_can_be_read_back(name: str, version: str, arch: str) -> None:
    name, version, arch = (one.encode("utf-8", "replace").decode() for one in (name, version, arch))
    head, _, qualifiers = purl("x", name, version, arch=arch).partition("?")
    path, _, told = head.removeprefix("pkg:x/").partition("@")
    assert (unquote(path), unquote(told)) == (name, version)
    assert parse_qsl(qualifiers) == ([("arch", arch)] if arch else [])


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("pkg:deb/debian/bash@5.2.37-2%2Bb5?arch=amd64&upstream=bash%405", ("bash", "5.2.37-2+b5")),
        ("pkg:npm/%40scope/name@1.0", ("@scope/name", "1.0")),
        ("pkg:npm/@scope/name", ("@scope/name", "")),
        ("pkg:maven/org.apache/commons@1", ("org.apache:commons", "1")),
        ("pkg:golang/example.org/a/b@v1#sub", ("example.org/a/b", "v1")),
        ("pkg:pypi/demo", ("demo", "")),
        ("https://example.org", ("", "")),
        ("pkg:pypi", ("", "")),
    ],
)
def test_name_and_version(url: str, found: tuple[str, str]) -> None:
    assert name_and_version(url) == found
