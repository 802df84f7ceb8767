r"""Folders and files that a host has of those that glob patterns name, the homes of all users among them.

A source declares the same patterns as what it reads: `/usr/lib/python3*/site-packages`, `~/.cargo/bin`,
`C:\Python3*\Lib`. On Windows only those with a backslash count, elsewhere only those without.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.filesystem.files import Files
from phaseout.model.nouns import Problem

_MOST = 10_000  # names that fit one `*`

Tree = dict[str, "Tree"]  # name or pattern → what follows it; the empty name ends a pattern

# Folders of a Linux itself.
OF_SYSTEM = ("/usr/", "/bin/", "/sbin/", "/lib", "/dev/", "/etc/", "/proc/", "/run/", "/boot/")


class Place(NamedTuple):
    """A path that exists, and the user whose home holds it."""

    path: str
    user: str


class Seen:
    """Real paths that were visited, those of each user apart.

    A link in the home of one user leads anywhere. What it leads to is still visited where another user has it.
    """

    def __init__(self) -> None:
        self._met: set[tuple[str, str]] = set()
        self._by_anybody: set[str] = set()

    def first(self, real: str, user: str) -> bool:
        """True the first time that the system (the user "") or this user reaches a real path. Records the visit."""
        if ("", real) in self._met or (user, real) in self._met:
            return False
        self._met.add((user, real))
        self._by_anybody.add(real)
        return True

    def met(self, real: str) -> bool:
        """Whether the system or any user has reached it."""
        return real in self._by_anybody


def places(host: Host, patterns: Iterable[str], *, tried: bool = False) -> Iterator[Place]:
    """Yields every place once for the system, or else once for each user, by the first path that leads to it.

    `~` stands for the home of every user, and one `*` in a name for anything that does not begin with a dot. A folder
    that several patterns begin with is asked for once. Patterns of places that are read in different ways belong in
    different calls, because a place is yielded for one pattern only.

    Args:
        host: the host.
        patterns: as above.
        tried: whether such a place is only looked for, by a pattern that fits whatever people keep. Then what lies
            beyond the limit hides nothing: a drive may have a folder with a million folders.
    """
    separator = "\\" if host.info.platform == "windows" else "/"
    mine = [pattern for pattern in patterns if ("\\" in pattern) == (separator == "\\")]
    drives = dict.fromkeys(pattern.partition(separator)[0] for pattern in mine if pattern[0] != "~")
    seen = Seen()
    for drive in drives:
        if drive and host.files.gone(drive + separator):
            continue  # no such drive, which is no problem where a pattern only tries it
        tree = _tree([pattern for pattern in mine if pattern.startswith(drive + separator)], separator)
        for path in _below(host.files, separator, drive, tree, tried=tried):
            yield from _once(host, Place(path, ""), seen)
    tree = _tree([pattern for pattern in mine if pattern[0] == "~"], separator)
    for home, user in {user.home: user.name for user in reversed(host.users) if user.home and tree}.items():
        names = {_fold(entry.name, separator) for entry in host.files.list(home)}
        there = {
            name: rest
            for name, rest in tree.items()
            if not name or _fold(name, separator) in names or ("*" in name and not is_of_system(home))
        }
        for path in _below(host.files, separator, home, there, tried=tried):
            yield from _once(host, Place(path, user), seen)


def is_of_system(home: str) -> bool:
    """Whether a home is a folder of a Linux itself, as accounts of services have: what lies in it is nobody's own."""
    return home in ("", "/") or f"{home}/".startswith(OF_SYSTEM)


def _once(host: Host, place: Place, seen: Seen) -> Iterator[Place]:
    real = host.files.real(place.path)
    if real is not None and seen.first(real, place.user):
        yield place


def _tree(patterns: list[str], separator: str) -> Tree:
    tree: Tree = {}
    for pattern in patterns:
        here = tree
        for name in pattern.split(separator)[1:]:
            here = here.setdefault(name, {})
        here[""] = {}
    return tree


def _below(files: Files, separator: str, folder: str, tree: Tree, *, tried: bool) -> Iterator[str]:
    for name, rest in tree.items():
        if not name:
            yield folder
        elif "*" in name:
            for found in _fitting(files, separator, folder, name, files_too="" in rest, tried=tried):
                yield from _below(files, separator, f"{folder}{separator}{found}", rest, tried=tried)
        else:
            path = f"{folder}{separator}{name}"
            if len(rest) == 1 or files.is_dir(path):  # asking pays only where it saves several questions
                yield from _below(files, separator, path, rest, tried=tried)


def _fitting(files: Files, separator: str, folder: str, pattern: str, *, files_too: bool, tried: bool) -> Iterator[str]:
    head, _, tail = _fold(pattern, separator).partition("*")
    count = 0
    for entry in files.list(folder):
        name = _fold(entry.name, separator)
        if not (name.startswith(head) and name.endswith(tail) and len(name) >= len(head) + len(tail)):
            continue
        if (name[0] == "." and not head) or entry.kind == "other" or (entry.kind == "file" and not files_too):
            continue
        if entry.kind == "link" and not files_too and not files.is_dir(f"{folder}{separator}{entry.name}"):
            continue
        count += 1
        if count > _MOST:
            why = f"more than {_MOST:,} names fit {pattern}: the rest was not read"
            files.problems.append(Problem(folder, why, "limit", hides=not tried))
            return
        yield entry.name


def _fold(name: str, separator: str) -> str:
    return name.lower() if separator == "\\" else name
