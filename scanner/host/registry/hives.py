"""Keys of a hive file, read by libregf where it lies; nothing is written, and nothing is loaded into the system.

Changes that Windows had not yet written into the file but only into the logs beside it (`.LOG1`, `.LOG2`) are not seen,
which is said as a problem. Of a damaged file everything is read that can be reached.

References:
    https://github.com/msuhanov/regf ("Base block", "New format of transaction log files", "Key node");
    https://github.com/libyal/libregf
"""

import io
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from scanner.host.registry import DEPTH, LIMIT, SIZE, Key
from scanner.model import Problem
from scanner.parsers.registry_values import Value, decode

if TYPE_CHECKING:
    from scanner.host.files import Files

_BASE = 4096
_VALUE_COUNT = 36  # offset in a key node
_INLINE = 8  # offset in a value: where it is itself if it has four bytes at most


def open_hive(files: "Files", file: str, path: str, problems: list[Problem]) -> "HiveKey | None":
    """The root key of a hive file, shown as `path`; `None` where there is no such file or nothing of it is readable."""
    before = len(files.problems)
    handle = files.open(file)
    if handle is None:
        problems += files.problems[before:]
        del files.problems[before:]
        return None
    base = handle.read(_BASE)
    if len(base) < _BASE or base[:4] != b"regf":
        handle.close()
        problems.append(Problem(file, "not a registry hive"))
        return None
    try:
        import pyregf
    except ImportError:
        handle.close()
        problems.append(Problem(file, "not read: the package libregf-python is not installed"))
        return None
    if _is_behind(files, file, base):
        problems.append(Problem(file, "the last changes are still in its transaction log and were not read"))
    checksum = _checksum(base)
    if checksum != base[508:512]:
        problems.append(Problem(file, "damaged: wrong checksum at its beginning"))
        data = base[:508] + checksum + base[512:] + handle.read()
        handle.close()
        handle = io.BytesIO(data)
    handle.seek(0)
    hive = pyregf.file()
    try:
        hive.open_file_object(handle)
        root = hive.get_root_key()
    except (OSError, ValueError, MemoryError):
        root = None
    if root is None:
        problems.append(Problem(file, "damaged: its first key cannot be read"))
        handle.close()
        return None
    if hive.is_corrupted():
        problems.append(Problem(file, "damaged: parts of it cannot be read"))
    return HiveKey(root, path.rpartition("\\")[2], path, problems, _File(handle, hive))


def _is_behind(files: "Files", file: str, base: bytes) -> bool:
    """Whether the base block says that a write was begun and not ended, or a log has newer entries."""
    started, ended = struct.unpack_from("<II", base, 4)
    if started != ended:
        return True
    for ending in (".LOG1", ".LOG2"):
        log = files.head(file + ending, 516)
        if log is not None and len(log) == 516 and log[512:] == b"HvLE" and _newer(log, ended):
            return True
    return False


def _newer(log: bytes, than: int) -> bool:
    number: int = struct.unpack_from("<I", log, 4)[0]
    return 0 < (number - than) & 0xFFFFFFFF < 1 << 31 and log[508:512] == _checksum(log)


def _checksum(base: bytes) -> bytes:
    found = 0
    for (word,) in struct.iter_unpack("<I", base[:508]):
        found ^= word
    return struct.pack("<I", {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(found, found))


class _File:
    """Keeps the file open as long as one of its keys is in use.

    Two things are read without libregf (seen in 20240421 and 20260526): it takes a key whose list of values is damaged
    for one without values, and gives other bytes for values of one to three bytes.
    """

    __slots__ = ("_handle", "_hive")

    def __init__(self, handle: BinaryIO | io.BytesIO, hive: Any) -> None:
        self._handle = handle
        self._hive = hive

    def __del__(self) -> None:
        self._handle.close()

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the file."""
        position = self._handle.tell()
        try:
            self._handle.seek(offset)
            return self._handle.read(size)
        finally:
            self._handle.seek(position)


class HiveKey(Key):
    """A key of a hive file."""

    __slots__ = ("_file", "_node")

    def __init__(self, node: Any, name: str, path: str, problems: list[Problem], file: _File) -> None:
        super().__init__(name, path, problems)
        self._node = node
        self._file = file

    @property
    def modified(self) -> int | None:
        """When it was last written."""
        ticks: int = self._node.get_last_written_time_as_integer()
        return ticks

    @property
    def may_be_link(self) -> bool:
        """Whether it is worth looking if this is a symbolic link."""
        return bool(self._node.number_of_values == 1)

    def subkeys(self) -> Iterator[Key]:
        """The keys below it."""
        node, count = self._node, self._node.number_of_sub_keys
        if count > LIMIT:
            self._problem(f"more than {LIMIT} subkeys: the rest was not read")
        elif count and self.path.count("\\") > DEPTH:
            self._problem(f"more than {DEPTH} levels of keys: not looked further")
            return
        found = []
        unreadable = 0
        for index in range(min(count, LIMIT)):
            try:
                child = node.get_sub_key(index)
                name = child.name or ""
            except (OSError, ValueError, MemoryError):
                unreadable += 1
            else:
                found.append((name.lower(), index, name, child))
        if unreadable:
            self._problem(f"damaged: {unreadable} of {count} subkeys cannot be read")
        found.sort()
        for _, _, name, child in found:
            yield HiveKey(child, name, f"{self.path}\\{name}", self._problems, self._file)

    def child(self, name: str) -> Key | None:
        """The key of that name right below it."""
        try:
            node = self._node.get_sub_key_by_name(name)
        except OSError:  # libregf gives up at the first damaged one
            return next((key for key in self.subkeys() if key.name.lower() == name.lower()), None)
        except (ValueError, MemoryError):  # a NUL or half a surrogate in the name
            return None
        return None if node is None else HiveKey(node, name, f"{self.path}\\{name}", self._problems, self._file)

    def _read(self) -> dict[str, Value]:
        node, count = self._node, self._node.number_of_values
        values: dict[str, Value] = {}
        if not count and any(self._file.read(node.offset + _VALUE_COUNT, 4)):
            self._problem("damaged: its values cannot be read")
        unreadable = 0
        for index in range(min(count, LIMIT)):
            try:
                value = node.get_value(index)
                name, kind, size = value.name or "", value.type, value.data_size
                if size > SIZE:
                    self._problem(f"the value {name} has {size} bytes: not read")
                    continue
                if value.is_corrupted():
                    unreadable += 1
                    continue
                data = self._file.read(value.offset + _INLINE, size) if 0 < size < 4 else value.data
                values.setdefault(name, decode(kind, data or b""))
            except (OSError, MemoryError):
                unreadable += 1
            except ValueError as error:
                self._problem(f"the value {name} is damaged: {error}")
        if unreadable:
            self._problem(f"damaged: {unreadable} of {count} values cannot be read")
        if count > LIMIT:
            self._problem(f"more than {LIMIT} values: the rest was not read")
        return values
