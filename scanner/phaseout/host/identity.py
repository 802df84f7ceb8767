r"""What tells this host from others, read from files, the registry and, on a live Mac, the registry of devices.

Nothing in it hides software: what cannot be read is missing and no more. Linux shows hardware ids below `/sys`, that is
for the live machine only, and to root.

References:
    machine-id(5); sysfs-firmware-dmi-tables and sysfs-class-dmi of the kernel's ABI documentation; Microsoft, "System
    Management BIOS"; `HKLM\SYSTEM\HardwareConfig` (the UUID of the hardware that Windows started on last); Apple, IOKit
    (`IOPlatformExpertDevice`), "ByHost preferences" (file names hold the UUID of the Mac)
"""

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from phaseout.model.nouns import Identity, IdentityKind
from phaseout.model.regex import regex
from phaseout.parsers.encodings.identity import HARDWARE, identities

if TYPE_CHECKING:
    from phaseout.host import Host
    from phaseout.parsers.windows.smbios import System

_SMALL = 4096
_DMI: tuple[tuple[IdentityKind, str], ...] = (
    ("smbios_uuid", "/sys/class/dmi/id/product_uuid"),
    ("serial", "/sys/class/dmi/id/product_serial"),
    ("smbios_uuid", "/sys/hypervisor/uuid"),  # a paravirtual Xen guest has no firmware
    ("serial", "/proc/device-tree/serial-number"),  # most ARM boards have no DMI
)
_MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")
_CRYPTOGRAPHY = r"HKLM\SOFTWARE\Microsoft\Cryptography"
_HARDWARE = r"HKLM\SYSTEM\HardwareConfig"
_FIRMWARE = r"HKLM\SYSTEM\CurrentControlSet\Services\mssmbios\Data"
_BY_HOST = regex(r"\.([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\.plist$")

_Raw = Iterator[tuple[IdentityKind, str]]


def identity(host: "Host", *, hardware: bool = True) -> tuple[Identity, ...]:
    """What tells the host from others, the strongest first.

    Args:
        host: the open host.
        hardware: whether serial number and SMBIOS UUID are wanted, which asset lists know.
    """
    read = {"windows": _windows, "macos": _macos}.get(host.info.platform, _linux)
    recorded = [host.files.problems] + ([host.registry.problems] if host.registry is not None else [])
    before = [len(problems) for problems in recorded]
    found = identities(read(host))
    for problems, count in zip(recorded, before, strict=True):
        problems[count:] = [replace(problem, hides=False) for problem in problems[count:]]
    return tuple(one for one in found if hardware or one.kind not in HARDWARE or one.kind == "ioplatform_uuid")


def _linux(host: "Host") -> _Raw:
    if host.live:
        for kind, path in _DMI:
            with contextlib.suppress(OSError), open(path, "rb") as file:  # not through `files`: /sys is no place of it
                yield kind, file.read(_SMALL).decode("ascii", "replace").strip("\0\r\n ")
    for path in _MACHINE_IDS:
        if not host.files.gone(path):
            yield "machine_id", (host.files.text(path, limit=_SMALL) or "").strip()


def _windows(host: "Host") -> _Raw:
    registry = host.registry
    if registry is None:
        return
    firmware = registry.key(_FIRMWARE)
    table = firmware.value("SMBiosData") if firmware is not None else None
    from phaseout.parsers.windows.smbios import system

    known = system(table) if isinstance(table, bytes) else None
    if known is None and host.live:
        known = _firmware_table()
    if known is not None:
        yield "smbios_uuid", known.uuid
        yield "serial", known.serial
    hardware = registry.key(_HARDWARE)
    if hardware is not None:
        yield "smbios_uuid", hardware.text("LastConfig")
    cryptography = registry.key(_CRYPTOGRAPHY)
    if cryptography is not None:
        yield "machine_guid", cryptography.text("MachineGuid")


def _firmware_table() -> "System | None":
    if sys.platform != "win32":
        return None
    import ctypes

    kernel, smbios = ctypes.windll.kernel32, int.from_bytes(b"RSMB", "big")
    size = kernel.GetSystemFirmwareTable(smbios, 0, None, 0)
    if not 0 < size <= 1 << 20:
        return None
    buffer = ctypes.create_string_buffer(size)
    from phaseout.parsers.windows.smbios import system

    return system(buffer.raw) if kernel.GetSystemFirmwareTable(smbios, 0, buffer, size) == size else None


def _macos(host: "Host") -> _Raw:
    if host.live:
        yield from _platform_device()
    folders = ["/Library/Preferences/ByHost", "/var/root/Library/Preferences/ByHost"]
    homes = [f"{home}/Library/Preferences/ByHost" for home in host.homes if home != "/var/root"]
    for places in (folders, homes):  # a user's files may have come from an older Mac
        names = (entry.name for folder in places for entry in host.files.list(folder))
        uuids = {found[1].upper() for found in map(_BY_HOST.search, names) if found}
        if len(uuids) == 1:
            yield "ioplatform_uuid", uuids.pop()


def _platform_device() -> _Raw:
    """Serial number and UUID of the Mac, from the registry of its devices."""
    if sys.platform != "darwin":
        return
    import ctypes

    kit = ctypes.CDLL("/System/Library/Frameworks/IOKit.framework/IOKit")
    core = ctypes.CDLL("/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation")
    pointer, utf8 = ctypes.c_void_p, 0x08000100
    kit.IOServiceMatching.restype = pointer
    kit.IOServiceGetMatchingService.argtypes = (ctypes.c_uint32, pointer)
    kit.IORegistryEntryCreateCFProperty.restype = pointer
    kit.IORegistryEntryCreateCFProperty.argtypes = (ctypes.c_uint32, pointer, pointer, ctypes.c_uint32)
    core.CFStringCreateWithCString.restype = pointer
    core.CFStringCreateWithCString.argtypes = (pointer, ctypes.c_char_p, ctypes.c_uint32)
    core.CFStringGetCString.argtypes = (pointer, ctypes.c_char_p, ctypes.c_long, ctypes.c_uint32)
    core.CFRelease.argtypes = (pointer,)
    device = kit.IOServiceGetMatchingService(0, kit.IOServiceMatching(b"IOPlatformExpertDevice"))
    if not device:
        return
    names: tuple[tuple[IdentityKind, bytes], ...] = (
        ("serial", b"IOPlatformSerialNumber"),
        ("ioplatform_uuid", b"IOPlatformUUID"),
    )
    for kind, name in names:
        key = core.CFStringCreateWithCString(None, name, utf8)
        value = kit.IORegistryEntryCreateCFProperty(device, key, None, 0)
        core.CFRelease(key)
        if value:
            text = ctypes.create_string_buffer(256)
            if core.CFStringGetCString(value, text, len(text), utf8):
                yield kind, text.value.decode("utf-8", "replace")
            core.CFRelease(value)
    kit.IOObjectRelease(device)
