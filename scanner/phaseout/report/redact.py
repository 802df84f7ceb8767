"""Takes users or paths out of a report, an inventory or a difference, so that it can be shown to others.

Redaction comes last: what was found was judged with everything at hand. Names of users become `user1`, `user2`, the
same one wherever it stands; those of persons, who have a home, also within texts. Paths keep their last part. Names of
hosts and of software stay.
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
    r"(?:/home/(?:[A-Z][A-Z0-9.-]*/)?|(?i:/Users/|\\{1,2}(?:Users|Documents and Settings)\\{1,2}|/var/mail/|/run/user/"
    r"|/var/spool/cron/(?:crontabs/|tabs/)?|/systemd/linger/))([^/\\\s\"':;,()<>]+)"
)
_NOBODY = frozenset(  # names that belong to no person
    (
        *("root", "system", "nobody", "daemon", "local service", "network service", "localservice", "networkservice"),
        *("public", "default", "default user", "all users", "shared", "administrator", "guest", "defaultuser0"),
    )
)
_SID = re.compile(r"S-1-(?:5-21|12-1)(?:-\d+){1,14}")
_PATH_FIELDS = frozenset(("path", "where", "root", "skipped_mounts"))
_OF_SOFTWARE = frozenset(  # members in which a word that is also the name of a user does not mean the user
    ("name", "vendor", "vendor_id", "product", "product_id", "version", "kind", "source", "title", "measure")
)
_QUOTED_PATH = re.compile(r"(?<=[\"'])(?:[A-Za-z]:[\\/]|\\\\|/)[^\"'\n]+(?=[\"'])")
# Behind -I, between the colons of a search path, and in a URL of a file as well. A folder's name may have blanks in it.
_BARE_PATH = re.compile(
    r"(?:(?<![\w:/\\.…])|(?<=\s-[A-Za-z])|(?<=[\w.\\/]:)(?!//)|(?<=file://))(?:[A-Za-z]:[\\/]|\\\\|/)"
    r"(?:[^\s\"'<>|,;()\\/:]+(?: (?!-)[^\s\"'<>|,;()\\/:=]+){0,8}[\\/]+)+[^\s\"'<>|,;():]*"
)


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
        members = _mapped(members, _Users(*_names(members)))
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

    def __init__(self, names: list[str], persons: frozenset[str]) -> None:
        self._new = {name.lower(): f"user{number}" for number, name in enumerate(names, 1)}
        self._parts = _any_of(r"(?<=[/\\@])", names, r"(?![\w-])")
        self._words = _any_of(r"(?<![\w.-])", [name for name in names if name.lower() in persons], r"(?![\w-])")
        self._sids: dict[str, str] = {}

    def __call__(self, key: str, text: str) -> str:
        if key == "user":
            text = self._new.get(text.lower(), text)
        for pattern in (self._parts, None if key in _OF_SOFTWARE else self._words):
            if pattern is not None:
                text = pattern.sub(lambda found: self._new[found[1].lower()], text)
        return _SID.sub(self._sid, text)

    def _sid(self, found: re.Match[str]) -> str:
        return self._sids.setdefault(found[0], f"S-1-5-21-user{len(self._sids) + 1}")


def _any_of(before: str, names: list[str], behind: str) -> re.Pattern[str] | None:
    longest_first = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    return re.compile(f"{before}({longest_first}){behind}", re.IGNORECASE) if names else None


def _names(members: Any) -> tuple[list[str], frozenset[str]]:
    """Every name of a user, sorted, so that the same content gives the same numbers; and those of persons."""
    found: dict[str, str] = {}
    persons: set[str] = set()
    for key, text in _strings(members):
        homes = _HOME.findall(text)
        persons.update(name.lower() for name in homes)
        for name in [*homes, *([text, text.rpartition("\\")[2]] if key == "user" else ())]:
            if name and name.lower() not in _NOBODY and not _SID.fullmatch(name):
                found.setdefault(name.lower(), name)
    return [found[name] for name in sorted(found)], frozenset(persons)


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
