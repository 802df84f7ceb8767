"""Whether only the administrator can have written a file: configuration of a privileged scan is taken from no other.

A file is as trustworthy as every folder above it and every link on the way to it, since who can write a folder can put
something else under each of its names.

References:
    path_resolution(7), acl(5) (the group bits of a file with an access control list are its mask, so they show every
    entry that may write); on Windows see `phaseout.host.windows.ownership`.
"""

import errno
import os
import stat
import sys
from collections.abc import Iterator

_LINKS = 40
_OTHERS = stat.S_IWOTH
_GROUP = stat.S_IWGRP
_ADMIN_GROUPS = frozenset((0, 80)) if sys.platform == "darwin" else frozenset()  # wheel and admin of macOS


def privileged() -> bool:
    """Whether this process has rights that an ordinary user must not direct: root; on Windows every process.

    An ordinary user of Windows can plant a file for another one as well, and has no configuration of their own.
    """
    return sys.platform == "win32" or os.geteuid() == 0


def writable_by_others(path: str) -> str:
    """Who besides the administrator can change what a path leads to, with the place; empty if nobody can.

    Args:
        path: of a file or folder; it may be relative.

    Raises:
        OSError: it leads nowhere, or the system does not say.
    """
    if sys.platform == "win32":
        from phaseout.host.windows.ownership import writable_by_others as on_windows

        return on_windows(os.path.abspath(path))
    for place, status in _way(os.path.abspath(path)):
        if status.st_uid != 0:
            return f"{place}: it belongs to user {status.st_uid}, not to root"
        if stat.S_ISLNK(status.st_mode):
            continue  # its mode means nothing, and who can replace it can write its folder
        if status.st_mode & _OTHERS:
            return f"{place}: every user can write it"
        if status.st_mode & _GROUP and status.st_gid not in _ADMIN_GROUPS:
            return f"{place}: group {status.st_gid} can write it"
    return ""


def _way(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Each folder and link on the way from the root to what the path leads to, and that itself."""
    here = "/"
    yield here, os.lstat(here)
    waiting = [name for name in reversed(path.split("/")) if name]
    links = 0
    while waiting:
        name = waiting.pop()
        if name == "..":
            here = os.path.dirname(here)
            continue
        there = os.path.join(here, name)
        status = os.lstat(there)
        yield there, status
        if not stat.S_ISLNK(status.st_mode):
            here = there
            continue
        links += 1
        if links > _LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        target = os.readlink(there)
        here = "/" if target.startswith("/") else here
        waiting += [part for part in reversed(target.split("/")) if part not in {"", "."}]
