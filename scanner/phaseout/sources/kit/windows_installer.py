"""What Windows Installer keeps beside its products, for the sources that list them.

References:
    https://learn.microsoft.com/windows/win32/msi/upgradecode, …/productversion; the keys are those of Wine's
    dlls/msi/registry.c as well.
"""

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.parsers.windows.packed_guid import unpack
from phaseout.sources.kit.windows_registry import decoration, registry_of, subkeys

_MACHINE = (
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UpgradeCodes",
    r"HKLM\SOFTWARE\Classes\Installer\UpgradeCodes",
)
_OF_USER = r"Software\Microsoft\Installer\UpgradeCodes"
READS = (*_MACHINE, rf"HKU\*\{_OF_USER}")


def upgrade_codes(host: Host) -> dict[str, str]:
    """Product code → upgrade code. The values of a key are named after the products of that family."""
    registry = registry_of(host)
    families = [registry.key(path) for path in _MACHINE]
    families += [registry.key(rf"HKU\{user.sid}\{_OF_USER}") for user in host.users if user.sid]
    return {
        product: upgrade
        for family in families
        for key in subkeys(family)
        if (upgrade := unpack(key.name))
        for name in key.values()
        if (product := unpack(name))
    }


def version(entry: Key, notes: list[str]) -> str:
    """What an entry says, or what Windows Installer packed into a number (major, minor, build)."""
    shown = decoration(entry, "DisplayVersion", notes)
    if shown:
        return shown
    packed = entry.value("Version")
    if isinstance(packed, str):
        return packed.strip()
    if isinstance(packed, int) and 0 < packed < 1 << 32:
        return f"{packed >> 24}.{packed >> 16 & 0xFF}.{packed & 0xFFFF}"
    major = decoration(entry, "VersionMajor", notes)
    return f"{major}.{decoration(entry, 'VersionMinor', notes) or 0}" if major.strip("0") else ""
