"""Keys of the running Windows.

References:
    https://docs.python.org/3/library/winreg.html; Microsoft, "Accessing an Alternate Registry View" (KEY_WOW64_64KEY: a
    32-bit Python sees what a 64-bit one does).
"""

import sys
from collections.abc import Iterator

from phaseout.host.registry.base import LIMIT, SIZE, Key
from phaseout.model.nouns import Cause, Problem
from phaseout.parsers.windows.registry_values import Value, decode, texts

if sys.platform == "win32":
    import winreg

    _ACCESS = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
    _NO_MORE = 259

    def live_root(name: str, problems: list[Problem]) -> "LiveKey":
        """`HKLM` or `HKU`."""
        return LiveKey(winreg.HKEY_LOCAL_MACHINE if name == "HKLM" else winreg.HKEY_USERS, name, name, problems)

    class LiveKey(Key):
        """An open key; it is closed when it is no longer in use."""

        __slots__ = ("_handle",)

        def __init__(self, handle: "winreg.HKEYType | int", name: str, path: str, problems: list[Problem]) -> None:
            super().__init__(name, path, problems)
            self._handle = handle

        @property
        def modified(self) -> int | None:
            """When it was last written."""
            try:
                return winreg.QueryInfoKey(self._handle)[2] or None
            except OSError:
                return None

        def names(self) -> list[str]:
            """The names of the keys below it, sorted without regard to case."""
            names: list[str] = []
            try:
                while len(names) < LIMIT:
                    names.append(winreg.EnumKey(self._handle, len(names)))
                self._problem(f"more than {LIMIT} subkeys: the rest was not read", "limit")
            except OSError as error:
                if error.winerror != _NO_MORE:
                    self._problem(*_why(error))
            return sorted(names, key=lambda name: (name.lower(), name))

        def subkeys(self) -> Iterator[Key]:
            """The keys below it."""
            for name in self.names():
                child = self.child(name)
                if child is not None:
                    yield child

        def child(self, name: str) -> Key | None:
            """The key of that name right below it."""
            path = f"{self.path}\\{name}"
            try:
                return LiveKey(winreg.OpenKeyEx(self._handle, name, 0, _ACCESS), name, path, self._problems)
            except (FileNotFoundError, ValueError):  # a NUL in the name is a ValueError
                return None
            except OSError as error:
                self._problem(*_why(error), name)
                return None

        def _read(self) -> dict[str, Value]:
            values: dict[str, Value] = {}
            index = 0
            try:
                while index < LIMIT:
                    name, found, kind = winreg.EnumValue(self._handle, index)
                    index += 1
                    self._keep(values, name, kind, found)
                self._problem(f"more than {LIMIT} values: the rest was not read", "limit")
            except (OSError, ValueError, MemoryError) as error:
                if getattr(error, "winerror", 0) != _NO_MORE:
                    self._problem(*_why(error))
            return values

        def _keep(self, values: dict[str, Value], name: str, kind: int, found: object) -> None:
            if isinstance(found, (bytes, str)) and len(found) > SIZE:
                self._problem(f"the value {name} has more than {SIZE} bytes: not read", "limit")
                return
            try:
                if found is None:
                    values[name] = decode(kind, b"")
                elif isinstance(found, bytes):
                    values[name] = decode(kind, found)
                elif isinstance(found, list):
                    values[name] = texts(found)
                elif isinstance(found, (str, int)):
                    values[name] = found
            except ValueError as error:
                self._problem(f"the value {name} is damaged: {error}", "damaged")

    def _why(error: Exception) -> tuple[str, Cause]:
        if isinstance(error, PermissionError):
            return "permission denied", "permission"
        if isinstance(error, MemoryError):
            return "not read: there is not enough memory", "limit"
        return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)), "error"
