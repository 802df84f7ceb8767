"""Name and version of an ebuild, as in the folder names of Portage's database.

References:
    https://projects.gentoo.org/pms/8/pms.html sections 3.1.2 (package names) and 3.2 (version specifications)
"""

from phaseout.model.regex import regex

_PF = regex(
    r"(?P<name>[A-Za-z0-9_][A-Za-z0-9+_-]*)"
    r"-(?P<version>\d+(?:\.\d+)*[a-z]?(?:_(?:alpha|beta|pre|rc|p)\d*)*(?:-r\d+)?)"
)


def split(pf: str) -> tuple[str, str] | None:
    """`("skopeo", "1.5.1-r1")` of `skopeo-1.5.1-r1`; `None` where it is not a name with a version."""
    found = _PF.fullmatch(pf) if len(pf) <= 255 else None  # no folder has a longer name
    return (found["name"], found["version"]) if found else None
