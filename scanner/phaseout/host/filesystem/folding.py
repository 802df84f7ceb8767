"""Names of systems that ignore letter case, on a disk that does not.

Such a disk may hold `Programs` beside `PROGRAMS`. Either name then stands for both: folders are read together, and of
files the one with the requested spelling comes first.
"""

import errno
from collections.abc import Callable, Iterator

from phaseout.host.filesystem.files import Entry
from phaseout.host.filesystem.node import Node, SkippedError, VanishedError
from phaseout.host.filesystem.resolve import Place

_FOLDERS = 2_000  # whose names are remembered
_NAMES = 100_000  # in one folder; of larger ones only exact names are found
Spellings = dict[str, tuple[str, ...]]


class Folding:
    """Finds names in any spelling.

    Args:
        fold: gives the same string for two names that are the same to the system.
    """

    def __init__(self, fold: Callable[[str], str]) -> None:
        self._fold = fold
        self._known: dict[Node, Spellings] = {}

    def find(self, folder: Place, name: str) -> tuple[str, tuple[Node, ...]]:
        """The spelling of a name and what lies in a folder under it, in that spelling first.

        Raises:
            FileNotFoundError: nothing does.
        """
        found: list[tuple[str, Node]] = []
        for node in folder.nodes:
            if node.kind == "dir":
                found += self._found(node, name)
        if len(found) == 1:
            return found[0][0], (found[0][1],)
        if not found:
            raise FileNotFoundError(errno.ENOENT, "no such name")
        found.sort(key=lambda one: (one[1].kind != "dir", one[0] != name, one[0]))
        found = [one for one in found if not self._leads_to(one[1], name)] or found[:1]
        if any(node.kind == "link" for _, node in found) and len({spelled for spelled, _ in found}) > 1:
            names = ", ".join(dict.fromkeys(spelled for spelled, _ in found))
            raise SkippedError(
                f"not read: {names} are one name to this system, and one of them is a link", "unsupported"
            )
        return found[0][0], tuple(node for _, node in found)

    def entries(self, folder: Place) -> Iterator[Entry]:
        """The entries of a folder: of folders whose names are the same, which are read together, the first."""
        if len(folder.nodes) == 1 and folder.nodes[0].kind != "dir":
            yield from folder.nodes[0].entries()  # raises what is right
        entries = sorted({entry for node in folder.nodes if node.kind == "dir" for entry in node.entries()})
        folders: set[str] = set()
        for entry in entries:
            folded = self._fold(entry.name)
            if entry.kind == "dir" and folded in folders:
                continue
            if entry.kind == "dir":
                folders.add(folded)
            yield entry

    def _found(self, folder: Node, name: str) -> list[tuple[str, Node]]:
        """The spellings of a name in one folder, with what lies there."""
        known = self._known.get(folder)
        if known is None:
            known = self._spellings(folder)
        spellings = known.get(self._fold(name), ())
        found: list[tuple[str, Node]] = []
        for spelled in spellings or (name,):  # what could not be listed, or is new, is found as it is spelled
            try:
                found.append((spelled, folder.find(spelled)))
            except FileNotFoundError:
                if spellings:
                    raise VanishedError from None
            except SkippedError as error:
                error.name = spelled
                raise
        return found

    def _leads_to(self, node: Node, name: str) -> bool:
        """Whether this is only a link to another spelling of its own name, made for programs that ask for that."""
        return node.kind == "link" and self._fold(node.target().removeprefix("./").rstrip("/")) == self._fold(name)

    def _spellings(self, folder: Node) -> Spellings:
        """Folded name → names; none of a folder that cannot be listed."""
        if len(self._known) >= _FOLDERS:
            self._known.clear()
        found: Spellings = {}
        try:
            for count, entry in enumerate(folder.entries()):
                if count >= _NAMES:
                    found = {}
                    break
                folded = self._fold(entry.name)
                found[folded] = (*found.get(folded, ()), entry.name)
        except PermissionError:
            found = {}
        self._known[folder] = found
        return found
