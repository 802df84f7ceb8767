"""Users who may have software of their own.

References:
    passwd(5).
"""

from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host.filesystem.files import Files
from phaseout.model.nouns import Problem

_ACCOUNTS = "/etc/passwd"
_NO_HOME = frozenset(("", "/", "/nonexistent", "/dev/null", "/bin", "/sbin", "/usr/sbin", "/usr/bin", "/proc"))
_DEPTH = 3  # of a home below /home, where a directory service puts it into a folder of its domain


class User(NamedTuple):
    """An account with its home folder; `uid` is -1 where only the folder is known, and for Windows, which has `sid`."""

    name: str
    uid: int
    home: str
    sid: str = ""


def posix_users(files: Files) -> tuple[User, ...]:
    """Everybody in `/etc/passwd`, and the owners of further folders in `/home` (accounts of a directory service)."""
    found: list[User] = []
    # Not `splitlines`: a user may put what Unicode calls the end of a line into his own name.
    for number, line in enumerate((files.text(_ACCOUNTS, limit=4 << 20) or "").split("\n"), 1):
        fields = line.split(":")
        if not line.strip() or line.startswith(("#", "+", "-")):
            continue
        if len(fields) < 7:
            files.problems.append(
                Problem(f"{_ACCOUNTS}:{number}", "no line of a user: the home in it is not seen", "damaged")
            )
            continue
        home = fields[5].rstrip("/")
        found.append(User(fields[0], int(fields[2]) if fields[2].isdecimal() else -1, "" if home in _NO_HOME else home))
    homes = {user.home for user in found}
    found += [User(home.rpartition("/")[2], -1, home) for home in _further(files, "/home") if home not in homes]
    return tuple(found)


def _further(files: Files, top: str, depth: int = 1) -> Iterator[str]:
    """The folders in a folder of homes, and the homes below those that only group them (`/home/local/DOMAIN/anna`)."""
    for entry in files.list(top):
        if entry.kind == "dir" and entry.name != "lost+found":
            folder = f"{top}/{entry.name}"
            home = any(inside.name.startswith(".") for inside in files.list(folder))
            if home or depth == 1:
                yield folder
            if not home and depth < _DEPTH:
                yield from _further(files, folder, depth + 1)
