"""The newest inventory of each track: distinct items once for the whole fleet, and for each host the list of its own.

Fleets repeat themselves, so new rules are tried on each distinct item once, whatever the number of hosts that have it.

References:
    `docs/howto/fleet_picture.md`, "New rules"
"""

import sys
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from phaseout.fleet.answers import of_report
from phaseout.fleet.nouns import REJUDGED, Answer
from phaseout.fleet.store import Store
from phaseout.judgement.protection import PROTECTS
from phaseout.model.findings import Hit, Report
from phaseout.model.nouns import Inventory, Item
from phaseout.rules.matcher import at

_REMEMBERED = 100_000  # items that are kept decoded
_SOMETHING = (Item(kind="file", name="items that no rule matches"),)
_ENCODE = msgspec.msgpack.Encoder().encode
_ITEM = msgspec.msgpack.Decoder(Item)
_HEAD = msgspec.msgpack.Decoder(Inventory)


class Judging(NamedTuple):
    """What judges again.

    Attributes:
        match: the hits among some items.
        judge: the report on an inventory and the hits among its items.
    """

    match: Callable[[Sequence[Item]], list[Hit]]
    judge: Callable[[Inventory, Sequence[Hit]], Report]


class Keeping:
    """Keeps inventories, within one step of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[int, int] = {}
        self._free = 0

    def keep(self, track: int, at: int, inventory: Inventory, digest: bytes) -> None:
        """Keeps an inventory as the newest of its track, unless a newer one is there.

        Args:
            track: number of the track.
            at: seconds since 1970 at which it was taken.
            inventory: what is kept.
            digest: of the file that it stood in; of two inventories of one moment always the same is kept.
        """
        before = self._store.one("SELECT at, digest FROM kept WHERE track = ?", track)
        if before is not None and tuple(before) >= (at, digest):
            return
        numbers = self._numbers([_ENCODE(item) for item in inventory.items])
        head = zlib.compress(_ENCODE(replace(inventory, items=())), 6)
        self._store.write(
            "INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?)", track, at, digest, head, _packed(numbers)
        )

    def _numbers(self, items: Sequence[bytes]) -> list[int]:
        """The number of each item; those that the store has not got are added."""
        digests = [int.from_bytes(blake2b(one, digest_size=8).digest()) >> 1 for one in items]
        unknown = [one for one in dict.fromkeys(digests) if one not in self._known]
        self._known.update(self._store.among("SELECT digest, id FROM item WHERE digest IN (*)", unknown))
        if not self._free:
            self._free = self._store.one("SELECT coalesce(max(id), 0) FROM item")[0] + 1
        rows = []
        for digest, data in zip(digests, items, strict=True):
            if digest not in self._known:
                self._known[digest] = self._free
                rows.append((self._free, digest, data))
                self._free += 1
        self._store.write_many("INSERT INTO item VALUES (?, ?, ?)", rows)
        return [self._known[one] for one in digests]


def judged_again(store: Store, judging: Judging) -> Iterator[Answer]:
    """What each kept inventory says by other rules, as an answer of the moment at which it was taken."""
    hits, telling = _hits(store, judging.match)
    hit = hits.keys()
    items: dict[int, Item] = {}
    for track, taken, head, packed in store.rows("SELECT track, at, head, items FROM kept ORDER BY track"):
        inventory = _HEAD.decode(zlib.decompress(head))
        numbers = _unpacked(packed)
        found: list[Hit] = []
        if hit.isdisjoint(numbers):
            whole = (*_SOMETHING[: len(numbers)], *[telling[one] for one in numbers if one in telling])
        else:
            whole = _items(store, numbers, items)
            found = [at(index, one) for index, number in enumerate(numbers) for one in hits.get(number, ())]
        report = judging.judge(replace(inventory, items=whole), found)
        answer = of_report(report, f"{store.path}: inventory {track}")
        yield replace(answer, at=taken, outcome=replace(answer.outcome, form=REJUDGED))


def numbers_in_use(store: Store) -> set[int]:
    """The numbers of all items that a kept inventory has."""
    return {number for (packed,) in store.rows("SELECT items FROM kept") for number in _unpacked(packed)}


def _hits(store: Store, match: Callable[[Sequence[Item]], list[Hit]]) -> tuple[dict[int, list[Hit]], dict[int, Item]]:
    """By the number of an item: the hits of each that is a product of the rules, and each that tells of protection."""
    last = 0
    hits: dict[int, list[Hit]] = {}
    telling: dict[int, Item] = {}
    while rows := store.rows("SELECT id, data FROM item WHERE id > ? ORDER BY id LIMIT 10000", last):
        last = rows[-1][0]
        items = [_ITEM.decode(data) for _, data in rows]
        for hit in match(items):
            hits.setdefault(rows[hit.item][0], []).append(hit)
        telling.update((row[0], item) for row, item in zip(rows, items, strict=True) if item.kind == PROTECTS)
    return hits, telling


def _items(store: Store, numbers: Sequence[int], known: dict[int, Item]) -> tuple[Item, ...]:
    if len(known) > _REMEMBERED:
        known.clear()
    unknown = [one for one in numbers if one not in known]
    for number, data in store.among("SELECT id, data FROM item WHERE id IN (*)", unknown):
        known[number] = _ITEM.decode(data)
    return tuple(known[one] for one in numbers)


def _packed(numbers: Sequence[int]) -> bytes:
    """Numbers in their order, which is that of the items of an inventory."""
    found = array("I", numbers)
    if sys.byteorder == "big":
        found.byteswap()
    return zlib.compress(found.tobytes(), 6)


def _unpacked(data: bytes) -> list[int]:
    found = array("I")
    found.frombytes(zlib.decompress(data))
    if sys.byteorder == "big":
        found.byteswap()
    return found.tolist()
