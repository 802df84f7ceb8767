"""Package URLs, the common names of packages across package managers.

References:
    https://github.com/package-url/purl-spec (PURL-SPECIFICATION: what is written out; types apk, alpm, deb, npm, rpm)
"""

import re
from functools import lru_cache

from phaseout.model.regex import regex

_USUAL = regex(r"[A-Za-z0-9.~_:+-]*")
_USUAL_IN_NAME = regex(r"[A-Za-z0-9.~_:+/-]*")
_OTHER = regex(r"[^A-Za-z0-9.~_:-]")
_WITH_NAMESPACE = frozenset(("composer", "golang", "maven", "npm"))  # the namespace is part of what it is called
_OTHER_IN_NAME = regex(r"[^A-Za-z0-9.~_:/-]")


def purl(kind: str, name: str, version: str = "", **qualifiers: str) -> str:
    """`pkg:apk/musl@1.2.4-r4?arch=x86_64`; what is empty is left out, what would be read otherwise is written out.

    Args:
        kind: the type, in small letters.
        name: with its namespaces, parted by `/`.
        version: as the package manager says it.
        qualifiers: in the order of their names, as the specification wants them.
    """
    found = f"pkg:{kind}/{_written(name, _USUAL_IN_NAME, _OTHER_IN_NAME)}"
    if version:
        found += f"@{_written(version, _USUAL, _OTHER)}"
    mark = "?"
    for key, value in qualifiers.items():
        if value:
            found += f"{mark}{key}={_qualifier(value)}"
            mark = "&"
    return found


def _written(text: str, usual: "re.Pattern[str]", other: "re.Pattern[str]") -> str:
    if usual.fullmatch(text):  # nearly every text of nearly a thousand packages
        return text.replace("+", "%2B")
    return other.sub(_escape, text)


@lru_cache(maxsize=256)
def _qualifier(value: str) -> str:
    """One that a thousand packages share."""
    return _written(value, _USUAL_IN_NAME, _OTHER_IN_NAME)


def _escape(found: "re.Match[str]") -> str:
    try:
        data = found[0].encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a character, as names on NTFS may have
        data = found[0].encode("utf-8", "surrogatepass")
    return "".join(f"%{byte:02X}" for byte in data)


def name_and_version(url: str) -> tuple[str, str]:
    """Name, with its namespace where languages write one, and version of a package URL; empty if it is not one."""
    scheme, _, rest = url.partition(":")
    kind, _, path = rest.lstrip("/").partition("#")[0].partition("?")[0].partition("/")
    if scheme != "pkg" or not kind or not path:
        return "", ""
    path, mark, version = path.rpartition("@") if "@" in path.lstrip("@") else (path, "", "")
    if mark and "/" in version:  # the `@` of a namespace that is not written out
        path, version = f"{path}@{version}", ""
    from urllib.parse import unquote  # late: scans write package URLs, and read none

    name = unquote(path.strip("/"))
    if kind not in _WITH_NAMESPACE:
        name = name.rpartition("/")[2]
    elif kind == "maven":
        name = name.replace("/", ":")
    return name, unquote(version)
