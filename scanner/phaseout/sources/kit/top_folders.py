"""The folders that somebody made just below the root of a Linux, beside those that every system has.

References:
    https://refspecs.linuxfoundation.org/FHS_3.0/fhs/ (3, The Root Filesystem); those of single systems: NixOS and Guix
    (`/nix`, `/gnu`), OSTree (`/ostree`, `/sysroot`), snapd (`/snap`)
"""

from collections.abc import Collection

from phaseout.host import Host

_STANDARD_TEXT = """
afs bin boot cdrom dev efi etc gnu home lost+found media mnt nix ostree proc root run sbin selinux snap sys
sysroot tmp usr var
"""
_STANDARD = frozenset(_STANDARD_TEXT.split())


def own_folders(host: Host, beside: Collection[str]) -> list[str]:
    """The paths of these folders.

    Args:
        host: the host.
        beside: names that do not count either.
    """
    return [
        f"/{name}"
        for name, kind in host.files.list("/")
        if kind == "dir" and name not in _STANDARD and name not in beside
    ]
