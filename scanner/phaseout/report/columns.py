"""Text in columns of a terminal: CJK characters take two cells, and long cells break where a reader would break them.

References:
    Unicode Standard Annex #11 (East Asian Width).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

_GAP = "  "
_LEAST = 8  # columns that remain to each cell however narrow the terminal is
_WORDS = re.compile(r"[^\s/\\]*[/\\]|[^\s/\\]+|\s+")
_BREAKS = re.compile(r"[-.,:;_=@)]")


def table(header: Sequence[str], rows: Iterable[Sequence[str]], width: int) -> Iterator[str]:
    """The lines of a table that is no wider than `width`; cells that are too wide continue on the next line."""
    cells = [tuple(row) for row in rows]
    needed = [max(map(cell_width, column)) for column in zip(header, *cells, strict=True)]
    limits = shares(needed, width - len(_GAP) * (len(header) - 1))
    yield _line(header, limits)
    yield _line(["-" * limit for limit in limits], limits)
    for row in cells:
        parts = [wrapped(text, limit) for text, limit in zip(row, limits, strict=True)]
        for number in range(max(map(len, parts))):
            yield _line([part[number] if number < len(part) else "" for part in parts], limits)


def open_table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """A table of thousands of rows, one line each: cells that are too wide are cut."""
    needed = [max(map(cell_width, column)) for column in zip(header, *rows, strict=True)]
    limits = shares(needed, width - len(_GAP) * (len(header) - 1))
    for row in (header, *rows):
        yield _line([cut(text, limit) for text, limit in zip(row, limits, strict=True)], limits)


def paragraph(text: str, width: int) -> Iterator[str]:
    """The lines of a paragraph; those after the first are indented further than the first."""
    indent = " " * (len(text) - len(text.lstrip()))
    first, *rest = wrapped(text.strip(), width - len(indent) - len(_GAP)) or [""]
    yield f"{indent}{first}\n"
    for line in rest:
        yield f"{indent}{_GAP}{line}\n"


def cell_width(text: str) -> int:
    """How many cells of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_char_width, text))


def cut(text: str, limit: int) -> str:
    """The text, or as much of its beginning as fits, with a mark."""
    if cell_width(text) <= limit:
        return text
    return _fitting(text, limit - 1) + "…"


def wrapped(text: str, limit: int) -> list[str]:
    """The text in lines of at most `limit` cells: broken at spaces and behind slashes, then behind punctuation."""
    if cell_width(text) <= limit:
        return [text]
    lines: list[str] = []
    line, room = "", limit
    for word in _pieces(text, limit):
        width = cell_width(word)
        if width > room and not word.isspace():
            lines.append(line.rstrip())
            line, room = "", limit
        if line or not word.isspace():
            line, room = line + word, room - width
    return [*lines, line.rstrip()] if line.rstrip() else lines


def shares(needed: Sequence[int], room: int) -> list[int]:
    """A width for each column: what it needs, and if that is too much, the widest columns give way."""
    limits = [min(one, room) for one in needed]
    while sum(limits) > room and max(limits) > _LEAST:
        limits[limits.index(max(limits))] -= 1
    return limits


def _pieces(text: str, limit: int) -> Iterator[str]:
    """What may stand at the end of a line, none longer than a line."""
    for word in _WORDS.findall(text):
        while cell_width(word) > limit:
            start = _fitting(word, limit)
            ends = [found.end() for found in _BREAKS.finditer(start)]
            at = ends[-1] if ends and ends[-1] > limit // 3 else max(len(start), 1)
            yield word[:at]
            word = word[at:]  # noqa: PLW2901
        yield word


def _fitting(text: str, limit: int) -> str:
    width = 0
    for number, char in enumerate(text):
        width += _char_width(char)
        if width > limit:
            return text[:number]
    return text


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _line(cells: Sequence[str], limits: Sequence[int]) -> str:
    padded = (text + " " * (limit - cell_width(text)) for text, limit in zip(cells, limits, strict=True))
    return _GAP.join(padded).rstrip() + "\n"
