"""The output formats: one file each, and the one table of them."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from scanner.model import Inventory, Report


class _Module(Protocol):
    report: Callable[[Report, int], Iterator[str]]
    inventory: Callable[[Inventory, int], Iterator[str]]


class Format(NamedTuple):
    """One way to write a report or an inventory down.

    Attributes:
        name: as in `-f NAME`.
        endings: of files that are written in it unless told otherwise.
        title: what it is for.
    """

    name: str
    endings: tuple[str, ...]
    title: str

    def report(self, report: Report, width: int) -> Iterator[str]:
        """The pieces of the text; `width` is that of the terminal, in columns."""
        return self._module().report(report, width)

    def inventory(self, inventory: Inventory, width: int) -> Iterator[str]:
        """The same for an inventory."""
        return self._module().inventory(inventory, width)

    def _module(self) -> _Module:
        return cast("_Module", import_module(f"scanner.report.{self.name}_format"))


FORMATS: tuple[Format, ...] = (
    Format("table", (".txt",), "for a person at a terminal"),
    Format("csv", (".csv",), "one row for each item of each finding, one row for a host without findings"),
    Format("json", (".json",), "everything, as the published JSON Schema says"),
)


def format_named(name: str) -> Format | None:
    """The format of that name."""
    return next((one for one in FORMATS if one.name == name), None)


def format_of_file(path: str) -> Format | None:
    """The format that a file's ending asks for."""
    return next((one for one in FORMATS if path.lower().endswith(one.endings)), None)
