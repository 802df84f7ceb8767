r"""Services and drivers, minifilters among them.

A key below `Services` is an item if it says what it is (`Type`), what it starts (`ImagePath`), when (`Start`) or at
which altitude it filters (`Instances`), however little else it has; other keys only hold settings of performance
counters and the like. A driver without a path is `System32\drivers\<name>.sys`, as the kernel has it.

Of a service that a wrapper runs (NSSM, srvany, WinSW and others), the path is that of the program behind the wrapper.

An entry is `leftover` if it is marked for deletion, starts nothing, or if what it starts is gone.

References:
    https://learn.microsoft.com/windows-hardware/drivers/install/hklm-system-currentcontrolset-services-registry-tree;
    "CreateService" (dwServiceType, dwStartType, lpServiceStartName), "SERVICE_LAUNCH_PROTECTED_INFO";
    https://learn.microsoft.com/windows-hardware/drivers/ifs/creating-an-inf-file-for-a-minifilter-driver (Instances);
    https://nssm.cc/usage (Parameters); https://github.com/winsw/winsw/blob/v3/docs/xml-config-file.md
"""

from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.windows.image_path import absolute
from phaseout.parsers.windows.windows_dates import filetime
from phaseout.parsers.windows.winsw import Wrapped, winsw
from phaseout.sources.kit.executable_identity import identity_from
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.windows_drivers import SERVICES, driver_file
from phaseout.sources.kit.windows_programs import Programs
from phaseout.sources.kit.windows_registry import decoration, expected, registry_of, subkeys
from phaseout.sources.source import Source, Trace

_DRIVER = 0x0F  # the bits of Type that make a driver
_TYPES = ((0x01, "kernel driver"), (0x02, "file system driver"), (0x04, "adapter"), (0x08, "recognizer driver"),
          (0x10, "own process"), (0x20, "shared process"), (0x40, "for each user"), (0x80, "of one user"),
          (0x100, "interactive"))  # fmt: skip
_STARTS = {0: "boot", 1: "system", 2: "automatic", 3: "manual", 4: "disabled"}
_PROTECTED = {1: "windows", 2: "windows light", 3: "antimalware light", 4: "app"}
_ESSENTIAL = ("Type", "ImagePath", "Start")
_WINSW = 1 << 20  # bytes of its configuration
_CONFIGURATIONS = (".xml", ".exe.xml")


class _Program(NamedTuple):
    """What a service runs: the program that is meant, its command line, and the wrapper that runs it."""

    path: str
    command: str
    wrapper: str = ""


def collect(host: Host) -> Iterator[Trace]:
    """An item for every service and driver."""
    yield from expected(host, SERVICES)
    reader = _Reader(host)
    for key in subkeys(registry_of(host).key(SERVICES)):
        kind = key.number("Type")
        altitude = _altitude(key) if kind & _DRIVER or not kind else ""
        if altitude or any(key.value(name) is not None for name in _ESSENTIAL):
            yield reader.item(key, kind, altitude)
        else:
            yield LeftOut("a setting")


class _Reader:
    """Reads the services of one host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._missing = MissingFiles(host)
        self._identity = identity_from(host)
        self._programs = Programs(host)

    def item(self, key: Key, kind: int, altitude: str) -> Item:
        """The item of a key of `Services`."""
        notes: list[str] = []
        image, start = key.text("ImagePath"), decoration(key, "Start", notes)
        is_driver = bool(kind & _DRIVER or (altitude and not kind))
        variables = self._host.variables
        dll = ""
        if is_driver:
            program = _Program(driver_file(self._host, self._programs, key.name, kind, image), image)
        else:
            program = self._behind_wrapper(key, _Program(self._programs.path(image, variables), image))
            dll = absolute(_service_dll(key), variables)
        is_named = bool(image or (is_driver and kind))
        is_deleted = key.number("DeleteFlag") != 0
        lost = next((path for path in (program.path, dll, program.wrapper) if self._missing.gone(path)), "")
        _, unknown = self._missing.state(dll or program.path)
        identity = self._identity(dll or program.path)
        return Item(
            kind="driver" if is_driver else "service",
            name=key.name,
            state="leftover" if is_deleted or not is_named or lost else "installed",
            vendor=identity.company if identity else "",
            version=identity.version if identity else "",
            path=program.path,
            command=program.command,
            signer=identity.signer if identity else "",
            details={
                **(identity.details if identity else {}),
                "display_name": decoration(key, "DisplayName", notes),
                "description": decoration(key, "Description", notes) or (identity.description if identity else ""),
                "type": ", ".join(word for bit, word in _TYPES if kind & bit),
                "start": _start(key, start),
                "account": decoration(key, "ObjectName", notes),
                "group": decoration(key, "Group", notes),
                "service_dll": dll,
                "wrapper": program.wrapper,
                "altitude": altitude,
                "protected": _PROTECTED.get(key.number("LaunchProtected"), ""),
                "note": "marked for deletion" if is_deleted else "",
                "modified": filetime(key.modified),
            },
            notes=(*notes, *unknown),
            evidence=(Evidence(key.path, f"ImagePath: {image}, Start: {start}" if image else f"Start: {start}"),),
        )

    def _behind_wrapper(self, key: Key, wrapper: _Program) -> _Program:
        """The program that the service's wrapper runs, or the service's own program if it has no wrapper."""
        parameters = key.child("Parameters")
        application = parameters.text("Application") if parameters is not None else ""
        if parameters is not None and application:
            path = self._programs.path(application, self._host.variables)
            arguments = parameters.text("AppParameters")
            folder = absolute(parameters.text("AppDirectory"), self._host.variables)
            if not path and folder and ":" not in application:
                path = absolute(rf"{folder}\{application}", self._host.variables)
            if path:
                return _Program(path, f"{application} {arguments}".strip(), wrapper.path)
        _, separator, behind = wrapper.command.partition(" -- ")  # as Shawl has it
        if separator and (path := self._programs.path(behind, self._host.variables)):
            return _Program(path, behind, wrapper.path)
        configured = self._winsw(wrapper)
        if configured is not None:
            path = self._programs.path(configured.executable, self._host.variables)
            if path:
                command = f"{configured.executable} {configured.arguments}".strip()
                return _Program(path, command, wrapper.path)
        return wrapper

    def _winsw(self, wrapper: _Program) -> Wrapped | None:
        """What the configuration beside a program says, if the program is WinSW: it has the program's name."""
        folder, _, name = wrapper.path.rpartition("\\")
        stem = name.lower().removesuffix(".exe")
        windows = self._host.variables.get("systemroot", "\0").lower() + "\\"
        if (
            not folder
            or not name.lower().endswith(".exe")
            or folder[1:3] != ":\\"
            or wrapper.path.lower().startswith(windows)
        ):
            return None
        beside = {entry.name.lower(): entry.name for entry in self._host.files.list(folder) if entry.kind != "dir"}
        for ending in _CONFIGURATIONS:
            if stem + ending in beside:
                path = rf"{folder}\{beside[stem + ending]}"
                try:
                    return winsw(self._host.files.read(path, _WINSW) or b"", folder)
                except ValueError as error:
                    self._host.files.problems.append(Problem(path, f"is damaged: {error}", "damaged"))
        return None


def _service_dll(key: Key) -> str:
    parameters = key.child("Parameters")
    return (parameters.text("ServiceDll") if parameters is not None else "") or key.text("ServiceDll")


def _altitude(key: Key) -> str:
    """Where a minifilter sits: its default instance, else all. Since Windows 11 24H2 they are in `Parameters`."""
    instances = key.child("Instances") or key.key(r"Parameters\Instances")
    if instances is None:
        return ""
    default = instances.text("DefaultInstance")
    chosen = instances.child(default) if default else None
    altitude = chosen.text("Altitude") if chosen is not None else ""
    return altitude or ", ".join(found for one in instances.subkeys() if (found := one.text("Altitude")))


def _start(key: Key, start: str) -> str:
    word = _STARTS.get(int(start), "") if start.isdecimal() and len(start) < 20 else ""
    return f"{word}, delayed" if word == "automatic" and key.number("DelayedAutostart") else word


SOURCE = Source(
    name="services",
    title="Services and drivers of Windows",
    platforms=("windows",),
    kinds=("service", "driver"),
    needs=("registry",),
    reads=(
        SERVICES,
        *(rf"C:\**\*{ending}" for ending in (".xml", ".dll", ".sys", ".exe")),
    ),  # of the programs and hosted libraries that it names
    limits="Whether a service runs is not asked: running ones show among the processes, loaded drivers do not.",
    collect=collect,
)
