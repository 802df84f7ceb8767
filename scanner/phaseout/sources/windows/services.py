r"""Services and drivers, minifilters among them.

Every key below `Services` that says what it is (`Type`), what it starts (`ImagePath`), when (`Start`) or at which
altitude it filters (`Instances`) is an item, however little the rest is; others only hold settings of performance
counters and the like. A driver without a path is `System32\drivers\<name>.sys`, as the kernel has it.

An entry is `leftover` if it is marked for deletion, or if what it starts is not named or is no longer on disk.

References:
    https://learn.microsoft.com/windows-hardware/drivers/install/hklm-system-currentcontrolset-services-registry-tree;
    "CreateService" (dwServiceType, dwStartType, lpServiceStartName), "SERVICE_LAUNCH_PROTECTED_INFO";
    https://learn.microsoft.com/windows-hardware/drivers/ifs/creating-an-inf-file-for-a-minifilter-driver (Instances)
"""

from collections.abc import Callable, Iterator

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.host.windows.executables import Identity
from phaseout.model.nouns import Evidence, Item, LeftOut
from phaseout.parsers.windows.image_path import absolute, program
from phaseout.parsers.windows.windows_dates import filetime
from phaseout.sources.kit.executable_identity import identity_from
from phaseout.sources.kit.missing_files import gone_from
from phaseout.sources.source import Source, Trace

_SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
_DRIVER = 0x0F  # the bits of Type that make a driver
_TYPES = ((0x01, "kernel driver"), (0x02, "file system driver"), (0x04, "adapter"), (0x08, "recognizer driver"),
          (0x10, "own process"), (0x20, "shared process"), (0x40, "for each user"), (0x80, "of one user"),
          (0x100, "interactive"))  # fmt: skip
_STARTS = {0: "boot", 1: "system", 2: "automatic", 3: "manual", 4: "disabled"}
_PROTECTED = {1: "windows", 2: "windows light", 3: "antimalware light", 4: "app"}
_SAYS_WHAT_IT_IS = ("Type", "ImagePath", "Start")


def collect(host: Host) -> Iterator[Trace]:
    """An item for every service and driver."""
    registry = host.registry
    assert registry is not None
    services = registry.key(_SERVICES)
    gone, identity = gone_from(host), identity_from(host)
    for key in services.subkeys() if services is not None else ():
        kind = key.number("Type")
        altitude = _altitude(key) if kind & _DRIVER or not kind else ""
        if altitude or any(key.value(name) is not None for name in _SAYS_WHAT_IT_IS):
            yield _item(host, key, kind, altitude, gone, identity)
        else:
            yield LeftOut("a setting")


def _item(
    host: Host,
    key: Key,
    kind: int,
    altitude: str,
    gone: Callable[[str], bool],
    identity: Callable[[str], Identity | None],
) -> Item:
    image = key.text("ImagePath")
    start = key.text("Start")
    is_driver = bool(kind & _DRIVER or (altitude and not kind))
    path = _driver_file(host, key.name, kind, image) if is_driver else program(image, host.variables)
    dll = absolute(_service_dll(key), host.variables) if "svchost" in image.lower() else ""
    deleted = key.number("DeleteFlag") != 0
    named = image or (is_driver and kind)
    told = identity(dll or path)
    return Item(
        kind="driver" if is_driver else "service",
        name=key.name,
        state="leftover" if deleted or not named or gone(path) or gone(dll) else "installed",
        vendor=told.company if told else "",
        version=told.version if told else "",
        path=path,
        command=image,
        signer=told.signer if told else "",
        details={
            **(told.details if told else {}),
            "display_name": key.text("DisplayName"),
            "description": key.text("Description") or (told.description if told else ""),
            "type": ", ".join(word for bit, word in _TYPES if kind & bit),
            "start": _start(key, start),
            "account": key.text("ObjectName"),
            "group": key.text("Group"),
            "service_dll": dll,
            "altitude": altitude,
            "protected": _PROTECTED.get(key.number("LaunchProtected"), ""),
            "note": "marked for deletion" if deleted else "",
            "modified": filetime(key.modified),
        },
        evidence=(Evidence(key.path, f"ImagePath: {image}, Start: {start}" if image else f"Start: {start}"),),
    )


def _driver_file(host: Host, name: str, kind: int, image: str) -> str:
    r"""The file of a driver: a path that begins with no `\` and no drive lies below the Windows folder."""
    windows = host.variables.get("systemroot", "")
    if not image:
        return rf"{windows}\System32\drivers\{name}.sys" if kind & 0x03 else ""
    path = absolute(image, host.variables)
    if path or image.startswith(("\\", '"', "%")) or ":" in image:
        return path or program(image, host.variables)
    return absolute(rf"{windows}\{image}", host.variables)


def _service_dll(key: Key) -> str:
    parameters = key.child("Parameters")
    return (parameters.text("ServiceDll") if parameters is not None else "") or key.text("ServiceDll")


def _altitude(key: Key) -> str:
    """Where a minifilter sits: of its default instance, else of all. Since Windows 11 24H2 they are in `Parameters`."""
    instances = key.child("Instances") or key.key(r"Parameters\Instances")
    if instances is None:
        return ""
    default = instances.text("DefaultInstance")
    chosen = instances.child(default) if default else None
    altitude = chosen.text("Altitude") if chosen is not None else ""
    return altitude or ", ".join(found for one in instances.subkeys() if (found := one.text("Altitude")))


def _start(key: Key, start: str) -> str:
    word = _STARTS.get(int(start), "") if start.isdecimal() else ""
    return f"{word}, delayed" if word == "automatic" and key.number("DelayedAutostart") else word


SOURCE = Source(
    name="services",
    title="Services and drivers of Windows",
    platforms=("windows",),
    kinds=("service", "driver"),
    needs=("registry",),
    reads=(_SERVICES,),
    limits="Whether a service runs is not asked: running ones show among the processes, loaded drivers do not.",
    collect=collect,
)
