"""Disks in files: raw, qcow2, and VMDK, VHD, VHDX and EWF (E01) by the libraries of libyal.

A file may say that parts of the disk are in other files. These are found beside it by the last part of their name and
nowhere else: an image cannot make a scan read the files of the machine that scans.

References:
    https://github.com/libyal (libvmdk, libvhdi, libewf: documentation of the formats)
"""

import errno
import os
import re
from collections import OrderedDict
from typing import Any

from phaseout.host import NotAHostError
from phaseout.host.filesystem.node import SkippedError
from phaseout.host.images.qcow2 import MAGIC, Qcow2
from phaseout.host.images.stored import FileBytes, Stored

_INSTALL = "phaseout needs its extra for that: pip install 'phaseout[image]'"
ERRORS = (OSError, ValueError, MemoryError, SystemError, OverflowError)  # that the libraries raise
_SPARSE = (b"KDMV", b"COWD")
_OWN = re.compile(r"""with error: \w+\(\d+, (['"])(.*?)\1\)""", re.ASCII)
_LEVELS = 16  # of files that build upon each other
_BLOCK = 1 << 16
_BLOCKS = 160  # that are kept: 10 MiB


class LibraryError(OSError):
    """A library cannot read something.

    The text is the first of its sentences, and behind it ours, if what failed was our reading for the library.
    """

    def __init__(self, error: BaseException) -> None:
        text = str(error)
        own = _OWN.search(text)
        why = re.sub(r"^py\w+?: ", "", text.partition(". ")[0])[:200] or type(error).__name__
        super().__init__(errno.EIO, f"{why}: {own[2][:200]}" if own else why)


class Checked:
    """Turns the errors of a library into one of ours."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if (
            isinstance(error, ERRORS)
            and not isinstance(error, (SkippedError, LibraryError))
            and not (isinstance(error, OSError) and error.errno)
        ):
            raise LibraryError(error) from error


class LibraryBytes(Stored):
    """What a library shows as one run of bytes: the disk in a file, a logical volume, a snapshot.

    Args:
        handle: of the library; it has `read_buffer_at_offset`.
        size: in bytes.
        kept: what must live as long.
    """

    def __init__(self, handle: Any, size: int, *kept: object) -> None:
        self._handle = handle
        self.size = size
        self._kept = kept

    def read(self, offset: int, size: int) -> bytes:
        """At most so many bytes."""
        size = max(0, min(size, self.size - offset))
        if not size:
            return b""
        try:
            data = self._handle.read_buffer_at_offset(size, offset)
        except ERRORS as error:
            raise LibraryError(error) from error
        return bytes(data)


class Cached(Stored):
    """Keeps what was read last: file systems read the same blocks again and again."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self.size = stored.size
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def read(self, offset: int, size: int) -> bytes:
        """At most so many bytes."""
        size = max(0, min(size, self.size - offset))
        if not size:
            return b""
        first, last = offset // _BLOCK, (offset + size - 1) // _BLOCK
        if last - first > _BLOCKS // 4:
            return self._stored.read(offset, size)
        data = b"".join(map(self._block, range(first, last + 1))) if first != last else self._block(first)
        start = offset - first * _BLOCK
        return data[start : start + size]

    def _block(self, number: int) -> bytes:
        data = self._blocks.pop(number, None)
        if data is None:
            data = self._stored.read(number * _BLOCK, _BLOCK)
            if len(self._blocks) >= _BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks[number] = data
        return data


class FileObject:
    """Something stored as the libraries take a file."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._stored.read(self._at, self._stored.size if size < 0 else size)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> None:
        """Sets the place of the next byte."""
        self._at = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._stored.size}[whence] + offset

    def tell(self) -> int:
        """The place of the next byte."""
        return self._at

    def get_size(self) -> int:
        """The number of bytes."""
        return self._stored.size


def disk(path: str, level: int = 0) -> Stored:
    """The disk in a file.

    Raises:
        NotAHostError: it cannot be read, or is not whole.
        OSError: the file cannot be opened.
    """
    if level > _LEVELS:
        raise NotAHostError(f"{path}: more than {_LEVELS} files that build upon each other")
    stored = FileBytes(path)
    head, tail = stored.read(0, 1024), stored.read(max(stored.size - 512, 0), 512)
    for name, place, mark, remedy in _REFUSED:
        if mark == (tail[:4] if place < 0 else head[place : place + len(mark)]):
            raise NotAHostError(f"{path}: {name} is not read; {remedy}")
    try:
        if head[:4] == MAGIC:
            return _qcow(stored, level)
        if head[:4] in _SPARSE or head[:1024].lstrip().startswith(b"# Disk DescriptorFile"):
            return _vmdk(stored, level)
        if head[:8] in (b"conectix", b"vhdxfile") or tail[:8] == b"conectix":
            return _vhd(stored, level)
        if head[:8] in (b"EVF\x09\x0d\x0a\xff\0", b"EVF2\x0d\x0a\x81\0", b"LVF\x09\x0d\x0a\xff\0"):
            return _ewf(stored)
    except ImportError as error:
        raise NotAHostError(f"{path}: {_INSTALL}") from error
    except (OSError, ValueError, MemoryError, SystemError) as error:
        why = error.strerror if isinstance(error, OSError) and error.errno else LibraryError(error).strerror
        raise NotAHostError(f"{path}: {why}; {_CONVERT}") from error
    return stored


def _qcow(stored: FileBytes, level: int) -> Stored:
    found = Qcow2(stored)
    name, form = found.backing
    if name:
        path = _parent(stored.path, name)
        found.below = FileBytes(path) if form == "raw" else disk(path, level + 1)
    return found


def _vhd(stored: FileBytes, level: int) -> Stored:
    import pyvhdi

    file = pyvhdi.file()
    file.open_file_object(FileObject(stored))
    return _upon_parent(stored, file, file.get_parent_filename(), level)


def _vmdk(stored: FileBytes, level: int) -> Stored:
    import pyvmdk

    handle = pyvmdk.handle()
    handle.open_file_object(FileObject(stored))
    extents = []
    for number in range(handle.get_number_of_extents()):
        name = _last_part(handle.get_extent_descriptor(number).get_filename() or "")
        alone = handle.get_number_of_extents() == 1 and stored.read(0, 4) in _SPARSE
        if name:  # an extent of zeros has none; a disk in one file may have been renamed
            extents.append(stored if alone else _opened_beside(stored.path, name))
    handle.open_extent_data_files_as_file_objects([FileObject(extent) for extent in extents])
    return _upon_parent(stored, handle, handle.get_parent_filename(), level, *extents)


def _ewf(stored: FileBytes) -> Stored:
    import pyewf

    stored_parts = [FileBytes(name) for name in pyewf.glob(stored.path)]
    handle = pyewf.handle()
    handle.open_file_objects([FileObject(part) for part in stored_parts])
    return LibraryBytes(handle, handle.get_media_size(), stored_parts)


def _upon_parent(stored: FileBytes, handle: Any, parent: str | None, level: int, *kept: object) -> Stored:
    """The disk, with what it has from the file that it builds upon."""
    if parent:
        path = _parent(stored.path, parent)
        below = disk(path, level + 1)
        own = getattr(below, "_handle", None)
        if own is None or type(own) is not type(handle):
            raise NotAHostError(f"{stored.path}: builds upon {path}, which is of another format; {_CONVERT}")
        handle.set_parent(own)
        kept = (*kept, below)
    return LibraryBytes(handle, handle.get_media_size(), stored, *kept)


def _parent(path: str, name: str) -> str:
    """The file that an image builds upon."""
    found = _beside(path, _last_part(name))
    if not os.path.isfile(found):
        raise NotAHostError(f"{path}: builds upon {_last_part(name)}, which is not beside it")
    return found


def _opened_beside(path: str, name: str) -> FileBytes:
    try:
        return FileBytes(_beside(path, name))
    except OSError as error:
        raise NotAHostError(f"{path}: a part of it is missing: {name}: {error.strerror}") from error


def _beside(path: str, name: str) -> str:
    return os.path.join(os.path.dirname(path), name)


def _last_part(name: str) -> str:
    return re.split(r"[\\/]", name)[-1]


_CONVERT = "qemu-img convert -O raw makes a plain copy"
_ON_MAC = "hdiutil convert -format UDTO makes a plain copy on a Mac"
_REFUSED = (  # formats that are known by a mark; before the beginning means in the last sector
    ("VDI (VirtualBox)", 64, b"\x7f\x10\xda\xbe", _CONVERT),
    ("QED", 0, b"QED\0", _CONVERT),
    ("a disk of Parallels", 0, b"WithoutFreeSpace", _CONVERT),
    ("a disk of Parallels", 0, b"WithouFreSpacExt", _CONVERT),
    ("a disk image of macOS (.dmg)", -1, b"koly", _ON_MAC),
    ("a sparse image of macOS", 0, b"sprs", _ON_MAC),
    ("WIM", 0, b"MSWIM\0\0\0", "unpack it with wimapply or DISM, and scan the folder with --root"),
)
