"""What a fleet still runs, who is silent, and how it went: every number with the list behind it.

Every host of the list of machines is in exactly one state, so the states add up to the list. Hosts that answered and
are not in it are `unlisted`. Without a list, every host that ever answered counts.

References:
    `docs/fleet.md`, "How each number is counted"
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any, Literal, NamedTuple, get_args

from msgspec import Struct

from phaseout.fleet.history import GAP
from phaseout.fleet.hosts import Newest, newest_of
from phaseout.fleet.store import Store

SCHEMA = "phaseout-fleet/1"
DAY = 86_400
_EPOCH = dt.date(1970, 1, 1)
_BEGIN = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - in UTC, whose name would have to be cut off each text again
VALID = 14  # days after which a host without an answer is silent
_CHUNK = 500  # hosts in one query
LEAST_VALID = GAP // DAY
HostState = Literal["replace", "review", "clean", "incomplete", "silent", "never_seen"]
STATES: tuple[HostState, ...] = get_args(HostState)

# States in which nothing guards a host against malware, and which of its hosts once had what had to be replaced.
UNPROTECTED = ("none", "off", "passive")
_LEFT_ALONE = (
    f"o.protection IN {UNPROTECTED} AND EXISTS (SELECT 1 FROM held d JOIN subject s ON s.id = d.subject"
    " WHERE d.host = m.host AND d.ended IS NOT NULL AND s.verdict IN ('replace', 'review'))"
    " AND NOT EXISTS (SELECT 1 FROM held d JOIN subject s ON s.id = d.subject"
    " WHERE d.host = m.host AND d.ended IS NULL AND s.verdict IN ('replace', 'review'))"
)
# Machines that need not answer: no number counts them, and no list of hosts has them.
_RETIRED = (
    "SELECT host FROM asset WHERE retired AND host IS NOT NULL EXCEPT SELECT host FROM asset WHERE NOT retired"
    " AND host IS NOT NULL"
)
_RULES = 20  # different rules that are named
_DIGEST = 12  # characters of one
# Every member of the fleet with its state: `listed` is 0 for a host that is in no list although there is one.
_MEMBER = """
WITH member AS (
  SELECT a.name AS asset, a.part, a.role, a.owner, a.host, 1 AS listed, h.outcome,
         CASE WHEN a.host IS NULL THEN 'never_seen' WHEN h.last < :oldest THEN 'silent' ELSE h.verdict END AS state
    FROM asset a LEFT JOIN host h ON h.id = a.host WHERE NOT a.retired
  UNION ALL
  SELECT h.name, '', '', '', h.id, NOT EXISTS (SELECT 1 FROM asset), h.outcome,
         CASE WHEN h.last < :oldest THEN 'silent' ELSE h.verdict END
    FROM host h WHERE NOT EXISTS (SELECT 1 FROM asset a WHERE a.host = h.id)
)
"""


class Due(Struct, frozen=True, kw_only=True):
    """A date of a measure, and on how many hosts products still wait for it; `days_left` is negative once past."""

    measure: str
    milestone: str
    due: str
    days_left: int
    hosts: int


class ProductCount(Struct, frozen=True, kw_only=True):
    """A product, and on how many hosts it is."""

    product: str
    product_id: str
    vendor: str
    verdict: str
    hosts: int


class JudgedBy(Struct, frozen=True):
    """Rules that judged: the beginning of their digest, the day of their last review, the number of hosts."""

    digest: str
    of: str
    hosts: int


class Status(Struct, frozen=True, kw_only=True):
    """The fleet at one moment.

    Attributes:
        as_of: the moment, RFC 3339 in UTC.
        valid_days: a host without an answer for longer is silent.
        members: machines in the list; without one, hosts that ever answered.
        states: how many of them are in each state; adds up to `members`.
        parts: the same for each group of the list.
        unlisted: hosts that answered and are in no list.
        retired: machines of the list that need not answer.
        answered: members with an answer that is young enough.
        wholly_seen: those of them of which everything was seen.
        newest: of all answers, RFC 3339; empty without any.
        oldest: the oldest among the newest answers of the members.
        products: what is still there, the most frequent first.
        due: the dates of measures, the earliest first.
        again: hosts on which a product is back that had been gone.
        new_rules: hosts on which a product was found first by other rules.
        judged_by: the rules behind the newest answers, those of most hosts first.
        old_rules: hosts judged by rules that are older than the newest ones in the fleet.
        old_tools: hosts with a program other than the newest one.
        flags: what a person must check, and on how many hosts.
        protection: how many of `answered` are in each state of protection; those that did not say it are left out.
        unprotected: those of them without anything left to replace, but also without anything that protects them.
    """

    as_of: str
    valid_days: int
    members: int
    states: dict[str, int]
    parts: dict[str, dict[str, int]] = {}
    unlisted: int = 0
    retired: int = 0
    answered: int = 0
    wholly_seen: int = 0
    newest: str = ""
    oldest: str = ""
    products: tuple[ProductCount, ...] = ()
    due: tuple[Due, ...] = ()
    again: int = 0
    new_rules: int = 0
    judged_by: tuple[JudgedBy, ...] = ()
    old_rules: int = 0
    old_tools: int = 0
    flags: dict[str, int] = {}
    protection: dict[str, int] = {}
    unprotected: int = 0


class HostProduct(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A product on a host. `since` is a day; `open` says that no complete answer has shown the host without it."""

    vendor: str
    vendor_id: str
    product: str
    product_id: str
    verdict: str
    state: str
    since: str
    last_seen: str
    origin: str
    measure: str = ""
    milestone: str = ""
    due: str = ""
    versions: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    action: str = ""
    replacement: str = ""


class HostLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A member of the fleet with its state and what is on it."""

    name: str
    state: str
    listed: bool
    group: str = ""
    role: str = ""
    owner: str = ""
    platform: str = ""
    os: str = ""
    serial: str = ""
    last_answer: str = ""
    verdict: str = ""
    rules_of: str = ""
    tool: str = ""
    flags: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    evidence: str = ""  # SHA-256 of the file with the newest answer
    rules: str = ""  # digest of the rules that judged it
    protection: str = ""
    products: tuple[HostProduct, ...] = ()


class Wanted(NamedTuple):
    """Which hosts are asked for; empty asks for all.

    `doubtful` are those that a person must tell apart, `unprotected` those of which a product is gone and that nothing
    protects.
    """

    state: str = ""
    product: str = ""
    vendor: str = ""
    measure: str = ""
    group: str = ""
    user: str = ""
    origin: str = ""
    seen_since: int = 0
    name: str = ""
    doubtful: bool = False
    protection: str = ""
    unprotected: bool = False


class TrendDay(Struct, frozen=True, kw_only=True):
    """The state of the fleet at the end of a day in UTC, or what was counted of it: name → hosts."""

    day: str
    counts: dict[str, int]


class FleetView(Struct, frozen=True, kw_only=True):
    """The published JSON `phaseout-fleet/1`: the fleet in numbers, its hosts, or its days, as was asked."""

    schema: str
    status: Status | None = None
    hosts: tuple[HostLine, ...] | None = None
    days: tuple[TrendDay, ...] | None = None


def status(store: Store, now: dt.datetime, valid: int = VALID) -> Status:
    """The fleet at a moment.

    Args:
        store: the fleet.
        now: the moment.
        valid: days after which a host without an answer is silent.
    """
    at = int(now.timestamp())
    oldest = at - valid * DAY
    parts: dict[str, Counter[str]] = {}
    states: Counter[str] = Counter(dict.fromkeys(STATES, 0))
    answered: Counter[int] = Counter()  # outcome of the newest answer → members that gave it in time
    unlisted = 0
    for part, state, listed, outcome, count in _member_rows(
        store, oldest, "SELECT part, state, listed, outcome, count(*) FROM member GROUP BY outcome, listed, state, part"
    ):
        if not listed:
            unlisted += count
            continue
        states[state] += count
        parts.setdefault(part, Counter(dict.fromkeys(STATES, 0)))[state] += count
        if state not in ("silent", "never_seen"):
            answered[outcome] += count
    newest = _newest_answers(store)
    protection: Counter[str] = Counter()
    for outcome, count in answered.items():
        protection[newest.by_outcome[outcome].protection] += count
    protection.pop("", None)
    return Status(
        as_of=moment(at),
        valid_days=valid,
        members=sum(states.values()),
        states=dict(states),
        parts={part: dict(counts) for part, counts in sorted(parts.items())} if any(parts) else {},
        unlisted=unlisted,
        retired=store.one("SELECT count(*) FROM asset WHERE retired")[0],
        answered=answered.total(),
        wholly_seen=sum(count for outcome, count in answered.items() if newest.by_outcome[outcome].complete),
        newest=moment(newest.last) if newest.by_outcome else "",
        oldest=moment(newest.first) if newest.by_outcome else "",
        products=tuple(_products(store)),
        due=tuple(_due(store, now)),
        again=_origins(store, "again"),
        new_rules=_origins(store, "new_rules"),
        judged_by=_judged_by(newest.by_outcome.values()),
        old_rules=_others(newest.by_outcome.values(), "rules_of"),
        old_tools=_others(newest.by_outcome.values(), "tool"),
        flags=dict(sorted(newest.flags.items())),
        protection=dict(sorted(protection.items(), key=lambda pair: (-pair[1], pair[0]))),
        unprotected=_member_rows(store, oldest, f"SELECT count(*) {_ANSWERED} AND {_LEFT_ALONE}")[0][0]
        if protection.keys() & set(UNPROTECTED)
        else 0,
    )


_ANSWERED = (
    "FROM member m JOIN host h ON h.id = m.host JOIN outcome o ON o.id = h.outcome"
    " WHERE m.listed AND m.state <> 'silent'"
)


class _Given(NamedTuple):
    """An outcome, and how many hosts gave it in their newest answer."""

    rules: str
    rules_of: str
    tool: str
    protection: str
    complete: bool
    hosts: int


class _NewestAnswers(NamedTuple):
    """The newest answers of the hosts that must answer: the first and the last of them, and what they say."""

    first: int
    last: int
    by_outcome: dict[int, _Given]
    flags: Counter[str]


def _newest_answers(store: Store) -> _NewestAnswers:
    outcomes = {row[0]: row[1:] for row in store.rows("SELECT id, rules, tool, protection FROM outcome")}
    found = _NewestAnswers(1 << 40, 0, {}, Counter())
    for outcome, flags, rules_of, complete, hosts, first, last in store.rows(
        "SELECT outcome, flags, rules_of, complete, count(*), min(last), max(last) FROM host"
        f" WHERE id NOT IN ({_RETIRED}) GROUP BY outcome, flags"
    ):
        rules, tool, protection = outcomes[outcome]
        before = found.by_outcome.get(outcome)
        count = hosts + (before.hosts if before else 0)
        found.by_outcome[outcome] = _Given(rules, rules_of, tool, protection, bool(complete), count)
        found.flags.update(dict.fromkeys(flags.split(), hosts))
        found = found._replace(first=min(found.first, first), last=max(found.last, last))
    return found


def _judged_by(given: Collection[_Given]) -> tuple[JudgedBy, ...]:
    """The rules that judged most hosts."""
    of: dict[str, str] = {}
    hosts: Counter[str] = Counter()
    for one in given:
        digest = one.rules[:_DIGEST]
        if digest:
            of[digest] = max(of.get(digest, ""), one.rules_of)
            hosts[digest] += one.hosts
    most = sorted(hosts.items(), key=lambda pair: (-pair[1], pair[0]))[:_RULES]
    return tuple(JudgedBy(digest, of[digest], count) for digest, count in most)


def _others(given: Collection[_Given], field: Literal["rules_of", "tool"]) -> int:
    """How many hosts have another value than the highest; those without one are not counted."""
    highest = max((getattr(one, field) for one in given), default="")
    return sum(one.hosts for one in given if getattr(one, field) not in ("", highest))


def hosts(store: Store, now: dt.datetime, wanted: Wanted, valid: int = VALID) -> Iterator[HostLine]:
    """The members that fit, by name: the list behind every number of `status`."""
    at = int(now.timestamp())
    conditions, values = ["1"], {"oldest": at - valid * DAY}
    if wanted.state == "unlisted":
        conditions.append("NOT m.listed")
    elif wanted.state:
        conditions.append("m.listed AND m.state = :state")
    if wanted.group:
        conditions.append("m.part = :group")
    if wanted.name:
        conditions.append("(m.asset = :name COLLATE NOCASE OR h.name = :name COLLATE NOCASE)")
    if wanted.doubtful:
        conditions.append("h.flags <> ''")
    if wanted.protection:
        conditions.append("m.listed AND m.state <> 'silent' AND o.protection = :protection")
    if wanted.unprotected:
        conditions.append(f"m.listed AND m.state <> 'silent' AND {_LEFT_ALONE}")
    if wanted.seen_since:
        conditions.append("h.last >= :seen_since")
    held = {
        "product": "(s.product_id = :product OR s.product = :product COLLATE NOCASE)",
        "vendor": "(s.vendor_id = :vendor OR s.vendor = :vendor COLLATE NOCASE)",
        "measure": "s.measure = :measure",
        "origin": "d.origin = :origin",
    }
    needed = [condition for field, condition in held.items() if getattr(wanted, field)]
    if needed:
        conditions.append(
            "m.host IN (SELECT d.host FROM held d JOIN subject s ON s.id = d.subject WHERE d.ended IS NULL AND "
            + " AND ".join(needed)
            + ")"
        )
    rows = _member_rows(
        store,
        values.pop("oldest"),
        "SELECT coalesce(nullif(m.asset, ''), h.name), m.state, m.listed, m.part, m.role, m.owner, h.id, h.platform,"
        " h.os, h.serial, h.last, h.verdict, h.rules_of, o.tool, h.flags, o.rules, o.protection"
        " FROM member m LEFT JOIN host h ON h.id = m.host LEFT JOIN outcome o ON o.id = h.outcome"
        f" WHERE {' AND '.join(conditions)} ORDER BY 1, h.id",
        **wanted._asdict(),
    )
    for chunk in _chunks(rows):
        numbers = [row[6] for row in chunk if row[6] is not None]
        newest = newest_of(store, numbers)
        products = _held(store, numbers, newest)
        for row in chunk:
            line = _line(row, newest.get(row[6]), tuple(products.get(row[6], ())))
            if not wanted.user or any(wanted.user in one.users for one in line.products):
                yield line


def _line(row: Any, newest: Newest | None, products: tuple[HostProduct, ...]) -> HostLine:
    return HostLine(
        name=row[0] or "",
        state=row[1],
        listed=bool(row[2]),
        group=row[3],
        role=row[4],
        owner=row[5],
        platform=row[7] or "",
        os=row[8] or "",
        serial=row[9] or "",
        last_answer=moment(row[10]) if row[10] is not None else "",
        verdict=row[11] or "",
        rules_of=row[12] or "",
        tool=row[13] or "",
        flags=tuple((row[14] or "").split()),
        unseen=newest.unseen if newest else (),
        cautions=newest.cautions if newest else (),
        evidence=newest.evidence if newest else "",
        rules=row[15] or "",
        protection=row[16] or "",
        products=products,
    )


def trend(
    store: Store, now: dt.datetime, *, by: Literal["state", "product", "measure", "group"] = "state",
    since: dt.date | None = None, valid: int = VALID,
) -> list[TrendDay]:  # fmt: skip
    """The counts at the end of each day in UTC, until the day of `now`.

    Args:
        store: the fleet.
        now: the last day.
        by: what is counted. A product counts on a host until a complete answer has shown the host without it.
        since: the first day; that of the first answer if left out.
        valid: days for which an answer holds, at least `LEAST_VALID`.
    """
    valid = max(valid, LEAST_VALID)
    last = int(now.timestamp()) // DAY
    stretches = _stretches(store, by, valid * DAY)
    known = Counter(dict(store.rows(f"SELECT first / {DAY}, count(*) FROM host WHERE {_LISTED_HOST} GROUP BY 1")))
    first = min((since for _, since, _ in stretches), default=last)
    names = list(dict.fromkeys([*(STATES[:4] if by == "state" else ()), *sorted({name for name, _, _ in stretches})]))
    changes: dict[int, Counter[str]] = {}
    for (name, since_day, upto_day), count in stretches.items():
        changes.setdefault(since_day, Counter())[name] += count
        changes.setdefault(upto_day, Counter())[name] -= count
    shown = max(first, (since - dt.date(1970, 1, 1)).days) if since else first
    counts: Counter[str] = Counter(dict.fromkeys(names, 0))
    ever = 0
    days = []
    for day in range(first, last + 1):
        counts.update(changes.get(day, {}))
        ever += known[day]
        if day >= shown:
            found = {name: counts[name] for name in names}
            if by == "state":
                found["silent"] = ever - sum(found.values())
            days.append(TrendDay(day=_day(day * DAY), counts=found))
    return days


_LISTED_HOST = (
    "(NOT EXISTS (SELECT 1 FROM asset) OR EXISTS (SELECT 1 FROM asset a WHERE a.host = host.id AND NOT a.retired))"
)


def _stretches(store: Store, by: str, valid: int) -> Counter[tuple[str, int, int]]:
    """Name, the day from which something counts, the day at whose end it no longer does → how often that is."""
    if by == "state":
        return store.counted(
            f"SELECT span.verdict, span.since / {DAY},"
            f" min(coalesce(span.next, 1 << 40), coalesce(span.until, host.last) + :valid) / {DAY}"
            f" FROM span JOIN host ON host.id = span.host WHERE {_LISTED_HOST}",
            {"valid": valid},
        )
    name = {"product": "subject.product", "measure": "subject.measure", "group": "coalesce(asset.part, '')"}[by]
    also = "LEFT JOIN asset ON asset.host = host.id AND NOT asset.retired" if by == "group" else ""
    group = "GROUP BY held.host, held.since" if by == "group" else ""
    return store.counted(
        f"SELECT {name}, held.since / {DAY}, min(coalesce(held.ended, 1 << 40), host.last + :valid) / {DAY} FROM held"
        f" JOIN host ON host.id = held.host JOIN subject ON subject.id = held.subject {also}"
        f" WHERE subject.verdict IN ('replace', 'review') AND {_LISTED_HOST} {group}",
        {"valid": valid},
    )


def _member_rows(store: Store, oldest: int, query: str, **values: Any) -> list[Any]:
    return store.rows(_MEMBER + query, {"oldest": oldest, **values})


def _products(store: Store) -> Iterator[ProductCount]:
    for product, product_id, vendor, verdict, count in store.rows(
        "SELECT s.product, s.product_id, s.vendor, s.verdict, count(DISTINCT d.host) AS hosts FROM held d"
        f" JOIN subject s ON s.id = d.subject WHERE d.ended IS NULL AND d.host NOT IN ({_RETIRED})"
        " AND s.verdict IN ('replace', 'review')"
        " GROUP BY 1, 2, 3, 4 ORDER BY hosts DESC, 1"
    ):
        yield ProductCount(product=product, product_id=product_id, vendor=vendor, verdict=verdict, hosts=count)


def _due(store: Store, now: dt.datetime) -> Iterator[Due]:
    for measure, milestone, due, count in store.rows(
        "SELECT s.measure, s.milestone, s.due, count(DISTINCT d.host) FROM held d JOIN subject s ON s.id = d.subject"
        f" WHERE d.ended IS NULL AND d.host NOT IN ({_RETIRED})"
        " AND s.verdict IN ('replace', 'review') AND s.due <> '' GROUP BY 1, 2, 3 ORDER BY 3, 1"
    ):
        try:
            left = (dt.date.fromisoformat(due) - now.date()).days
        except ValueError:
            continue
        yield Due(measure=measure, milestone=milestone, due=due, days_left=left, hosts=count)


def _origins(store: Store, origin: str) -> int:
    query = f"SELECT count(DISTINCT host) FROM held WHERE ended IS NULL AND origin = ? AND host NOT IN ({_RETIRED})"
    found = store.one(query, origin)
    return int(found[0])


def _held(store: Store, hosts: list[int], newest: dict[int, Newest]) -> dict[int, list[HostProduct]]:
    """What is still on each of some hosts."""
    found: dict[int, list[HostProduct]] = {}
    for row in store.among(
        "SELECT d.host, d.subject, s.vendor, s.vendor_id, s.product, s.product_id, s.verdict, s.state, d.first,"
        " coalesce(d.until, h.last), d.origin, s.measure, s.milestone, s.due FROM held d"
        " JOIN subject s ON s.id = d.subject JOIN host h ON h.id = d.host"
        " WHERE d.ended IS NULL AND d.host IN (*) ORDER BY s.product",
        hosts,
    ):
        detail = newest[row[0]].details[row[1]]
        one = HostProduct(
            vendor=row[2], vendor_id=row[3], product=row[4], product_id=row[5], verdict=row[6], state=row[7],
            since=_day(row[8]), last_seen=moment(row[9]), origin=row[10], measure=row[11], milestone=row[12],
            due=row[13], versions=detail.versions, users=detail.users, paths=detail.paths, action=detail.action,
            replacement=detail.replacement,
        )  # fmt: skip
        found.setdefault(row[0], []).append(one)
    return found


def _chunks(rows: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


def moment(at: int) -> str:
    """Seconds since 1970 as RFC 3339 in UTC."""
    return f"{(_BEGIN + dt.timedelta(seconds=at)).isoformat()}Z"


def _day(at: int) -> str:
    return (_EPOCH + dt.timedelta(at // DAY)).isoformat()
