"""Takes users or paths out of a report, an inventory or a difference, so that it can be shown to others.

Redaction comes last: what was found was judged with everything at hand. Names of users become `user1`, `user2`, the
same one wherever it stands; paths keep their last part. Names of hosts and of software stay.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import msgspec

from phaseout.model.nouns import Inventory, Unseen
from phaseout.report import Redaction

_Value = TypeVar("_Value", bound=msgspec.Struct)
# Folders of users: the part behind them is a user's name.
_HOME = re.compile(
    r"(?:/home/|/Users/|\\Users\\|\\Documents and Settings\\|/var/mail/|/run/user/)([^/\\\s\"':;,]+)", re.IGNORECASE
)
_NOBODY = frozenset(  # names that belong to no person
    (
        *("root", "system", "nobody", "daemon", "local service", "network service", "localservice", "networkservice"),
        *("public", "default", "default user", "all users", "shared", "administrator", "guest", "defaultuser0"),
    )
)
_SID = re.compile(r"S-1-(?:5-21|12-1)(?:-\d+){1,14}")
_PATH_FIELDS = frozenset(("path", "where", "root", "skipped_mounts"))
_QUOTED_PATH = re.compile(r"(?<=[\"'])(?:[A-Za-z]:[\\/]|\\\\|/)[^\"'\n]+(?=[\"'])")
_BARE_PATH = re.compile(r"(?<![\w:/\\.…])(?:[A-Za-z]:[\\/]|\\\\|/)(?:[^\s\"'<>|,;()]+[\\/])[^\s\"'<>|,;()]*")


def redacted(value: _Value, what: tuple[Redaction, ...]) -> _Value:
    """The value without users or paths.

    An inventory without paths says so under what was not seen: rules that look at paths find nothing in it.
    """
    if not what:
        return value
    if "paths" in what and isinstance(value, Inventory):
        gone = Unseen("Paths", "taken out by --redact paths", "save the inventory without it", cause="not_asked")
        value = cast("_Value", msgspec.structs.replace(value, unseen=(*value.unseen, gone)))
    members = msgspec.to_builtins(value)
    if "users" in what:
        members = _mapped(members, _Users(_names(members)))
    if "paths" in what:
        members = _mapped(members, _without_path)
    return msgspec.convert(members, type(value))


def _mapped(members: Any, change: Callable[[str, str], str], key: str = "") -> Any:
    """The same tree with each string changed; `change` gets the name of the member that it belongs to."""
    if isinstance(members, str):
        return change(key, members)
    if isinstance(members, dict):
        return {name: _mapped(each, change, name) for name, each in members.items()}
    if isinstance(members, list | tuple):
        return [_mapped(each, change, key) for each in members]
    return members


class _Users:
    """Replaces the names of users: as a member `user`, and as a part of a path."""

    def __init__(self, names: list[str]) -> None:
        self._new = {name.lower(): f"user{number}" for number, name in enumerate(names, 1)}
        longest_first = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
        self._parts = re.compile(rf"(?<=[/\\])({longest_first})(?=[/\\\s\"':;,]|$)", re.IGNORECASE) if names else None
        self._sids: dict[str, str] = {}

    def __call__(self, key: str, text: str) -> str:
        if key == "user":
            text = self._new.get(text.lower(), text)
        if self._parts is not None:
            text = self._parts.sub(lambda found: self._new[found[1].lower()], text)
        return _SID.sub(self._sid, text)

    def _sid(self, found: re.Match[str]) -> str:
        return self._sids.setdefault(found[0], f"S-1-5-21-user{len(self._sids) + 1}")


def _names(members: Any) -> list[str]:
    """Every name of a person, sorted, so that the same content gives the same numbers."""
    found: dict[str, str] = {}
    for key, text in _strings(members):
        for name in [text, text.rpartition("\\")[2]] if key == "user" else _HOME.findall(text):
            if name and name.lower() not in _NOBODY and not _SID.fullmatch(name):
                found.setdefault(name.lower(), name)
    return [found[name] for name in sorted(found)]


def _strings(members: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(members, str):
        yield key, members
    elif isinstance(members, dict):
        for name, each in members.items():
            yield from _strings(each, name)
    elif isinstance(members, list | tuple):
        for each in members:
            yield from _strings(each, key)


def _without_path(key: str, text: str) -> str:
    if key in _PATH_FIELDS:
        return _last(text)
    text = _QUOTED_PATH.sub(lambda found: _last(found[0]), text)
    return _BARE_PATH.sub(lambda found: _last(found[0]), text)


def _last(path: str) -> str:
    """`…/kesl` of `/opt/kaspersky/kesl`; what has no folder stays."""
    start = max(path.rstrip("/\\").rfind("/"), path.rstrip("/\\").rfind("\\"))
    return path if start < 0 else f"…/{path[start + 1 :]}"
