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
    return tuple(one.write_report(report, page))


def inventory_chunks(one: Format, inventory: Inventory, page: Page) -> tuple[str, ...]:
    """The text of the inventory of one host of several; a table has the name of its host above it."""
    heading = (f"{visible(inventory.host.name)}\n",) if one.name == "table" else ()
    return (*heading, *one.write_inventory(inventory, page), *(("\n",) if heading else ()))


def joined(one: Format, chunks: Sequence[str], before: int) -> Iterator[str]:
    """The text of a host as it stands behind those of others.

    Args:
        one: the format.
        chunks: of `host_chunks`.
        before: how many hosts came before it.
    """
    if one.name == "csv" and before:
        yield from chunks[1:]
    elif one.name == "json":
        yield ",\n" if before else "[\n"
        for chunk in chunks:
            yield chunk.removesuffix("\n")
    else:
        yield from chunks


def ending(one: Format, hosts: int, sentence: str) -> str:
    """What stands behind the last host. `sentence` sums up all of them."""
    if one.name == "json":
        return "]\n" if hosts else "[]\n"
    return sentence + "\n" if one.name == "table" else ""
