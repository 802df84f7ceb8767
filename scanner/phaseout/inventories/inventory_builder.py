"""What readers of other tools' inventories share: rows into runs, texts into fields, and what remains unseen."""

import datetime as dt
from typing import Any, get_args

from phaseout.model.nouns import (
    INVENTORY_SCHEMA,
    HostInfo,
    Inventory,
    Item,
    Kind,
    Platform,
    Problem,
    RunStatus,
    SourceRun,
    Unseen,
)

KINDS: tuple[Kind, ...] = get_args(Kind)
_TEXT = 8192  # characters of one field
_PROBLEMS = 100  # of one source; the rest is counted
_REMEDY = "scan the machine itself with phaseout"
_SEVERAL = {
    "package": "packages of the system",
    "program": "installed programs",
    "app": "applications",
    "process": "running processes",
    "service": "services",
    "task": "scheduled tasks",
    "driver": "drivers",
    "extension": "extensions",
    "library": "libraries",
    "security_product": "registered security products",
    "file": "folders and files that vendors leave",
}


class Rows:
    """The rows of one source while they become items; no row is lost."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.items: list[Item] = []
        self._left_out: dict[str, int] = {}
        self._problems: list[Problem] = []
        self._more = 0

    def left_out(self, reason: str) -> None:
        """Counts a row that is no item."""
        self._left_out[reason] = self._left_out.get(reason, 0) + 1

    def damaged(self, where: str, why: str) -> None:
        """Notes a row that could not be read."""
        self.left_out("damaged")
        self.problem(where, why)

    def problem(self, where: str, why: str) -> None:
        """Notes something that a reader should know of."""
        if len(self._problems) < _PROBLEMS:
            self._problems.append(Problem(where, why))
        else:
            self._more += 1

    def run(self) -> SourceRun:
        """How the source ended."""
        problems = list(self._problems)
        if self._more:
            problems.append(Problem(self.source, f"{self._more} further problems of this source are not listed"))
        status: RunStatus = "partial" if problems else "ok"
        return SourceRun(
            source=self.source,
            status=status,
            rows=len(self.items) + sum(self._left_out.values()),
            items=len(self.items),
            left_out=self._left_out,
            problems=tuple(problems),
        )


def inventory(host: HostInfo, tool: str, scanned_at: str, rows: list[Rows], shown: set[Kind], limits: str) -> Inventory:
    """The inventory of what was read.

    Args:
        host: who it is about.
        tool: which program made it.
        scanned_at: when; see `moment`.
        rows: what was read, source by source.
        shown: the kinds of items that such an input shows.
        limits: why it shows no others, in words.
    """
    runs = tuple(one.run() for one in rows)
    unseen = [
        Unseen(run.source, f"{run.problems[0].where}: {run.problems[0].why}", source=run.source)
        for run in runs
        if run.status == "partial"
    ]
    hidden = tuple(kind for kind in KINDS if kind not in shown)
    if hidden:
        what = ", ".join(_SEVERAL[kind] for kind in hidden)
        unseen.append(Unseen(what[0].upper() + what[1:], limits, _REMEDY, kinds=hidden))
    items = [item for one in rows for item in one.items]
    items.sort(key=lambda item: (item.kind, item.name, item.version, item.path, item.user, item.source, item.command))
    return Inventory(
        schema=INVENTORY_SCHEMA,
        tool=tool,
        scanned_at=scanned_at,
        host=host,
        items=tuple(items),
        runs=runs,
        unseen=tuple(unseen),
    )


def text(value: Any) -> str:
    """A field as text, without blanks around it and of bounded length; empty for what is no text, number or truth."""
    if isinstance(value, str):
        found = value.strip()
        return found if len(found) <= _TEXT else found[:_TEXT] + "…"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""


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
    """The platform that the first telling word names."""
    for word in words:
        lower = word.lower()
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
