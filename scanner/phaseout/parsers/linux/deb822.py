"""Stanzas of "Field: value" lines, as dpkg, opkg and apt keep them.

References:
    deb822(5), deb-control(5); https://www.debian.org/doc/debian-policy/ch-controlfields.html
"""

from collections.abc import Iterable, Iterator

_HEADS = 1_000  # names of fields that are remembered as they are written


def stanzas(lines: Iterable[str], names: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Every stanza with the number of its first line (from 1), as lower-case field → value, for the fields asked for.

    Args:
        lines: of the whole file, with or without their line breaks.
        names: fields of one line, in lower case.

    A line that is neither a field nor a continuation is kept under the empty name, so that the caller can tell a
    damaged stanza. Of a field given twice the last one counts, as in dpkg.
    """
    wanted: dict[str, str | None] = {}  # as written → as asked for, or `None`; a database has few names and many lines
    fields: dict[str, str] = {}
    start = 0  # of the stanza; 0 between two
    known = False  # whether the line before was a field, or a continuation of one
    empty = True  # but for comments
    for number, line in enumerate(lines, 1):
        first = line[:1]
        if first == " " and known and not line.isspace():  # most lines of a database
            continue
        if first in _CONTINUES:
            if line.strip():
                start, empty = start or number, False
                if not known:
                    fields[""] = line.rstrip("\r\n")
                continue
            if start and not empty:
                yield start, fields
            fields, start, known, empty = {}, 0, False, True
            continue
        head, colon, value = line.partition(":")
        if colon and head in wanted:
            start, known, empty = start or number, True, False
            name = wanted[head]
            if name is not None:
                fields[name] = value.strip(" \t\r\n")
            continue
        start = start or number
        if first == "#":
            continue
        empty = False
        known = bool(colon and head and " " not in head and "\t" not in head)
        if not known:
            fields[""] = line.rstrip("\r\n")
            continue
        name = head.lower() if head.lower() in names else None
        if len(wanted) < _HEADS:
            wanted[head] = name
        if name is not None:
            fields[name] = value.strip(" \t\r\n")
    if start and not empty:
        yield start, fields


_CONTINUES = frozenset((" ", "\t", "\n", "\r", ""))


def maintainer_name(value: str) -> str:
    """`Kaspersky Lab` of `Kaspersky Lab <support@example.org>`; the whole value where it has another form."""
    return value.partition("<")[0].strip().strip('"') or value.strip()
