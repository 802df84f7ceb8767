"""phaseout's own inventories, `phaseout-inventory/1`: written and read.

JSON is one object on one line. NDJSON begins with a head, the same object without `items`, and has one item a line.
Members stand in the order of the published schema and those of maps in that of their names, so the same inventory
gives the same bytes. Several inventories may follow each other. What `-f json` and `-f ndjson` print is read as well.
"""

import zlib
from collections import Counter
from collections.abc import Iterator
from operator import attrgetter

import msgspec
from msgspec import Struct

from phaseout.inventories.document import JSON_ERRORS, BrokenError, Document, decoded
from phaseout.inventories.known_items import BEGINS, ENDS, PARTS, KnownItems
from phaseout.model.counting import counted
from phaseout.model.findings import REPORT_SCHEMA
from phaseout.model.nouns import INVENTORY_SCHEMA, Account, HostInfo, Inventory, Item, Problem, SourceRun, Unseen
from phaseout.model.quoting import quoted
from phaseout.model.recording import MEMORY, RESULTS, SharedTexts, memory_of, nothing_shown, saved_form

ENDINGS = (".json", ".ndjson", ".jsonl")  # each may be followed by .gz


class _Members(Struct, omit_defaults=True, kw_only=True):
    """An inventory without its items."""

    schema: str
    tool: str = ""
    scanned_at: str = ""
    host: HostInfo | None = None
    runs: tuple[SourceRun, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    peak_memory: int = 0
    scanned_by: Account | None = None
    type: str = ""
    counts: dict[str, int] = {}


class _Head(_Members, omit_defaults=True, kw_only=True):
    """An inventory whose items follow it, or stand in it, or, if its `type` is `summary`, came before."""

    items: tuple[Item, ...] | None = None


class _Outline(_Members, omit_defaults=True, kw_only=True):
    """The same, with the items as they stand in the file."""

    items: msgspec.Raw = msgspec.Raw()


class _Schema(Struct):
    schema: str = ""


_START = b'{"schema":"phaseout-'  # of what is written here
_SIZE = RESULTS * 3 // 2  # bytes of one inventory: the names of members take a third
_MEMORY = MEMORY + _SIZE  # bytes that its items take, counted with these names
LARGE = 4 << 20  # bytes; most inventories have less, and are decoded at once
_LONGEST = 1 << 20  # bytes of one item
_PARTS = 10_000  # a scan has a hundred sources, and a hundred problems of each
_AGAIN = "scan the machine again"
_ENCODER = msgspec.json.Encoder(order="deterministic")
_ITEM = msgspec.json.Decoder(Item)
_SCHEMA = msgspec.json.Decoder(_Schema)
_BARE = msgspec.json.Decoder(Inventory)
_ITEMS, _RUNS = b'"items":[' + BEGINS, ENDS + b'],"runs":['


def write(inventory: Inventory, ending: str) -> Iterator[bytes]:
    """The inventory as a file with such an ending, in pieces.

    Raises:
        ValueError: no such ending.
    """
    plain = ending.lower().removesuffix(".gz")
    if plain not in ENDINGS:
        raise ValueError(ending)
    pieces = _json(inventory) if plain == ".json" else _ndjson(inventory)
    yield from _packed(pieces) if ending.lower().endswith(".gz") else pieces


def fits(document: Document) -> bool:
    """Whether it is an inventory or report of ours, of whatever version."""
    if document.start.startswith(_START):
        return True  # even if it was cut off
    members = document.members()
    schema = bytes(members.get("schema", b"")).strip(b'"')
    if {"kind", "name", "source"} <= members.keys():
        return True  # items whose head is missing
    return schema.startswith(b"phaseout-") or bytes(members.get("type", b"")) in (b'"item"', b'"summary"')


def read(document: Document) -> Iterator[Inventory | Problem]:
    """Every inventory in it; a broken one costs itself."""
    document.strict = True  # what a scan wrote has no damaged characters
    if document.broken is not None:
        raise BrokenError(document.broken.where, document.broken.why)
    one_a_line = document.start.startswith(_START) and document.ends_with_brace
    if one_a_line or (document.members() and document.by_line and document.start[:1] != b"["):
        yield from _by_line(document)
    else:
        yield from _values(document)


def repeated(data: bytes, name: str, known: KnownItems) -> Inventory | None:
    """The inventory in a file that holds one, exactly as it is saved as JSON, without decoding what is known of it.

    Args:
        data: the file.
        name: what the user calls it.
        known: the items of inventories before.

    Returns:
        `None` if `read` must say what the file is. That the head is as it is saved tells that the items stand in no
        other place, and since each part is an item by itself, they were parted where they end.
    """
    begins = data.find(_ITEMS)
    ends = data.rfind(_RUNS)
    if begins < 0 or ends < begins or not data.startswith(_START):
        return None
    rest = data[: begins + len(_ITEMS) - len(BEGINS)] + data[ends + len(ENDS) :]
    try:
        bare = _BARE.decode(rest)
        if bare.schema != INVENTORY_SCHEMA or rest != b"".join(saved_form(bare)):
            return None
        items = known.decoded(data[begins + len(_ITEMS) : ends].split(PARTS))
        found = _closed(name, bare, items)
    except (*JSON_ERRORS, BrokenError):
        return None
    if len(found.unseen) == len(bare.unseen):
        known.stands_in(data, found)
    return found


def _values(document: Document) -> Iterator[Inventory | Problem]:
    for where, value in document.values():
        try:
            yield _whole(where, value)
        except BrokenError as error:
            yield error.problem


def _by_line(document: Document) -> Iterator[Inventory | Problem]:
    head: _Head | None = None
    items: list[Item] = []
    texts = SharedTexts()
    size = taken = 0  # bytes of the lines of these items, and of their memory
    at = ""  # where the head stands
    broken, first = False, True
    for number, line in document.lines():
        where = f"{document.name}:{number}"
        try:
            found = _line(where, line)
        except BrokenError as error:
            if first and document.members() and not document.by_line:  # one value on several lines
                yield from _values(document)
                return
            if not broken:  # the first error of an inventory is the one to mend
                yield error.problem
            broken = True
            head, first = None, False
            continue
        first = False
        if isinstance(found, Item):
            if not items:
                size = taken = 0
            size += (cost := _cost(line))
            taken += memory_of(found, cost)
            if taken <= _MEMORY and size <= _SIZE:
                items.append(texts.within(found))
            elif not broken:
                yield _too_many(where).problem
                head, items, broken = None, [], True
            continue
        if found.type == "summary":  # closes the items before it
            if not broken:
                yield _or_problem(where, found, items, found.counts.get("items", 0))
            head, items, broken = None, [], False
            continue
        if head is not None:
            yield _or_problem(at, head, items)
            items = []
        elif items and not broken:
            yield Problem(where, "items without the head that must stand before them", "damaged")
            items = []
        head, at, broken = found, where, False
        if found.items is not None:
            yield _or_problem(where, found, found.items)
            head = None
        else:
            items = []
    if head is not None:
        yield _or_problem(at, head, items)
    elif items and not broken:
        yield Problem(document.name, "items without head or summary: the file was cut off", "damaged")


def _line(where: str, line: bytes) -> Item | _Head:
    if not line.startswith(b'{"schema"') and len(line) <= _LONGEST:
        try:
            return _ITEM.decode(line)
        except JSON_ERRORS as error:
            reason = error
        try:
            schema = _SCHEMA.decode(line).schema
        except JSON_ERRORS as error:
            raise BrokenError(where, f"no item: {reason}") from error
        if not schema:
            raise BrokenError(where, f"no item: {reason}")
    return _head(where, line)


def _head(where: str, data: bytes | msgspec.Raw) -> _Head:
    large = memoryview(data).nbytes > LARGE
    head: _Head | _Outline
    try:
        head = decoded(data, _Outline) if large else decoded(data, _Head)
    except JSON_ERRORS as error:
        raise BrokenError(where, _foreign(data) or f"no inventory: {error}") from error
    if head.schema != INVENTORY_SCHEMA or head.host is None:
        raise BrokenError(where, _foreign(data) or "no inventory: it names no host")
    if isinstance(head, _Outline):
        return _filled(head, _one_by_one(where, head.items) if memoryview(head.items).nbytes else None)
    return head


def _filled(head: _Outline, items: tuple[Item, ...] | None) -> _Head:
    return _Head(**{name: getattr(head, name) for name in _Members.__struct_fields__}, items=items)


def _foreign(data: bytes | msgspec.Raw) -> str:
    """What is wrong with the schema, if anything is."""
    try:
        schema = _SCHEMA.decode(data).schema
    except JSON_ERRORS:
        return ""
    if schema == REPORT_SCHEMA:
        return "a report, which holds only what was found; `phaseout scan --inventory FILE` saves all that was seen"
    if schema != INVENTORY_SCHEMA:
        return f"its schema is {quoted(schema)}; this phaseout reads {INVENTORY_SCHEMA}"
    return ""


def _whole(where: str, data: msgspec.Raw) -> Inventory:
    head = _head(where, data)
    if head.items is None:
        raise BrokenError(where, "no inventory: it has no items")
    return _closed(where, head, head.items)


def _one_by_one(where: str, data: msgspec.Raw) -> tuple[Item, ...]:
    """The items of a large inventory, each of which may take more memory than the file shows."""
    items: list[Item] = []
    texts = SharedTexts()
    size = taken = 0
    try:
        for raw in msgspec.json.decode(data, type=list[msgspec.Raw]):
            size += (cost := _cost(bytes(raw)))
            if size > _SIZE or memoryview(raw).nbytes > _LONGEST:
                raise _too_many(where)
            item = _ITEM.decode(raw)
            taken += memory_of(item, cost)
            if taken > _MEMORY:
                raise _too_many(where)
            items.append(texts.within(item))
    except JSON_ERRORS as error:
        raise BrokenError(where, f"no inventory: {error}") from error
    return tuple(items)


def _cost(item: bytes) -> int:
    """Bytes that the text of an item may take: one character that is not ASCII makes all of its text wider."""
    return len(item) if item.isascii() and b"\\u" not in item else 4 * len(item)


def _too_many(where: str) -> BrokenError:
    return BrokenError(where, f"more than {_SIZE >> 20} MiB of items: no scan returns that many", "limit")


def _closed(where: str, head: _Head | Inventory, items: list[Item] | tuple[Item, ...], count: int = 0) -> Inventory:
    """The inventory of a head and its items.

    Args:
        where: the place of the head.
        head: what was read of it.
        items: those that belong to it.
        count: how many a summary announces.

    Raises:
        BrokenError: there are fewer than its runs or its summary have counted, or more runs than any scan has.
    """
    problems = sum(len(run.problems) for run in head.runs)
    if max(len(head.runs), len(head.unseen), problems) > _PARTS:
        raise BrokenError(where, f"more than {_PARTS:,} runs, problems or unseen parts: no scan has that many", "limit")
    expected = max(count, sum(run.items for run in head.runs))
    if len(items) < expected:
        raise BrokenError(
            where, f"{counted(len(items), 'item')} where {expected:,} are announced: the file was cut off"
        )
    assert head.host is not None
    return Inventory(
        schema=head.schema,
        tool=head.tool,
        scanned_at=head.scanned_at,
        host=head.host,
        items=tuple(items),
        runs=head.runs,
        unseen=(*head.unseen, *_missing(head.runs, items)),
        peak_memory=head.peak_memory,
        scanned_by=head.scanned_by,
    )


def _or_problem(where: str, head: _Head, items: list[Item] | tuple[Item, ...], count: int = 0) -> Inventory | Problem:
    try:
        return _closed(where, head, items, count)
    except BrokenError as error:
        return error.problem


def _missing(runs: tuple[SourceRun, ...], items: list[Item] | tuple[Item, ...]) -> Iterator[Unseen]:
    """What a scan cannot have written: no runs, no items, or items that no run has counted."""
    yield from nothing_shown(runs, items, _AGAIN)
    counts = Counter(map(attrgetter("source"), items))
    counts.subtract({run.source: run.items for run in runs})
    for source, difference in sorted(counts.items()):
        if difference:
            listed = "fewer" if difference < 0 else "more"
            yield Unseen(source, f"{listed} items than its run counted: the inventory was changed", _AGAIN, source)


def _json(inventory: Inventory) -> Iterator[bytes]:
    yield from saved_form(inventory)


def _ndjson(inventory: Inventory) -> Iterator[bytes]:
    head = _Head(
        schema=inventory.schema,
        tool=inventory.tool,
        scanned_at=inventory.scanned_at,
        host=inventory.host,
        runs=inventory.runs,
        unseen=inventory.unseen,
        peak_memory=inventory.peak_memory,
        scanned_by=inventory.scanned_by,
    )
    yield _ENCODER.encode(head) + b"\n"
    for item in inventory.items:
        yield _ENCODER.encode(item) + b"\n"


def _packed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Gzip without name and time, so that the same inventory gives the same bytes."""
    packer = zlib.compressobj(wbits=31)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
