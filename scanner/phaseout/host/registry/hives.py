"""Keys of a hive file, read into memory where it lies; nothing is written, and nothing is loaded into the system.

Changes that Windows had not yet written into the file but only into the logs beside it (`.LOG1`, `.LOG2`) are put in
their place in memory; where that cannot be done whole, it is said as a problem. Of a damaged file everything is read
that can be reached.

References:
    https://github.com/msuhanov/regf ("Base block", "Dirty state of a hive")
"""

from collections.abc import Iterator
from struct import unpack_from
from typing import TYPE_CHECKING

from phaseout.host.registry.base import DEPTH, LIMIT, SIZE, Key
from phaseout.model.nouns import Problem
from phaseout.parsers.windows.regf import BASE, Node, checksum, root
from phaseout.parsers.windows.registry_values import Value, decode

if TYPE_CHECKING:
    from phaseout.host.filesystem.files import Files

_LARGEST = 1 << 30
_LARGEST_LOG = 64 << 20
_LOGS = (".LOG1", ".LOG2")
_BEHIND = "the last changes are still in its transaction log and were not read"
_PARTLY = "the last changes are still in its transaction log and were read only in part"


def open_hive(files: "Files", file: str, path: str, problems: list[Problem]) -> "HiveKey | None":
    """The root key of a hive file, shown as `path`; `None` where there is no such file or nothing of it is readable."""
    before = len(files.problems)
    try:
        node = _root(files, file, problems)
    except ValueError as error:
        problems.append(Problem(file, str(error), "damaged"))
        node = None
    except MemoryError:
        problems.append(Problem(file, "not read: there is not enough memory", "limit"))
        node = None
    problems += files.problems[before:]
    del files.problems[before:]
    return None if node is None else HiveKey(node, path.rpartition("\\")[2], path, problems)


def _root(files: "Files", file: str, problems: list[Problem]) -> Node | None:
    head = files.head(file, BASE)
    data = files.read(file, _LARGEST) if head is not None and head[:4] == b"regf" else head
    if data is None:
        return None
    node = root(data)
    begun, ended = unpack_from("<II", data, 4)
    if checksum(data) != data[508:512]:
        problems.append(Problem(file, "damaged: wrong checksum at its beginning", "damaged"))
    elif BASE + unpack_from("<I", data, 40)[0] > len(data):
        problems.append(Problem(file, f"damaged: it ends after {len(data)} bytes", "damaged"))
    elif begun != ended:
        from phaseout.parsers.windows.regf_log import recovered

        logs = [log for ending in _LOGS if (log := files.read(file + ending, _LARGEST_LOG)) is not None]
        hive, whole = recovered(data, logs)
        if not whole:
            problems.append(Problem(file, _BEHIND if hive is data else _PARTLY, "damaged"))
        return root(hive)
    if begun != ended or _log_is_newer(files, file, ended):
        problems.append(Problem(file, _BEHIND, "damaged"))
    return node


def _log_is_newer(files: "Files", file: str, ended: int) -> bool:
    for ending in _LOGS:
        log = files.head(file + ending, 516)
        if log is not None and len(log) == 516 and log[512:] == b"HvLE" and log[508:512] == checksum(log):
            number: int = unpack_from("<I", log, 4)[0]
            if 0 < (number - ended) & 0xFFFFFFFF < 1 << 31:
                return True
    return False


class HiveKey(Key):
    """A key of a hive file."""

    __slots__ = ("_node",)

    def __init__(self, node: Node, name: str, path: str, problems: list[Problem]) -> None:
        super().__init__(name, path, problems)
        self._node = node

    @property
    def modified(self) -> int | None:
        """When it was last written."""
        return self._node.modified

    @property
    def may_be_link(self) -> bool:
        """Whether it is a symbolic link."""
        return self._node.is_link

    @property
    def weight(self) -> int:
        """The whole file."""
        return len(self._node.data)

    def subkeys(self) -> Iterator[Key]:
        """The keys below it."""
        count = self._node.subkey_count
        if count > LIMIT:
            self._problem(f"more than {LIMIT} subkeys: the rest was not read", "limit")
        elif count and self.path.count("\\") > DEPTH:
            self._problem(f"more than {DEPTH} levels of keys: not looked further", "limit")
            return
        found = [(child.name.lower(), index, child) for index, child in enumerate(self._node.subkeys(LIMIT))]
        unreadable = min(count, LIMIT) - len(found)
        if unreadable > 0:
            self._problem(f"damaged: {unreadable} of {count} subkeys cannot be read", "damaged")
        found.sort()
        for _, _, child in found:
            yield HiveKey(child, child.name, f"{self.path}\\{child.name}", self._problems)

    def child(self, name: str) -> Key | None:
        """The key of that name right below it."""
        try:
            node = self._node.child(name)
        except ValueError:
            self._problem("damaged: not all of its subkeys can be read", "damaged")
            return None
        return None if node is None else HiveKey(node, node.name, f"{self.path}\\{node.name}", self._problems)

    def _read(self) -> dict[str, Value]:
        count = self._node.value_count
        values: dict[str, Value] = {}
        unreadable = min(count, LIMIT)
        for name, kind, data in self._node.values(LIMIT, SIZE):
            unreadable -= 1
            if isinstance(data, int):
                self._problem(f"the value {name} has {data} bytes: not read", "limit")
                continue
            try:
                values.setdefault(name, decode(kind, data))
            except ValueError as error:
                self._problem(f"the value {name} is damaged: {error}", "damaged")
        if unreadable == count > 0:
            self._problem("damaged: its values cannot be read", "damaged")
        elif unreadable:
            self._problem(f"damaged: {unreadable} of {count} values cannot be read", "damaged")
        if count > LIMIT:
            self._problem(f"more than {LIMIT} values: the rest was not read", "limit")
        return values
