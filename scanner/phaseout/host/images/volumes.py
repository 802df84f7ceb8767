"""File systems in images as nodes, read by the libraries of libyal.

A node keeps the number of its file and opens it again when it is read: entries of the libraries hold whole folders in
memory.

References:
    https://github.com/libyal (libfsext, libfsxfs, libfsntfs, libfsfat, libfsapfs, libfshfs: their documentation);
    Microsoft, "Reparse Point Tags" ([MS-FSCC] 2.1.2.1)
"""

import errno
import stat
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any, BinaryIO, NamedTuple

from phaseout.host.filesystem.files import Entry, EntryKind, Stat
from phaseout.host.filesystem.node import CLOUD, Node, NotRegularError, SkippedError
from phaseout.host.images.disk_files import ERRORS, Checked, FileObject
from phaseout.host.images.stored import NodeBytes, Stored
from phaseout.parsers.images import ntfs, xfs

_OPEN = 64  # files that are kept open
_NAMES = 200_000  # of one folder
_KINDS: dict[int, EntryKind] = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "link"}
_LOG_FILE, _VOLUME = 2, 3  # files of NTFS
_HIBERNATED = b"HIBR"
_WHAT = {stat.S_IFIFO: "a FIFO", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFSOCK: "a socket"}


class Child(NamedTuple):
    """A name in a folder: the number of the file, and what it is."""

    number: int
    kind: EntryKind


class Children(NamedTuple):
    """What a folder holds: its names, and why others cannot be read; empty if all can."""

    names: dict[str, Child]
    broken: str = ""


class Volume:
    """A file system.

    Args:
        stored: where it lies.

    Raises:
        ImportError: its library is not installed.
        OSError: it cannot be read.
    """

    library: str

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._open: OrderedDict[int, Any] = OrderedDict()
        module = import_module(self.library)
        with Checked():
            self._volume = self._opened(module, FileObject(stored))

    def root(self) -> "VolumeNode":
        """Its root folder.

        Raises:
            OSError: it cannot be read.
        """
        with Checked():
            entry = self._volume.get_root_directory()
            if entry is None:
                raise OSError(errno.EIO, "it has no root folder")
            number = self._number(entry)
            self._open[number] = entry
            return VolumeNode(self, number, "dir")

    def entry(self, number: int) -> Any:
        """The file of a number, opened."""
        found = self._open.pop(number, None)
        if found is None:
            with Checked():
                found = self._by_number(number)
            if len(self._open) >= _OPEN:
                self._open.popitem(last=False)
        self._open[number] = found
        return found

    def children(self, number: int) -> Children:
        """The names in a folder. Further ones of a name are left out.

        One that cannot be read, or that no file can have, hides none of the others.
        """
        found: dict[str, Child] = {}
        broken = ""
        with Checked():
            folder = self.entry(number)
            count = folder.get_number_of_sub_file_entries()
        if count > _NAMES:
            raise OSError(errno.EFBIG, f"more than {_NAMES} entries: not read")
        for index in range(count):
            try:
                with Checked():
                    entry = folder.get_sub_file_entry(index)
                    name = self._name(entry)
                    if not self._is_shown(entry) or not name or name in (".", ".."):
                        continue
                    if {"/", "\0"} & set(name):
                        broken = broken or "damaged: a name in it has a slash or a zero"
                        continue
                    found.setdefault(name, Child(self._number(entry), self.kind(entry)))
            except OSError as error:
                broken = broken or f"an entry of it cannot be read: {error.strerror or error}"
        return Children(found, broken)

    def is_closed(self) -> bool:
        """Whether its log holds nothing more, as far as its first sectors do not say that.

        Raises:
            OSError: it cannot be read.
        """
        return True

    @abstractmethod
    def kind(self, entry: Any) -> EntryKind:
        """What a file is."""

    @abstractmethod
    def stat(self, number: int, kind: EntryKind) -> Stat:
        """Size, time and so on of a file."""

    def what(self, number: int) -> str:  # noqa: ARG002
        """What it is if it is neither file, folder nor link."""
        return "something else"

    def target(self, number: int) -> str:
        """Where a link points."""
        with Checked():
            return str(self.entry(number).get_symbolic_link_target() or "")

    def check(self, number: int) -> None:
        """Refuses what cannot be read though it looks like a file.

        Raises:
            OSError: why.
        """

    def _opened(self, module: Any, file: FileObject) -> Any:
        volume = module.volume()
        volume.open_file_object(file)
        return volume

    def _is_shown(self, entry: Any) -> bool:  # noqa: ARG002
        return True

    def _name(self, entry: Any) -> str:
        return str(entry.get_name() or "")

    @abstractmethod
    def _number(self, entry: Any) -> int: ...

    @abstractmethod
    def _by_number(self, number: int) -> Any: ...


class _PosixVolume(Volume):
    """One whose files have modes and owners."""

    _epoch = 0  # seconds between the library's times and 1970
    _second = 1_000_000_000

    def kind(self, entry: Any) -> EntryKind:
        return _KINDS.get(stat.S_IFMT(entry.get_file_mode() or 0), "other")

    def stat(self, number: int, kind: EntryKind) -> Stat:
        with Checked():
            entry = self.entry(number)
            mode = entry.get_file_mode() or 0
            device = entry.get_device_number() if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else None
            major, minor = device if isinstance(device, tuple) else (0, 0)
            time = (entry.get_modification_time_as_integer() or 0) / self._second - self._epoch
            uid = entry.get_owner_identifier()
            return Stat(
                kind, entry.get_size() or 0, time, -1 if uid is None else uid, stat.S_IMODE(mode), major << 8 | minor
            )

    def what(self, number: int) -> str:
        with Checked():
            return _WHAT.get(stat.S_IFMT(self.entry(number).get_file_mode() or 0), "something else")


class _InodeVolume(_PosixVolume):
    def _number(self, entry: Any) -> int:
        return int(entry.get_inode_number())

    def _by_number(self, number: int) -> Any:
        return self._volume.get_file_entry_by_inode(number)


class ExtVolume(_InodeVolume):
    """ext2, ext3 or ext4."""

    library = "pyfsext"


class XfsVolume(_InodeVolume):
    """XFS."""

    library = "pyfsxfs"

    def is_closed(self) -> bool:
        """Whether its log ends with an unmount."""
        return xfs.log_is_clean(self._stored.read)


class HfsVolume(_PosixVolume):
    """HFS+ or HFSX."""

    library = "pyfshfs"
    _epoch = 2_082_844_800  # from 1904 on
    _second = 1

    def kind(self, entry: Any) -> EntryKind:
        """What a file is; without modes, one that has entries is a folder."""
        mode = entry.get_file_mode() or 0
        if stat.S_IFMT(mode):
            return _KINDS.get(stat.S_IFMT(mode), "other")
        return "dir" if entry.get_number_of_sub_file_entries() else "file"

    def _name(self, entry: Any) -> str:
        return super()._name(entry).replace("/", ":")  # as macOS and Linux show it: on the disk, a slash is ordinary

    def _number(self, entry: Any) -> int:
        return int(entry.get_identifier())

    def _by_number(self, number: int) -> Any:
        return self._volume.get_file_entry_by_identifier(number)


class ApfsVolume(_PosixVolume):
    """One volume of an APFS container."""

    library = "pyfsapfs"

    def __init__(self, container: Any, volume: Any, stored: Stored) -> None:
        self._stored = stored
        self._open = OrderedDict()
        self._container = container
        self._volume = volume

    def _number(self, entry: Any) -> int:
        return int(entry.get_identifier())

    def _by_number(self, number: int) -> Any:
        return self._volume.get_file_entry_by_identifier(number)


class FatVolume(Volume):
    """FAT."""

    library = "pyfsfat"

    def kind(self, entry: Any) -> EntryKind:
        return "dir" if entry.get_file_attribute_flags() & 0x10 else "file"

    def stat(self, number: int, kind: EntryKind) -> Stat:
        with Checked():
            entry = self.entry(number)
            time = entry.get_modification_time()
            return Stat(kind, entry.get_size() or 0, time.timestamp() if time else 0.0, 0, 0o755)

    def _is_shown(self, entry: Any) -> bool:
        return not entry.get_file_attribute_flags() & 0x08  # the label

    def _number(self, entry: Any) -> int:
        return int(entry.get_identifier())

    def _by_number(self, number: int) -> Any:
        return self._volume.get_file_entry_by_identifier(number)


class ExfatVolume(FatVolume):
    """exFAT, in which the library finds a file by its path only."""

    def __init__(self, stored: Stored) -> None:
        super().__init__(stored)
        self._paths: dict[int, str] = {}

    def children(self, number: int) -> Children:
        """The names in a folder."""
        found = super().children(number)
        above = self._paths.get(number, "")
        self._paths.update((child.number, f"{above}\\{name}") for name, child in found.names.items())
        return found

    def _by_number(self, number: int) -> Any:
        entry = self._volume.get_file_entry_by_path(self._paths.get(number, "\\"))
        if entry is None:
            raise OSError(errno.EIO, "unable to find the file again")
        return entry


class NtfsVolume(Volume):
    """NTFS."""

    library = "pyfsntfs"
    _REPARSE = 0x400
    _ENCRYPTED = 0x4000
    _LINKS = (0xA000000C, 0xA0000003)  # symbolic link, junction
    _COMPRESSED = 0x80000017  # WOF, which the library unpacks
    _CLOUD = 0x9000001A  # and with a digit of its own in the middle
    _SYSTEM = 24  # files that belong to NTFS itself; the root is 5
    _FILETIME = 11_644_473_600  # seconds from 1601 to 1970

    def kind(self, entry: Any) -> EntryKind:
        if self._flags(entry) & self._REPARSE and self._tag(self._number(entry)) in self._LINKS:
            return "link"
        return "dir" if entry.has_directory_entries_index() else "file"

    def stat(self, number: int, kind: EntryKind) -> Stat:
        with Checked():
            entry = self.entry(number)
            time = (entry.get_modification_time_as_integer() or 0) / 10_000_000 - self._FILETIME
            return Stat(kind, 0 if kind == "dir" else entry.get_size() or 0, time, 0, 0o777)

    def check(self, number: int) -> None:
        """Refuses what is encrypted, in the cloud, or stored elsewhere."""
        flags = self._flags(self.entry(number))
        if flags & self._ENCRYPTED:
            raise SkippedError("encrypted by Windows (EFS): not read", "unsupported")
        if flags & self._REPARSE:
            tag = self._tag(number)
            if tag & ~0xF000 == self._CLOUD:
                raise SkippedError(CLOUD, "cloud")
            if tag not in (*self._LINKS, self._COMPRESSED):
                raise SkippedError(f"not read: unsupported reparse tag 0x{tag:08X}", "unsupported")

    def is_closed(self) -> bool:
        """Whether Windows dismounted it: by its log, its own mark, and what a hibernated Windows leaves."""
        with Checked():
            log = self._volume.get_file_entry(_LOG_FILE).read_buffer_at_offset(ntfs.RESTART, 0)
            sleeping = self._volume.get_file_entry_by_path("\\hiberfil.sys")
            asleep = sleeping is not None and sleeping.read_buffer_at_offset(4, 0).upper() == _HIBERNATED
        return ntfs.log_is_clean(bytes(log)) and not ntfs.is_marked_dirty(self._record(_VOLUME)) and not asleep

    def _tag(self, number: int) -> int:
        return ntfs.reparse_tag(self._record(number))

    def _record(self, number: int) -> bytes:
        with Checked():
            size = self._volume.get_mft_entry_size()
            if not 512 <= size <= 1 << 16:
                return b""
            return bytes(self._volume.get_file_entry(0).read_buffer_at_offset(size, number * size))

    def _flags(self, entry: Any) -> int:
        return int(entry.get_file_attribute_flags() or 0)

    def _is_shown(self, entry: Any) -> bool:
        return self._number(entry) >= self._SYSTEM

    def _number(self, entry: Any) -> int:
        return int(entry.get_file_reference()) & 0xFFFFFFFFFFFF

    def _by_number(self, number: int) -> Any:
        return self._volume.get_file_entry(number)


class VolumeNode(Node):
    """A file, folder or link of a file system."""

    __slots__ = ("_children", "_number", "_stat", "_volume")

    in_image = True

    def __init__(self, volume: Volume, number: int, kind: EntryKind) -> None:
        self.kind = kind
        self._volume = volume
        self._number = number
        self._children: Children | None = None
        self._stat: Stat | None = None

    def find(self, name: str) -> "VolumeNode":
        """What lies in this folder under a name.

        Raises:
            FileNotFoundError: nothing.
            OSError: the folder cannot be read, or not every name in it, so it is not known.
        """
        children = self._listed()
        found = children.names.get(name)
        if found is None and children.broken:
            raise OSError(errno.EIO, children.broken)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "no such file")
        return VolumeNode(self._volume, found.number, found.kind)

    def entries(self) -> Iterator[Entry]:
        """The entries of this folder; an error comes after those that can be read."""
        children = self._listed()
        yield from [Entry(name, child.kind) for name, child in children.names.items()]
        if children.broken:
            raise OSError(errno.EIO, children.broken)

    def stat(self) -> Stat:
        """Size, time, owner and so on."""
        if self._stat is None:
            self._stat = self._volume.stat(self._number, self.kind)
        return self._stat

    def target(self) -> str:
        """Where this link points."""
        if self.kind != "link":
            raise OSError(errno.EINVAL, "not a link")
        return self._volume.target(self._number)

    def read(self, size: int, offset: int = 0) -> bytes:
        """At most `size` bytes of this file."""
        if self.kind != "file":
            raise NotRegularError(self.what())
        self._volume.check(self._number)
        size = max(0, min(size, self.stat().size - offset))
        if not size:
            return b""
        with Checked():
            data = bytes(self._volume.entry(self._number).read_buffer_at_offset(size, offset))
        if len(data) < size:
            raise OSError(errno.EIO, f"damaged: only {len(data)} of {size} bytes are there")
        return data

    def open(self) -> BinaryIO:
        """This file, to be read in chunks."""
        self._volume.check(self._number)
        return NodeBytes(self).stream()

    def what(self) -> str:
        """What it is if it is no regular file."""
        return self._volume.what(self._number) if self.kind == "other" else super().what()

    def _listed(self) -> Children:
        if self.kind != "dir":
            raise NotADirectoryError(errno.ENOTDIR, "not a folder")
        if self._children is None:
            self._volume.check(self._number)
            self._children = self._volume.children(self._number)
        return self._children


def apfs_volumes(stored: Stored) -> list[tuple[str, ApfsVolume | None]]:
    """The volumes of an APFS container with their names; `None` for one that is encrypted.

    Raises:
        ImportError: the library is not installed.
        OSError: it cannot be read.
    """
    module = import_module("pyfsapfs")
    found: list[tuple[str, ApfsVolume | None]] = []
    with Checked():
        container = module.container()
        container.open_file_object(FileObject(stored))
        for number in range(container.get_number_of_volumes()):
            volume = container.get_volume(number)
            locked = True
            with suppress(*ERRORS):
                locked = volume.is_locked()
            found.append(
                (volume.get_name() or str(number + 1), None if locked else ApfsVolume(container, volume, stored))
            )
    return found


VOLUMES: dict[str, type[Volume]] = {
    "ext": ExtVolume,
    "XFS": XfsVolume,
    "NTFS": NtfsVolume,
    "FAT": FatVolume,
    "exFAT": ExfatVolume,
    "HFS+": HfsVolume,
}
