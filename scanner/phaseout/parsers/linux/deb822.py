"""Stanzas of "Field: value" lines, as dpkg, opkg and apt keep them.

References:
    deb822(5), deb-control(5); https://www.debian.org/doc/debian-policy/ch-controlfields.html
"""

from collections.abc import Iterator


def stanzas(text: str, names: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Every stanza with the number of its first line (from 1), as lower-case field → value, for the fields asked for.

    Args:
        text: the whole file.
        names: fields of one line, in lower case.

    A line that is neither a field nor a continuation is kept under the empty name, so that the caller can tell a
    damaged stanza. Of a field given twice the last one counts, as in dpkg.
    """
    for start, block in _blocks(text):
        fields: dict[str, str] = {}
        known = False
        comments = 0
        for line in block:
            first = line[0]
            if first in " \t":
                if not known:
                    fields[""] = line
                continue
            if first == "#":
                comments += 1
                continue
            name, colon, value = line.partition(":")
            known = bool(colon and name and " " not in name and "\t" not in name)
            if not known:
                fields[""] = line
                continue
            name = name.lower()
            if name in names:
                fields[name] = value.strip(" \t")
        if comments < len(block):
            yield start, fields


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    block: list[str] = []
    start = 1
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if line.strip():
            if not block:
                start = number
            block.append(line)
        elif block:
            yield start, block
            block = []
    if block:
        yield start, block


def maintainer_name(value: str) -> str:
    """`Kaspersky Lab` of `Kaspersky Lab <support@example.org>`; the whole value where it has another form."""
    return value.partition("<")[0].strip().strip('"') or value.strip()
