"""Mounts that a scan must skip (network, FUSE and automount points), and the file systems of the kernel itself.

Touching a dead NFS or SSHFS mount hangs the process that does it, and touching an automount mounts it.

References:
    proc_pid_mountinfo(5), Documentation/filesystems/proc.rst section 3.5 of the Linux kernel.
"""

from typing import NamedTuple

from phaseout.model.regex import regex

_NETWORK = frozenset(
    (
        *(
            "9p",
            "afs",
            "beegfs",
            "ceph",
            "cifs",
            "coda",
            "davfs",
            "gfs",
            "gfs2",
            "glusterfs",
            "gpfs",
            "lustre",
            "ncpfs",
        ),
        *("nfs", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2", "shfs", "smb2", "smb3", "smbfs"),
        *("vboxsf", "virtiofs", "vmhgfs"),
    )
)
_KERNEL = frozenset(
    (
        *("binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs"),
        *("fusectl", "mqueue", "nfsd", "nsfs", "proc", "pstore", "rpc_pipefs", "securityfs", "selinuxfs", "sysfs"),
        "tracefs",
    )
)
_OCTAL = regex(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """A mounted file system.

    Attributes:
        point: the folder that it is mounted on.
        kind: the type of the file system.
        device: its device number, as in `os.stat_result.st_dev`.
        root: the folder of the file system that is seen there; not `/` where a folder was mounted (a bind mount).
    """

    point: str
    kind: str
    device: int
    root: str = "/"


def mounts(mountinfo: bytes) -> tuple[Mount, ...]:
    """Every mount in the order in which they were made; damaged lines are skipped."""
    found: list[Mount] = []
    for line in mountinfo.decode("utf-8", "surrogateescape").split("\n"):
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if not dash or len(fields) < 6:
            continue
        root, point = (_OCTAL.sub(lambda found: chr(int(found[1], 8) & 0xFF), field) for field in fields[3:5])
        major, _, minor = fields[2].partition(":")
        numbers = major.isdecimal() and minor.isdecimal() and len(fields[2]) < 20
        device = _device(int(major), int(minor)) if numbers else -1
        found.append(Mount(point, after.split(" ", 1)[0], device, root))
    return tuple(found)


def unsafe_mounts(mountinfo: bytes) -> dict[str, str]:
    """Mount point → file system type of every mount that is to be skipped.

    The last mount on a point is the one that is seen, so an automount under a mounted local disk does not count.
    The root itself is the machine, whatever its file system, and always read.
    """
    seen = {mount.point: mount.kind for mount in mounts(mountinfo)}
    return {point: kind for point, kind in seen.items() if point != "/" and _unsafe(kind)}


def network_kind(path: str, mountinfo: bytes) -> str:
    """The type of the network or FUSE file system that a path lies on; empty if it is on a disk of this machine.

    FUSE shows local disks as well, as type `fuseblk`.

    Args:
        path: absolute, without links.
        mountinfo: as in `/proc/self/mountinfo`.
    """
    covering = [one for one in mounts(mountinfo) if f"{path}/".startswith(f"{one.point.rstrip('/')}/")]
    last = max(covering, key=lambda one: len(one.point), default=None)
    if last is None or last.point == "/":
        return ""
    kind = [one.kind for one in covering if one.point == last.point][-1]
    return kind if _unsafe(kind) and kind != "fuseblk" else ""


def own_mountinfo() -> bytes:
    """The mounts of the machine that this runs on; empty where it is no Linux."""
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            return file.read(8 << 20)
    except OSError:
        return b""


def kernel_devices(mountinfo: bytes) -> frozenset[int]:
    """The device numbers of the file systems of the kernel itself, such as `/proc` and `/sys`."""
    return frozenset(mount.device for mount in mounts(mountinfo) if mount.kind in _KERNEL)


def _unsafe(kind: str) -> bool:
    return kind in _NETWORK or kind == "autofs" or kind.startswith("fuse")


def _device(major: int, minor: int) -> int:
    """The number that stat(2) of Linux shows, put together as makedev(3) does."""
    return (major & 0xFFF) << 8 | (major & ~0xFFF) << 32 | minor & 0xFF | (minor & ~0xFF) << 12
