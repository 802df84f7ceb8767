r"""Folders and files that a host has of those that glob patterns name, the homes of all users among them.

A source declares the same patterns as what it reads: `/usr/lib/python3*/site-packages`, `~/.cargo/bin`,
`C:\Python3*\Lib`. On Windows only those with a backslash count, elsewhere only those without.
"""

from collections.abc import Iterator
from typing import NamedTuple

from scanner.host import Host
from scanner.host.files import Files

_MANY = 1_000  # that fit one `*`

# Name or pattern → what follows it; the empty name ends a pattern.
Tree = dict[str, "Tree"]


class Place(NamedTuple):
    """A path that is there, and the user in whose home it is."""

    path: str
    user: str


def places(host: Host, patterns: tuple[str, ...]) -> Iterator[Place]:
    """Every place once, under the first of the paths that lead to it.

    `~` stands for the home of every user, and `*` for anything in one name but a dot at its begin. A name that stands
    in several patterns is looked for once.
    """
    separator = "\\" if host.info.platform == "windows" else "/"
    mine = [pattern for pattern in patterns if ("\\" in pattern) == (separator == "\\")]
    seen: set[str] = set()
    below = _Search(host.files, separator).below
    for path in below("", _tree([pattern for pattern in mine if pattern[0] != "~"], separator)):
        yield from _once(host, Place(path, ""), seen)
    at_home = _tree([pattern[2:] for pattern in mine if pattern[0] == "~"], separator)
    if not at_home:
        return
    for home, user in {user.home: user.name for user in reversed(host.users) if user.home}.items():
        names = {_fold(entry.name, separator) for entry in host.files.list(home)}
        there = {name: rest for name, rest in at_home.items() if "*" in name or _fold(name, separator) in names}
        for path in below(home, there):
            yield from _once(host, Place(path, user), seen)


def _once(host: Host, place: Place, seen: set[str]) -> Iterator[Place]:
    real = host.files.real(place.path)
    if real is not None and real not in seen:
        seen.add(real)
        yield place


def _tree(patterns: list[str], separator: str) -> Tree:
    tree: Tree = {}
    for pattern in patterns:
        here = tree
        for name in pattern.split(separator):
            here = here.setdefault(name, {}) if name or here is tree else here
        here[""] = {}
    return tree


class _Search:
    def __init__(self, files: Files, separator: str) -> None:
        self._files = files
        self._separator = separator

    def below(self, folder: str, tree: Tree) -> Iterator[str]:
        for name, rest in tree.items():
            if "*" in name:
                for found in self._fitting(folder, name):
                    yield from self._at(f"{folder}{self._separator}{found}", rest)
            elif name or not folder:  # the empty name begins a path from the root, and ends every other one
                path = f"{folder}{self._separator}{name}" if folder else name
                if len(rest) == 1 or not path or self._files.is_dir(path):
                    yield from self._at(path, rest)

    def _at(self, path: str, rest: Tree) -> Iterator[str]:
        if "" in rest:
            yield path
        yield from self.below(path, rest)

    def _fitting(self, folder: str, pattern: str) -> Iterator[str]:
        head, _, tail = _fold(pattern, self._separator).partition("*")
        count = 0
        for entry in self._files.list(folder):
            name = _fold(entry.name, self._separator)
            if not (name.startswith(head) and name.endswith(tail) and len(name) >= len(head) + len(tail)):
                continue
            if name[0] == "." and not head:
                continue
            count += 1
            if count > _MANY:
                self._files.too_many(folder, f"more than {_MANY} entries fit {pattern}: the rest was not looked at")
                return
            yield entry.name


def _fold(name: str, separator: str) -> str:
    return name.lower() if separator == "\\" else name
