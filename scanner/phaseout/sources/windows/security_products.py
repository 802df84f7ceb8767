r"""Antivirus, firewall and antispyware products as Security Center knows them, and what Defender leaves alone.

Security Center lists products that the Uninstall keys do not, and keeps some that are long gone: one whose programs are
no longer on disk is `leftover`. Windows XP lists the names of many vendors that are not installed: only those with a
value were ever touched.

A place that Defender leaves alone is a hint of a product and no more, hence always a `leftover`; one that is surely not
there says nothing about this machine, as such lists are rolled out to all.

References:
    https://learn.microsoft.com/windows/win32/api/wscapi/ (WSC_SECURITY_PROVIDER, IWscProduct); the bits of STATE:
    https://mcpforlife.com/2020/04/14/how-to-resolve-this-state-value-of-av-providers/;
    https://learn.microsoft.com/defender-endpoint/configure-extension-file-exclusions-microsoft-defender-antivirus
"""

from collections.abc import Callable, Iterator

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, IdType, Item, LeftOut
from phaseout.parsers.windows.image_path import absolute, program
from phaseout.parsers.windows.packed_guid import guid
from phaseout.parsers.windows.windows_dates import filetime
from phaseout.sources.kit.missing_files import gone_from
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
_ACTIVE = {0: "no", 1: "yes", 2: "snoozed", 3: "expired"}


def collect(host: Host) -> Iterator[Trace]:
    """An item for every registered product, and for every place that is excluded and may be there."""
    registry = host.registry
    assert registry is not None
    gone = gone_from(host)
    for name, kind in _TYPES:
        providers = registry.key(rf"{_PROVIDER}\{name}")
        for key in providers.subkeys() if providers is not None else ():
            yield _product(host, key, kind, gone)
    monitoring = registry.key(_MONITORING)
    for key in monitoring.subkeys() if monitoring is not None else ():
        if any(key.values().values()):
            yield Item(
                kind="security_product",
                name=key.name,
                state="leftover",
                details={"note": "known by name only", "modified": filetime(key.modified)},
                evidence=(Evidence(key.path, ", ".join(f"{name}: {value!r}" for name, value in key.values().items())),),
            )
        else:
            yield LeftOut("part of the operating system")
    for path in _EXCLUSIONS:
        for what in _EXCLUDED:
            excluded = registry.key(rf"{path}\{what}")
            for name, value in excluded.values().items() if excluded is not None else ():
                yield _exclusion(host, rf"{path}\{what}", name, value, gone)


def _product(host: Host, key: Key, kind: str, gone: Callable[[str], bool]) -> Item:
    shown, reporting = (key.text(name) for name in ("PRODUCTEXE", "REPORTINGEXE"))
    programs = [path for path in (program(shown, host.variables), program(reporting, host.variables)) if path]
    name = key.text("DISPLAYNAME")
    clsid = guid(key.text("GUID")) or guid(key.name)
    ids: dict[IdType, str] = {"clsid": clsid}
    details = {"type": kind, "reporting": reporting, "modified": filetime(key.modified)}
    state = key.value("STATE")
    if isinstance(state, int):
        details["enabled"] = _ACTIVE.get(state >> 12 & 0xF, "")
        details["up_to_date"] = "no" if state & 0x10 else "yes"
        details["state"] = f"0x{state:X}"
    return Item(
        kind="security_product",
        name=name or clsid or key.name,
        state="leftover" if programs and all(gone(path) for path in programs) else "installed",
        path=programs[0] if programs else "",
        command=shown,
        ids=ids,
        details=details,
        evidence=(Evidence(key.path, f"DISPLAYNAME: {name}, PRODUCTEXE: {shown}"),),
    )


def _exclusion(host: Host, where: str, name: str, value: object, gone: Callable[[str], bool]) -> Trace:
    r"""The place that a value is named for; of policies of old, the value itself may be the path."""
    told = value if isinstance(value, str) and "\\" in value else name
    path = absolute(told, host.variables)
    if not told.strip():
        return LeftOut("an empty entry")
    if gone(path):
        return LeftOut("names nothing that is there")
    return Item(
        kind="file",
        name=told.rstrip("\\").rpartition("\\")[2] or told,
        state="leftover",
        path=path,
        details={"hint": "excluded from Defender"},
        evidence=(Evidence(where, told),),
    )


SOURCE = Source(
    name="security_products",
    title="Security products that Windows knows, and what Defender leaves alone",
    platforms=("windows",),
    kinds=("security_product", "file"),
    needs=("registry",),
    reads=(
        *(rf"{_PROVIDER}\{name}" for name, _ in _TYPES),
        _MONITORING,
        *(rf"{path}\{what}" for path in _EXCLUSIONS for what in _EXCLUDED),
    ),
    limits="Windows Server has no Security Center, and only administrators may read what Defender leaves alone.",
    collect=collect,
)
