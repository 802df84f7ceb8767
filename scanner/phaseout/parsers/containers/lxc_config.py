"""The configuration of a container of LXC: where its files are.

References:
    lxc.container.conf(5) (`lxc.rootfs.path`, before 2.1 `lxc.rootfs`; `lxc.uts.name`), lxc.conf(5) (`lxc.lxcpath`)
"""

from typing import NamedTuple

_FOLDERS = ("dir", "btrfs")
_LAYERS = ("overlay", "overlayfs", "aufs")


class Rootfs(NamedTuple):
    """`folders` are those of the container's root, the uppermost first; empty where `kind` is not a folder."""

    kind: str
    folders: tuple[str, ...]


def settings(text: str) -> dict[str, str]:
    """Key → value; of a key given twice the last one counts."""
    found: dict[str, str] = {}
    for line in text.split("\n"):
        key, equals, value = line.strip().partition("=")
        if equals and key[:1] != "#":
            found[key.strip()] = value.strip().strip('"')
    return found


def rootfs(found: dict[str, str]) -> Rootfs | None:
    """Where the files of a container are; `None` where its configuration does not say it."""
    value = found.get("lxc.rootfs.path") or found.get("lxc.rootfs", "")
    if not value:
        return None
    if value.startswith("/"):
        return Rootfs("dir", (value,))
    kind, _, rest = value.partition(":")
    if kind in _FOLDERS and rest.startswith("/"):
        return Rootfs(kind, (rest,))
    if kind in _LAYERS:
        *lower, upper = rest.split(":")
        return Rootfs(kind, (upper, *reversed(lower)))
    return Rootfs(kind, ())
