r"""Antivirus, firewall and antispyware products as Security Center knows them, and what Defender excludes.

Security Center lists products that the Uninstall keys do not, and keeps some that are long gone: a product is
`leftover` if its programs are gone. Windows XP lists the names of many vendors that are not installed: only keys with a
value were ever in use.

A place that Defender excludes hints at a product and no more, hence is always a `leftover`. One that is gone says
nothing about this machine, since such lists are rolled out to all machines.

References:
    https://learn.microsoft.com/windows/win32/api/wscapi/ (WSC_SECURITY_PROVIDER, IWscProduct); the bits of STATE:
    https://mcpforlife.com/2020/04/14/how-to-resolve-this-state-value-of-av-providers/;
    https://learn.microsoft.com/defender-endpoint/configure-extension-file-exclusions-microsoft-defender-antivirus
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, IdType, Item, LeftOut
from phaseout.model.quoting import quoted
from phaseout.parsers.windows.image_path import absolute
from phaseout.parsers.windows.packed_guid import guid
from phaseout.parsers.windows.windows_dates import filetime
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.windows_programs import Programs
from phaseout.sources.kit.windows_registry import registry_of, subkeys
from phaseout.sources.source import Source, Trace

_CENTER = r"HKLM\SOFTWARE\Microsoft\Security Center"
_PROVIDER = rf"{_CENTER}\Provider"
_MONITORING = rf"{_CENTER}\Monitoring"
_TYPES = (("Av", "antivirus"), ("As", "antispyware"), ("Fw", "firewall"))
_EXCLUSIONS = (
    r"HKLM\SOFTWARE\Microsoft\Windows Defender\Exclusions",
    r"HKLM\SOFTWARE\Policies\Microsoft\Windows Defender\Exclusions",
    r"HKLM\SOFTWARE\Microsoft\Microsoft Antimalware\Exclusions",
)
_EXCLUDED = ("Paths", "Processes")
_EFFECT = "Windows may keep its own protection aside as long as Security Center lists this product"
_ACTIVE = {0: "no", 1: "yes", 2: "snoozed", 3: "expired"}


def collect(host: Host) -> Iterator[Trace]:
    """An item for every registered product, and for every excluded place that may be there."""
    registry = registry_of(host)
    missing = MissingFiles(host)
    for name, kind in _TYPES:
        for key in subkeys(registry.key(rf"{_PROVIDER}\{name}")):
            yield _product(host, key, kind, missing)
    for key in subkeys(registry.key(_MONITORING)):
        if any(key.values().values()):
            yield Item(
                kind="security_product",
                name=key.name,
                state="leftover",
                details={"note": "known by name only", "modified": filetime(key.modified)},
                evidence=(
                    Evidence(key.path, ", ".join(f"{name}: {_written(value)}" for name, value in key.values().items())),
                ),
            )
        else:
            yield LeftOut("part of the operating system")
    for path in _EXCLUSIONS:
        for what in _EXCLUDED:
            excluded = registry.key(rf"{path}\{what}")
            for name, value in excluded.values().items() if excluded is not None else ():
                yield _exclusion(host, rf"{path}\{what}", name, value, missing)


def _product(host: Host, key: Key, kind: str, missing: MissingFiles) -> Item:
    shown, reporting = (key.text(name) for name in ("PRODUCTEXE", "REPORTINGEXE"))
    found = Programs(host)
    programs = [path for command in (shown, reporting) if (path := found.path(command, host.variables))]
    name = key.text("DISPLAYNAME")
    clsid = guid(key.text("GUID")) or guid(key.name)
    ids: dict[IdType, str] = {"clsid": clsid}
    details = {"type": kind, "reporting": reporting, "modified": filetime(key.modified)}
    bits = key.value("STATE")
    if isinstance(bits, int):
        details["enabled"] = _ACTIVE.get(bits >> 12 & 0xF, "")
        details["up_to_date"] = "no" if bits & 0x10 else "yes"
        details["state"] = f"0x{bits:X}"
    state, unknown = missing.state(*programs)
    if state == "leftover" and kind == "antivirus":
        details["effect"] = _EFFECT
    return Item(
        kind="security_product",
        name=name or clsid or key.name,
        state=state,
        path=programs[0] if programs else "",
        command=shown,
        ids=ids,
        details=details,
        notes=unknown,
        evidence=(Evidence(key.path, f"DISPLAYNAME: {name}, PRODUCTEXE: {shown}"),),
    )


def _exclusion(host: Host, where: str, name: str, value: object, missing: MissingFiles) -> Trace:
    r"""The place that a value is named after; in older policies the value itself may be the path."""
    place = value if isinstance(value, str) and "\\" in value else name
    path = absolute(place, host.variables)
    if not place.strip():
        return LeftOut("an empty entry")
    if missing.gone(path):
        return LeftOut("names nothing that is there")
    return Item(
        kind="file",
        name=place.rstrip("\\").rpartition("\\")[2] or place,
        state="leftover",
        path=path,
        details={"hint": "excluded from Defender"},
        evidence=(Evidence(where, place),),
    )


SOURCE = Source(
    name="security_products",
    title="Security products that Windows knows, and what Defender excludes",
    platforms=("windows",),
    kinds=("security_product", "file"),
    needs=("registry",),
    reads=(
        *(rf"{_PROVIDER}\{name}" for name, _ in _TYPES),
        _MONITORING,
        *(rf"{path}\{what}" for path in _EXCLUSIONS for what in _EXCLUDED),
    ),
    limits="Windows Server has no Security Center, and only administrators may read what Defender excludes.",
    collect=collect,
)


def _written(value: object) -> str:
    return quoted(value) if isinstance(value, str) else str(value)
