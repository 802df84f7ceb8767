"""Mounts that a scan must not step into: network, FUSE and automount points.

Touching a dead NFS or SSHFS mount hangs the process that does it, and touching an automount mounts it.

References:
    proc_pid_mountinfo(5), Documentation/filesystems/proc.rst section 3.5 of the Linux kernel.
"""

import re

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
_OCTAL = re.compile(r"\\([0-7]{3})")


def unsafe_mounts(mountinfo: bytes) -> dict[str, str]:
    """Mount point → file system type of every mount that is to be left alone.

    The last mount on a point is the one that is seen, so an automount under a mounted local disk does not count.
    The root itself is the machine, whatever it is made of, and always looked at.
    """
    seen: dict[str, str] = {}
    for line in mountinfo.decode("utf-8", "surrogateescape").split("\n"):
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if not dash or len(fields) < 6:
            continue
        point = _OCTAL.sub(lambda found: chr(int(found[1], 8) & 0xFF), fields[4])
        seen[point] = after.split(" ", 1)[0]
    return {point: kind for point, kind in seen.items() if point != "/" and _unsafe(kind)}


def _unsafe(kind: str) -> bool:
    return kind in _NETWORK or kind == "autofs" or kind.startswith("fuse")
