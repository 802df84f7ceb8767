"""Runs one source over a host, and checks what must hold for every source."""

import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from fnmatch import fnmatchcase
from importlib import import_module
from typing import BinaryIO

from phaseout.host import Host
from phaseout.host.filesystem.files import MIB, Entry, Files, Stat
from phaseout.host.filesystem.macos import MacFiles
from phaseout.host.filesystem.windows import WindowsFiles
from phaseout.host.registry.base import Key, Registry
from phaseout.model.nouns import Item, Problem, SourceRun
from phaseout.scan.worker import run_source
from phaseout.sources import ALL
from phaseout.sources.source import Source


class Result:
    """What one source gave."""

    def __init__(self, run: SourceRun, items: tuple[Item, ...]) -> None:
        self.run = run
        self.items = items

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.run.problems

    def names(self) -> list[str]:
        return [item.name for item in self.items]

    def one(self, name: str) -> Item:
        """The only item of that name."""
        (item,) = (item for item in self.items if item.name == name)
        return item


class ObservedFiles(Files):
    """Files that remember which paths of the target were asked for: a decorator of any others."""

    def __init__(self, files: Files) -> None:
        super().__init__(files.problems)
        self.separator = files.separator
        self.asked: set[str] = set()
        self._files = files

    def read(self, path: str, limit: int = 16 * MIB) -> bytes | None:
        return self._files.read(self._observed(path), limit)

    def part(self, path: str, offset: int, size: int) -> bytes | None:
        if not isinstance(self._files, MacFiles):  # there the signature of any program may be read
            self._observed(path)
        return self._files.part(path, offset, size)

    def open(self, path: str, limit: int = 1024 * MIB) -> BinaryIO | None:
        if not isinstance(self._files, WindowsFiles):  # there any program may be read for what it says of itself
            self._observed(path)
        return self._files.open(path, limit)

    def database(self, path: str, limit: int = 1024 * MIB) -> AbstractContextManager[sqlite3.Connection | None]:
        return self._files.database(self._observed(path), limit)

    def list(self, path: str) -> tuple[Entry, ...]:
        return self._files.list(self._observed(path))

    def stat(self, path: str) -> Stat | None:
        return self._files.stat(self._observed(path))

    def gone(self, path: str) -> bool:
        """Whether a program that some file names is still there may be asked of any path."""
        return self._files.gone(path)

    def link(self, path: str) -> str | None:
        """So may where a link on the way to it leads."""
        return self._files.link(path)

    def real(self, path: str) -> str | None:
        """So may where it really lies."""
        return self._files.real(path)

    def layered(self, folders: Sequence[str]) -> Files | None:
        return self._files.layered([self._observed(folder) for folder in folders])

    def _observed(self, path: str) -> str:
        self.asked.add(path.rstrip(self.separator) or self.separator)
        return path


class ObservedRegistry(Registry):
    """A registry that remembers which keys were asked for."""

    def __init__(self, registry: Registry) -> None:
        self.__dict__.update(registry.__dict__)
        self.asked: set[str] = set()

    def key(self, path: str) -> Key | None:
        """The key at a path."""
        self.asked.add(path)
        return super().key(path)


def source(name: str) -> Source:
    """The registered source of that name."""
    (module,) = (module for module in ALL if module.rpartition(".")[2] == name)
    found = import_module(f"phaseout.sources.{module}").SOURCE
    assert isinstance(found, Source)
    return found


def run(name: str, host: Host) -> Result:
    """Runs one source over a host, and checks what must hold for every source.

    The places it asked for are those that it declares, and no row is lost.
    """
    one = source(name)
    observed = ObservedFiles(host.files)
    registry = None if host.registry is None else ObservedRegistry(host.registry)
    watched = Host(host.info, observed, host.users, host.processes, registry, host.variables)
    watched.deep, watched.modules = host.deep, host.modules
    items: list[Item] = []
    outcome = run_source(one, watched, items.append)
    assert outcome.status != "failed", outcome.reason
    assert outcome.items == len(items)
    assert outcome.rows == outcome.items + sum(outcome.left_out.values())
    assert {item.kind for item in items} <= set(one.kinds)
    asked = observed.asked | (registry.asked if registry is not None else set())
    undeclared = sorted(path for path in asked if not declared(path, one, host))
    assert not undeclared, f"read without declaring it in `reads`: {undeclared}"
    return Result(
        outcome, tuple(sorted(items, key=lambda item: (item.kind, item.name, item.version, item.path, item.user)))
    )


def declared(path: str, one: Source, host: Host) -> bool:
    """Whether a path is one of those that the source says it reads, a folder on the way to one, or a whole volume."""
    separator = "\\" if host.info.platform == "windows" else "/"
    parts = _parts(path, separator)
    if len(parts) == 1 or (parts[0] == "Volumes" and len(parts) == 2):  # whether it is there and has anything
        return True
    for pattern in one.reads:
        places = (
            [pattern] if not pattern.startswith("~") else [user.home + pattern[1:] for user in host.users if user.home]
        )
        for place in places:
            if _fits(parts, _parts(place, separator)):
                return True
    return False


def _parts(path: str, separator: str) -> list[str]:
    return (path.lower() if separator == "\\" else path).strip(separator).split(separator)


def _fits(parts: list[str], wanted: list[str]) -> bool:
    """`*` is one level, `**` any number; a folder above a declared place is declared with it."""
    for index, pattern in enumerate(wanted):
        if pattern == "**":
            return True
        if index >= len(parts):
            return True
        if not fnmatchcase(parts[index], pattern):
            return False
    return len(parts) <= len(wanted)
