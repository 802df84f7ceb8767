"""What Podman notes on disk."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.containers.container_storage import (
    StoredContainer,
    StoredImage,
    config_file,
    stored_containers,
    stored_images,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "names", "layer", "metadata", "image", "created"]), inner, max_size=4)
    ),
    max_leaves=8,
)


def test_containers() -> None:
    records = [
        {
            "id": "7ef3",
            "names": ["web"],
            "image": "4ca4",
            "layer": "47d4",
            "metadata": '{"image-name": "example.org/made/two:2"}',
            "created": "2026-11-21T19:28:30Z",
        },
        {"id": "1", "names": "x", "metadata": "{"},
        {"names": ["nobody"]},
        3,
    ]
    assert stored_containers(json.dumps(records).encode()) == [
        StoredContainer("7ef3", "web", "example.org/made/two:2", "4ca4", "47d4", "2026-11-21T19:28:30Z"),
        StoredContainer("1", "", "", "", "", ""),
        None,
        None,
    ]


def test_images() -> None:
    records = [{"id": "b2", "names": ["a:1", None, "b:2"], "layer": "f5"}, {}]
    assert stored_images(json.dumps(records).encode()) == [StoredImage("b2", ("a:1", "b:2"), "f5", ""), None]


def test_the_file_of_a_configuration() -> None:
    """As a real Podman named it."""
    image = "4ca427e242373dccc33bdc17bec129653d804f6de55e85bd823c06f20e398449"
    assert config_file(image) == (
        "=c2hhMjU2OjRjYTQyN2UyNDIzNzNkY2NjMzNiZGMxN2JlYzEyOTY1M2Q4MDRmNmRlNTVlODViZDgyM2MwNmYyMGUzOTg0NDk="
    )


@pytest.mark.parametrize("data", [b"", b"{}", b"3", b"[", b"\xff"])
def test_what_is_no_array(data: bytes) -> None:
    for parse in (stored_containers, stored_images):
        with pytest.raises(ValueError):
            parse(data)


@given(st.binary(max_size=60) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_and_types(data: bytes) -> None:
    for parse in (stored_containers, stored_images):
        with contextlib.suppress(ValueError):
            parse(data)


@given(st.text(max_size=20))
def test_any_id(image: str) -> None:
    assert "/" not in config_file(image)[:1]
