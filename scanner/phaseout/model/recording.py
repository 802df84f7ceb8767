"""What a source gives, counted and bounded until it becomes a `SourceRun`; and the order of items in an inventory.

Scans and readers of other tools' inventories share it, so that the same limits and the same words hold for both.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

import msgspec
from msgspec.structs import force_setattr

from phaseout.model.counting import counted
from phaseout.model.nouns import Cause, Inventory, Item, Kind, LeftOut, Problem, RunStatus, SourceRun, Unseen

TEXT = 8192  # characters of one field; a command line may be 2 MiB
PROBLEMS = 100  # of one source; the rest is counted
ALL_SOFTWARE = "All software"  # the name of the part that was not seen, where that is everything
ROWS = 250_000  # of one source in an inventory of another tool; no machine has as many
MEMORY = 160 << 20  # bytes that all items may take; ten thousand of them take 17 MiB
RESULTS = 40 << 20  # bytes of the texts of all items
_PIECE = 256  # items that are written together
_FEW = 5_000  # items whose texts are left as they come
_TEXTS = 20_000  # texts that are remembered
# What CPython takes for an item, a text beside its characters, `ids` or `details`, and a piece of evidence.
_BARE, _TEXT, _MEMBERS, _EVIDENCE = 208, 64, 192, 112
_ENCODER = msgspec.json.Encoder(order="deterministic")


def shortened(text: str) -> str:
    """The text, cut after `TEXT` characters."""
    return text if len(text) <= TEXT else text[:TEXT] + "…"


def in_order(items: Iterable[Item]) -> tuple[Item, ...]:
    """The items sorted, so that the same host gives the same inventory."""
    found = list(items)
    # Last things first: unlike one key of seven parts, this needs no memory for each item.
    for name in ("command", "source", "user", "path", "version", "name", "kind"):
        found.sort(key=attrgetter(name))
    return tuple(found)


class SharedTexts:
    """Lets items share what they have in common: nearly half of their memory where there are tens of thousands."""

    def __init__(self) -> None:
        self._items = 0
        self._known: dict[str, str] = {}
        self._details: dict[int, dict[str, str]] = {}

    def within(self, item: Item) -> Item:
        """The item, which nothing else refers to yet, with what earlier ones have as well."""
        self._items += 1
        if self._items <= _FEW:
            return item
        known = self._known
        share = known.setdefault if len(known) < _TEXTS else known.get
        if details := item.details:
            digest = hash(tuple(details.items()))
            if (same := self._details.get(digest)) == details:
                force_setattr(item, "details", same)
            else:
                for name, value in details.items():
                    details[name] = share(value, value)
                if same is None and len(self._details) < _TEXTS:
                    self._details[digest] = details
        force_setattr(item, "vendor", share(item.vendor, item.vendor))
        force_setattr(item, "version", share(item.version, item.version))
        force_setattr(item, "source", share(item.source, item.source))
        for one in item.evidence:
            force_setattr(one, "where", share(one.where, one.where))
        return item


def memory_of(item: Item, size: int) -> int:
    """Bytes that an item takes at most: as much as one that shares nothing with others.

    Args:
        item: the item.
        size: bytes of all its texts.
    """
    details, ids, evidence = len(item.details), len(item.ids), len(item.evidence)
    maps = (_MEMBERS if details else 0) + (_MEMBERS if ids else 0) + 40 * max(details - 5, 0)
    texts = 5 + details + ids + len(item.notes) + 2 * evidence
    return _BARE + maps + _TEXT * texts + _EVIDENCE * evidence + size


class Recorder:
    """Counts what one source gives. No row is lost: each is an item, left out for a reason, or a problem.

    Args:
        source: its name.
        most: items, after which it is full.
    """

    def __init__(self, source: str, most: int = ROWS) -> None:
        self.source = source
        self.count = 0  # of items
        self._most = most
        self._left_out: dict[str, int] = {}
        self._problems: dict[Problem, None] = {}
        self._more = 0

    @property
    def full(self) -> bool:
        """Whether it has given as many items as it may."""
        return self.count >= self._most

    @property
    def rows(self) -> int:
        """How many rows were accounted for."""
        return self.count + sum(self._left_out.values())

    def left_out(self, left: LeftOut) -> None:
        """Counts rows that are no software."""
        self._left_out[left.reason] = self._left_out.get(left.reason, 0) + left.count

    def problem(self, problem: Problem) -> None:
        """Notes something that could not be read; the same one counts once."""
        if problem in self._problems:
            return
        if len(self._problems) < PROBLEMS:
            self._problems[problem] = None
        else:
            self._more += 1

    def run(self, reason: str = "", seconds: float = 0.0) -> SourceRun:
        """How the source ended; with a reason it failed. What hides no software does not make it partial."""
        problems = tuple(self._problems)
        if self._more:
            more = f"{counted(self._more, 'further problem')} of this source: not listed"
            problems = (*problems, Problem(self.source, more, "limit"))
        partial = any(problem.hides for problem in problems)
        status: RunStatus = "failed" if reason else "partial" if partial else "ok"
        return SourceRun(
            source=self.source,
            status=status,
            reason=shortened(reason),
            rows=self.rows,
            items=self.count,
            left_out=self._left_out,
            problems=problems,
            seconds=round(seconds, 6),
        )


def unseen_parts(
    what: str,
    problems: Iterable[Problem],
    remedies: Mapping[Cause, str],
    *,
    source: str = "",
    kinds: tuple[Kind, ...] = (),
) -> Iterator[Unseen]:
    """What was not seen because of these problems: one entry for each cause and remedy, in the order they came.

    Places that no source reads are entries of their own, and so is each home that is missing: no run lists them.

    Args:
        what: the part of the host, in words.
        problems: those that hide nothing are skipped.
        remedies: what helps against each cause, unless a problem knows better.
        source: whose problems they are.
        kinds: what they may hide.
    """
    groups: dict[tuple[str, ...], list[Problem]] = {}
    for problem in problems:
        if problem.hides:
            apart = problem.cause == "unsupported" or (problem.cause == "missing" and not source)
            place = problem.where if apart else ""
            groups.setdefault((problem.cause, problem.remedy, place), []).append(problem)
    for first, *others in groups.values():
        more = f" and {len(others)} more" if others else ""
        remedy = first.remedy or remedies.get(first.cause, "")
        if first.cause == "unsupported":
            yield Unseen(first.where, first.why + more, remedy, source, kinds, first.cause)
        else:
            yield Unseen(what, f"{first.where}: {first.why}{more}", remedy, source, kinds, first.cause)


def nothing_shown(runs: Sequence[SourceRun], items: Sequence[Item], remedy: str) -> Iterator[Unseen]:
    """That an inventory without runs or without items shows nothing: no host is clean by it.

    Args:
        runs: how its sources ended.
        items: what they gave.
        remedy: what helps.
    """
    if not runs or not items:
        why = "no source was read" if not runs else "nothing of any kind was listed"
        yield Unseen(ALL_SOFTWARE, why, remedy, cause="missing")


def saved_form(inventory: Inventory, saved: bytes | None = None) -> Iterator[bytes]:
    """An inventory as one line of JSON, the same bytes for the same content: what is saved, and what is digested.

    In pieces, so that it is never in memory as a whole.

    Args:
        inventory: the inventory.
        saved: its items in this form, where that is known.
    """
    before, empty, after = _ENCODER.encode(msgspec.structs.replace(inventory, items=())).partition(b'"items":[]')
    yield before + empty[:-1]
    if saved is not None:
        yield saved
    else:
        for at in range(0, len(inventory.items), _PIECE):
            yield (b"," if at else b"") + _ENCODER.encode(inventory.items[at : at + _PIECE])[1:-1]
    yield b"]" + after + b"\n"
