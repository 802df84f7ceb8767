"""`metadata.xml` of a package of eopkg.

References:
    https://github.com/getsolus/eopkg (pisi/metadata.py, pisi/specfile.py)
"""

from typing import NamedTuple

from phaseout.parsers.encodings.xml_elements import elements


class Metadata(NamedTuple):
    """What the file says; empty what it does not say."""

    name: str = ""
    version: str = ""
    arch: str = ""
    homepage: str = ""
    packager: str = ""


_WANTED = {
    "PISI/Package/Name": "name",
    "PISI/Package/History/Update/Version": "version",  # the first update is the newest
    "PISI/Package/Architecture": "arch",
    "PISI/Source/Homepage": "homepage",
    "PISI/Source/Packager/Name": "packager",
}


def metadata(data: bytes) -> Metadata:
    """What the file says of the package.

    Raises:
        ValueError: it is not XML.
    """
    found: dict[str, str] = {}
    for element in elements(data):
        if element.path in _WANTED and element.text:
            found.setdefault(_WANTED[element.path], element.text)
    return Metadata(**found)
