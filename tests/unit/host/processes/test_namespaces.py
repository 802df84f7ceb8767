"""Mounts that only the processes of one namespace see."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from phaseout.host.mounts import mounts
from phaseout.host.processes.namespaces import covering

OURS = b"""\
20 1 8:1 / / rw - ext4 /dev/sda1 rw
21 20 8:2 / /home rw - ext4 /dev/sda2 rw
22 20 0:30 / /tmp rw - tmpfs tmpfs rw
"""


def hidden(more: bytes, *homes: str) -> list[str]:
    return [mount.point for mount in covering(OURS + more, mounts(OURS), homes)]


@pytest.mark.parametrize("point", ["/home/ada/.config/google-chrome", "/home", "/opt", "/usr/local/bin", "/data/bob"])
def test_a_file_system_over_a_home_or_a_folder_of_programs(point: str) -> None:
    mount = b"99 20 0:99 / " + point.encode() + b" rw - tmpfs none rw\n"
    assert hidden(mount, "/data/bob") == [point]


@pytest.mark.parametrize(
    "mount",
    [b"99 20 8:2 /ada/x /home/ada/.config/google-chrome rw - ext4 /d rw", b"99 20 0:30 /x /opt rw - tmpfs tmpfs rw"],
)
def test_another_folder_of_our_own_over_a_home_or_programs(mount: bytes) -> None:
    assert hidden(mount, "/home/ada") == [mount.split()[4].decode()]


@pytest.mark.parametrize(
    "mount",
    [
        b"99 20 0:99 / /run/user/1000 rw - tmpfs none rw",  # no place of programs
        b"99 20 0:99 / /homestead rw - tmpfs none rw",
        b"99 20 8:2 /ada/y /home/ada/y ro - ext4 /dev/sda2 rw",  # what we see there, as sandboxes protect it
        b"99 20 8:1 /opt /opt ro - ext4 /dev/sda1 rw",
        b"99 20 0:99 / /home/ada/.local/share/containers/storage/overlay/1/merged rw - overlay overlay rw",
        b"99 20 0:99 / / rw - overlay overlay rw\n98 99 0:98 / /opt rw - tmpfs tmpfs rw",  # another root altogether
    ],
)
def test_what_is_ordinary(mount: bytes) -> None:
    assert hidden(mount, "/home/ada") == []


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_a_real_namespace(tmp_path: Path) -> None:
    from phaseout.host.processes.linux import processes
    from phaseout.model.nouns import Problem

    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("needs unshare")
    (tmp_path / "profile").mkdir()
    script = f'mount -t tmpfs none "{tmp_path}/profile" && echo ready && exec sleep 60'
    with subprocess.Popen([unshare, "-Urm", "sh", "-c", script], stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            if child.stdout.readline() != b"ready\n":
                pytest.skip("no user namespaces here")
            problems = [one for one in processes({}, [str(tmp_path)]) if isinstance(one, Problem)]
        finally:
            child.kill()
    assert [(one.where, one.cause) for one in problems if str(tmp_path) in one.where] == [
        (str(tmp_path / "profile"), "unsupported")
    ]
    assert str(child.pid) in problems[0].why
