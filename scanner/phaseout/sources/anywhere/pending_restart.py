r"""Whether the system waits for a restart: until then an uninstaller may refuse, and what it removed may be there.

One item says so, with everything that waits. Several of these keys exist only while Windows runs.

References:
    https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-movefileexa (MOVEFILE_DELAY_UNTIL_REBOOT: pairs of
    source and target, an empty target deletes); "Component Based Servicing", "Windows Update" and `UpdateExeVolatile`:
    https://adamtheautomator.com/pending-reboot-registry; update-notifier (`/run/reboot-required`)
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.counting import counted
from phaseout.model.nouns import Evidence, Item
from phaseout.sources.source import Source, Trace

_MANAGER = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager"
_RENAMES = ("PendingFileRenameOperations", "PendingFileRenameOperations2")
_SERVICING = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing"
_UPDATE = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update"
_WAITING = (  # keys that are there while something waits, and what that is
    (rf"{_SERVICING}\RebootPending", "components of Windows"),
    (rf"{_SERVICING}\RebootInProgress", "components of Windows"),
    (rf"{_SERVICING}\PackagesPending", "components of Windows"),
    (rf"{_UPDATE}\RebootRequired", "updates of Windows"),
    (rf"{_UPDATE}\PostRebootReporting", "updates of Windows"),
)
_UPDATES = r"HKLM\SOFTWARE\Microsoft\Updates"
_LINUX = ("/run/reboot-required", "/var/run/reboot-required")
_SHOWN = 20  # files


def collect(host: Host) -> Iterator[Trace]:
    """An item if something waits for a restart."""
    waits: dict[str, None] = {}
    evidence: list[Evidence] = []
    if host.registry is not None:
        for path, what in _WAITING:
            if host.registry.key(path) is not None:
                waits[what] = None
                evidence.append(Evidence(path))
        updates = host.registry.key(_UPDATES)
        if updates is not None and updates.number("UpdateExeVolatile"):
            waits["an update"] = None
            evidence.append(Evidence(_UPDATES, "UpdateExeVolatile"))
        renames = list(_renames(host))
        if renames:
            waits[f"{counted(len(renames), 'file')} to be deleted or replaced"] = None
            evidence += renames[:_SHOWN]
    else:
        found = next(filter(host.files.is_file, _LINUX), "")
        if found:
            waits["packages"] = None
            evidence.append(Evidence(found))
    if waits:
        yield Item(
            kind="setting",
            name="pending restart",
            details={"type": "pending restart", "note": ", ".join(waits)},
            evidence=tuple(evidence),
        )


def _renames(host: Host) -> Iterator[Evidence]:
    """The files that wait, each with what is to become of it."""
    manager = host.registry.key(_MANAGER) if host.registry is not None else None
    for name in _RENAMES if manager is not None else ():
        stored = manager.value(name) if manager is not None else None
        texts = stored if isinstance(stored, tuple) else ()
        for source, target in zip(texts[::2], (*texts[1::2], ""), strict=False):
            if source:
                what = f"becomes {_plain(target)}" if target else "is deleted"
                yield Evidence(rf"{_MANAGER}\{name}", f"{_plain(source)} {what}")


def _plain(path: str) -> str:
    return path.removeprefix("!").removeprefix("\\??\\")


SOURCE = Source(
    name="pending_restart",
    title="Restarts that the system waits for",
    platforms=("linux", "windows"),
    kinds=("setting",),
    needs=(),
    reads=(*(path for path, _ in _WAITING), _UPDATES, _MANAGER, *_LINUX),
    limits="What exists only while the system runs is not on a disk that is read offline.",
    collect=collect,
)
