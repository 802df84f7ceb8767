"""What readers of other tools' inventories share: rows into runs, fields into strings, and what remains unseen."""

import datetime as dt
import functools
import re
from typing import Any, get_args

from phaseout.model.nouns import (
    INVENTORY_SCHEMA,
    Cause,
    HostInfo,
    Inventory,
    Item,
    Kind,
    LeftOut,
    Platform,
    Problem,
    Reason,
    Unseen,
)
from phaseout.model.recording import Recorder, in_order, nothing_shown, shortened, unseen_parts
from phaseout.parsers.windows.command_line import executable
from phaseout.parsers.windows.image_path import launched, program

KINDS: tuple[Kind, ...] = get_args(Kind)
_WINDOWS = re.compile(
    r'"?(?:[A-Za-z]:[\\/]|%|\\|(?:cmd|rundll32|regsvr32|powershell|wscript|cscript|mshta)\b)', re.IGNORECASE
)
_VARIABLES = {
    "systemroot": "C:\\Windows",
    "windir": "C:\\Windows",
    "systemdrive": "C:",
    "programfiles": "C:\\Program Files",
    "programfiles(x86)": "C:\\Program Files (x86)",
    "programdata": "C:\\ProgramData",
}
_REMEDY = "scan the machine itself with phaseout"
_REMEDIES: dict[Cause, str] = dict.fromkeys(get_args(Cause), _REMEDY)
_SEVERAL = {
    "package": "packages of the system",
    "program": "installed programs",
    "app": "applications",
    "process": "running processes",
    "task": "scheduled tasks",
    "security_product": "registered security products",
    "library": "libraries",
    "file": "folders and files that vendors leave",
    "certificate": "trusted certificates",
    "setting": "settings that name a program",
}


class Rows(Recorder):
    """The rows of one source while they become items."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.items: list[Item] = []

    def add(self, item: Item) -> None:
        """Takes an item; beyond the limit it is counted and a problem."""
        if self.full:
            self.damaged(self.source, f"more than {self.count:,} items", "limit")
            return
        self.count += 1
        self.items.append(item)

    def leave_out(self, reason: Reason, count: int = 1) -> None:
        """Counts rows that are no software."""
        self.left_out(LeftOut(reason, count))

    def damaged(self, where: str, why: str, cause: Cause = "damaged") -> None:
        """Counts a row that could not be read, and says why."""
        self.leave_out("damaged")
        self.problem(Problem(where, why, cause))


def inventory(
    host: HostInfo,
    tool: str,
    scanned_at: str,
    rows: list[Rows],
    shown: set[Kind],
    limits: str,
    also: tuple[Unseen, ...] = (),
) -> Inventory:
    """The inventory of what was read.

    Args:
        host: what it is about.
        tool: which program made it.
        scanned_at: when; see `moment`.
        rows: what was read, source by source.
        shown: the kinds of items that such an input shows.
        limits: why it shows no others, in words.
        also: what else was not seen.
    """
    runs = tuple(one.run() for one in rows)
    unseen = [part for run in runs for part in unseen_parts(run.source, run.problems, _REMEDIES, source=run.source)]
    unseen += _not_shown(frozenset(shown), limits)
    items = in_order(item for one in rows for item in one.items)
    return Inventory(
        schema=INVENTORY_SCHEMA,
        tool=tool,
        scanned_at=scanned_at,
        host=host,
        items=items,
        runs=runs,
        unseen=(*unseen, *also, *nothing_shown(runs, items, _REMEDY)),
    )


@functools.lru_cache(maxsize=64)
def _not_shown(shown: frozenset[Kind], limits: str) -> tuple[Unseen, ...]:
    """What such an inventory shows of no host; the same for every host of a list."""
    hidden = tuple(kind for kind in KINDS if kind not in shown)
    if not hidden:
        return ()
    what = ", ".join(_SEVERAL.get(kind, f"{kind.replace('_', ' ')}s") for kind in hidden)
    return (Unseen(what[0].upper() + what[1:], limits, _REMEDY, kinds=hidden, cause="not_shown"),)


def text(value: Any) -> str:
    """A field as a string, stripped and of bounded length; empty unless it is a string, number or truth value."""
    if isinstance(value, str):
        return shortened(value.strip())
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""


def program_of(command: str) -> str:
    r"""The program that a command line starts: `C:\…` up to its ending, quoted or not, or the first absolute path."""
    if _WINDOWS.match(command):
        return launched(command, _VARIABLES) or program(command, _VARIABLES)
    return executable(command)


def kept(**fields: str) -> dict[str, str]:
    """The fields that are not empty."""
    return {name: value for name, value in fields.items() if value}


def moment(value: Any) -> str:
    """A time as RFC 3339 in UTC: ISO 8601 with or without offset (then UTC), or seconds since 1970; else empty."""
    try:
        if isinstance(value, int | float) or (isinstance(value, str) and value.isdigit()):
            at = dt.datetime.fromtimestamp(int(value), dt.UTC)
        else:
            at = dt.datetime.fromisoformat(text(value))
            at = at.replace(tzinfo=at.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def platform_of(*words: str) -> Platform | None:
    """The platform that the first of these words to name one names."""
    for word in words:
        lower = word.lower()
        if "android" in lower:
            return "android"
        if "ipados" in lower or lower.startswith(("ios", "ipad", "iphone", "apple tv", "tvos")):
            return "ios"
        if "windows" in lower or "mswin" in lower:
            return "windows"
        if "macos" in lower or "mac os" in lower or "darwin" in lower or "os x" in lower:
            return "macos"
        if any(name in lower for name in _LINUXES):
            return "linux"
    return None


_LINUXES = (
    *("linux", "debian", "ubuntu", "fedora", "centos", "red hat", "rhel", "suse", "sles", "arch", "alpine", "amzn"),
    *("rocky", "alma", "gentoo", "mint", "oracle", "astra", "kali", "manjaro", "nixos", "photon", "wolfi", "unix"),
)
