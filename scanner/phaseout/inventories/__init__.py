"""Inventories out of files: phaseout's own, and what other tools have collected.

One file each and the one table of them. A reader says by the content whether a document is of its kind, and maps it
into inventories whose `unseen` names what such an input cannot show: a bill of materials has no processes, so a host
that is known by it alone is never called clean. Nothing here touches the machine: whoever calls hands over a stream.
"""

import itertools
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import BinaryIO, NamedTuple, Protocol, cast

from phaseout.inventories.document import JSON_ERRORS, BrokenError, Document
from phaseout.model.findings import REPORT_SCHEMA, Report
from phaseout.model.nouns import Inventory, Problem


class _Module(Protocol):
    fits: Callable[[Document], bool]
    read: Callable[[Document], Iterator[Inventory | Problem]]


class Reader(NamedTuple):
    """One kind of document.

    Attributes:
        name: of the module.
        title: what a person calls it.
    """

    name: str
    title: str

    def module(self) -> _Module:
        """`fits` and `read`."""
        return cast("_Module", import_module(f"phaseout.inventories.{self.name}"))


READERS: tuple[Reader, ...] = (
    Reader("saved", "phaseout's own JSON and NDJSON"),
    Reader("cyclonedx", "CycloneDX JSON"),
    Reader("spdx", "SPDX JSON"),
    Reader("glpi", "GLPI and FusionInventory XML and JSON"),
    Reader("osquery", "osquery results"),
    Reader("software_list", "Intune's and Configuration Manager's CSV"),
)


def read(stream: BinaryIO, name: str) -> Iterator[Inventory | Problem]:
    """Every inventory in a file, one after the other; a `Problem` for each that is broken. Never raises.

    Args:
        stream: its bytes, read once; gzip is unpacked.
        name: what the user calls the file; a host without a name of its own goes by it.
    """
    try:
        yield from _read(Document(stream, name))
    except BrokenError as error:
        yield Problem(error.where, error.why)
    except MemoryError:
        yield Problem(name, "larger than the memory that is there")


def _read(document: Document) -> Iterator[Inventory | Problem]:
    for reader in READERS:
        module = reader.module()
        if module.fits(document):
            yield from module.read(document)
            return
    yield Problem(document.name, _unknown(document))


def _unknown(document: Document) -> str:
    if not document.start:
        return "empty"
    if document.no_json:
        return document.no_json
    return f"no inventory of a known kind; there are {', '.join(reader.title for reader in READERS)}"


def read_one(stream: BinaryIO, name: str) -> Inventory | Report | Problem:
    """The only inventory in a file, or the report in it; a `Problem` if it is broken, or if there are several.

    Args:
        stream: its bytes, read once; gzip is unpacked.
        name: what the user calls the file.
    """
    try:
        document = Document(stream, name)
        if bytes(document.members().get("schema", b"")) == f'"{REPORT_SCHEMA}"'.encode():
            import msgspec

            reports = [msgspec.json.decode(value, type=Report) for _, value in document.values()]
            return reports[0] if len(reports) == 1 else Problem(name, f"{len(reports)} reports, where one is wanted")
        found = list(itertools.islice(_read(document), 2))
    except BrokenError as error:
        return Problem(error.where, error.why)
    except JSON_ERRORS as error:
        return Problem(name, f"no report: {error}")
    except MemoryError:
        return Problem(name, "larger than the memory that is there")
    if len(found) > 1:
        broken = next((one for one in found if isinstance(one, Problem)), None)
        return broken or Problem(name, "several inventories, where one is wanted")
    return found[0] if found else Problem(name, "no inventory in it")
