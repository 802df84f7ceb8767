"""Tables of text: CSV with commas, semicolons, tabs or bars, quoted or not, as many tools write it.

Every line is accounted for: it becomes a row, belongs to one, or is damaged. A quote that is never closed costs its own
line, not the rest of the file. A row with more fields than headings is put together again where that can be done in
one way: what begins with a blank goes on with the field before it (`Reader, Std`).

References:
    RFC 4180; PowerShell, Export-Csv (`#TYPE`); Excel (`sep=`)
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from phaseout.inventories.document import Document
from phaseout.model.counting import counted

DELIMITERS = (",", ";", "\t", "|")
_FIELD = 1 << 16  # characters
_LINES = 100  # of one row
_SHOWN, _SHOWN_NAME = 12, 40  # headings, and characters of each, that a message shows
_END_OF_FILE = "\x1a"  # of DOS
_HEADING = 20  # lines before the heading: titles and parameters of reports


class Heading(NamedTuple):
    """The line that names the columns.

    Attributes:
        delimiter: what separates them.
        names: as written.
    """

    delimiter: str
    names: tuple[str, ...]


class Row(NamedTuple):
    """One row.

    Attributes:
        line: where it begins.
        fields: as many as the heading has, or fewer; more only where they could not be put together.
        wrong: what was wrong with it, in words; also where it could be put together.
    """

    line: int
    fields: list[str]
    wrong: str = ""


def headings(line: str) -> Iterator[Heading]:
    """What a line names as columns, with each delimiter that it has."""
    for delimiter in DELIMITERS:
        if delimiter in line or delimiter == ",":
            try:
                names = next(csv.reader([line], delimiter=delimiter), [])
            except csv.Error:
                continue
            yield Heading(delimiter, tuple(name.strip() for name in names))


def heading_of(document: Document, known: Callable[[Heading], bool]) -> Heading | None:
    """The first line that is a heading which is known, without reading past it."""
    if document.start.lstrip()[:1] in (b"{", b"[", b"<"):
        return None
    lines = (line for whole in document.peek() for line in _single(whole))
    return next((heading for line in lines for heading in headings(line) if known(heading)), None)


def first_headings(document: Document) -> tuple[str, ...]:
    """What the first line with several columns names, for a message; some of many, and cut where they are long."""
    lines = (line for whole in document.peek() for line in _single(whole))
    found = (heading.names for line in lines for heading in headings(line))
    names = next((one for one in found if len(one) > 1), ())
    shown = tuple(name[:_SHOWN_NAME] for name in names[:_SHOWN])
    return (*shown, f"and {len(names) - _SHOWN} more") if len(names) > _SHOWN else shown


def table(document: Document, known: Callable[[Heading], bool]) -> tuple[Heading, Iterator[Row]] | None:
    """The heading and the rows behind it; `None` if no line at the beginning is a heading that is known.

    Args:
        document: the file.
        known: whether the columns of a heading are understood.
    """
    lines = _numbered(document)
    for count, (_, line) in enumerate(lines):
        for heading in headings(line):
            if known(heading):
                return heading, _rows(lines, heading)
        if count >= _HEADING:
            break
    return None


def _numbered(document: Document) -> Iterator[tuple[int, str]]:
    """Number and text of each line, also where carriage returns alone end some or all of them."""
    more = 0
    for number, whole in document.lines():
        for count, line in enumerate(_single(whole)):
            yield number + more + count, line
        more += whole.count(b"\r", 0, -2)


def _single(whole: bytes) -> Iterator[str]:
    """The lines that carriage returns end within one; a byte order mark within a file is where two were joined."""
    text = decoded(whole)
    at = 0
    while (end := text.find("\r", at) + 1) and end < len(text) and text[end] != "\n":
        yield text[at:end].removeprefix("\ufeff")
        at = end
    yield text[at:].removeprefix("\ufeff")


def decoded(line: bytes) -> str:
    """UTF-8, or else the western code page of Windows."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _rows(lines: Iterator[tuple[int, str]], heading: Heading) -> Iterator[Row]:
    columns, delimiter = len(heading.names), heading.delimiter
    pushed: list[tuple[int, str]] = []  # lines that an open quote had taken, the next one last
    while True:
        number, line = pushed.pop() if pushed else next(lines, (0, ""))
        if not number:
            return
        if "\0" in line:  # a failing disk leaves them
            line = line.replace("\0", "")
            yield _fitted(number, _unquoted(line, delimiter) if line.strip() else [], heading, "zero bytes in it")
            continue
        taken = [(number, line)]
        fields = _fields(line, delimiter)
        while fields is None and len(taken) < _LINES and sum(len(one) for _, one in taken) < _FIELD:
            following = pushed.pop() if pushed else next(lines, None)
            if following is None:
                break
            taken.append(following)
            fields = _fields("".join(one for _, one in taken), delimiter)
        if len(taken) > 1 and (fields is None or len(fields) > columns):
            pushed.extend(reversed(taken[1:]))
            fields = None
        if fields is None:  # a quote that is never closed
            yield _fitted(number, _unquoted(line, delimiter), heading, "a quotation mark that is never closed")
        elif any(fields) and fields != [_END_OF_FILE] and not _is_heading(fields, heading):
            yield _fitted(number, fields, heading, "")


def _is_heading(fields: Sequence[str], heading: Heading) -> bool:
    """Whether it is the heading again, as where lists were joined."""
    return fields[0].strip() == heading.names[0] and tuple(one.strip() for one in fields) == heading.names


def _fields(line: str, delimiter: str) -> list[str] | None:
    """The fields of a row; `None` if a quote is open at its end."""
    if '"' not in line:
        return _unquoted(line, delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        if "unexpected end" in str(error):
            return None
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return _unquoted(line, delimiter)


def _unquoted(line: str, delimiter: str) -> list[str]:
    return line.replace('"', "").rstrip("\r\n").split(delimiter)


def _fitted(line: int, fields: list[str], heading: Heading, wrong: str) -> Row:
    """The row with no more fields than there are headings, if it can be put together in one way."""
    columns = len(heading.names)
    while len(fields) > columns and not fields[-1].strip():
        fields = fields[:-1]
    if len(fields) <= columns:
        return Row(line, fields, wrong)
    why = f"{counted(len(fields), 'field')} under {counted(columns, 'heading')}"
    joined = joined_at_blanks(fields, heading.delimiter)
    return Row(line, joined if len(joined) == columns else fields, why)


def joined_at_blanks(fields: Sequence[str], delimiter: str) -> list[str]:
    """The fields, with each that begins with a blank joined to the one before it."""
    joined: list[str] = []
    for field in fields:
        if joined and field[:1] == " " and field.strip():
            joined[-1] += delimiter + field
        else:
            joined.append(field)
    return joined
