"""Items that were seen before, by the bytes that they stand in: hosts of one fleet are much alike.

An item that a file repeats is neither decoded nor matched again. What is not repeated is forgotten after a while, so
the memory depends on what hosts have in common, not on how many there are.
"""

from collections.abc import Iterable, Sequence
from sys import intern
from typing import cast

import msgspec
from msgspec.structs import force_setattr

from phaseout.model.findings import Hit
from phaseout.model.nouns import Inventory, Item
from phaseout.parsers.encodings.secrets import masked_once

BEGINS, PARTS, ENDS = b'{"kind":', b'},{"kind":', b"}"  # every item, as it is saved, and what stands between two
_REMEMBERED = 12 << 20  # bytes of items as they stand in files, in each of two generations
_ENCODE = msgspec.json.Encoder(order="deterministic").encode
_DECODE = msgspec.json.Decoder(Item).decode


class KnownItem:
    """An item with what follows from it alone.

    Attributes:
        item: the same object wherever the same bytes stand.
        saved: the item as it is saved, but for `BEGINS` and `ENDS`.
        as_read: whether the bytes that it was read from are just these.
        hits: the products that it is; `None` while that is not known.
    """

    __slots__ = ("as_read", "hits", "item", "saved")

    def __init__(self, item: Item, saved: bytes, *, as_read: bool = False) -> None:
        self.item = item
        self.saved = saved
        self.as_read = as_read
        self.hits: Sequence[Hit] | None = None


class KnownItems:
    """The items of the inventories of a fleet, while these are read one after the other."""

    def __init__(self) -> None:
        self._now: dict[bytes, KnownItem] = {}
        self._before: dict[bytes, KnownItem] = {}
        self._size = 0
        self._last: tuple[tuple[Item, ...], list[KnownItem]] = (), []
        self._file: tuple[Inventory | None, bytes] = None, b""

    def decoded(self, inner: Sequence[bytes]) -> tuple[Item, ...]:
        """The items in these bytes, each without its `BEGINS` and `ENDS`, and without secrets.

        Raises:
            msgspec.MsgspecError: one of them is no item.
        """
        found = list(map(self._now.get, inner))
        if None in found:
            found = [one or self._taken(data) for one, data in zip(found, inner, strict=True)]
        known = cast("list[KnownItem]", found)
        items = tuple([one.item for one in known])
        self._last = items, known
        return items

    def known(self, items: tuple[Item, ...]) -> list[KnownItem]:
        """What is known of the items that were decoded last; nothing of others."""
        return self._last[1] if items is self._last[0] else []

    def stands_in(self, data: bytes, inventory: Inventory) -> None:
        """Notes that the inventory, whose items were decoded last, stands in a file as it is saved, but for them."""
        self._file = inventory, data

    def file_of(self, inventory: Inventory) -> bytes | None:
        """The inventory as it is saved, if it is the one that was read last, and stood in its file just so."""
        exact = inventory is self._file[0] and False not in [one.as_read for one in self.known(inventory.items)]
        return self._file[1] if exact else None

    def _taken(self, inner: bytes) -> KnownItem:
        """The item in these bytes, from now on among the known ones."""
        found = self._now.get(inner)
        if found is not None:
            return found
        found = self._before.get(inner)
        if found is None:
            item = masked_once(_DECODE(BEGINS + inner + ENDS))
            force_setattr(item, "source", intern(item.source))  # one object, so that items are counted sooner
            saved = _inner(item)
            found = KnownItem(item, inner, as_read=True) if saved == inner else KnownItem(item, saved)
        if self._size + len(inner) > _REMEMBERED:
            self._before, self._now, self._size = self._now, {}, 0
        self._now[inner] = found
        self._size += len(inner)
        return found


def saved_items(known: Iterable[KnownItem]) -> bytes:
    """The items as they are saved one after the other."""
    text = PARTS.join([one.saved for one in known])
    return BEGINS + text + ENDS if text else b""


def _inner(item: Item) -> bytes:
    return _ENCODE(item)[len(BEGINS) : -len(ENDS)]
