r"""The file that a driver of Windows is, and whether Microsoft made it.

References:
    https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-createservicew (lpBinaryPathName); the kernel takes a
    path that starts neither with `\` nor with a drive as one below the folder of Windows, and a driver without one as
    `System32\drivers\<name>.sys`.
"""

from typing import NamedTuple

from phaseout.host import Host
from phaseout.model.nouns import State
from phaseout.parsers.windows.image_path import absolute
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.windows_programs import Programs
from phaseout.sources.kit.windows_registry import registry_of

SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
_BY_NAME = 0x03  # kernel and file system drivers, which need no path
# What Windows itself brings as filters of devices and of the network: their files need not be read.
_OF_WINDOWS = frozenset(
    (
        *("kbdclass", "mouclass", "kbdhid", "mouhid", "partmgr", "ehstorclass", "volsnap", "fvevol", "iorate"),
        *("rdyboost", "scfilter", "irenum", "ksthunk", "wpdupfltr", "spatialgraphfilter", "serenum", "bthenum"),
        *("agp440", "vhf", "msgpiowin32", "umpass", "volume", "storqosflt", "bttflt", "wudfrd", "winusb", "psched"),
        *("wfplwfs", "ndiscap", "nativewifip", "vwififlt", "bridge", "bridgemp", "l2bridge", "vfpext", "vmsvsf"),
        *("mssecflt", "mslldp", "lltdio", "rspndr", "ndisuio", "netbt", "tcpip", "tcpip6", "wanarp", "rasl2tp"),
    )
)


class Driver(NamedTuple):
    """What is known of a driver that a setting names.

    Attributes:
        path: of its file; empty where the service says none.
        state: `leftover` if service or file is gone.
        vendor: who made it, where that was read.
        signer: who signed it, likewise.
        notes: why it is not known whether it is gone.
    """

    path: str
    state: State
    vendor: str = ""
    signer: str = ""
    notes: tuple[str, ...] = ()


class Drivers:
    """Answers who made the drivers that settings name, and whether they are gone. Each is looked for once."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._missing = MissingFiles(host)
        self._programs = Programs(host)
        self._known: dict[str, Driver | None] = {}

    def driver(self, name: str) -> Driver | None:
        """The driver of a service; `None` if it is part of Windows."""
        folded = name.lower()
        if folded not in self._known:
            self._known[folded] = self._driver(name)
        return self._known[folded]

    def _driver(self, name: str) -> Driver | None:
        key = registry_of(self._host).key(rf"{SERVICES}\{name}")
        if key is not None and name.lower() in _OF_WINDOWS:
            return None
        if key is None:
            return None if name.lower() in _OF_WINDOWS else Driver("", "leftover")
        path = driver_file(self._host, self._programs, name, key.number("Type"), key.text("ImagePath"))
        state, notes = self._missing.state(path)
        identity = self._host.executables.identity(path) if path and state != "leftover" else None
        if identity is None:
            return Driver(path, state, notes=notes)
        if identity.company.lower().startswith("microsoft"):
            return None
        return Driver(path, state, identity.company, identity.signer, notes)


def driver_file(host: Host, programs: Programs, name: str, kind: int, image: str) -> str:
    """The path of a driver's file; empty where its service says none.

    Args:
        host: where it is.
        programs: finds files that are named without quotes.
        name: of the service.
        kind: its value `Type`.
        image: its value `ImagePath`.
    """
    windows = host.variables.get("systemroot", "")
    if not image:
        return rf"{windows}\System32\drivers\{name}.sys" if kind & _BY_NAME else ""
    path = absolute(image, host.variables)
    if path or image.startswith(("\\", '"', "%")) or ":" in image:
        return path or programs.path(image, host.variables)
    return absolute(rf"{windows}\{image}", host.variables)
