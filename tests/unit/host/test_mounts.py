"""Which mounts are skipped."""

from pathlib import Path

import pytest
from phaseout.host.mounts import network_kind, unsafe_mounts

MOUNTINFO = rb"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - fuse.overlayfs overlay rw
30 27 0:40 / /mnt/nas\040one rw - nfs4 server:/export rw
31 27 0:41 / /home/ada/sshfs rw - fuse.sshfs host:/ rw
32 27 0:42 / /boot/efi rw - autofs systemd-1 rw
33 32 8:1 / /boot/efi rw - vfat /dev/sda1 rw
34 27 0:43 / /net rw - autofs auto.net rw
35 27 0:44 / /win rw - cifs //server/share rw
damaged line
36 27 0:45 / /data rw - ext4 /dev/sdb rw
"""


def test_network_fuse_and_automounts() -> None:
    assert unsafe_mounts(MOUNTINFO) == {
        "/mnt/nas one": "nfs4",
        "/home/ada/sshfs": "fuse.sshfs",
        "/net": "autofs",
        "/win": "cifs",
    }


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/mnt/nas one/fleet", "nfs4"),
        ("/mnt/nas onefold", ""),
        ("/home/ada/sshfs", "fuse.sshfs"),
        ("/boot/efi/x", ""),  # a disk on top of an automount
        ("/var/lib", ""),  # the root itself, whatever it is
        ("/data", ""),
    ],
)
def test_what_a_path_lies_on(path: str, kind: str) -> None:
    assert network_kind(path, MOUNTINFO) == kind


def test_names_with_what_unicode_calls_the_end_of_a_line() -> None:
    line = "31 27 0:41 / /home/ada/a\u2028b\x85c rw - fuse.sshfs host:/ rw\n"
    assert unsafe_mounts(line.encode()) == {"/home/ada/a\u2028b\x85c": "fuse.sshfs"}


def test_this_machine_is_not_skipped() -> None:
    assert "/" not in unsafe_mounts(Path("/proc/self/mountinfo").read_bytes())
