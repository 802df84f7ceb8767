"""GUIDs as Windows Installer writes them in the registry: 32 digits, those of each group reversed.

References:
    https://learn.microsoft.com/windows/win32/msi/guid; the packed form is undocumented, see "Packed GUIDs" in the Wine
    sources (dlls/msi/msipriv.h, squash_guid) and https://installpac.wordpress.com/2008/03/31/packed-guids-darwin-descriptors-and-windows-installer-weirdness/
"""

import re

_GUID = re.compile(r"\{[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}")
_PACKED = re.compile(r"[0-9A-Fa-f]{32}")
_GROUPS = (8, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2)


def guid(text: str) -> str:
    """The text in capitals if it is a GUID in braces, else an empty string."""
    return text.upper() if _GUID.fullmatch(text) else ""


def unpack(packed: str) -> str:
    """`00002109010090400000000000F01FEC` → `{90120000-0010-0409-0000-0000000FF1CE}`; empty if the text is not one."""
    if not _PACKED.fullmatch(packed):
        return ""
    digits = _turned(packed.upper())
    return f"{{{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}}}"


def pack(text: str) -> str:
    """`{90120000-0010-0409-0000-0000000FF1CE}` → `00002109010090400000000000F01FEC`; empty if the text is not one."""
    return _turned(guid(text)[1:-1].replace("-", ""))


def _turned(digits: str) -> str:
    parts = []
    at = 0
    for size in _GROUPS:
        parts.append(digits[at : at + size][::-1])
        at += size
    return "".join(parts)
