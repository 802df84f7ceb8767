"""The folders that somebody made just below the root of a Linux or Mac, beside those that every system has.

References:
    https://refspecs.linuxfoundation.org/FHS_3.0/fhs/ (3, The Root Filesystem); those of single systems: NixOS and Guix
    (`/nix`, `/gnu`), OSTree (`/ostree`, `/sysroot`), snapd (`/snap`); hier(7) and synthetic.conf(5) of macOS
"""

from collections.abc import Collection

from phaseout.host import Host

_STANDARD_TEXT = """
afs bin boot cdrom dev efi etc gnu home lost+found media mnt nix ostree proc root run sbin selinux snap sys
sysroot tmp usr var
"""
_OF_MAC_TEXT = """
applications cores library network private system users volumes .documentrevisions-v100 .file .fseventsd
.mobilebackups .nofollow .pkinstallsandboxmanager .previoussysteminformation .resolve .spotlight-v100 .temporaryitems
.trashes .vol
"""
_STANDARD = frozenset(_STANDARD_TEXT.split())
_OF_MAC = _STANDARD.union(_OF_MAC_TEXT.split())


def own_folders(host: Host, beside: Collection[str]) -> list[str]:
    """The paths of these folders.

    Args:
        host: the host.
        beside: names that do not count either.
    """
    if host.info.platform == "macos":
        return [
            f"/{name}"
            for name, kind in host.files.list("/")
            if name.lower() not in _OF_MAC and name not in beside and not name.lower().endswith(".app")
            if kind == "dir" or (kind == "link" and host.files.is_dir(f"/{name}"))
        ]
    return [
        f"/{name}"
        for name, kind in host.files.list("/")
        if kind == "dir" and name not in _STANDARD and name not in beside
    ]
