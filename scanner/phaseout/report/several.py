"""Reports on several hosts in one text: one heading in CSV, one list in JSON, a line for each finding in a table."""

from collections.abc import Iterator, Sequence

from phaseout.model.findings import Report
from phaseout.model.nouns import Inventory
from phaseout.report import Format, Page
from phaseout.report.safe import visible


def host_chunks(one: Format, report: Report, page: Page) -> tuple[str, ...]:
    """The text of one host of several."""
    if one.name == "table":
        from phaseout.report.table_format import write_lines

        return () if page.detail == "verdict" else tuple(write_lines(report, page))
    if one.name == "html":
        from phaseout.report.html_format import host_rows

        return host_rows(report)
    return tuple(one.write_report(report, page))


def inventory_chunks(one: Format, inventory: Inventory, page: Page) -> tuple[str, ...]:
    """The text of the inventory of one host of several; a table has the name of its host above it."""
    if one.name == "html":
        from phaseout.report.html_format import host_rows

        return host_rows(inventory)
    heading = (f"{visible(inventory.host.name)}\n",) if one.name == "table" else ()
    return (*heading, *one.write_inventory(inventory, page), *(("\n",) if heading else ()))


class Several:
    """Puts the texts of hosts together. A page begins with what is said of all of them, so it waits for the last."""

    def __init__(self, form: Format) -> None:
        self._form = form
        self._hosts = 0
        self._waiting: list[tuple[str, str]] = []

    def host(self, chunks: Sequence[str]) -> Iterator[str]:
        """The text of a host, from `host_chunks` or `inventory_chunks`, as it stands behind those of others."""
        before = self._hosts
        self._hosts += 1
        if self._form.name == "html":
            gravity, rows = chunks
            self._waiting.append((gravity, rows))
        elif self._form.name == "csv" and before:
            yield from chunks[1:]
        elif self._form.name == "json":
            yield ",\n" if before else "[\n"
            for chunk in chunks:
                yield chunk.removesuffix("\n")
        else:
            yield from chunks

    def end(self, sentence: str, tone: str) -> Iterator[str]:
        """What stands behind the last host.

        Args:
            sentence: sums up all of them.
            tone: the gravest verdict, or `inventory`.
        """
        if self._form.name == "html":
            from phaseout.report.html_format import several_page

            yield from several_page(self._waiting, sentence, tone)
        elif self._form.name == "json":
            yield "]\n" if self._hosts else "[]\n"
        elif self._form.name == "table":
            yield sentence + "\n"
