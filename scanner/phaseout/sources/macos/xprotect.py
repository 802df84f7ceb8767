"""XProtect, with which macOS protects itself: its version, when it was last renewed, and whether updates are on.

References:
    https://support.apple.com/guide/security/protecting-against-malware-sec469d47bd8/web; since macOS 15 the bundle in
    force lies below /private/var/protected. `ConfigDataInstall` and `CriticalUpdateInstall` switch its updates
    (https://developer.apple.com/documentation/devicemanagement/softwareupdate).
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item
from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.sources.kit.property_lists import dictionary
from phaseout.sources.source import Source, Trace

_BUNDLES = (
    "/private/var/protected/xprotect/XProtect.bundle",
    "/Library/Apple/System/Library/CoreServices/XProtect.bundle",
)
_INFO = "Contents/Info.plist"
_UPDATES = "/Library/Preferences/com.apple.SoftwareUpdate.plist"
_SIZE = 1 << 20


def collect(host: Host) -> Iterator[Trace]:
    """An item for the newer of the two bundles."""
    found: list[tuple[int, str, str]] = []
    for bundle in _BUNDLES:
        path = f"{bundle}/{_INFO}"
        info = yield from dictionary(host, path, _SIZE)
        version = str((info or {}).get("CFBundleShortVersionString", ""))
        if version:
            found.append((int(version) if version.isdecimal() and len(version) < 12 else 0, version, path))
    if not found:
        return
    _, version, path = max(found)
    stat = host.files.stat(path)
    settings = yield from dictionary(host, _UPDATES, _SIZE)
    is_off = any((settings or {}).get(name) is False for name in ("ConfigDataInstall", "CriticalUpdateInstall"))
    yield Item(
        kind="security_product",
        name="XProtect",
        vendor="Apple",
        version=version,
        path=path.removesuffix(f"/{_INFO}"),
        details={
            "type": "antivirus",
            "enabled": "yes",
            "updated": rfc3339(stat.mtime) if stat is not None else "",
            "note": "its updates are switched off" if is_off else "",
        },
        evidence=(Evidence(path, version),),
    )


SOURCE = Source(
    name="xprotect",
    title="XProtect of macOS",
    platforms=("macos",),
    kinds=("security_product",),
    needs=(),
    reads=(*(f"{bundle}/{_INFO}" for bundle in _BUNDLES), _UPDATES),
    limits="When its rules were made is not in files: the date is that of the file.",
    collect=collect,
)
