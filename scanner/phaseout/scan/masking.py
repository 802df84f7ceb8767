"""Masks the secrets in an item: in its command line, its details, its notes, and what was read as evidence."""

from functools import lru_cache

from msgspec.structs import replace

from phaseout.model.nouns import Evidence, Item
from phaseout.parsers.encodings.secrets import masked

_NAMED_BY_COMMAND = frozenset(("process", "service", "task"))  # a job of cron has no other name


def masked_item(item: Item) -> Item:
    """The item without secrets; the same object if there are none, which is the usual case."""
    named = item.kind in _NAMED_BY_COMMAND
    for text in (item.name if named else "", item.command, *item.details.values(), *item.notes):
        if text and _masked(text) != text:
            break
    else:
        for one in item.evidence:
            if _masked(one.what) != one.what:
                break
        else:
            return item
    return replace(
        item,
        name=_masked(item.name) if named else item.name,
        command=_masked(item.command),
        details={key: _masked(value) for key, value in item.details.items()},
        notes=tuple(map(_masked, item.notes)),
        evidence=tuple(Evidence(one.where, _masked(one.what)) for one in item.evidence),
    )


_masked = lru_cache(maxsize=4096)(masked)  # packages share makers, addresses and states
