r"""Microsoft Defender Antivirus: is it there, is it on, passive or off, and how old are its signatures.

Another product puts Defender aside, and a policy that was set for it stays when that product goes: then nothing
protects. What Defender does at this moment, and whether it scans in real time, is not in files.

References:
    https://learn.microsoft.com/defender-endpoint/microsoft-defender-antivirus-compatibility (ForceDefenderPassiveMode,
    DisableAntiSpyware); the key below `SOFTWARE\Microsoft` is not documented: `SignaturesLastUpdated` and
    `AVSignatureApplied` are FILETIMEs
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item
from phaseout.parsers.windows.windows_dates import filetime
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.windows_drivers import SERVICES
from phaseout.sources.kit.windows_programs import Programs
from phaseout.sources.kit.windows_registry import registry_of
from phaseout.sources.source import Source, Trace

_SERVICE = rf"{SERVICES}\WinDefend"
_LOCAL = r"HKLM\SOFTWARE\Microsoft\Windows Defender"
_POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\Windows Defender"
_ADVANCED = r"HKLM\SOFTWARE\Policies\Microsoft\Windows Advanced Threat Protection"
_REAL_TIME = "Real-Time Protection"
_SIGNATURES = rf"{_LOCAL}\Signature Updates"
_STARTS = {0: "boot", 1: "system", 2: "automatic", 3: "manual", 4: "disabled"}
_AUTOMATIC = 2
# What switches it off, and what makes it passive: key, value, the number that does so.
_OFF = (
    (_POLICY, "DisableAntiSpyware", 1),
    (_POLICY, "DisableAntiVirus", 1),
    (rf"{_POLICY}\{_REAL_TIME}", "DisableRealtimeMonitoring", 1),
    (_LOCAL, "DisableAntiSpyware", 1),
    (_LOCAL, "DisableAntiVirus", 1),
    (rf"{_LOCAL}\{_REAL_TIME}", "DisableRealtimeMonitoring", 1),
)
_PASSIVE = ((_ADVANCED, "ForceDefenderPassiveMode", 1), (_POLICY, "PassiveMode", 1), (_LOCAL, "PassiveMode", 1))
_DATES = ("SignaturesLastUpdated", "AVSignatureApplied")


def collect(host: Host) -> Iterator[Trace]:
    """An item if Windows has the service of Defender, which a server may lack."""
    registry = registry_of(host)
    service = registry.key(_SERVICE)
    if service is None:
        return
    start = service.number("Start")
    program = Programs(host).path(service.text("ImagePath"), host.variables)
    state, notes = MissingFiles(host).state(program)
    off, passive = _set(host, _OFF), _set(host, _PASSIVE)
    updates = registry.key(_SIGNATURES)
    moments = [updates.value(name) for name in _DATES] if updates is not None else []
    dates = [int.from_bytes(one, "little") for one in moments if isinstance(one, bytes) and len(one) == 8]
    why = [*off, *passive]
    if start != _AUTOMATIC:
        why.append(f"Windows starts its service: {_STARTS.get(start, 'not known')}")
    yield Item(
        kind="security_product",
        name="Microsoft Defender Antivirus",
        state=state,
        vendor="Microsoft",
        path=program,
        details={
            "type": "antivirus",
            "enabled": "no" if off or start != _AUTOMATIC else "yes",
            "mode": "passive" if passive else "",
            "note": "; ".join(why),
            "signatures": updates.text("AVSignatureVersion") if updates is not None else "",
            "updated": filetime(max(dates)) if dates else "",
        },
        notes=notes,
        evidence=(
            Evidence(_SERVICE, f"Start: {start}"),
            *map(Evidence, (*off, *passive)),
        ),
    )


def _set(host: Host, wanted: tuple[tuple[str, str, int], ...]) -> list[str]:
    """Those of the values that have their number, each with its key."""
    found = []
    for path, name, number in wanted:
        key = registry_of(host).key(path)
        if key is not None and key.value(name) is not None and key.number(name) == number:
            found.append(rf"{path}\{name} = {number}")
    return found


SOURCE = Source(
    name="defender",
    title="Microsoft Defender Antivirus",
    platforms=("windows",),
    kinds=("security_product",),
    needs=("registry",),
    reads=(
        *(_SERVICE, _SIGNATURES),
        *dict.fromkeys(path for path, *_ in (*_OFF, *_PASSIVE)),
        r"C:\ProgramData\Microsoft\Windows Defender\**\*.exe",
        r"C:\Program Files\Windows Defender\*.exe",
    ),
    limits="Whether it scans in real time at this moment, and what tamper protection has undone, is not in files.",
    collect=collect,
)
