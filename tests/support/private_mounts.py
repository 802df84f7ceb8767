"""A mount namespace of this process alone, in which nothing that is written reaches the machine.

References:
    unshare(2), setns(2), mount_namespaces(7); https://docs.kernel.org/filesystems/overlayfs.html
"""

import contextlib
import ctypes
import functools
import os
from collections.abc import Iterator
from pathlib import Path

COVERED = ("/etc", "/opt", "/var", "/usr", "/home", "/root", "/srv", "/boot")
_CLONE_NEWNS = 0x20000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 32, 4096, 16384, 1 << 18
_DETACH = 2


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mounts a file system, with the arguments of the system call.

    Raises:
        OSError: the system refuses.
    """
    if _libc().mount(source.encode(), os.fsencode(target), kind.encode() or None, flags, options.encode() or None):
        number = ctypes.get_errno()
        raise OSError(number, f"mount {target}: {os.strerror(number)}")


def unmount(target: str) -> None:
    """Takes a mount away, also one that is in use or does not answer."""
    _libc().umount2(os.fsencode(target), _DETACH)


@contextlib.contextmanager
def private_mounts(layers: Path, kept: Path) -> Iterator[None]:
    """This process and what it starts see every folder of the system under an overlay, and the rest read-only.

    Args:
        layers: an empty folder; what is written goes there, into memory.
        kept: the folder of temporary files; what is written there really is.

    Raises:
        OSError: no such namespace can be made here.
    """
    outside = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY)
    if _libc().unshare(_CLONE_NEWNS):
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)}")
    try:
        mount("none", "/", flags=_RECURSIVE | _PRIVATE)
        mount("none", str(layers), "tmpfs")
        mount(str(kept), str(kept), flags=_BIND | _RECURSIVE)
        for folder in COVERED:
            if os.path.isdir(folder) and not os.path.islink(folder) and not kept.is_relative_to(folder):
                upper, work = (layers / f"{folder[1:]}-{part}" for part in ("upper", "work"))
                upper.mkdir()
                work.mkdir()
                mount("overlay", folder, "overlay", options=f"lowerdir={folder},upperdir={upper},workdir={work}")
        mount("none", "/", flags=_REMOUNT | _BIND | _READ_ONLY)
        yield
    finally:
        if _libc().setns(outside, _CLONE_NEWNS):
            number = ctypes.get_errno()
            raise OSError(number, f"setns: {os.strerror(number)}")
        os.close(outside)
