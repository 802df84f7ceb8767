"""The output formats: one file each, and the one table of them."""

from collections.abc import Iterator
from importlib import import_module
from typing import Literal, NamedTuple, Protocol, cast

from phaseout.model.findings import Report
from phaseout.model.nouns import Inventory

Subject = Literal["report", "inventory", "difference"]  # the last of two scans, for `phaseout diff`
Redaction = Literal["users", "paths"]  # what `report.redact` takes out
REDACTIONS: tuple[Redaction, ...] = ("users", "paths")
_ALL: tuple[Subject, ...] = ("report", "inventory", "difference")


class CannotWriteError(Exception):
    """A format has no place for what is to be written; the text says which formats do."""


Detail = Literal["verdict", "usual", "all"]


class Page(NamedTuple):
    """Where the text will be read. Most formats look the same everywhere.

    Attributes:
        width: columns of the terminal.
        colour: whether the terminal shows colour.
        detail: how much the table says: the verdict alone, what a reader usually needs, or all that there is.
    """

    width: int = 100
    colour: bool = False
    detail: Detail = "usual"


_PAGE = Page()


class Writer(Protocol):
    """What the module of a format defines. Both functions yield the text in chunks."""

    def write_report(self, report: Report, page: Page, /) -> Iterator[str]:
        """The report on one host."""

    def write_inventory(self, inventory: Inventory, page: Page, /) -> Iterator[str]:
        """The inventory of one host; only formats that hold inventories define it."""


class Format(NamedTuple):
    """One way to write a report or an inventory down.

    Attributes:
        name: as in `-f NAME`.
        endings: of the files that are written in it unless `-f` says otherwise.
        title: what it is for.
        holds: what it has a place for.
        several: whether one file can hold reports on several hosts.
        shared: whether files are readable by other accounts: the program that reads them runs as one.
        digest: whether a report says which inventory was judged, by its SHA-256.
    """

    name: str
    endings: tuple[str, ...]
    title: str
    holds: tuple[Subject, ...] = ("report", "inventory")
    several: bool = False
    shared: bool = False
    digest: bool = False

    def write_report(self, report: Report, page: Page = _PAGE) -> Iterator[str]:
        """The text of a report, in chunks."""
        return self._writer("report").write_report(report, page)

    def write_inventory(self, inventory: Inventory, page: Page = _PAGE) -> Iterator[str]:
        """The text of an inventory, in chunks."""
        return self._writer("inventory").write_inventory(inventory, page)

    def check(self, subject: Subject) -> None:
        """Checks that the format can be written, before any work is done for it.

        Raises:
            CannotWriteError: the format has no place for the subject.
        """
        if subject not in self.holds:
            able = ", ".join(one.name for one in FORMATS if subject in one.holds)
            article = "an" if subject == "inventory" else "a"
            raise CannotWriteError(f"{self.name} has no place for {article} {subject}; these have: {able}")

    def load(self) -> Writer:
        """What writes it, loaded; a scan asks for it while there is nothing to write yet."""
        return cast("Writer", import_module(f"phaseout.report.{self.name}_format"))

    def _writer(self, subject: Subject) -> Writer:
        self.check(subject)
        return self.load()


FORMATS: tuple[Format, ...] = (
    Format("table", (".txt",), "for a person at a terminal", holds=_ALL, several=True),
    Format(
        "csv",
        (".csv",),
        "one row for each item of each finding, one row for a host without findings",
        holds=_ALL,
        several=True,
    ),
    Format("json", (".json",), "everything, as the published JSON Schema says", holds=_ALL, several=True, digest=True),
    Format(
        "ndjson",
        (".ndjson", ".jsonl"),
        "for log shippers: one line for each finding or item, and one that sums up",
        several=True,
        digest=True,
    ),
    Format("markdown", (".md", ".markdown"), "for tickets", several=True, digest=True),
    Format(
        "html",
        (".html", ".htm"),
        "for the person who signs off: one file, to read, search and print",
        holds=_ALL,
        several=True,
        digest=True,
    ),
    Format("cyclonedx", (".cdx.json", ".bom.json"), "CycloneDX 1.6, for software bills of materials"),
    Format(
        "ocsf",
        (".ocsf.json", ".ocsf.ndjson"),
        "OCSF 1.6 events (2003 and 5020), for security lakes and SIEMs",
        several=True,
    ),
    Format("sarif", (".sarif", ".sarif.json"), "SARIF 2.1.0, for code-scanning views", holds=("report",)),
    Format("prometheus", (".prom",), "metrics for the textfile collector of node_exporter", shared=True),
    Format("junit", (".junit.xml", ".xml"), "JUnit XML, for pipelines", holds=("report",)),
    Format(
        "line",
        (),
        "one line of ASCII, for tools that keep one value of a machine",
        holds=("report",),
        several=True,
    ),
)


def format_named(name: str) -> Format:
    """The format of that name.

    Raises:
        KeyError: there is none.
    """
    return {one.name: one for one in FORMATS}[name]


def format_of_file(path: str) -> Format | None:
    """The format that a file's ending asks for; of two that fit, the longer ending decides."""
    lower = path.lower()
    fitting = [(len(ending), one) for one in FORMATS for ending in one.endings if lower.endswith(ending)]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None
