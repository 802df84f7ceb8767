"""Package URLs checked against packageurl-python, the reference implementation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.encodings.purl import purl

PackageURL = pytest.importorskip("packageurl").PackageURL

# A type without rules of its own, so that nothing is folded.
# Blanks at the ends, which that implementation strips, are left out.
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).map(str.strip).filter(bool)
SEGMENTS = TEXTS.filter(lambda text: "/" not in text)
NAMES = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join)


@given(NAMES, TEXTS, TEXTS)
def test_it_is_read_and_written_alike(name: str, version: str, arch: str) -> None:
    *namespace, last = name.split("/")
    url = purl("x", name, version, arch=arch)
    read = PackageURL.from_string(url)
    assert (read.namespace or "", read.name, read.version) == ("/".join(namespace), last, version)
    assert read.qualifiers == {"arch": arch}
    if "/" not in version:  # which the specification wants written out, and that implementation does not
        assert PackageURL("x", "/".join(namespace) or None, last, version, {"arch": arch}).to_string() == url


@pytest.mark.parametrize(
    "url",
    [
        purl("deb", "debian/kesl", "12.1.0-1543", arch="amd64", distro="debian-12"),
        purl("apk", "alpine/musl", "1.2.4-r4", arch="x86_64", distro="alpine-3.19.1"),
        purl("rpm", "fedora/bash", "5.2-1.fc40", arch="x86_64", distro="fedora-40", epoch="1"),
        purl("alpm", "arch/pacman", "1:6.0.1-1", arch="x86_64"),
        purl("npm", "@kaspersky/hexa-ui", "6.198.2"),
        purl("pypi", "opentip", "3.0"),
        purl("golang", "github.com/x/y", "v1.0.0"),
    ],
)
def test_urls_of_the_sources_are_canonical(url: str) -> None:
    assert PackageURL.from_string(url).to_string() == url
