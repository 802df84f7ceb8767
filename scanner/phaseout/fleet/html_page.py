"""One self-contained page for the person who answers for a fleet: to be read, searched, forwarded and printed.

The sentence first, then how it went against the dates of the measures, the states by group, what is still there, who is
silent, what came back, and the list of all hosts. The list is packed, and unpacked by the reader's browser.

References:
    https://www.w3.org/TR/CSP3/; https://www.w3.org/TR/compression/ (DecompressionStream); https://www.w3.org/TR/SVG2/
"""

import base64
import datetime as dt
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from phaseout.fleet.status import STATES, HostLine, HostState, Status, TrendDay, Wanted, hosts, status, trend
from phaseout.fleet.store import Store
from phaseout.fleet.words import FLAGS, how_counted, sentence
from phaseout.report.html_format import rendered
from phaseout.report.safe import visible

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 960, 300, 84, 36, 26  # of the picture, in its own units
_SHOWN = 50  # hosts of a list that is printed as well
_DUE = 40
_PRODUCTS = 100
_ENCODE = msgspec.json.Encoder().encode
_MEANING: dict[HostState, str] = {
    "replace": "has software that must be replaced",
    "review": "has software that a person must decide on",
    "clean": "nothing found, and all its sources complete",
    "incomplete": "nothing found, but not everything was seen",
    "silent": "has not answered for too long",
    "never_seen": "is in the list and never answered",
}


class Mark(NamedTuple):
    """A day on the picture: its place, what it is, and whether it is today."""

    x: float
    text: str
    today: bool = False


class Picture(NamedTuple):
    """How many hosts still have something to replace or to decide on, day by day.

    Attributes:
        line: points of the line, for SVG.
        area: the area below it.
        target: from the highest day to zero at the next date; empty if no date lies ahead.
        marks: dates of measures, and today.
        levels: place and number of the horizontal lines.
        first: the first day.
        last: the last day that is shown.
        words: the same in a sentence.
    """

    line: str
    area: str
    target: str
    marks: tuple[Mark, ...]
    levels: tuple[tuple[float, str], ...]
    first: str
    last: str
    words: str


def write_page(store: Store, now: dt.datetime, valid: int) -> Iterator[str]:
    """The page, in pieces.

    Args:
        store: the fleet.
        now: the moment that is shown.
        valid: days after which a host without an answer is silent.
    """
    found = status(store, now, valid)
    days = trend(store, now, valid=valid)
    packing = _Packing()
    silent, never, again = _Shown(), _Shown(), _Shown()
    for one in hosts(store, now, Wanted(), valid):
        packing.add(one)
        if one.state == "silent":
            silent.add(one)
        elif one.state == "never_seen":
            never.add(one)
        if any(each.origin == "again" for each in one.products):
            again.add(one)
    yield from rendered(
        "phaseout.fleet",
        "fleet.jinja",
        "fleet.css",
        "fleet.js",
        status=found,
        counting=how_counted(found.valid_days),
        headline=sentence(found),
        tone=_tone(found),
        states=STATES,
        meaning=_MEANING,
        picture=_picture(days, found, now.date()),
        days=days[-90:],
        silent=silent.lines,
        never=never.lines,
        again=again.lines,
        unprotected=list(islice(hosts(store, now, Wanted(unprotected=True), valid), _SHOWN))
        if found.unprotected
        else [],
        shown=_SHOWN,
        due=found.due[:_DUE],
        products=found.products[:_PRODUCTS],
        flags=FLAGS,
        data=packing.packed(),
    )


def _tone(found: Status) -> str:
    if found.states["replace"]:
        return "replace"
    if found.states["review"] or found.members != found.states["clean"]:
        return "review"
    return "clean" if found.members else "review"


def _picture(days: Sequence[TrendDay], found: Status, today: dt.date) -> Picture | None:
    """The burn-down; `None` before a second day is known."""
    if len(days) < 2:
        return None
    counts = [day.counts["replace"] + day.counts["review"] for day in days]
    first = dt.date.fromisoformat(days[0].day)
    ahead = [dt.date.fromisoformat(one.due) for one in found.due if one.days_left >= 0]
    goal = min(ahead, default=None)
    last = max(today, goal) if goal and (goal - first).days < 4 * len(days) + 60 else today
    length = max((last - first).days, 1)
    highest = max(*counts, 1)

    def x(day: dt.date) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - 12) * (day - first).days / length, 1)

    def y(count: float) -> float:
        return round(_TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - count / highest), 1)

    points = [(x(first + dt.timedelta(number)), y(count)) for number, count in enumerate(counts)]
    line = " ".join(f"{at},{height}" for at, height in points)
    area = f"{points[0][0]},{y(0)} {line} {points[-1][0]},{y(0)}"
    peak = counts.index(max(counts))
    target = f"{points[peak][0]},{points[peak][1]} {x(goal)},{y(0)}" if goal and goal <= last and max(counts) else ""
    dated: dict[dt.date, list[str]] = {}
    for one in found.due:
        day = dt.date.fromisoformat(one.due)
        if first <= day <= last and one.measure not in dated.setdefault(day, []):
            dated[day].append(one.measure)
    marks = [Mark(x(day), f"{day}: {', '.join(names)}") for day, names in sorted(dated.items())]
    step = _round(highest / 4)
    return Picture(
        line=line,
        area=area,
        target=target,
        marks=(*marks, Mark(x(today), "today", today=True)),
        levels=tuple((y(count), f"{count:,}") for count in range(0, highest + 1, step)),
        first=first.isoformat(),
        last=last.isoformat(),
        words=f"{counts[0]:,} hosts on {first}, at most {max(counts):,}, {counts[-1]:,} on {days[-1].day}.",
    )


def _round(number: float) -> int:
    """The next number above that people count in: 1, 2 or 5 with zeros behind."""
    ten = 1
    while True:
        for one in (1, 2, 5):
            if one * ten >= number:
                return one * ten
        ten *= 10


class _Shown:
    """The first few hosts of a list."""

    def __init__(self) -> None:
        self.lines: list[HostLine] = []

    def add(self, line: HostLine) -> None:
        """One more, unless there are enough."""
        if len(self.lines) < _SHOWN:
            self.lines.append(line)


class _Packing:
    """The hosts for the script of the page, as deflated JSON in base64: texts that come again stand in it once."""

    def __init__(self) -> None:
        self._texts: dict[str, int] = {"": 0}
        self._rows: list[bytes] = []

    def add(self, line: HostLine) -> None:
        """One more host."""
        text = self._text
        row = (
            visible(line.name),
            STATES.index(line.state) if line.state in STATES else -1,
            int(line.listed),
            text(line.group),
            text(line.last_answer[:10]),
            text(" ".join(line.flags)),
            [
                (
                    text(each.product), text(", ".join(each.versions)), text(each.due), text(each.since),
                    text(", ".join(each.users)), text(each.action), text(each.verdict), text(each.origin),
                )
                for each in line.products
            ],
            visible(line.owner),
            visible(line.serial),
            text(" · ".join(line.unseen)) if line.state == "incomplete" else 0,
        )  # fmt: skip
        self._rows.append(_ENCODE(row))

    def packed(self) -> str:
        """All of them."""
        texts = _ENCODE(list(self._texts))
        data = b'{"texts":%b,"rows":[%b]}' % (texts, b",".join(self._rows))
        return base64.b64encode(zlib.compress(data, 9)).decode()

    def _text(self, value: str) -> int:
        known = self._texts.get(value)
        return self._texts.setdefault(visible(value), len(self._texts)) if known is None else known
