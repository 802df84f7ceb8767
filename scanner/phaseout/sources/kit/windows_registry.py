"""The registry as sources read it: keys that may be missing, and values that are only decoration."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from phaseout.host import Host
from phaseout.model.nouns import Problem
from phaseout.parsers.windows.registry_values import as_text

if TYPE_CHECKING:
    from phaseout.host.registry.base import Key, Registry


def registry_of(host: Host) -> "Registry":
    """The registry of a host that has one: the runner skips sources that need a registry on any other."""
    if host.registry is None:
        raise LookupError("this host has no registry")
    return host.registry


def expected(host: Host, path: str) -> Iterator[Problem]:
    """A problem if a key is missing that every Windows has: then its hive is missing, too, or not whole."""
    if registry_of(host).key(path) is None:
        yield Problem(path, "every Windows has this key: its hive is missing or not whole", "missing")


def subkeys(key: "Key | None") -> "Iterator[Key]":
    """The keys below one that may not be there."""
    return key.subkeys() if key is not None else iter(())


def decoration(key: "Key", name: str, notes: list[str]) -> str:
    """The value as one line of text, where an unreadable one hides no software: it becomes a note on the item."""
    value = key.value(name)
    if isinstance(value, bytes) and as_text(value) is None:
        notes.append(f"{name} is not text but {len(value)} bytes")
        return ""
    return key.text(name)


def installed_on(key: "Key", name: str, notes: list[str]) -> str:
    """The day or moment of an installation; one that is no date becomes a note."""
    try:
        from phaseout.parsers.windows.windows_dates import install_date

        return install_date(decoration(key, name, notes))
    except ValueError as error:
        notes.append(f"{name}: {error}")
        return ""
