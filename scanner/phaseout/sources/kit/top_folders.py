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
applications cores library mobilesoftwareupdate network private sw system users volumes .documentrevisions-v100 .file
.fseventsd .mobilebackups .nofollow .pkinstallsandboxmanager .previoussysteminformation .resolve .spotlight-v100
.temporaryitems .trashes .vol
"""
_STANDARD = frozenset(_STANDARD_TEXT.split())
_DATA = "/System/Volumes/Data"
_OF_MAC = _STANDARD.union(_OF_MAC_TEXT.split())


def own_folders(host: Host, beside: Collection[str]) -> list[str]:
    """The paths of these folders.

    Args:
        host: the host.
        beside: names that do not count either.
    """
    if host.info.platform == "macos":
        # A folder of the volume of data that has no name below the root is there only.
        own = {name.lower() for name, _ in host.files.list("/")} | _OF_MAC
        return [
            *(f"/{name}" for name in _of_mac(host, "/", _OF_MAC.union(beside))),
            *(f"{_DATA}/{name}" for name in _of_mac(host, _DATA, own.union(beside))),
        ]
    return [
        f"/{name}"
        for name, kind in host.files.list("/")
        if kind == "dir" and name not in _STANDARD and name not in beside
    ]


def _of_mac(host: Host, top: str, standard: Collection[str]) -> list[str]:
    return [
        name
        for name, kind in host.files.list(top)
        if name.lower() not in standard and not name.lower().endswith(".app")
        if kind == "dir" or (kind == "link" and host.files.is_dir(f"{top.rstrip('/')}/{name}"))
    ]
