"""Which release of the rules counts: the one that is shipped, or a newer pack that the administrator imported.

`phaseout --version` reads this too, so nothing is imported here that it could do without. A release is described by a
few lines of a key and a value: `serial`, `made`, `review-by`, `digest`.
"""

import os
import sys

INSTALLED = "installed"
_SHIPPED = "release"
_LIMIT = 4096


def shipped_folder() -> str:
    """The folder of the shipped rules, in an installed wheel or in a checkout."""
    package = os.path.dirname(os.path.abspath(__file__))
    inside = os.path.join(package, "rules")
    if os.path.isdir(os.path.join(inside, "vendors")):
        return inside
    return os.path.join(os.path.dirname(os.path.dirname(package)), "rules")


def installed_folder() -> str:
    """Where the rules of packs lie: a place that only the administrator can write."""
    if sys.platform == "win32":
        for name in ("PROGRAMW6432", "PROGRAMFILES"):
            programs = os.environ.get(name, "")
            if programs[1:3] == ":\\":  # the rest would be a folder of the current drive
                return os.path.join(programs, "phaseout", "rules")
        return r"C:\Program Files\phaseout\rules"
    if sys.platform == "darwin":
        return "/Library/Application Support/phaseout/rules"
    return "/var/lib/phaseout/rules"


def shipped() -> dict[str, str]:
    """The release of the shipped rules."""
    return _read(os.path.join(shipped_folder(), _SHIPPED))


def installed() -> dict[str, str]:
    """The release that was imported; empty if none was.

    Raises:
        OSError: it cannot be read.
    """
    return _read(os.path.join(installed_folder(), INSTALLED))


def number(release: dict[str, str], key: str = "serial") -> int:
    """A number of a release, such as its serial; 0 if it has none."""
    value = release.get(key, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 12 else 0


def described() -> str:
    """The newest release for people: `rules 7 of 2026-11-26, digest 0123456789ab`."""
    newest = shipped()
    try:
        newest = max(newest, installed(), key=number)
    except OSError:  # what cannot be read is not used either
        newest = shipped()
    digest = newest.get("digest", "")
    return f"rules {number(newest)} of {newest.get('made', '?')}" + (f", digest {digest[:12]}" if digest else "")


def _read(path: str) -> dict[str, str]:
    try:
        with open(path, "rb", buffering=0) as file:
            text = file.read(_LIMIT).decode("ascii", "replace")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    pairs = (line.partition(" ") for line in text.splitlines())
    return {key: "".join(char for char in value if char.isprintable()) for key, _, value in pairs}
