"""Setup information of Windows drivers (`.inf`): who provides a driver package, its version, and what it installs.

References:
    https://learn.microsoft.com/windows-hardware/drivers/install/general-syntax-rules-for-inf-files,
    …/inf-version-section, …/inf-addservice-directive, …/inf-strings-section
"""

import re
from typing import NamedTuple

_LINES = 20_000
_ENGLISH = "strings.0409"
_TOKEN = re.compile(r"%([^%\s]*)%")
_DATE = re.compile(r"\d{1,2}[/-]\d{1,2}[/-]\d{4}")
_WORD = re.compile(r'[^",]+|"[^"]*"?|,')
_LENGTH = 4096  # characters of a line

_Section = list[tuple[str, list[str]]]  # name in lower case, values


class Inf(NamedTuple):
    """What a driver package says about itself; empty where it says nothing."""

    provider: str
    version: str
    kind: str  # its device class
    services: tuple[str, ...]  # that it adds


def inf(data: bytes) -> Inf:
    """The facts of a driver package.

    Raises:
        ValueError: it has no section `Version`.
    """
    sections = _sections(_decoded(data))
    if "version" not in sections:
        raise ValueError("no section Version")
    strings = dict(sections.get("strings", []))
    strings |= dict(sections.get(_ENGLISH, []))

    def text(value: str) -> str:
        def resolved(found: re.Match[str]) -> str:
            if not found[1]:
                return "%"
            known = strings.get(found[1].lower())
            return found[0] if known is None else _unquoted(",".join(known)).replace("%%", "%")

        return " ".join(_TOKEN.sub(resolved, _unquoted(value)).split())

    head = dict(sections["version"])
    driver = head.get("driverver", [])
    numbers = [value for value in driver if value and not _DATE.fullmatch(value)]
    services = [
        text(values[0])
        for name, entries in sections.items()
        if name.endswith(".services")
        for key, values in entries
        if key == "addservice" and values and values[0]
    ]
    return Inf(
        provider=text(",".join(head.get("provider", []))),
        version=numbers[0] if numbers else "",
        kind=text(",".join(head.get("class", []))),
        services=tuple(dict.fromkeys(services)),
    )


def _sections(content: str) -> dict[str, _Section]:
    """Name in lower case → lines; sections of the same name are one."""
    found: dict[str, _Section] = {}
    section: _Section = []
    before = ""
    for written in content.splitlines()[:_LINES]:
        line = (before + _without_comment(written).strip())[:_LENGTH]
        before = ""
        if line.endswith("\\") and not line.startswith("["):
            before = line[:-1]
        elif line.startswith("["):
            section = found.setdefault(line[1:].partition("]")[0].strip().lower(), [])
        elif line:
            name, _, value = line.partition("=")
            section.append((name.strip().lower(), _parts(value)))
    return found


def _parts(value: str) -> list[str]:
    """The parts between commas that are not within quotes."""
    if '"' not in value:
        return [part.strip() for part in value.split(",")]
    parts = [""]
    for word in _WORD.findall(value):
        if word == ",":
            parts.append("")
        else:
            parts[-1] += word
    return [part.strip() for part in parts]


def _without_comment(line: str) -> str:
    if ";" not in line:
        return line
    quoted = False
    for at, char in enumerate(line):
        if char == '"':
            quoted = not quoted
        elif char == ";" and not quoted:
            return line[:at]
    return line


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1].replace('""', '"') if len(value) > 1 and value[0] == value[-1] == '"' else value


def _decoded(data: bytes) -> str:
    if data.startswith(b"\xff\xfe"):
        return data[2:].decode("utf-16-le", "replace")
    if data.startswith(b"\xfe\xff"):
        return data[2:].decode("utf-16-be", "replace")
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
