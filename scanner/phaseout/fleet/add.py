"""Adds what hosts said to a store: each file is decoded once, and every file that is listed is accounted for.

    listed = read + refused + already known

Answers go into the tracks of their hosts first; then the machines that these tracks concern are told apart anew, and
their history is written again. All of that is one step of the store for some thousand files.

References:
    `docs/howto/fleet_picture.md`
"""

import hashlib
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import BinaryIO, NamedTuple, cast

import msgspec

from phaseout.fleet.answers import is_report_csv, of_csv, of_json, of_lines, of_report
from phaseout.fleet.assets import find_hosts
from phaseout.fleet.hosts import Hosts, Moment
from phaseout.fleet.nouns import Answer
from phaseout.fleet.places import Listed
from phaseout.fleet.store import Store
from phaseout.inventories import read_document
from phaseout.inventories.document import BrokenError, Document, documents
from phaseout.model.counting import counted
from phaseout.model.findings import REPORT_SCHEMA, Report
from phaseout.model.nouns import Inventory, Problem

BATCH = 10_000  # files of one step
_ITEMS = 100_000  # of inventories in one step
_WHOLE = 32 << 20  # bytes: a larger file is read in pieces
_STORE = b"SQLite format 3\0"
_TOLERATED = 86_400  # seconds by which a clock may be ahead
# A host that may only create files on a share cannot rename one into place: the name has the digest of the content.
_PROMISED = re.compile(r"-\d{8}T\d{6}Z-([0-9a-f]{16})\.\w+$")
_MARK = "Z-"  # in every such name


class Reading(NamedTuple):
    """What is needed to read files.

    Attributes:
        open_place: opens one of them.
        read_place: its content, if it is not larger than a limit, else a part that is.
        judge: makes a report of an inventory.
        ids: vendor and product as people read them → their ids in the rules.
    """

    open_place: Callable[[str], BinaryIO]
    read_place: Callable[[str, int], bytes]
    judge: Callable[[Inventory], Report]
    ids: Callable[[str, str], tuple[str, str]]


class Totals:
    """What came of the files that were listed."""

    def __init__(self) -> None:
        self.listed = 0
        self.read = 0
        self.refused = 0
        self.known = 0
        self.parts = 0  # refused parts of files that were read otherwise
        self.answers = 0

    def sentence(self) -> str:
        """The counts in words."""
        parts = f"; refused in files that were read otherwise: {counted(self.parts, 'part')}" if self.parts else ""
        return (
            f"listed {self.listed:,} = read {self.read:,} + refused {self.refused:,} + already known {self.known:,}"
            f" ({self.answers:,} new answers{parts})"
        )


class _File(NamedTuple):
    """A file that was read, its digest and its answers."""

    listed: Listed
    digest: bytes
    moments: list[Moment]


def add(store: Store, places: Iterable[Listed], reading: Reading, now: int, totals: Totals) -> Iterator[Problem]:
    """Adds every answer in the files to the store, and counts the files in `totals`.

    Args:
        store: where they go.
        places: the files.
        reading: how they are read.
        now: seconds since 1970: an answer from the future counts as given now, with a caution.
        totals: is counted up.

    Yields:
        A problem for every file, or part of a file, that was refused.

    Raises:
        StoreError: the store cannot be written. What earlier steps wrote remains.
    """
    broken_off: list[tuple[str, str]] = []  # files that are not what their names promise
    hosts = Hosts(store)
    batch: list[_File] = []
    items = 0
    for listed in _unknown(store, places, totals):
        try:
            digest, found = _read(listed, reading)
        except OSError as error:
            totals.refused += 1
            yield Problem(listed.path, error.strerror or str(error), cause="error")
            continue
        named = _PROMISED.search(listed.path) if _MARK in listed.path else None  # quicker where no name has one
        if named and not digest.hex().startswith(named[1]):
            broken_off.append((listed.path, named[1]))
            continue
        moments: list[Moment] = []
        broken: list[Problem] = []
        for one in found:
            if isinstance(one, Problem):
                broken.append(one)
                continue
            answer, inventory = one
            if answer.at > now + _TOLERATED:
                answer = _from_the_future(answer, now)
            moments.append(hosts.take(answer, digest, inventory))
            if inventory is not None:
                items += len(inventory.items)
        yield from broken
        if not moments:
            totals.refused += 1
            if not broken:
                yield Problem(listed.path, "no report and no inventory in it", cause="unsupported")
            continue
        totals.parts += len(broken)
        # A file with a refused part is read again next time: it may be whole by then.
        batch.append(_File(listed._replace(mtime=-1) if broken else listed, digest, moments))
        if len(batch) >= BATCH or items >= _ITEMS:
            _write(store, hosts, batch, totals)
            hosts, batch, items = Hosts(store), [], 0
    if batch:
        _write(store, hosts, batch, totals)
    for path, promised in broken_off:
        if _delivered(store, promised):
            totals.known += 1
            continue
        totals.refused += 1
        yield Problem(path, "not all of it is there (yet): its name has the digest of another content", "damaged")


def _unknown(store: Store, places: Iterable[Listed], totals: Totals) -> Iterator[Listed]:
    """The files that the ledger has not got as they are now. Those of one chunk are looked up at once."""
    rest = iter(places)
    while chunk := list(islice(rest, BATCH)):
        paths = [one.path for one in chunk]
        ascii_only = "".join(paths).isascii()
        if not ascii_only:
            paths = list(map(_plain, paths))
        query = "SELECT path, size, mtime FROM file WHERE path BETWEEN ? AND ?"
        known = set(store.rows(query, min(paths), max(paths)))
        fresh = [one for one in chunk if one not in known and (ascii_only or not _known_plainly(one, known))]
        totals.listed += len(chunk)
        totals.known += len(chunk) - len(fresh)
        yield from fresh


def _known_plainly(listed: Listed, known: Collection[tuple[str, int, int]]) -> bool:
    """Whether the ledger knows a file of which the path had to be written otherwise."""
    return listed._replace(path=_plain(listed.path)) in known


def _in_ledger(listed: Listed, digest: bytes) -> str:
    """The name of a file in the ledger; what came by standard input has that of its digest."""
    return _plain(listed.path) if listed.size >= 0 else f"standard input {digest.hex()[:16]}"


def _plain(path: str) -> str:
    """A path without the halves of characters that stand for bytes that are no UTF-8: SQLite takes none."""
    return path if path.isascii() else path.encode("utf-8", "backslashreplace").decode()


def _delivered(store: Store, promised: str) -> bool:
    """Whether a file was read of which the digest begins so: another delivery has made good the one that broke off."""
    return store.one("SELECT 1 FROM file WHERE substr(digest, 1, 8) = ?", bytes.fromhex(promised)) is not None


_Found = tuple[Answer, Inventory | None] | Problem


def _read(listed: Listed, reading: Reading) -> tuple[bytes, list[_Found]]:
    """The digest of a file, and every answer in it.

    Raises:
        OSError: it cannot be opened or read.
    """
    data = reading.read_place(listed.path, _WHOLE)
    if len(data) > _WHOLE and not data.startswith(_STORE):
        with reading.open_place(listed.path) as file:
            hashed = _Hashed(file)
            found = list(_answers(cast("BinaryIO", hashed), listed.path, reading))
            return hashed.digest(), found
    digest = hashlib.sha256(data).digest()
    if data.startswith(_STORE):
        why = "a database: if it is a store of `phaseout fleet`, add the reports that it was made of"
        return digest, [Problem(listed.path, why, cause="unsupported")]
    if data[:1] == b"{":
        try:
            return digest, [(of_json(data, listed.path), None)]
        except BrokenError:
            pass  # another kind of document, or a broken one: its reader says which
    return digest, list(_answers(io.BytesIO(data), listed.path, reading))


def _answers(stream: BinaryIO, name: str, reading: Reading) -> Iterator[_Found]:
    try:
        for document in documents(stream, name):
            yield from _of_document(document, reading)
    except BrokenError as error:
        yield error.problem
    except MemoryError:
        yield Problem(name, "larger than the memory that is there", "limit")


def _of_document(document: Document, reading: Reading) -> Iterator[_Found]:
    if is_report_csv(document):
        yield from _good(of_csv(document, reading.ids))
        return
    members = document.members()
    kind = bytes(members.get("type", b"")).strip(b'"')
    schema = bytes(members.get("schema", b"")).strip(b'"')
    if document.by_line and (kind == b"finding" or (kind == b"summary" and schema == REPORT_SCHEMA.encode())):
        yield from _good(of_lines(document))
        return
    if schema == REPORT_SCHEMA.encode():
        for where, value in document.values():
            yield from _good(_of_value(where, value))
        if document.broken is not None:
            yield document.broken
        return
    for found in read_document(document):
        if isinstance(found, Problem):
            yield found
            continue
        try:
            yield of_report(reading.judge(found), document.name), found
        except BrokenError as error:
            yield error.problem


def _of_value(where: str, value: msgspec.Raw) -> Iterator[Answer | BrokenError]:
    try:
        yield of_json(value, where)
    except BrokenError as error:
        yield error


def _good(found: Iterator[Answer | BrokenError]) -> Iterator[_Found]:
    for one in found:
        yield one.problem if isinstance(one, BrokenError) else (one, None)


def _from_the_future(answer: Answer, now: int) -> Answer:
    """The answer as if it were given now."""
    caution = "its clock was ahead: the answer counts at the time at which it was added"
    return msgspec.structs.replace(answer, at=now, cautions=(caution, *answer.cautions), ahead=True)


def _write(store: Store, hosts: Hosts, batch: list[_File], totals: Totals) -> None:
    """One step of the store: the files, their answers, and what follows for the hosts."""
    with store.changing():
        hosts.load()
        answers = fresh = 0
        for file in batch:
            new = sum([hosts.is_new(one) for one in file.moments])
            answers += new
            fresh += new > 0
        changed = hosts.write()
        find_hosts(store, changed)
        store.write_many(
            "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)",
            [(_in_ledger(one, digest), one.size, one.mtime, digest) for one, digest, _ in batch],
        )
    totals.answers += answers
    totals.read += fresh
    totals.known += len(batch) - fresh


class _Hashed(io.RawIOBase):
    """A stream that digests what passes through it."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self._sum = hashlib.sha256()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: object) -> int:
        """The next bytes."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data = self._stream.read(len(view))
        self._sum.update(data)
        view[: len(data)] = data
        return len(data)

    def digest(self) -> bytes:
        """Of the whole stream."""
        while self.read(1 << 20):
            pass
        return self._sum.digest()
