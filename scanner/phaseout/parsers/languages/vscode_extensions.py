"""Extensions of VS Code and related editors: the list `extensions.json`, `.obsolete`, and `package.json` of each.

References:
    https://github.com/microsoft/vscode: src/vs/platform/extensionManagement/common/extensionsProfileScannerService.ts
    (extensions.json), …/node/extensionsScannerService.ts (.obsolete);
    https://code.visualstudio.com/api/references/extension-manifest
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.encodings.lenient_json import decode, member, text


class Listed(NamedTuple):
    """An entry of the list; `folder` is a name beside the list, `path` the whole path where there is no such name."""

    id: str
    version: str
    folder: str
    path: str
    vendor: str
    installed: str
    source: str
    target: str  # system and processor that it was built for


class Package(NamedTuple):
    """What `package.json` says; `title` may stand for a text of `package.nls.json`."""

    id: str
    title: str
    version: str
    vendor: str


def listed(data: bytes) -> Iterator[Listed | None]:
    """The entries of `extensions.json`; `None` for a damaged one.

    Raises:
        ValueError: it is not a JSON list.
    """
    for raw in decode(data, list[msgspec.Raw]):
        entry = decode(bytes(raw))
        name = text(member(entry, "identifier", "id"))
        yield _listed(name, entry) if name else None


def _listed(name: str, entry: Any) -> Listed:
    location = entry.get("location")
    if not isinstance(location, str):
        location = member(location, "fsPath") or member(location, "path")
    metadata = entry.get("metadata")
    moment = member(metadata, "installedTimestamp")
    target = text(member(metadata, "targetPlatform"))
    return Listed(
        id=name,
        version=text(entry.get("version")),
        folder=_name(entry.get("relativeLocation")),
        path=location if isinstance(location, str) else "",
        vendor=text(member(metadata, "publisherDisplayName")),
        installed=rfc3339(moment / 1000) if isinstance(moment, (int, float)) and 0 < moment < 1e17 else "",
        source=text(member(metadata, "source")),
        target="" if target in ("undefined", "unknown", "universal") else target,
    )


def _name(value: Any) -> str:
    return value if isinstance(value, str) and value not in (".", "..") and not set(value) & set("/\\\0") else ""


def obsolete(data: bytes) -> frozenset[str]:
    """Names of the folders that wait for their removal, in lower case.

    Raises:
        ValueError: it is not a JSON object.
    """
    return frozenset(name.lower() for name, gone in decode(data, dict[str, Any]).items() if gone is True)


def package(data: bytes) -> Package:
    """The manifest of an extension.

    Raises:
        ValueError: it is not a JSON object.
    """
    value = decode(data)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004
    publisher, name = text(value.get("publisher")), text(value.get("name"))
    author = value.get("author")
    return Package(
        id=f"{publisher}.{name}" if publisher and name else name,
        title=text(value.get("displayName")),
        version=text(value.get("version")),
        vendor=publisher or text(member(author, "name")) or text(author),
    )
