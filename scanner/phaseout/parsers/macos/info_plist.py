"""What a bundle of macOS (`.app`, `.kext`, `.appex`, …) says about itself in its `Info.plist`.

Placeholders that a build never filled in (`$(MARKETING_VERSION)`) read as absent.

References:
    Apple, "Information Property List" (CFBundleIdentifier, CFBundleShortVersionString, NSHumanReadableCopyright, …),
    "Bundle Programming Guide".
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from phaseout.parsers.encodings.property_list import mapping, text

_START = re.compile(r"©|℗|\(c\)|\bcopyright\b|\bcopr\b\.?", re.IGNORECASE)
_YEARS = r"(?:\d{4}(?:\s*[-\u2013\u2014]\s*(?:\d{2,4}|present|heute))?)"
_FILLER = re.compile(rf"(?:©|℗|\(c\)|\bcopyright\b|\bcopr\b\.?|\bby\b|{_YEARS}|[\s,:;.\u2013\u2014-])*", re.IGNORECASE)
_END = re.compile(
    r"[\n\r|]|\s*[.,;:\u2013\u2014-]?\s*\b(?:all\s+rights|some\s+rights|alle\s+rechte|tous\s+droits|todos\s+los|licensed\s)"
    r"|版权所有|保留所有|все\s+права",
    re.IGNORECASE,
)
_LAST_YEARS = re.compile(rf"(?:[\s,(]*{_YEARS}\)?)+[\s.]*$")
_PLACEHOLDER = re.compile(r"\$(?:\([^)]*\)|\{[^}]*\}|[A-Z_]+)|@[A-Z_]+@|%[A-Z_]+%|__[A-Z_]+__")
_LENGTH = 400
_KEYS = (
    rb"CFBundle(?:Identifier|Name|DisplayName|ShortVersionString|Version|Executable|GetInfoString)"
    rb"|NSHumanReadableCopyright"
)
_TOKEN = re.compile(rb"<(?:(/)?(?:dict|array)>|key>(" + _KEYS + rb")</key>\s*<(\w+)>([^<]*)<)")
_NOT_PLAIN = re.compile(
    rb"<!--|<!\[CDATA|</?(?:dict|array|key|string)\s|<key>(?:NSExtension|EXAppExtensionAttributes)<"
    rb"|<\?xml(?![^>]*encoding=[\"'][Uu][Tt][Ff]-8[\"'])"
)


class Bundle(NamedTuple):
    """The facts of a bundle; empty where it has none."""

    id: str
    name: str
    display_name: str
    version: str  # what people call it; the build number where there is no other
    build: str
    executable: str
    copyright: str
    extension_point: str  # of an app extension: what it extends


def bundle(data: bytes) -> Bundle | None:
    """The bundle of an `Info.plist`; `None` if the data is no property list."""
    values = _at_a_glance(data)
    if values is None:
        values = mapping(data)
    if values is None:
        return None
    build = _filled(values.get("CFBundleVersion"))
    version = _filled(values.get("CFBundleShortVersionString"))
    is_number = any(char.isdecimal() for char in version) and "$" not in version
    extension = values.get("NSExtension", values.get("EXAppExtensionAttributes"))
    points = extension if isinstance(extension, dict) else {}
    point = points.get("NSExtensionPointIdentifier", points.get("EXExtensionPointIdentifier"))
    return Bundle(
        id=_filled(values.get("CFBundleIdentifier")),
        name=_filled(values.get("CFBundleName")),
        display_name=_filled(values.get("CFBundleDisplayName")),
        version=version if is_number else build or version,
        build=build,
        executable=_filled(values.get("CFBundleExecutable")),
        copyright=text(values.get("NSHumanReadableCopyright")) or text(values.get("CFBundleGetInfoString")),
        extension_point=text(point),
    )


def _filled(value: object) -> str:
    """The text of a value; empty for one that is only a placeholder."""
    found = text(value)
    return "" if _PLACEHOLDER.fullmatch(found) else found


def _at_a_glance(data: bytes) -> Mapping[str, Any] | None:
    """The few strings of a plain XML list that count here, in a tenth of the time; `None` for any other list."""
    if not data.startswith(b"<?xml") or not data.rstrip().endswith(b"</plist>") or _NOT_PLAIN.search(data):
        return None
    found: dict[str, Any] = {}
    depth = 0
    for token in _TOKEN.finditer(data):
        end, key, kind, value = token.groups()
        if key is None:
            depth += -1 if end else 1
        elif depth == 1:
            if kind != b"string" or b"&" in value:
                return None
            try:
                found[key.decode()] = value.decode()
            except UnicodeDecodeError:
                return None
    return found if depth == 0 else None


def holder(notice: str) -> str:
    """The rights holder: `Acme GmbH` of `Copyright © 2010-2024 Acme GmbH. All rights reserved.`; empty if missing."""
    notice = notice[:_LENGTH]
    start = _START.search(notice)
    if start is None:
        return ""
    begin = _FILLER.match(notice, start.start())
    rest = notice[begin.end() if begin else start.end() :]
    end = _END.search(rest)
    name = rest[: end.start()] if end else rest
    return _LAST_YEARS.sub("", name).strip(" \t,;:-\u2013\u2014")
