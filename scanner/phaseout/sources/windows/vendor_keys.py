r"""Keys that vendors keep below `HKLM\SOFTWARE`: they show products that have no Uninstall entry, or no longer one.

Every key of a vendor is an item, down to the fourth level (`KasperskyLab\Components\34\1103`). Such a key is
configuration, so it is a `leftover` unless it names a folder that may be there. Name and version are read if present.

References:
    https://learn.microsoft.com/windows/win32/sysinfo/registry-key-security-and-access-rights, "Structure of the
    Registry" (`HKEY_LOCAL_MACHINE\SOFTWARE\<company>\<product>\<version>`).
"""

import re
from collections.abc import Iterator, Mapping

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.windows.image_path import absolute
from phaseout.parsers.windows.registry_values import Value
from phaseout.parsers.windows.windows_dates import filetime
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.windows_registry import registry_of, subkeys
from phaseout.sources.source import Source, Trace

_TOPS = (r"HKLM\SOFTWARE", r"HKLM\SOFTWARE\WOW6432Node")
_LEVELS = 4
_TEXT = 256  # characters of a name or version
_OF_ONE = 4_000  # keys of one vendor
_ALL = 40_000
# Values that are not empty where a password protects a product of Kaspersky: what they hold is never kept.
_PASSWORDS = frozenset(("opep", "enablepswrdprotect"))
# Where an agent keeps the server that manages the machine: name of a key, the key below it, and its two values.
_MANAGERS = (("1103", r"1.0.0.0\Statistics\AVState", "Protection_AdmServer", "Protection_LastConnected"),)
_CONTACT = re.compile(r"(\d\d)-(\d\d)-(\d{4}).*")
_WINDOWS = frozenset(("classes", "clients", "microsoft", "policies", "registeredapplications", "wow6432node"))
_NAMES = ("productname", "displayname", "product")
_VERSIONS = ("productversion", "displayversion", "version", "currentversion")
_VENDORS = ("publisher", "companyname", "manufacturer")
_FOLDERS = ("productroot", "installlocation", "installpath", "installdir", "installfolder", "installationpath")


def collect(host: Host) -> Iterator[Trace]:
    """An item for every key of a vendor, in both views."""
    registry = registry_of(host)
    missing = MissingFiles(host)
    left = _ALL
    for path in _TOPS:
        for vendor in subkeys(registry.key(path)):
            if vendor.name.lower() in _WINDOWS:
                yield LeftOut("part of the operating system")
                continue
            if not left:
                yield Problem(vendor.path, f"more than {_ALL} keys of vendors: the rest was not read", "limit")
                return
            keys, more = _keys(vendor, min(left, _OF_ONE))
            left -= len(keys)
            for key in keys:
                yield _item(host, key, missing)
            if more:
                yield Problem(vendor.path, f"more than {_OF_ONE} keys: the other {more} were not read", "limit")


def _keys(vendor: Key, limit: int) -> tuple[list[Key], int]:
    """The keys of a vendor, level by level from its own on, and how many there are beyond the limit."""
    found = [vendor]
    level = [vendor]
    for _ in range(_LEVELS - 1):
        above, level = level, []
        for key in above:
            level += key.subkeys()
            if len(found) + len(level) > limit:
                return (found + level)[:limit], len(found) + len(level) - limit
        found += level
    return found, 0


def _item(host: Host, key: Key, missing: MissingFiles) -> Item:
    texts = {name.lower(): value for name, value in key.values().items() if isinstance(value, str)}
    name, version, vendor, root = (_first(texts, names) for names in (_NAMES, _VERSIONS, _VENDORS, _FOLDERS))
    folder = absolute(root, host.variables) if root else ""
    is_local = folder[1:3] == ":\\" and len(folder) > 3
    state, notes = missing.state(folder) if is_local else ("leftover", ())
    return Item(
        kind="file",
        name=name or key.name,
        state=state,
        vendor=vendor,
        version=version,
        path=folder,
        ids={"registry_key": key.path},
        details={
            "modified": filetime(key.modified),
            "uninstall_password": "set" if _has_password(key.values()) else "",
            "managed_by": _server(key),
        },
        notes=notes,
        evidence=(Evidence(key.path, " ".join(filter(None, (name, version)))),),
    )


def _has_password(values: Mapping[str, Value]) -> bool:
    """Whether one of them says that a password protects the product."""
    return any(value not in ("", "0", 0, b"") for name, value in values.items() if name.lower() in _PASSWORDS)


def _server(key: Key) -> str:
    """The server that manages the product, with the moment (UTC) of the last contact; empty where none is named."""
    for name, below, server, contact in _MANAGERS:
        state = key.key(below) if key.name == name else None
        if state is not None and (found := state.text(server)):
            last = _CONTACT.fullmatch(state.text(contact))
            return f"{found}, last reached on {last[3]}-{last[2]}-{last[1]}" if last else found
    return ""


def _first(texts: Mapping[str, str], names: tuple[str, ...]) -> str:
    """The first of these values that is not blank, as one line."""
    found = next((texts[name] for name in names if texts.get(name, "").strip()), "") if texts else ""
    return " ".join(found.split())[:_TEXT]


SOURCE = Source(
    name="vendor_keys",
    title="Keys of vendors in the registry",
    platforms=("windows",),
    kinds=("file",),
    needs=("registry",),
    reads=_TOPS,
    limits="Keys of users and keys deeper than four levels are not listed.",
    collect=collect,
)
