"""What a package for Node.js says of itself."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.languages.npm_package import Package, npm_purl, package

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "email", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def test_a_package() -> None:
    data = (
        b'{"name": "@kaspersky/hexa-ui", "version": "6.198.2", "author": "AO Kaspersky Lab", "homepage": "https://x"}'
    )
    assert package(data) == Package("@kaspersky/hexa-ui", "6.198.2", "AO Kaspersky Lab", "https://x")
    assert package(b"\xef\xbb\xbf" + data).name == "@kaspersky/hexa-ui"


@pytest.mark.parametrize(
    ("people", "vendor"),
    [
        ({"author": "Ada <ada@example.org> (https://ada.example.org)"}, "Ada"),
        ({"author": {"name": "Ada", "email": "ada@example.org"}}, "Ada"),
        ({"author": "<ada@example.org>"}, "<ada@example.org>"),
        ({"author": {"email": "x"}, "maintainers": ["Ada <a@x>", {"name": "Bob"}, 3, None]}, "Ada, Bob, 3"),
        ({"author": ["Ada"], "maintainers": {"name": "Bob"}}, ""),
        ({}, ""),
    ],
)
def test_vendor_is_the_author_else_the_maintainers(people: object, vendor: str) -> None:
    assert package(json.dumps(people).encode()).vendor == vendor


@pytest.mark.parametrize("data", [b"", b"[]", b"3", b'{"name": ', b"\xff", b"[" * 100_000])
def test_what_is_no_object(data: bytes) -> None:
    with pytest.raises(ValueError):
        package(data)


def test_scopes_in_package_urls() -> None:
    assert npm_purl("@kaspersky/hexa-ui", "6.198.2") == "pkg:npm/%40kaspersky/hexa-ui@6.198.2"
    assert npm_purl("npm", "") == "pkg:npm/npm"


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    try:
        found = package(data)
    except ValueError:
        return
    assert all(isinstance(field, str) for field in found)


@given(st.dictionaries(st.sampled_from(["name", "version", "author", "maintainers", "homepage"]), ANYTHING, max_size=5))
def test_any_types(members: dict[str, object]) -> None:
    found = package(json.dumps(members).encode())
    assert all(isinstance(field, str) for field in found)
    npm_purl(found.name, found.version)
