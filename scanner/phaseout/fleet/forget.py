"""Takes hosts out of a store: those that are gone for good, or whose data must no longer be kept."""

from phaseout.fleet.assets import find_hosts
from phaseout.fleet.kept import numbers_in_use
from phaseout.fleet.store import Store

_TABLES = (("host", "id"), ("span", "host"), ("held", "host"))
# What belonged to the tracks that are gone, and what nothing refers to any more.
_ORPHANS = (
    "DELETE FROM link WHERE track NOT IN (SELECT id FROM track)",
    "DELETE FROM kept WHERE track NOT IN (SELECT id FROM track)",
)


def forget(store: Store, *, name: str = "", before: int = 0) -> int:
    """Forgets every host of a name, or every host whose newest answer is older than a moment.

    The list of files that were read is forgotten too, for their paths name hosts. Take the files of these hosts away
    first: the next `add` reads every file that is still there.

    Args:
        store: the fleet.
        name: of the hosts, in upper or lower case; empty stands for any.
        before: seconds since 1970; 0 stands for any.

    Returns:
        How many hosts were forgotten.
    """
    condition = "(:name = '' OR name = :name COLLATE NOCASE) AND (:before = 0 OR last < :before)"
    with store.changing():
        found = store.rows(f"SELECT id FROM host WHERE {condition}", {"name": name, "before": before})
        hosts = [(host,) for (host,) in found]
        store.write_many("DELETE FROM track WHERE host = ?", hosts)
        for table, column in _TABLES:
            store.write_many(f"DELETE FROM {table} WHERE {column} = ?", hosts)
        for statement in _ORPHANS:
            store.write(statement)
        _forget_items(store)
        store.write("DELETE FROM file")  # its paths name hosts; what is still there is read again, and known
        find_hosts(store, {host for (host,) in hosts})
    store.compact()
    return len(hosts)


def _forget_items(store: Store) -> None:
    """Items of inventories that no host has any more."""
    used = numbers_in_use(store)
    unused = [(number,) for (number,) in store.rows("SELECT id FROM item") if number not in used]
    store.write_many("DELETE FROM item WHERE id = ?", unused)
