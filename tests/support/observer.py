"""Watches how a source touches its target, and compares that with the places that it declares."""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cache, lru_cache
from typing import BinaryIO, Literal, NamedTuple

import msgspec
from phaseout.host import Host
from phaseout.host.filesystem.files import MIB, Entry, Files, Marks, Stat
from phaseout.host.registry.base import Key, Registry
from phaseout.model.nouns import Item
from phaseout.parsers.windows.image_path import ENDINGS

# Whether a volume is there and has anything; the second of Windows shows that there is more than a registry.
_VOLUMES = {"/": re.compile("/|/volumes/[^/]+|/[^/]+"), "\\": re.compile(r"[a-z]:|c:\\program files")}
Way = Literal["content", "folder", "about"]


class Touch(NamedTuple):
    """One touch of the target: the content of a file was read, a folder was listed, or a path was asked about."""

    way: Way
    path: str


class ObservedFiles(Files):
    """Files that remember every touch: a decorator of any others.

    Attributes:
        touched: every touch of these files.
        inside: the files of the roots that were opened within them.
        placed_at: where a folder of other files was placed in them, if that is all they have.
        texts: what was read.
    """

    def __init__(self, files: Files) -> None:
        super().__init__(files.problems)
        self.separator = files.separator
        self.touched: set[Touch] = set()
        self.inside: list[ObservedFiles] = []
        self.placed_at = ""
        self.texts: list[str] = []
        self._files = files

    def read(self, path: str, limit: int = 16 * MIB) -> bytes | None:
        data = self._files.read(self._seen("content", path), limit)
        self.texts.append((data or b"")[:MIB].decode("utf-8", "replace"))
        return data

    def part(self, path: str, offset: int, size: int) -> bytes | None:
        return self._files.part(self._seen("content", path), offset, size)

    def small(self, path: str, limit: int) -> bytes | None:
        return self._files.small(self._seen("content", path), limit)

    def open(self, path: str, limit: int = 1024 * MIB) -> BinaryIO | None:
        return self._files.open(self._seen("content", path), limit)

    def database(self, path: str, limit: int = 1024 * MIB) -> AbstractContextManager[sqlite3.Connection | None]:
        return self._files.database(self._seen("content", path), limit)

    def list(self, path: str) -> tuple[Entry, ...]:
        return self._files.list(self._seen("folder", path))

    def stat(self, path: str) -> Stat | None:
        return self._files.stat(self._seen("about", path))

    def gone(self, path: str) -> bool:
        return self._files.gone(self._seen("about", path))

    def link(self, path: str) -> str | None:
        return self._files.link(self._seen("about", path))

    def real(self, path: str) -> str | None:
        return self._files.real(self._seen("about", path))

    def report_changes(self, since: float) -> None:
        self._files.report_changes(since)

    def layered(self, folders: Sequence[str], marks: Marks = "") -> Files | None:
        files = self._files.layered([self._seen("folder", folder) for folder in folders], marks)
        if files is None:
            return None
        self.inside.append(ObservedFiles(files))
        return self.inside[-1]

    def placed(self, folder: str, at: str) -> Files | None:
        files = self._files.placed(self._seen("folder", folder), at)
        if files is None:
            return None
        self.inside.append(ObservedFiles(files))
        self.inside[-1].placed_at = at
        return self.inside[-1]

    def drive(self, folder: str) -> Files | None:
        files = self._files.drive(self._seen("folder", folder))
        if files is None:
            return None
        self.inside.append(ObservedFiles(files))
        return self.inside[-1]

    def _seen(self, way: Way, path: str) -> str:
        self.touched.add(Touch(way, path.rstrip(self.separator) or self.separator))
        return path


class ObservedRegistry(Registry):
    """A registry that remembers which keys were asked for; other hives it reads through the observed files."""

    def __init__(self, registry: Registry, files: Files) -> None:
        self.__dict__.update(registry.__dict__)
        self._files = files
        self.touched: set[Touch] = set()

    def key(self, path: str) -> Key | None:
        """The key at a path."""
        self.touched.add(Touch("folder", path))
        return super().key(path)

    def texts(self) -> Iterator[str]:
        """What stands in the keys that were asked for."""
        pending = [key for touch in self.touched if (key := Registry.key(self, touch.path)) is not None]
        while pending:
            key = pending.pop()
            pending += key.subkeys()
            yield f"{key.path} {key.values()}".replace("\\\\", "\\")


def undeclared(
    touched: Iterable[Touch], reads: Sequence[str], host: Host, items: Sequence[Item] = (), texts: Iterable[str] = ()
) -> list[Touch]:
    """The touches that are not declared, sorted.

    Args:
        touched: what the source did.
        reads: the patterns that it declares.
        host: whose homes `~` stands for.
        items: what it gave. The program that an item names may be read.
        texts: what it read. A path that is named there, or in an item, may be asked about, and be opened as a root.

    The content of any other file is declared by a pattern that fits its whole path, a folder by a pattern that fits it
    or what lies below it. Where a pattern begins with `/**`, the way to a place is declared if the place was touched.
    """
    windows = host.info.platform == "windows"
    separator = "\\" if windows else "/"
    fold: Callable[[str], str] = str.lower if windows or host.info.platform == "macos" else str
    homes = tuple(sorted({fold(user.home) for user in host.users if user.home}))
    declared = _declared(tuple(map(fold, reads)), separator, homes)
    programs = {fold(item.path) for item in items}
    said = "\n".join((msgspec.json.encode(items).decode(), *texts)).replace("\\\\", "\\").lower()
    rest: list[Touch] = []
    ways: set[str] = set()
    for touch in touched:
        path = fold(touch.path)
        name = path.rpartition(separator)[2].removesuffix(".lnk")
        places = declared.fits(path.split(separator))
        if touch.way == "content":
            fits = path in programs or any(place.content for place in places)
        else:
            volume = _VOLUMES[separator].fullmatch(path)
            fits = _is_named(name.lower(), said) or volume is not None or any(place.way for place in places)
        if fits:
            ways.update(path[: found.start()] for found in re.finditer(re.escape(separator), path))
        else:
            rest.append(touch)
    return sorted(one for one in rest if one.way == "content" or fold(one.path) not in ways)


def _is_named(name: str, said: str) -> bool:
    """Whether a name occurs, also without the ending that the source tries."""
    stem = name.rpartition(".")[0] if name.endswith(ENDINGS) else ""
    return name in said or bool(stem and stem in said)


class _Place:
    """A name in declared patterns, and what follows it there. One expression for all would take seconds to compile.

    Attributes:
        content: whether a pattern of files ends here.
        way: whether a pattern ends here, or leads on to a place.
        loops: whether it stands for any number of whole folders.
    """

    def __init__(self, *, loops: bool = False) -> None:
        self.content = False
        self.way = False
        self.loops = loops
        self._names: dict[str, _Place] = {}
        self._globs: dict[str, _Place] = {}
        self._folders: _Place | None = None

    def below(self, name: str) -> "_Place":
        """The place that follows, made if there is none."""
        if name == "**":
            self._folders = self._folders or _Place(loops=True)
            return self._folders
        return (self._globs if set("*?[") & set(name) else self._names).setdefault(name, _Place())

    def fits(self, names: Sequence[str]) -> "list[_Place]":
        """The places that a path leads to from here."""
        here = self._with_folders()
        for name in names:
            after: dict[_Place, None] = {}
            for place in here:
                if place.loops and name:
                    after[place] = None
                found = [place._names[name]] if name in place._names else []
                found += (one for glob, one in place._globs.items() if _name(glob).fullmatch(name))
                after.update(dict.fromkeys(one for direct in found for one in direct._with_folders()))
            here = list(after)
        return here

    def _with_folders(self) -> "list[_Place]":
        """This place, and what follows where `**` stands for no folder at all."""
        return [self, *(self._folders._with_folders() if self._folders else ())]


@lru_cache(maxsize=256)
def _declared(reads: tuple[str, ...], separator: str, homes: tuple[str, ...]) -> _Place:
    """What fits a file whose content is read, and what fits a folder or a path that is asked about."""
    patterns: dict[tuple[str, ...], bool] = {}
    for pattern in reads:
        for place in [home + pattern[1:] for home in homes] if pattern[0] == "~" else [pattern]:
            names = tuple(place.rstrip(separator).split(separator))
            of_files = names[-1] != "**" and not place.endswith(separator)  # that stands for folders, which are listed
            patterns[names] = patterns.get(names, False) or of_files
    top = _Place()
    for names, of_files in patterns.items():
        here = top
        for length, name in enumerate(names, 1):
            here = here.below(name)
            way = names[:length]
            here.way = here.way or (length > 1 and (way in patterns or not _fits_anywhere(way)))
        here.content = here.content or of_files
    return top


def _fits_anywhere(names: tuple[str, ...]) -> bool:
    return "**" in names and set(names[1:]) <= {"*", "**"}


@cache
def _name(pattern: str) -> re.Pattern[str]:
    """A glob of one name as a regular expression."""
    marks = {"*": ".*", "?": "."}
    parts = re.split(r"(\*|\?|\[!?[^\]]+\])", pattern)
    expression = "".join(
        marks.get(part) or (part.replace("[!", "[^", 1) if part[:1] == "[" else re.escape(part)) for part in parts
    )
    return re.compile(expression, re.DOTALL)
