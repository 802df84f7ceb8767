r"""Mounts that `/etc/fstab` asks for.

References:
    fstab(5), with `\040` for a blank in a name; btrfs(5) (`subvol=`).
"""

from collections.abc import Iterator
from typing import NamedTuple

from phaseout.model.regex import regex

_ESCAPE = regex(r"\\(040|011|012|134)")
_NOT_A_FOLDER = frozenset(("none", "swap", "/", ""))


class FstabEntry(NamedTuple):
    """A file system and the folder that it is mounted on; the option `subvol` without the slash at its start.

    `optional` says whether a system also starts without it;
    `device` is what names the file system: `UUID=…`, `/dev/sda2` and the like.
    """

    point: str
    kind: str
    subvolume: str
    optional: bool = False
    device: str = ""


def fstab_entries(text: str) -> Iterator[FstabEntry]:
    """The entries that are mounted on a folder other than the root itself."""
    for line in text.split("\n"):
        fields = line.split()
        if len(fields) < 2 or line.lstrip().startswith("#") or fields[1] in _NOT_A_FOLDER:
            continue
        device, point = (_ESCAPE.sub(lambda found: chr(int(found[1], 8)), field) for field in fields[:2])
        options = dict(option.partition("=")[::2] for option in (fields[3] if len(fields) > 3 else "").split(","))
        optional = not options.keys().isdisjoint(("noauto", "nofail", "x-systemd.automount", "bind", "rbind"))
        kind, subvolume = fields[2] if len(fields) > 2 else "", options.get("subvol", "").strip("/")
        yield FstabEntry(point.rstrip("/"), kind, subvolume, optional, device)


def encrypted_volumes(text: str) -> Iterator[str]:
    """The names that crypttab(5) gives to encrypted volumes, without those for swap and with a key of a moment.

    References:
        crypttab(5)
    """
    for line in text.split("\n"):
        fields = line.split()
        if len(fields) < 2 or fields[0].startswith("#"):
            continue
        key = fields[2] if len(fields) > 2 else ""
        options = {option.partition("=")[0] for option in (fields[3] if len(fields) > 3 else "").split(",")}
        if key not in ("/dev/urandom", "/dev/random", "/dev/hw_random") and options.isdisjoint(
            ("swap", "tmp", "plain")
        ):
            yield fields[0]
