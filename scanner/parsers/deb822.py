"""Stanzas of "Field: value" lines, as dpkg, opkg and apt keep them.

References:
    deb822(5), deb-control(5); https://www.debian.org/doc/debian-policy/ch-controlfields.html
"""

from collections.abc import Iterator


def stanzas(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Every stanza with the number of its first line (from 1), as lower-case field → value.

    Continuation lines are joined with newlines. A line that is neither a field nor a continuation is kept under the
    empty name, so that the caller can tell a damaged stanza. Of a field given twice the last one counts, as in dpkg.
    """
    for start, block in _blocks(text):
        fields: dict[str, str] = {}
        last = ""
        for line in block:
            if line[0] in " \t":
                if last:
                    fields[last] += "\n" + line[1:]
                else:
                    fields[""] = line
                continue
            if line[0] == "#":
                continue
            name, colon, value = line.partition(":")
            if colon and name and " " not in name:
                last = name.lower()
                fields[last] = value.strip()
            else:
                fields[""] = line
                last = ""
        if fields:
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
