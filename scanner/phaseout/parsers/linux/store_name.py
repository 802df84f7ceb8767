"""Names of packages in the stores of Nix and Guix.

References:
    https://nix.dev/manual/nix/latest/language/builtins#builtins-parseDrvName; store-path.md of the same manual (32
    characters of base 32 before the name)
"""

from phaseout.model.regex import regex

_HASH = regex(r"[0-9a-df-np-sv-z]{32}-")
_OUTPUT = regex(r"-(?:bin|dev|doc|lib|man|info|devdoc|out|static)$")


def store_name(path: str) -> str:
    """`kesl-12.1.0` of `/nix/store/<hash>-kesl-12.1.0`; the last part of a path of another form."""
    name = path.rstrip("/").rpartition("/")[2]
    return name[33:] if _HASH.match(name) else name


def split(name: str) -> tuple[str, str]:
    """Name and version: the version begins behind the first dash that no letter follows."""
    name = _OUTPUT.sub("", name)
    for at in range(1, len(name) - 1):
        if name[at] == "-" and not name[at + 1].isalpha():
            return name[:at], name[at + 1 :]
    return name, ""
