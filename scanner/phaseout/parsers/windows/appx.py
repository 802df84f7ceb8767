"""Names and manifests of Windows app packages (AppX, MSIX).

References:
    https://learn.microsoft.com/windows/apps/desktop/modernize/package-identity-overview (full and family name);
    https://learn.microsoft.com/uwp/schemas/appxpackage/uapmanifestschema/schema-root;
    https://marcinotorowski.com/2021/12/19/calculating-hash-part-of-msix-package-family-name/
"""

import re
from typing import NamedTuple

from phaseout.parsers.encodings.sha256 import sha256
from phaseout.parsers.encodings.xml_elements import elements

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's
_FULL_NAME = re.compile(
    r"(?P<name>[-.A-Za-z0-9]{1,64})_(?P<version>\d{1,5}(?:\.\d{1,5}){3})_(?P<architecture>[A-Za-z0-9]{1,16})"
    rf"_(?P<resource>[-.~A-Za-z0-9]{{0,64}})_(?P<publisher_id>[{_ALPHABET}]{{13}})",
    re.ASCII | re.IGNORECASE,
)
_COMMON_NAME = re.compile(r'(?:^|[,;+]\s*)CN\s*=\s*(?:"((?:[^"]|"")*)"|([^,;+"]*))', re.IGNORECASE)
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class FullName(NamedTuple):
    """The parts of `Microsoft.BingWeather_4.23.10923.0_x64__8wekyb3d8bbwe`."""

    name: str
    version: str
    architecture: str
    resource: str
    publisher_id: str

    @property
    def family(self) -> str:
        """The part that is the same in all versions: `Microsoft.BingWeather_8wekyb3d8bbwe`."""
        return f"{self.name}_{self.publisher_id}"


class Manifest(NamedTuple):
    """The facts in `AppxManifest.xml`. Display names may be references (`ms-resource:…`)."""

    name: str
    publisher: str
    version: str
    architecture: str
    display_name: str
    publisher_name: str


def full_name(text: str) -> FullName | None:
    """The parts of a package's full name; `None` if the text is not one."""
    found = _FULL_NAME.fullmatch(text)
    return FullName(*found.groups()) if found else None


def publisher_id(publisher: str) -> str:
    """The 13 characters at the end of a family name, from the publisher as the manifest spells it."""
    bits = int.from_bytes(sha256(publisher.encode("utf-16-le", "surrogatepass")).digest()[:8], "big") << 1
    return "".join(_ALPHABET[bits >> shift & 31] for shift in range(60, -1, -5))


def common_name(publisher: str) -> str:
    """`Kaspersky` of `CN=Kaspersky, O=…`; empty if there is no name or only the number that the Store assigns."""
    found = _COMMON_NAME.search(publisher)
    name = (found[1] or found[2] or "").replace('""', '"').strip() if found else ""
    return "" if _GUID.fullmatch(name) else name


def manifest(data: bytes) -> Manifest:
    """The facts in the manifest of a package or of a bundle.

    Raises:
        ValueError: it is not a manifest.
    """
    identity: dict[str, str] | None = None
    shown: dict[str, str] = {}
    for path, attributes, text in elements(data):
        below = path.partition("/")[2]
        if below == "Identity" and identity is None:
            identity = attributes
        elif below in {"Properties/DisplayName", "Properties/PublisherDisplayName"}:
            shown.setdefault(below.partition("/")[2], text)
        elif below == "Properties" and identity is not None:
            break
    if not identity or not identity.get("Name"):
        raise ValueError("no manifest of a package: it has no identity")
    return Manifest(
        name=identity["Name"],
        publisher=identity.get("Publisher", ""),
        version=identity.get("Version", ""),
        architecture=identity.get("ProcessorArchitecture", ""),
        display_name=shown.get("DisplayName", ""),
        publisher_name=shown.get("PublisherDisplayName", ""),
    )
