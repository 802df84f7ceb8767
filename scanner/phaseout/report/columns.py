"""Text in columns of a terminal: CJK characters take two cells, and long cells break where a reader would break them.

References:
    Unicode Standard Annex #11 (East Asian Width); Unicode Technical Standard #51 (emoji presentation).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from phaseout.model.regex import regex

_GAP = "  "
_LEAST = 8  # columns that remain to a cell that is cut
_LONG = 16  # characters of a word that a column is never narrower than
_WORDS = regex(r"[/\\]*[^\s/\\]+[/\\]?|[/\\]+|\s+")  # a slash at the beginning of a path stays with its first name
_BREAKS = regex(r"[-.,:;_=@)]")
_EMOJI = "\N{VARIATION SELECTOR-16}"  # makes a picture, two cells wide, of the character before it


def clamped(width: int) -> int:
    """The columns that a text takes on a terminal of that width: from 40, below which words break, to 200."""
    return min(max(width, 40), 200)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], width: int) -> Iterator[str]:
    """The lines of a table that is no wider than `width`; cells that are too wide continue on the next line.

    Where that would break words, each row becomes a block with a line for each of its columns.
    """
    cells = [tuple(row) for row in rows]
    columns = list(zip(header, *cells, strict=True))
    limits = _shares(
        [max(map(cell_width, column)) for column in columns],
        [max(map(_longest, column)) for column in columns],
        width - len(_GAP) * (len(header) - 1),
    )
    if limits is None:
        yield from _blocks(header, cells, width)
        return
    yield _line(header, limits)
    yield _line(["-" * limit for limit in limits], limits)
    for row in cells:
        yield from _row(row, limits)


def _row(row: Sequence[str], limits: Sequence[int]) -> Iterator[str]:
    parts = [wrapped(text, limit) for text, limit in zip(row, limits, strict=True)]
    for number in range(max(map(len, parts))):
        yield _line([part[number] if number < len(part) else "" for part in parts], limits)


def _blocks(header: Sequence[str], rows: Iterable[Sequence[str]], width: int) -> Iterator[str]:
    name = max(map(cell_width, header))
    for number, row in enumerate(rows):
        yield "\n" if number else ""
        for pair in zip(header, row, strict=True):
            if pair[1]:
                yield from _row(pair, (name, width - name - len(_GAP)))


def open_table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """A table of thousands of rows, one line each: cells that are too wide are cut."""
    needed = [max(map(cell_width, column)) for column in zip(header, *rows, strict=True)]
    limits = _shares(needed, [_LEAST] * len(needed), width - len(_GAP) * (len(header) - 1)) or [_LEAST] * len(needed)
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
    return sum(map(_char_width, text)) + sum(_char_width(char) == 1 for char in _before_emoji_sign(text))


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


def _shares(needed: Sequence[int], least: Sequence[int], room: int) -> list[int] | None:
    """A width for each column: what it needs, and if that is too much, the widest columns give way.

    `None` if they cannot give way that far.
    """
    limits = [min(one, max(room, 1)) for one in needed]
    while sum(limits) > room:
        widest = max(
            (number for number, limit in enumerate(limits) if limit > least[number]),
            key=limits.__getitem__,
            default=None,
        )
        if widest is None:
            return None
        limits[widest] -= 1
    return limits


def _longest(text: str) -> int:
    """The cells of the longest part of a text that should not be broken."""
    words = (word for word in _WORDS.findall(text) if not word.isspace())
    return max((min(cell_width(word), _LONG) for word in words), default=0)


def _pieces(text: str, limit: int) -> Iterator[str]:
    """What may stand at the end of a line, none longer than a line."""
    for word in _words(text, limit):
        while cell_width(word) > limit:
            start = _fitting(word, limit)
            ends = [found.end() for found in _BREAKS.finditer(start)]
            at = ends[-1] if ends else max(len(start), 1)
            yield word[:at]
            word = word[at:]  # noqa: PLW2901
        yield word


def _words(text: str, limit: int) -> Iterator[str]:
    """Words and blanks. A path is one word if it fits into a line, else each of its names is one.

    Paths of Windows are always broken behind their separators: their names have blanks in them.
    """
    for word in re.findall(r"\s+|\S+", text):
        if cell_width(word) <= limit and "\\" not in word:
            yield word
        else:
            yield from _WORDS.findall(word)


def _fitting(text: str, limit: int) -> str:
    """As much of the beginning as fits; a character keeps the marks behind it."""
    width = 0
    for number, char in enumerate(text):
        width += _char_width(char)
        if text[number + 1 : number + 2] == _EMOJI and _char_width(char) == 1:
            width += 1
        if width > limit:
            return text[:number]
    return text


def _before_emoji_sign(text: str) -> Iterator[str]:
    return (char for char, sign in pairwise(text) if sign == _EMOJI)


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    if "\u1160" <= char <= "\u11ff" or "\ud7b0" <= char <= "\ud7ff":  # vowels and finals, drawn into the syllable
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _line(cells: Sequence[str], limits: Sequence[int]) -> str:
    padded = (text + " " * (limit - cell_width(text)) for text, limit in zip(cells, limits, strict=True))
    return _GAP.join(padded).rstrip() + "\n"
