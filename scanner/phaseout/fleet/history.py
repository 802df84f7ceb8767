"""What the answers of a host say of the time between them: its verdict, and which products came and went.

References:
    `docs/fleet.md`, "How each number is counted"
"""

import sys
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, chain, repeat
from operator import sub
from typing import Literal, NamedTuple

GAP = 8 * 86_400  # seconds without an answer after which nothing is known of the time between
_SIZE = 4  # bytes of a time
_SMALL = 24  # times; so few are not worth packing

Origin = Literal[
    "first",  # there when the host answered for the first time
    "new",  # a complete answer before did not show it
    "again",  # it had been gone
    "new_rules",  # other rules judged the answer before: it may have been there all the time
    "unknown",  # the answer before had not seen everything
]


class Facts(NamedTuple):
    """What history needs of an outcome.

    Attributes:
        rank: of two outcomes of one moment the greater counts.
        verdict: of the host.
        complete: whether everything was seen.
        rules: digest of the rules that judged.
        tool: program and version.
        subjects: product → number of the subject that shows it.
    """

    rank: tuple[int, str, bytes]
    verdict: str
    complete: bool
    rules: str
    tool: str
    subjects: Mapping[str, int]


class Span(NamedTuple):
    """A verdict from the first to the last answer that gives it, without a gap."""

    since: int
    until: int
    verdict: str
    outcome: int


class Held(NamedTuple):
    """A product on the host, from the first to the last answer that shows it in this way.

    Attributes:
        subject: number of the subject.
        since: of the first answer that shows it so.
        until: of the last one.
        ended: of the first complete answer without it, or that shows it in another way; `None` while it may be there.
        first: of the first answer that shows the product in any way.
        origin: how the product came.
    """

    subject: int
    since: int
    until: int
    ended: int | None
    first: int
    origin: Origin


class History(NamedTuple):
    """The spans of a host and what it held; whether two answers of one moment contradict each other."""

    spans: list[Span]
    held: list[Held]
    contradicts: bool


def history(moments: Sequence[tuple[int, int]], facts: Mapping[int, Facts]) -> History:
    """The history of a host.

    Args:
        moments: time and number of the outcome of its answers, sorted.
        facts: of every outcome in them.
    """
    stretches, contradicts = _stretches(moments, facts)
    spans: list[Span] = []
    held: list[Held] = []
    current: dict[str, Held] = {}
    gone: set[str] = set()
    before: Facts | None = None
    for since, until, outcome in stretches:
        found = facts[outcome]
        if spans and spans[-1].verdict == found.verdict and since - spans[-1].until <= GAP:
            spans[-1] = spans[-1]._replace(until=until)
        else:
            spans.append(Span(since, until, found.verdict, outcome))
        if found.complete:
            for product in [one for one in current if one not in found.subjects]:
                held.append(current.pop(product)._replace(ended=since))
                gone.add(product)
        for product, subject in found.subjects.items():
            known = current.get(product)
            if known is None:
                origin = _origin(product, before, found, gone)
                current[product] = Held(subject, since, until, None, since, origin)
            elif known.subject == subject:
                current[product] = known._replace(until=until)
            else:
                held.append(known._replace(ended=since))
                current[product] = Held(subject, since, until, None, known.first, known.origin)
        before = found
    return History(spans, sorted([*held, *current.values()]), contradicts)


def _stretches(
    moments: Sequence[tuple[int, int]], facts: Mapping[int, Facts]
) -> tuple[list[tuple[int, int, int]], bool]:
    """First and last time of each outcome in a row, without gaps; and whether two answers of one moment differ."""
    if len(moments) == 1:  # as with most hosts of a new store
        at, outcome = moments[0]
        return [(at, at, outcome)], False
    at_once: dict[int, list[int]] = {}
    for at, outcome in moments:
        at_once.setdefault(at, []).append(outcome)
    contradicts = any(_differ([facts[one] for one in own]) for own in at_once.values() if len(own) > 1)
    counted = [
        (at, own[0] if len(own) == 1 else max(own, key=lambda one: facts[one].rank)) for at, own in at_once.items()
    ]
    found: list[tuple[int, int, int]] = []
    since, until, current = 0, 0, -1
    for at, outcome in counted:
        if outcome == current and at - until <= GAP:
            until = at
            continue
        if current >= 0:
            found.append((since, until, current))
        since, until, current = at, at, outcome
    if current >= 0:
        found.append((since, until, current))
    return found, contradicts


def _differ(answers: Sequence[Facts]) -> bool:
    """Whether two answers of one moment that the same rules judged say different things, in any order."""
    said: dict[str, set[tuple[str, frozenset[str]]]] = {}
    for one in answers:
        said.setdefault(one.rules, set()).add((one.verdict, frozenset(one.subjects)))
    by_any = said.pop("", set())  # whose rules are not known
    return len(by_any) > 1 or any(len(own | by_any) > 1 for own in said.values())


def _origin(product: str, before: Facts | None, now: Facts, gone: set[str]) -> Origin:
    if before is None:
        return "first"
    if before.rules != now.rules:
        return "new_rules"
    if product in gone:
        return "again"
    return "new" if before.complete else "unknown"


def packed(times: Sequence[int]) -> bytes:
    """Sorted times in few bytes: their differences, of which days leave mostly zeros."""
    differences = array("I", [times[0], *map(sub, times[1:], times)]) if times else array("I")
    if sys.byteorder == "big":
        differences.byteswap()
    data = differences.tobytes()
    if len(times) <= _SMALL:
        return b"\0" + data
    planes = b"".join(data[at::_SIZE] for at in range(_SIZE))  # the upper bytes of days are alike
    return b"\1" + zlib.compress(planes, 6)


def unpacked(data: bytes) -> list[int]:
    """The times again.

    Raises:
        ValueError: damaged.
    """
    try:
        plain: bytes | bytearray = data[1:]
        if data[:1] == b"\1":
            planes = zlib.decompress(plain)
            plain = bytearray(len(planes))
            count = len(planes) // _SIZE
            for at in range(_SIZE):
                plain[at::_SIZE] = planes[at * count : (at + 1) * count]
        differences = array("I")
        differences.frombytes(plain)
    except zlib.error as error:
        raise ValueError(f"damaged times: {error}") from error
    if sys.byteorder == "big":
        differences.byteswap()
    return list(accumulate(differences))


def runs_of(outcomes: Sequence[int]) -> list[tuple[int, int]]:
    """How often each outcome stands in a row."""
    runs: list[tuple[int, int]] = []
    for outcome in outcomes:
        if runs and runs[-1][1] == outcome:
            runs[-1] = (runs[-1][0] + 1, outcome)
        else:
            runs.append((1, outcome))
    return runs


def outcomes_of(runs: Sequence[tuple[int, int]]) -> Iterator[int]:
    """The outcomes again, one for each time."""
    return chain.from_iterable(repeat(outcome, count) for count, outcome in runs)
