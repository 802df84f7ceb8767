"""What Windows Installer keeps beside its products, for the sources that list them.

References:
    https://learn.microsoft.com/windows/win32/msi/upgradecode, …/productversion; the keys are those of Wine's
    dlls/msi/registry.c as well.
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.parsers.windows.packed_guid import unpack

_MACHINE = (
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UpgradeCodes",
    r"HKLM\SOFTWARE\Classes\Installer\UpgradeCodes",
)
_OF_USER = r"Software\Microsoft\Installer\UpgradeCodes"
READS = (*_MACHINE, rf"HKU\*\{_OF_USER}")


def upgrade_codes(host: Host) -> dict[str, str]:
    """Product code → upgrade code. The values of a key are named for the products of that family."""
    registry = host.registry
    assert registry is not None
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


def version(entry: Key) -> str:
    """What an entry says, or what Windows Installer packed into a number (major, minor, build)."""
    told = entry.text("DisplayVersion")
    if told:
        return told
    packed = entry.value("Version")
    if isinstance(packed, str):
        return packed.strip()
    if isinstance(packed, int) and 0 < packed < 1 << 32:
        return f"{packed >> 24}.{packed >> 16 & 0xFF}.{packed & 0xFFFF}"
    major = entry.text("VersionMajor")
    return f"{major}.{entry.text('VersionMinor') or 0}" if major.strip("0") else ""


def subkeys(key: Key | None) -> Iterator[Key]:
    """The keys below one that may not be there."""
    return key.subkeys() if key is not None else iter(())
