"""Where in a TOML file a value stands, for messages about it. tomllib does not say so."""

import re

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([\w.-]+|\"[^\"]*\"|'[^']*')\s*=")


def line_of(lines: dict[str, int], place: str) -> int:
    """The line of a value, or of the table that should have it; 0 if that is not known.

    Args:
        lines: of the file, as `lines_of` gives them.
        place: such as `waiver[1].expires`, as `shape_errors` names it.
    """
    while place:
        if place in lines:
            return lines[place]
        place = place[: max(place.rfind("."), place.rfind("["), 0)]
    return 0


def lines_of(text: str) -> dict[str, int]:
    """Place → line of each table, and of each key at the beginning of a line."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = ""
            names = re.split(r"\s*\.\s*", header[2].replace('"', ""))
            for depth, name in enumerate(names, 1):
                table = f"{table}.{name}" if table else name
                if header[1] == "[[" and depth == len(names):
                    counts[table] = counts.get(table, -1) + 1
                if table in counts:
                    table += f"[{counts[table]}]"
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            name = key[1].strip("\"'")
            lines.setdefault(f"{table}.{name}" if table else name, number)
    return lines
