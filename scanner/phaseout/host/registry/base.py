r"""The Windows registry of the target, as 64-bit Windows shows it, wherever it is read from.

Paths begin at `HKLM` or `HKU`. The 32-bit view is written out (`HKLM\SOFTWARE\WOW6432Node\…`), `CurrentControlSet` and
the registry's own symbolic links are resolved, and there is no HKCU: all users are read, each below
`HKU\<SID>`. What cannot be read becomes a `Problem` in `Registry.problems` and reads as absent.

A `Registry` is a tree of keys from different origins: `memory`, `hives` (files), `live` (winreg). Outside this package
they all look the same, and one contract test holds for all.

References:
    Microsoft, "Predefined Keys", "Registry Keys Affected by WOW64", "Registry Symbolic Links".
"""

from collections.abc import Callable, Iterator
from copy import copy
from typing import TYPE_CHECKING

from phaseout.model.nouns import Cause, Problem
from phaseout.parsers.windows.registry_values import Value, as_text

if TYPE_CHECKING:
    from phaseout.host.filesystem.files import Files

LIMIT = 100_000  # subkeys or values of one key
DEPTH = 512  # levels of keys, as Windows has it
SIZE = 1 << 20  # bytes of one value
_HELD = 256 << 20  # bytes of hives that are kept open below one key; the one used last is kept in any case
_LINKS = 40
_LINK = "SymbolicLinkValue"


class Key:
    r"""One key.

    Attributes:
        name: its last name, as stored.
        path: where it is, from `HKLM` or `HKU`.
    """

    __slots__ = ("_folded", "_problems", "_values", "name", "path")

    def __init__(self, name: str, path: str, problems: list[Problem]) -> None:
        self.name = name
        self.path = path
        self._problems = problems
        self._values: dict[str, Value] | None = None
        self._folded: dict[str, Value] | None = None

    @property
    def modified(self) -> int | None:
        """When it was last written, as FILETIME; `None` where that is not known."""
        raise NotImplementedError

    @property
    def may_be_link(self) -> bool:
        """Whether this may be a symbolic link, which has no value but its target."""
        return False

    @property
    def weight(self) -> int:
        """How many bytes of memory it keeps in use, where that is worth counting."""
        return 0

    def subkeys(self) -> Iterator["Key"]:
        """The keys below it, sorted by name without regard to case. One that cannot be opened is a problem."""
        raise NotImplementedError

    def child(self, name: str) -> "Key | None":
        """The key of that name right below it, in any case of letters."""
        raise NotImplementedError

    def key(self, path: str) -> "Key | None":
        r"""The key at a path below it (`Shell\Open\Command`)."""
        here: Key | None = self
        for name in _names(path):
            if here is None:
                break
            here = here.child(name)
        return here

    def values(self) -> dict[str, Value]:
        """Name as stored → value; the default value has the empty name. Broken ones are left out with a problem."""
        if self._values is None:
            self._values = self._read()
        return self._values

    def value(self, name: str) -> Value | None:
        """The value of that name, in any case of letters."""
        found = self.values()
        if name in found:
            return found[name]
        if self._folded is None:
            self._folded = {one.lower(): value for one, value in reversed(found.items())}
        return self._folded.get(name.lower())

    def text(self, name: str) -> str:
        """The value as one line of text, numbers in decimal; empty where there is none.

        Bytes are read as text where they hold one, and are a problem otherwise.
        """
        value = self.value(name)
        if isinstance(value, bytes):
            found = as_text(value)
            value = value if found is None else found
        if value is None or isinstance(value, str):
            return (value or "").strip()
        if isinstance(value, bytes):
            if value:
                self._problem(f"the value {name} is no text but {len(value)} bytes", "damaged")
            return ""
        return str(value) if isinstance(value, int) else " ".join(value).strip()

    def number(self, name: str) -> int:
        """The value as a number, 0 where there is none; numbers written as text count."""
        value = self.value(name)
        if isinstance(value, str) and value.strip().isdecimal() and len(value) < 20:
            return int(value)
        return value if isinstance(value, int) else 0

    def _read(self) -> dict[str, Value]:
        raise NotImplementedError

    def _problem(self, why: str, cause: Cause, below: str = "") -> None:
        problem = Problem(f"{self.path}\\{below}" if below else self.path, why, cause)
        if problem not in self._problems[-50:]:
            self._problems.append(problem)


class Mounts(Key):
    """A key that is only the place where others are put, each opened when it is first asked for.

    What was wrong with one is said again whenever it is reached, so that every source that looks into it knows.
    """

    __slots__ = ("_found", "_openers")

    def __init__(self, path: str, problems: list[Problem]) -> None:
        super().__init__(path, path, problems)
        self._openers: dict[str, tuple[str, Callable[[], Key | None]]] = {}
        self._found: dict[str, tuple[Key | None, tuple[Problem, ...]]] = {}

    def mount(self, name: str, opener: Callable[[], Key | None]) -> None:
        """Puts a key below this one unless one is there; `opener` gives it, or `None` where there is none."""
        self._openers.setdefault(name.lower(), (name, opener))

    def has(self, name: str) -> bool:
        """Whether a key was put there under that name, whatever became of it."""
        return name.lower() in self._openers

    @property
    def modified(self) -> int | None:
        """It has never been written."""
        return None

    def subkeys(self) -> Iterator[Key]:
        """Those that could be opened."""
        for folded in sorted(self._openers):
            found = self.child(folded)
            if found is not None:
                yield found

    def child(self, name: str) -> Key | None:
        """The key put there under that name."""
        folded = name.lower()
        if folded not in self._openers:
            return None
        known = self._found.pop(folded, None)
        if known is None:
            before = len(self._problems)
            opened = self._openers[folded][1]()
            known = opened, tuple(self._problems[before:])
            del self._problems[before:]  # they come below, once
            self._make_room(opened.weight if opened is not None else 0)
        self._found[folded] = known  # so that the one used last is the last
        found, problems = known
        self._problems += [problem for problem in problems if problem not in self._problems]
        if found is None:
            return None
        found = copy(found)
        found.name = self._openers[folded][0]
        found.path = f"{self.path}\\{found.name}"
        return found

    def _make_room(self, held: int) -> None:
        """Forgets hives that were not used for long: a terminal server has hundreds of users."""
        for folded, (key, _) in reversed([*self._found.items()]):
            held += key.weight if key is not None else 0
            if key is not None and held > _HELD:
                del self._found[folded]

    def _read(self) -> dict[str, Value]:
        return {}


class Registry:
    """The registry of a target.

    Attributes:
        problems: what could not be read; the runner moves it into the run of the source that asked.
    """

    def __init__(self, files: "Files | None" = None) -> None:
        self.problems: list[Problem] = []
        self._files = files
        self._roots: dict[str, Key] = {}

    def root(self, key: Key) -> None:
        """Sets `HKLM` or `HKU`."""
        self._roots[key.name.lower()] = key

    def key(self, path: str) -> Key | None:
        """The key at a path; `None` where there is none, or where a problem says why not."""
        return self._key(path, 0)

    def hive(self, path: str) -> Key | None:
        r"""The root of any other hive file of the target (`C:\Windows\AppCompat\Programs\Amcache.hve`)."""
        if self._files is None:
            return None
        from phaseout.host.registry.hives import open_hive

        return open_hive(self._files, path, path, self.problems)

    def _key(self, path: str, links: int) -> Key | None:
        names = _names(path)
        if not names or len(names) > DEPTH:
            return None
        here = self._roots.get(names[0].lower())
        for depth, name in enumerate(names[1:], 2):
            if here is None:
                return None
            below = here.child(name)
            target = ""
            if below is None:
                if depth == 3 and name.lower() == "currentcontrolset" and here.path.lower() == r"hklm\system":
                    target = self._control_set(here)
            else:
                target = _target(below)
            if target:
                if links >= _LINKS:
                    here._problem("too many symbolic links", "limit")  # noqa: SLF001
                    return None
                below = copy(self._key(target, links + 1))
                if below is not None:
                    below.name, below.path = name, f"{here.path}\\{name}"
            here = below
        return here

    def _control_set(self, system: Key) -> str:
        select = system.child("Select")
        current = select.number("Current") if select is not None else 0
        if not current:
            why = "names no current set of settings: the first is read, which need not be the one in use"
            self.problems.append(Problem(rf"{system.path}\Select", why, "damaged"))
        return rf"{system.path}\ControlSet{current or 1:03}"


def _names(path: str) -> list[str]:
    return [name for name in path.split("\\") if name]


def _target(key: Key) -> str:
    """Where a symbolic link of the registry leads; empty for every other key. The live registry follows its own."""
    if not key.may_be_link:
        return ""
    target = key.value(_LINK)
    if not isinstance(target, str):
        return ""
    for kernel, ours in (("\\registry\\machine\\", "HKLM\\"), ("\\registry\\user\\", "HKU\\")):
        if target.lower().startswith(kernel):
            return ours + target[len(kernel) :]
    return ""
