"""Inventories out of files: phaseout's own, and what other tools have collected.

One file each, and the one table of them. A reader recognises its documents by their content and maps them into
inventories whose `unseen` names what such an input cannot show: a bill of materials has no processes, so a host that
is known by it alone is never called clean. Nothing here touches the machine: the caller opens the files.
"""

import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import BinaryIO, NamedTuple, Protocol, cast

from phaseout.inventories import saved
from phaseout.inventories.document import JSON_ERRORS, BrokenError, Document, decoded, documents
from phaseout.inventories.known_items import KnownItems
from phaseout.model.findings import REPORT_SCHEMA, Report
from phaseout.model.nouns import Inventory, Problem
from phaseout.parsers.encodings.secrets import masked_inventory


class _Module(Protocol):
    fits: Callable[[Document], bool]
    read: Callable[[Document], Iterator[Inventory | Problem]]


class Reader(NamedTuple):
    """One kind of document.

    Attributes:
        name: of the module.
        title: as messages call it.
    """

    name: str
    title: str

    def module(self) -> _Module:
        """`fits` and `read`."""
        return cast("_Module", import_module(f"phaseout.inventories.{self.name}"))


READERS_OF_LOGS = Reader("osquery", "results of osquery and Fleet")
READERS: tuple[Reader, ...] = (
    Reader("saved", "phaseout's own JSON and NDJSON"),
    Reader("cyclonedx", "CycloneDX JSON and XML"),
    Reader("spdx", "SPDX JSON and tag-value"),
    Reader("syft", "syft's own JSON"),
    Reader("github_snapshot", "GitHub's dependency snapshots"),
    Reader("glpi", "GLPI and FusionInventory XML and JSON"),
    Reader("managed_devices", "devices of Jamf, Google Workspace, Workspace ONE, Intune and Kaspersky Security Center"),
    READERS_OF_LOGS,
    Reader("software_list", "lists of programs with headings, such as Intune's and Configuration Manager's CSV"),
)


def read(
    stream: BinaryIO, name: str, *, personal_apps: bool = False, known: KnownItems | None = None
) -> Iterator[Inventory | Problem]:
    """Every inventory in a file, one after the other; a `Problem` for each that is broken. Never raises.

    Args:
        stream: its bytes, read once; gzip, zlib and zip are unpacked.
        name: what the user calls the file; a host without a name of its own is called after it.
        personal_apps: whether the apps of personal phones and tablets are listed; otherwise they are counted.
        known: the items of inventories that were read before.
    """
    try:
        repeated = _repeated(stream, name, known) if known is not None else None
        if repeated is not None:
            yield repeated
            return
        for document in documents(stream, name):
            document.personal_apps = personal_apps
            yield from read_document(document)
    except BrokenError as error:
        yield error.problem
    except MemoryError:
        yield Problem(name, "larger than the memory that is there", "limit")


def _repeated(stream: BinaryIO, name: str, known: KnownItems) -> Inventory | None:
    """The only inventory in a file of ours; `None`, and nothing read, if it is anything else."""
    try:
        if not stream.seekable():
            return None
        at = stream.tell()
        size = stream.seek(0, io.SEEK_END) - at
        stream.seek(at)
        data = stream.read(size) if size < saved.LARGE else b""  # never more: room for it is made before it is read
        found = saved.repeated(data, name, known)
        if found is None:
            stream.seek(at)
    except OSError:
        return None  # the reader meets it again, and says so
    return found


def read_document(document: Document) -> Iterator[Inventory | Problem]:
    """The inventories of one document, without secrets: other tools quote command lines as they are."""
    problem: Problem | None = None
    try:
        reader = _reader(document)
        if reader is None and document.skip_noise():
            reader = _reader(document)
        if reader is None:
            yield document.cut or Problem(document.name, _unknown(document), "unsupported")
            return
        for found in reader.read(document):
            if not isinstance(found, Problem):
                yield masked_inventory(found)
            elif document.cut is None:  # or that is why
                yield found
        problem = document.broken
    except BrokenError as error:
        problem = error.problem
    if document.cut is not None or problem is not None:
        yield document.cut or cast("Problem", problem)


def _reader(document: Document) -> _Module | None:
    return next((module for module in (reader.module() for reader in READERS) if module.fits(document)), None)


def _unknown(document: Document) -> str:
    if not document.start:
        return "empty"
    if document.no_json:
        return document.no_json
    why = f"no inventory of a known kind; there are {', '.join(reader.title for reader in READERS)}"
    if document.start.lstrip()[:1] in (b"{", b"[", b"<"):
        return why
    from phaseout.inventories.delimited import first_headings
    from phaseout.inventories.software_list import NEEDED

    found = first_headings(document)
    # What helps with a list comes first, and the other kinds only where the file is no list.
    return f"{NEEDED}; found: {', '.join(found)}" if found else f"{why}; {NEEDED}"


def read_logs(
    names: Sequence[str], opened: Callable[[str], BinaryIO], *, personal_apps: bool = False
) -> Iterator[Inventory | Problem]:
    """Every host in several logs of osquery, which may hold parts of one host each. Never raises.

    Args:
        names: of the files, in any order. What is no log of osquery is read by itself.
        opened: opens one of them, twice each.
        personal_apps: as for `read`.
    """
    from phaseout.inventories import osquery

    hosts = osquery.Hosts()
    times: list[tuple[float, str]] = []
    others: list[str] = []
    for name in names:
        try:
            with opened(name) as file:
                document = next(documents(file, name))
                if _reader(document) is READERS_OF_LOGS.module():
                    times.append((osquery.first_time(document), name))
                else:
                    others.append(name)
        except OSError as error:
            yield Problem(name, error.strerror or str(error), "error")
        except (BrokenError, MemoryError):
            others.append(name)
    for _, name in sorted(times):
        try:
            with opened(name) as file:
                for document in documents(file, name):
                    document.personal_apps = personal_apps
                    hosts.take(document)
                    if document.broken is not None:
                        yield document.broken
        except BrokenError as error:
            yield error.problem
        except OSError as error:
            yield Problem(name, str(error), "error")
        except MemoryError:
            yield Problem(name, "larger than the memory that is there", "limit")
    for found in hosts.inventories():
        yield found if isinstance(found, Problem) else masked_inventory(found)
    for name in others:
        with opened(name) as file:
            yield from read(file, name, personal_apps=personal_apps)


def read_one(stream: BinaryIO, name: str) -> Inventory | Report | Problem:
    """The only inventory in a file, or the report in it; a `Problem` if it is broken, or if there are several.

    Args:
        stream: its bytes, read once; gzip, zlib and zip are unpacked.
        name: what the user calls the file.
    """
    try:
        found = list(itertools.islice(_reports_or_inventories(stream, name), 2))
    except BrokenError as error:
        return error.problem
    except MemoryError:
        return Problem(name, "larger than the memory that is there", "limit")
    if len(found) > 1:
        broken = next((one for one in found if isinstance(one, Problem)), None)
        return broken or Problem(name, "several inventories, where one is wanted", "unsupported")
    return found[0] if found else Problem(name, "no inventory in it", "unsupported")


def _reports_or_inventories(stream: BinaryIO, name: str) -> Iterator[Inventory | Report | Problem]:
    for document in documents(stream, name):
        if bytes(document.members().get("schema", b"")) != f'"{REPORT_SCHEMA}"'.encode():
            yield from read_document(document)
            continue
        for where, value in document.values():
            try:
                yield decoded(value, Report)
            except JSON_ERRORS as error:
                yield Problem(where, f"no report: {error}", "damaged")
        if document.broken is not None:
            yield document.broken
