"""What the answers of a host say of the time between them: its verdict, and which products came and went.

References:
    `docs/fleet.md`, "How each number is counted"
"""

import sys
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, chain, groupby, repeat
from operator import sub
from typing import Literal, NamedTuple

GAP = 8 * 86_400  # seconds without an answer after which nothing is known of the time between
_SIZE = 4  # bytes of a time
_SMALL = 24  # times; so few are not worth packing
_PLAIN, _DEFLATED, _PLANES = b"\0", b"\1", b"\2"  # how times are written; the second until version 2 of the store
_RAW = -15  # deflated without header and checksum

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
    if len(moments) == 1:  # as with most hosts of a new store
        return _of_one(*moments[0], facts[moments[0][1]])
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


def _of_one(at: int, outcome: int, found: Facts) -> History:
    """The history of a host that answered once."""
    held = sorted([Held(one, at, at, None, at, "first") for one in found.subjects.values()])
    return History([Span(at, at, found.verdict, outcome)], held, contradicts=False)


def _stretches(
    moments: Sequence[tuple[int, int]], facts: Mapping[int, Facts]
) -> tuple[list[tuple[int, int, int]], bool]:
    """First and last time of each outcome in a row, without gaps; and whether two answers of one moment differ."""
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
    """Sorted times in few bytes: their differences, byte by byte.

    The lowest bytes of days are noise and stay as they are; the upper ones are alike, and are deflated each on its own.
    """
    if len(times) == 1:  # as with most hosts of a new store
        return _PLAIN + times[0].to_bytes(_SIZE, "little")
    differences = array("I", [times[0], *map(sub, times[1:], times)]) if times else array("I")
    if sys.byteorder == "big":
        differences.byteswap()
    data = differences.tobytes()
    if len(times) <= _SMALL:
        return _PLAIN + data
    return _PLANES + _deflated(data[1::_SIZE]) + _deflated(data[2::_SIZE] + data[3::_SIZE]) + data[::_SIZE]


def unpacked(data: bytes) -> list[int]:
    """The times again.

    Raises:
        ValueError: damaged.
    """
    try:
        plain: bytes | bytearray = data[1:]
        if data[:1] == _PLANES:
            second, rest = _inflated(plain)
            upper, lowest = _inflated(rest)
            plain = _interleaved(lowest + second + upper)
        elif data[:1] == _DEFLATED:
            plain = _interleaved(zlib.decompress(plain))
        differences = array("I")
        differences.frombytes(plain)
    except (ValueError, zlib.error) as error:
        raise ValueError(f"damaged times: {error}") from error
    if sys.byteorder == "big":
        differences.byteswap()
    return list(accumulate(differences))


def _interleaved(planes: bytes) -> bytearray:
    """Numbers of which all first bytes come first, then all second ones, and so on.

    Raises:
        ValueError: the planes have different lengths.
    """
    found = bytearray(len(planes))
    count = len(planes) // _SIZE
    for at in range(_SIZE):
        found[at::_SIZE] = planes[at * count : (at + 1) * count]
    return found


def _deflated(data: bytes) -> bytes:
    packing = zlib.compressobj(6, zlib.DEFLATED, _RAW)
    return packing.compress(data) + packing.flush()


def _inflated(data: bytes | bytearray) -> tuple[bytes, bytes]:
    """What was deflated at the beginning of the data, and what stands behind it."""
    unpacking = zlib.decompressobj(_RAW)
    return unpacking.decompress(data), unpacking.unused_data


def runs_of(outcomes: Sequence[int]) -> list[tuple[int, int]]:
    """How often each outcome stands in a row."""
    return [(len(list(own)), outcome) for outcome, own in groupby(outcomes)]


def outcomes_of(runs: Sequence[tuple[int, int]]) -> Iterator[int]:
    """The outcomes again, one for each time."""
    return chain.from_iterable(repeat(outcome, count) for count, outcome in runs)
