"""Judges the kept inventories of a fleet by other rules, and keeps what these say as answers.

References:
    `docs/howto/fleet_picture.md`, "New rules"
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from phaseout.fleet.assets import find_hosts
from phaseout.fleet.hosts import Hosts
from phaseout.fleet.kept import Judging, judged_again
from phaseout.fleet.nouns import Answer
from phaseout.fleet.store import Store

_AT_ONCE = 10_000  # answers of one step


class Rejudged(NamedTuple):
    """What other rules found: inventories that were judged, and hosts with a product that came or went by that."""

    inventories: int
    found: int
    lost: int


def judge_again(store: Store, judging: Judging, *, keep: bool) -> Rejudged:
    """Judges all kept inventories by other rules.

    Args:
        store: where they are, and where the answers go.
        judging: the rules.
        keep: whether the answers become part of the store.
    """
    count = 0
    before = _open_products(store)
    with store.changing(keep=keep):
        for chunk in _chunks(judged_again(store, judging)):
            hosts = Hosts(store)
            moments = [hosts.take(answer, b"") for answer in chunk]
            hosts.load()
            for moment in moments:
                hosts.is_new(moment)
            find_hosts(store, hosts.write())
            count += len(chunk)
        after = _open_products(store)
    return Rejudged(count, len({host for host, _ in after - before}), len({host for host, _ in before - after}))


def _open_products(store: Store) -> set[tuple[int, str]]:
    query = "SELECT host, product_id FROM held JOIN subject ON subject.id = held.subject WHERE ended IS NULL"
    return set(store.rows(query))


def _chunks(values: Iterable[Answer]) -> Iterator[list[Answer]]:
    rest = iter(values)
    while chunk := list(islice(rest, _AT_ONCE)):
        yield chunk
