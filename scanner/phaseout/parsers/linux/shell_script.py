"""What a shell script assigns literally, and what its header says, without running it.

References:
    https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html (2.5, 2.6.2 Parameter Expansion);
    https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/initscrcomconv.html (LSB header);
    chkconfig(8) (its `# description:`).
"""

import re

from phaseout.model.regex import regex

_ASSIGNMENT = regex(
    r"""^[ \t]*(?:(?:export|readonly|local)[ \t]+)?([A-Za-z_]\w*)=("[^"\n]*"|'[^'\n]*'|[^\s"'`;&|<>()]*)""",
    re.MULTILINE,
)
_EXPANSION = regex(r"\$\{(\w+)(?::?-([^}$`]*))?\}|\$(\w+)")
_HEADER = regex(r"^#[ \t]*(Provides|Short-Description|Description):[ \t]*(\S.*)$", re.MULTILINE | re.IGNORECASE)
_LENGTH = 4096  # of a value; two names that hold each other twice would grow without end


def literals(text: str) -> dict[str, str]:
    """Name → the first value that a script assigns to it and that is known without running the script.

    `${NAME}`, `$NAME` and `${NAME:-word}` of names known by then are filled in. Left out are values with anything
    else to expand.
    """
    found: dict[str, str] = {}
    for name, value in _ASSIGNMENT.findall(text):
        if name in found:
            continue
        if value[:1] == "'":
            found[name] = value[1:-1]
            continue
        plain = value.strip('"')
        if "$" in plain:
            plain = _EXPANSION.sub(lambda hit: found.get(hit[1] or hit[3], hit[2] or hit[0]), plain)
        if not {"$", "`", "\\"} & set(plain) and len(plain) <= _LENGTH:
            found[name] = plain
    return found


def header(text: str) -> dict[str, str]:
    """The comments of an init script that name it: `provides`, `short-description`, `description`, where given."""
    found: dict[str, str] = {}
    for key, value in _HEADER.findall(text):
        found.setdefault(key.lower(), value.strip().rstrip("\\").rstrip())
    return found
