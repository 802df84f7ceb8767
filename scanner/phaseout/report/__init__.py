"""The output formats: one file each, and the one table of them."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Literal, NamedTuple, Protocol, cast

from phaseout.model.findings import Report
from phaseout.model.nouns import Inventory

Subject = Literal["report", "inventory"]


class CannotWriteError(Exception):
    """A format that cannot be had, or has no place for what is to be written; the text says what helps."""


class _Module(Protocol):
    report: Callable[[Report, int], Iterator[str]]
    inventory: Callable[[Inventory, int], Iterator[str]]


class Format(NamedTuple):
    """One way to write a report or an inventory down.

    Attributes:
        name: as in `-f NAME`.
        endings: of files that are written in it unless told otherwise.
        title: what it is for.
        holds: what it has a place for.
        needs: a module that comes with the extra of the format's name.
    """

    name: str
    endings: tuple[str, ...]
    title: str
    holds: tuple[Subject, ...] = ("report", "inventory")
    needs: str = ""

    def report(self, report: Report, width: int) -> Iterator[str]:
        """The pieces of the text; `width` is that of the terminal, in columns."""
        return self._module("report").report(report, width)

    def inventory(self, inventory: Inventory, width: int) -> Iterator[str]:
        """The same for an inventory."""
        return self._module("inventory").inventory(inventory, width)

    def coloured(self, pieces: Iterator[str]) -> Iterator[str]:
        """The same text for a terminal that shows colour, where the format has any."""
        colour: Callable[[Iterator[str]], Iterator[str]] | None = getattr(self._module("report"), "coloured", None)
        return colour(pieces) if colour else pieces

    def check(self, subject: Subject) -> None:
        """Whether it can be written, before any work is done for it.

        Raises:
            CannotWriteError: and why not.
        """
        if subject not in self.holds:
            able = ", ".join(one.name for one in FORMATS if subject in one.holds)
            raise CannotWriteError(f"{self.name} has no place for an {subject}; these have: {able}")
        if self.needs:
            from importlib.util import find_spec

            if find_spec(self.needs) is None:
                raise CannotWriteError(f"{self.name} needs {self.needs}: pip install 'phaseout[{self.name}]'")

    def _module(self, subject: Subject) -> _Module:
        self.check(subject)
        return cast("_Module", import_module(f"phaseout.report.{self.name}_format"))


FORMATS: tuple[Format, ...] = (
    Format("table", (".txt",), "for a person at a terminal"),
    Format("csv", (".csv",), "one row for each item of each finding, one row for a host without findings"),
    Format("json", (".json",), "everything, as the published JSON Schema says"),
    Format("ndjson", (".ndjson", ".jsonl"), "for log shippers: one line a finding or item, and one that sums up"),
    Format("markdown", (".md", ".markdown"), "for tickets"),
    Format(
        "html", (".html", ".htm"), "for the person who signs off: one file, to read, search and print", needs="jinja2"
    ),
    Format("cyclonedx", (".cdx.json", ".bom.json"), "CycloneDX 1.6, for software bills of materials"),
    Format("ocsf", (".ocsf.json", ".ocsf.ndjson"), "OCSF 1.6 events (2003 and 5020), for security lakes and SIEMs"),
    Format("sarif", (".sarif", ".sarif.json"), "SARIF 2.1.0, for code-scanning views", holds=("report",)),
    Format("prometheus", (".prom",), "metrics for the textfile collector of node_exporter"),
    Format("junit", (".junit.xml", ".xml"), "JUnit XML, for pipelines", holds=("report",)),
    Format("line", (), "one line of ASCII, for tools that keep one value of a machine", holds=("report",)),
)


def format_named(name: str) -> Format | None:
    """The format of that name."""
    return next((one for one in FORMATS if one.name == name), None)


def format_of_file(path: str) -> Format | None:
    """The format that a file's ending asks for; of two endings the longer one decides."""
    lower = path.lower()
    fitting = [(len(ending), one) for one in FORMATS for ending in one.endings if lower.endswith(ending)]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None
