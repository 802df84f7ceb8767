r"""What starts before the system: entries of the firmware and of Windows' boot manager, programs of the EFI partition.

A product that encrypts disks starts there, before the system can be read. Linux shows the variables of the firmware and
the partition as files; of Windows the boot configuration is read, which also holds the entries of the firmware.

References:
    See `phaseout.parsers.linux.load_option`; https://docs.kernel.org/filesystems/efivarfs.html (four bytes of
    attributes before the content); https://uapi-group.org/specifications/specs/boot_loader_specification/ (where the
    partition is mounted); https://learn.microsoft.com/windows-hardware/drivers/devtest/bcd-system-store-settings-for-uefi;
    [the elements 12000002 (path) and 12000004 (description)] BcdLibraryString_ApplicationPath, _Description
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut
from phaseout.model.regex import regex
from phaseout.parsers.linux.load_option import load_option
from phaseout.sources.kit.parsed import parsed
from phaseout.sources.kit.windows_registry import registry_of, subkeys
from phaseout.sources.source import Source, Trace

_VARIABLES = "/sys/firmware/efi/efivars"
_ENTRY = regex(r"Boot[0-9A-F]{4}-8be4df61-93ca-11d2-aa0d-00e098032b8c")
_PARTITIONS = ("/boot/efi/EFI", "/efi/EFI", "/boot/EFI")
_STORES = (r"HKLM\BCD00000000",)
_STORE_FILES = (r"C:\Boot\BCD", r"C:\EFI\Microsoft\Boot\BCD")
_PATH, _DESCRIPTION = "12000002", "12000004"
_OF_WINDOWS = ("\\windows\\", "\\efi\\microsoft\\", "\\boot\\memtest")
_SIZE = 64 << 10
_DEPTH, _MOST = 4, 5_000
_EFFECT = (
    "it starts before the system: if it decrypts the disk, nothing can be read without it, so decrypt first and remove "
    "the entry last"
)


def collect(host: Host) -> Iterator[Trace]:
    """An item for every boot entry, and for every program of the EFI partition where that is mounted."""
    if host.info.platform == "windows":
        yield from _of_windows(host)
        return
    for one in host.files.list(_VARIABLES):
        if _ENTRY.fullmatch(one.name):
            path = f"{_VARIABLES}/{one.name}"
            entry = yield from parsed(host, path, lambda data: load_option(data[4:]), _SIZE)
            if entry is not None:
                yield _entry(entry.name, entry.file, path)
    for top in _PARTITIONS:
        for folder, entries in host.files.walk(top, _DEPTH, _MOST) if host.files.is_dir(top) else ():
            for one in entries:
                if one.kind == "dir":
                    continue
                if one.name.lower().endswith(".efi"):
                    yield _program(host, f"{folder}/{one.name}")
                else:
                    yield LeftOut("not a program")


def _entry(name: str, file: str, where: str) -> Item:
    return Item(
        kind="setting",
        name=name or file,
        path=file,
        details={"type": "boot entry", "effect": _EFFECT},
        evidence=(Evidence(where, f"{name}: {file}".rstrip(": ")),),
    )


def _program(host: Host, path: str) -> Item:
    identity = host.executables.identity(path)
    return Item(
        kind="file",
        name=path.rpartition("/")[2],
        vendor=identity.company if identity else "",
        version=identity.version if identity else "",
        path=path,
        signer=identity.signer if identity else "",
        details={
            "type": "program of the EFI partition",
            "product": identity.product if identity else "",
            "effect": _EFFECT,
        },
        evidence=(Evidence(path),),
    )


def _of_windows(host: Host) -> Iterator[Trace]:
    registry = registry_of(host)
    stores = [registry.key(path) for path in _STORES]
    if not any(stores):  # a running Windows has the file open
        stores = [registry.hive(path) for path in _STORE_FILES if host.files.is_file(path)]
    for store in stores:
        for one in subkeys(store.child("Objects") if store is not None else None):
            elements = one.child("Elements")
            path, name = (
                (element.text("Element") if elements is not None and (element := elements.child(which)) else "")
                for which in (_PATH, _DESCRIPTION)
            )
            if not path:
                yield LeftOut("a setting")
            elif path.lower().startswith(_OF_WINDOWS):
                yield LeftOut("part of the operating system")
            else:
                yield _entry(name, path, one.path)


SOURCE = Source(
    name="boot_entries",
    title="Boot entries and programs of the EFI partition",
    platforms=("linux", "windows"),
    kinds=("setting", "file"),
    needs=(),
    reads=(
        f"{_VARIABLES}/Boot*",
        *(f"{top}/**/*" for top in _PARTITIONS),
        *(rf"{store}\Objects" for store in _STORES),
        *_STORE_FILES,
    ),
    limits="The EFI partition is read where it is mounted, which Windows does not do; boot sectors are not read.",
    collect=collect,
)
