"""Masks the secrets in an item: in its command line, its details, its notes, and what was read as evidence."""

from msgspec.structs import replace

from phaseout.model.nouns import Evidence, Item
from phaseout.parsers.encodings.secrets import masked, may_hold_secrets

_NAMED_BY_COMMAND = frozenset(("process", "service", "task"))  # a job of cron has no other name


def masked_item(item: Item) -> Item:
    """The item without secrets; the same object if there are none, which is the usual case."""
    texts = (item.name, item.command, *item.details.values(), *item.notes, *(one.what for one in item.evidence))
    if not may_hold_secrets("\n".join(texts)):
        return item
    return replace(
        item,
        name=masked(item.name) if item.kind in _NAMED_BY_COMMAND else item.name,
        command=masked(item.command),
        details={key: masked(value) for key, value in item.details.items()},
        notes=tuple(map(masked, item.notes)),
        evidence=tuple(Evidence(one.where, masked(one.what)) for one in item.evidence),
    )
