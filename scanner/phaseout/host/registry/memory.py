r"""Keys that are held in memory: what a test writes down, and what a `.reg` file says.

References:
    scanner/phaseout/parsers/windows/reg_text.py for the text.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from phaseout.host.registry.base import DEPTH, Key, Registry
from phaseout.model.nouns import Problem
from phaseout.parsers.windows.reg_text import entries
from phaseout.parsers.windows.registry_values import Value

if TYPE_CHECKING:
    from phaseout.host.filesystem.files import Files

_ROOTS = {
    "hklm": "HKLM",
    "hkey_local_machine": "HKLM",
    "hku": "HKU",
    "hkey_users": "HKU",
    "hkey_classes_root": r"HKLM\SOFTWARE\Classes",
    "hkey_current_config": r"HKLM\SYSTEM\CurrentControlSet\Hardware Profiles\Current",
    "hkey_current_user": r"HKU\HKEY_CURRENT_USER",  # the file does not tell whose it is
    "hkcr": r"HKLM\SOFTWARE\Classes",
    "hkcu": r"HKU\HKEY_CURRENT_USER",
}


class _Node:
    __slots__ = ("children", "modified", "name", "values")

    def __init__(self, name: str) -> None:
        self.name = name
        self.children: dict[str, _Node] = {}
        self.values: dict[str, Value] = {}
        self.modified: int | None = None

    def below(self, name: str) -> "_Node":
        return self.children.setdefault(name.lower(), _Node(name))


class MemoryKey(Key):
    """A key of a tree in memory."""

    __slots__ = ("_node",)

    def __init__(self, node: _Node, path: str, problems: list[Problem]) -> None:
        super().__init__(node.name, path, problems)
        self._node = node

    @property
    def modified(self) -> int | None:
        """When it was last written, if known."""
        return self._node.modified

    @property
    def may_be_link(self) -> bool:
        """Whether it may be a symbolic link."""
        return len(self._node.values) == 1

    def subkeys(self) -> Iterator[Key]:
        """The keys below it."""
        for _, node in sorted(self._node.children.items()):
            yield MemoryKey(node, f"{self.path}\\{node.name}", self._problems)

    def child(self, name: str) -> Key | None:
        """The key of that name right below it."""
        node = self._node.children.get(name.lower())
        return None if node is None else MemoryKey(node, f"{self.path}\\{node.name}", self._problems)

    def _read(self) -> dict[str, Value]:
        return self._node.values


def registry_in_memory(
    tree: Mapping[str, Mapping[str, Value]], files: "Files | None" = None, modified: int | None = None
) -> Registry:
    r"""A registry of the given keys: path (`HKLM\SOFTWARE\…`) → name → value."""
    registry = Registry(files)
    roots = _roots(registry)
    for path, values in tree.items():
        node = _place(roots, path)
        if node is not None:
            node.values.update(values)
            node.modified = modified
    return registry


def registry_of_text(*exports: bytes, files: "Files | None" = None) -> Registry:
    """A registry of what regedit exported, in one file or several."""
    registry = Registry(files)
    roots = _roots(registry)
    for export in exports:
        for entry in entries(export):
            if isinstance(entry, Problem):
                registry.problems.append(entry)
                continue
            path, values = entry
            node = _place(roots, path)
            if node is None:
                registry.problems.append(Problem(path[:200], "not a path that the registry can have", "damaged"))
            else:
                node.values.update(values)
    return registry


def _roots(registry: Registry) -> dict[str, _Node]:
    roots = {name: _Node(name) for name in ("HKLM", "HKU")}
    for node in roots.values():
        registry.root(MemoryKey(node, node.name, registry.problems))
    return roots


def _place(roots: Mapping[str, _Node], path: str) -> _Node | None:
    first, _, rest = path.partition("\\")
    names = [*_ROOTS.get(first.lower(), "").split("\\"), *(name for name in rest.split("\\") if name)]
    if not names[0] or len(names) > DEPTH:
        return None
    node = roots[names[0]]
    for name in names[1:]:
        node = node.below(name)
    return node
