"""What Docker notes on disk."""

import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.containers.docker_config import (
    DockerContainer,
    chain_id,
    docker_container,
    image_config,
    repositories,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["ID", "Config", "State", "Labels", "Repositories", "rootfs", "diff_ids", "config", "Args"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
NEVER = "0001-01-01T00:00:00Z"


def test_a_container() -> None:
    found = docker_container(
        json.dumps(
            {
                "ID": "1e6a",
                "Name": "/web",
                "Created": "2026-11-21T19:29:10Z",
                "Driver": "overlay2",
                "Path": "/bin/x",
                "Args": ["a", 3],
                "State": {"Running": False, "StartedAt": NEVER},
                "Config": {"Image": "two:2", "Labels": {"org.opencontainers.image.vendor": "AO Kaspersky Lab"}},
                "Image": "sha256:6fe3",
            }
        ).encode()
    )
    assert found == DockerContainer(
        "1e6a",
        "web",
        "two:2",
        "sha256:6fe3",
        "created",
        "/bin/x a 3",
        "AO Kaspersky Lab",
        "2026-11-21T19:29:10Z",
        "overlay2",
        False,
    )


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ({"Running": True, "StartedAt": "2026-01-01T00:00:00Z"}, "running"),
        ({"Running": True, "Paused": True}, "paused"),
        ({"Running": True, "Restarting": True}, "restarting"),
        ({"Dead": True}, "dead"),
        ({"Running": "yes", "StartedAt": "2026-01-01T00:00:00Z"}, "exited"),
        ({"StartedAt": NEVER}, "created"),
        (None, "created"),
    ],
)
def test_state_in_the_words_of_docker(state: object, word: str) -> None:
    assert docker_container(json.dumps({"State": state}).encode()).state == word


def test_names_by_digest_only_where_there_is_no_other() -> None:
    data = {
        "Repositories": {
            "a": {"a:1": "sha256:1", "a@sha256:9": "sha256:1", "a:2": "sha256:1"},
            "b": {"b@sha256:8": "sha256:2"},
            "c": None,
        }
    }
    assert repositories(json.dumps(data).encode()) == {"sha256:1": ["a:1", "a:2"], "sha256:2": ["b@sha256:8"]}


def test_chain_ids() -> None:
    """As a real Docker named the folder of a layer with one below it."""
    lower = "sha256:f5f1d60595f3969a82352c0d497e00cd05148cae315b5d0bf382359e859a31a2"
    upper = "sha256:60dfa50c2e7260821174eecc84fe75f292159043bd5ce7a7ac4324f09614cdf3"
    assert chain_id((lower,)) == lower
    assert chain_id((lower, upper)) == "sha256:9ef0fb76c1962f17f8ac61a431fc37b24b3be29722f29106829009ce7823d5fa"
    assert chain_id(()) == ""


@given(st.binary(max_size=60) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_and_types(data: bytes) -> None:
    parsers: tuple[Callable[[bytes], object], ...] = (docker_container, image_config, repositories)
    for parse in parsers:
        with suppress(ValueError):
            parse(data)
