r"""Mounts that `/etc/fstab` asks for.

References:
    fstab(5), with `\040` for a blank in a name; btrfs(5) (`subvol=`).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_ESCAPE = re.compile(r"\\(040|011|012|134)")
_NOT_A_FOLDER = frozenset(("none", "swap", "/", ""))


class FstabEntry(NamedTuple):
    """A file system and the folder that it is mounted on; the option `subvol` without the slash at its start."""

    point: str
    kind: str
    subvolume: str


def fstab_entries(text: str) -> Iterator[FstabEntry]:
    """The entries that are mounted on a folder other than the root itself."""
    for line in text.split("\n"):
        fields = line.split()
        if len(fields) < 2 or line.lstrip().startswith("#") or fields[1] in _NOT_A_FOLDER:
            continue
        point = _ESCAPE.sub(lambda found: chr(int(found[1], 8)), fields[1]).rstrip("/")
        options = dict(option.partition("=")[::2] for option in (fields[3] if len(fields) > 3 else "").split(","))
        yield FstabEntry(point, fields[2] if len(fields) > 2 else "", options.get("subvol", "").strip("/"))
