"""Users who may have software of their own.

References:
    passwd(5).
"""

from typing import NamedTuple

from phaseout.host.filesystem.files import Files
from phaseout.model.nouns import Problem

_ACCOUNTS = "/etc/passwd"
_NO_HOME = frozenset(("", "/", "/nonexistent", "/dev/null", "/bin", "/sbin", "/usr/sbin", "/usr/bin", "/proc"))


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
            files.problems.append(Problem(f"{_ACCOUNTS}:{number}", "no line of a user: the home in it is not seen"))
            continue
        home = fields[5].rstrip("/")
        found.append(User(fields[0], int(fields[2]) if fields[2].isdecimal() else -1, "" if home in _NO_HOME else home))
    homes = {user.home for user in found}
    found += [
        User(entry.name, -1, f"/home/{entry.name}")
        for entry in files.list("/home")
        if entry.kind == "dir" and f"/home/{entry.name}" not in homes and entry.name != "lost+found"
    ]
    return tuple(found)
