"""Where engines keep everything."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.containers.engine_settings import Storage, docker_flags, docker_root, expanded, storage


@pytest.mark.parametrize(
    ("written", "folders"),
    [
        ("ExecStart=/usr/bin/dockerd -H fd:// --data-root /data/docker\n", ["/data/docker"]),
        ("ExecStart=/usr/bin/dockerd --data-root=/data/docker --x\n", ["/data/docker"]),
        ("ExecStart=/usr/bin/dockerd -g /data/a\n", ["/data/a"]),
        ('DOCKER_OPTS="--graph=/data/a"\n', ["/data/a"]),
        ("OPTIONS='--selinux-enabled -g /data/a'\n", ["/data/a"]),
        ("ExecStart=/usr/bin/dockerd \\\n  --data-root \\\n /data/a\n", ["/data/a"]),
        ("# ExecStart=/usr/bin/dockerd --data-root /no\n", []),
        ("ExecStart=/usr/bin/dockerd --log-g /no --graph-x /no\n", []),
    ],
)
def test_folders_on_a_command_line(written: str, folders: list[str]) -> None:
    assert docker_flags(written) == (folders, [])


def test_another_settings_file() -> None:
    assert docker_flags("ExecStart=/usr/bin/dockerd --config-file=/srv/d.json\n") == ([], ["/srv/d.json"])


def test_folders_in_settings() -> None:
    assert docker_root(b'{"data-root": "/a", "graph": "/b"}') == "/a"
    assert docker_root(b'{"graph": "/b"}') == "/b"
    text = b'[storage]\ngraphroot="/g"\nimagestore="/i"\nrootless_storage_path="$HOME/r"\n'
    text += b'[storage.options]\nadditionalimagestores=["/a"]\n'
    assert storage(text) == Storage("/g", "$HOME/r", ("/i", "/a"))
    assert storage(b'[crio]\nroot = "/c"\n') == Storage("/c", "", ())


def test_variables() -> None:
    variables = {"HOME": "/home/ada", "UID": "1000"}
    assert expanded("${HOME}/pods/$UID/", variables) == "/home/ada/pods/1000"
    assert expanded("$XDG_DATA_HOME/pods", variables) == ""


@given(data=st.binary() | st.text().map(str.encode))
def test_any_input_is_read_or_damaged(data: bytes) -> None:
    for parse in (docker_root, storage):
        with contextlib.suppress(ValueError):
            parse(data)
    docker_flags(data.decode("utf-8", "replace"))
