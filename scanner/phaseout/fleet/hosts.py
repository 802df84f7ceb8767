"""Keeps the answers of hosts in the store: tracks, the machines that they form, and the history of each.

References:
    `phaseout.fleet.machines`, `phaseout.fleet.history`
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from phaseout.fleet.history import Facts, history, outcomes_of, packed, runs_of, unpacked
from phaseout.fleet.machines import Flag, Track, flags_alone, machines, new_track, track_key
from phaseout.fleet.nouns import Answer, Detail, Outcome, Subject
from phaseout.fleet.store import Store
from phaseout.model.nouns import Identity, IdentityKind, Inventory
from phaseout.parsers.encodings.identity import comparable

_SUBJECT = tuple(field.name for field in msgspec.structs.fields(Subject))


class _Newest(Struct, array_like=True, order=True):
    """What is kept of the newest answer of a track. Ordered, so that of two at one moment always the same counts."""

    at: int
    rank: tuple[int, str, bytes]
    name: str
    os: str
    outcome: int
    unseen: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    ahead: bool = False
    digest: bytes = b""


class _Shown(Struct, frozen=True, array_like=True, order=True):
    """How a subject showed when it was seen last."""

    at: int
    form: int
    detail: Detail


class _Kept(Struct, frozen=True, array_like=True):
    """An outcome in the store: its subjects by number."""

    form: int
    rules_of: str
    verdict: str
    complete: bool
    rules: str
    tool: str
    subjects: tuple[int, ...]
    protection: str = ""


_ENCODE = msgspec.msgpack.Encoder().encode
_LINK = "INSERT OR IGNORE INTO link VALUES (?, ?)"
_TRACK = "INSERT OR REPLACE INTO track VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_HOST = "INSERT INTO host VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SPAN = "INSERT INTO span VALUES (?, ?, ?, ?, ?, ?)"
_HELD = "INSERT INTO held VALUES (?, ?, ?, ?, ?, ?, ?)"
_INSERTS = (_LINK, _TRACK, _HOST, _SPAN, _HELD)
_IDENTITY = msgspec.msgpack.Decoder(tuple[tuple[IdentityKind, Any], ...])
_NEWEST = msgspec.msgpack.Decoder(_Newest)
_SHOWN = msgspec.msgpack.Decoder(dict[int, _Shown])
_RUNS = msgspec.msgpack.Decoder(list[tuple[int, int]])
_KEPT = msgspec.msgpack.Decoder(_Kept)
_NOTHING_SHOWN = _ENCODE({})
_Key = TypeVar("_Key", int, Subject)


class _Log:
    """The answers of one track, with those that are being added."""

    id = 0
    host = 0
    old: Sequence[tuple[int, int]] = ()  # what the store holds, sorted
    moments: Sequence[tuple[int, int]] = ()  # that and what is new, sorted; once all are known
    newest: _Newest | None = None
    outcome: Outcome | None = None  # of the newest that is being added

    def __init__(self, key: str, name: str, platform: str, identity: Sequence[Identity], words: Sequence[str]) -> None:
        self.key = key
        self.name = name
        self.platform = platform
        self.identity = identity
        self.words = words  # the same in a comparable form
        named, ids = _number(f"name:{name.casefold()}"), [_number(word) for word in words]
        lone = _lone(named)
        self.links = (*ids, named) if ids else (lone,)  # by which it is found
        self.reach = (*ids, lone) if ids else (lone, named)  # by which it finds others
        self.new: set[tuple[int, int]] = set()
        self.shown: dict[int, _Shown] = {}
        self.shows: dict[Subject, _Shown] = {}  # in what is being added
        self.inventories: list[tuple[int, bytes, Inventory]] = []

    def holds(self, moment: tuple[int, int]) -> bool:
        """Whether it is there already."""
        if moment in self.new:
            return True
        at = bisect_left(self.old, moment)
        return at < len(self.old) and self.old[at] == moment

    def settle(self) -> None:
        """No answer comes any more."""
        self.moments = sorted([*self.old, *self.new]) if self.old else sorted(self.new)

    def spell(self, identity: Sequence[Identity]) -> None:
        """Of two spellings of the same identities always the same is kept, whichever came first."""
        if identity != self.identity:
            self.identity = min(self.identity, identity, key=lambda one: [(each.kind, each.value) for each in one])
            self.words = list(map(comparable, self.identity))

    def keep(self, kept: Sequence[bytes]) -> None:
        """Takes over what the store knows: times, runs, newest and shown."""
        times, runs, newest, shown = kept
        self.old = list(zip(unpacked(times), outcomes_of(_RUNS.decode(runs)), strict=True))
        before = _NEWEST.decode(newest)
        self.newest = max(before, self.newest) if self.newest else before
        for subject, one in _SHOWN.decode(shown).items():
            _show(self.shown, subject, one)


class Moment(NamedTuple):
    """An answer that was taken, in the track to which it belongs."""

    log: _Log
    at: int
    outcome: Outcome


class Hosts:
    """The hosts of a store while answers are added to it.

    `take` needs no step of the store, so that others can write while files are read; the rest belongs into one.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._logs: dict[str, _Log] = {}
        self._known: dict[int, _Log] = {}
        self._ranks: dict[Outcome, tuple[Outcome, tuple[int, str, bytes]]] = {}
        self._outcomes: dict[Outcome, int] = {}
        self._subjects: dict[Subject, int] = {}
        self._facts: dict[int, Facts] = {}
        self._rows: dict[str, list[tuple[Any, ...]]] = {statement: [] for statement in _INSERTS}

    def take(self, answer: Answer, digest: bytes, inventory: Inventory | None = None) -> Moment:
        """Takes an answer.

        Args:
            answer: what a host said.
            digest: of the file that it stood in.
            inventory: what it was judged from, if it was.
        """
        words = [comparable(one) for one in answer.identity]
        key = track_key(answer.name, answer.platform, words)
        log = self._logs.get(key)
        if log is None:
            log = self._logs[key] = _Log(key, answer.name, answer.platform, answer.identity, words)
        else:
            log.spell(answer.identity)
        outcome, rank = self._ranks.get(answer.outcome) or self._ranked(answer.outcome)
        newest = _Newest(
            answer.at, rank, answer.name, answer.os, 0, answer.unseen, answer.cautions, answer.ahead, digest
        )
        if log.newest is None or log.newest < newest:
            log.newest, log.outcome = newest, outcome
        for subject, detail in zip(outcome.subjects, answer.details, strict=True):
            _show(log.shows, subject, _Shown(answer.at, outcome.form, detail))
        if inventory is not None:
            log.inventories.append((answer.at, digest, inventory))
        return Moment(log, answer.at, outcome)

    def load(self) -> None:
        """Gives numbers to what was taken, and reads what the store knows of its tracks."""
        for log in self._logs.values():
            if log.newest and log.outcome:
                log.newest.outcome = self._outcome(log.outcome)
            for subject, one in log.shows.items():
                log.shown[self._subject(subject)] = one
        found = {number for _, number in self._linked([log.links[0] for log in self._logs.values()])}
        for number, host, name, platform, pairs, *kept in self._store.among(
            "SELECT id, host, name, platform, identity, times, runs, newest, shown FROM track WHERE id IN (*)",
            list(found),
        ):
            identity = _identity(pairs)
            taken = self._logs.get(track_key(name, platform, map(comparable, identity)))
            if taken is None:
                continue
            taken.id, taken.host = number, host
            taken.spell(identity)
            taken.keep(kept)

    def is_new(self, moment: Moment) -> bool:
        """Whether the store does not hold the answer yet; from then on it counts as held."""
        log, at, outcome = moment
        one = at, self._outcome(outcome)
        if log.holds(one):
            return False
        log.new.add(one)
        return True

    def write(self) -> set[int]:
        """Writes the tracks, the machines that they form, and the history of these.

        Returns:
            The numbers of the hosts that were written or are no more.
        """
        free = self._store.one("SELECT coalesce(max(id), 0) FROM track")[0] + 1
        for log in self._logs.values():
            if not log.id:
                log.id = free
                free += 1
                self._rows[_LINK] += [(value, log.id) for value in log.links]
            log.settle()
            self._known[log.id] = log
        self._rows[_LINK].sort()  # neighbours stand on one page
        clusters, lone = self._clusters()
        self._flush(_LINK)
        touched = {log.host for log in self._known.values() if log.host}
        self._drop(touched)
        for log in lone:
            self._write_host(flags_alone(identified=bool(log.words)), [log])
            self._write_track(log)
        for cluster in clusters:
            tracks = {track.key: log for log in cluster for track in [_track(log)]}
            for machine in machines(map(_track, cluster)):
                own = [tracks[one.key] for one in machine.tracks]
                self._write_host(machine.flags, own)
                for part in own:
                    self._write_track(part)
        touched.update([log.host for log in self._known.values()])
        for statement in _INSERTS:
            self._flush(statement)
        if any(log.inventories for log in self._logs.values()):
            self._keep_inventories()
        return touched

    def _keep_inventories(self) -> None:
        from phaseout.fleet.kept import Keeping  # needs the rules; no other command of the fleet loads them

        keeping = Keeping(self._store)
        for log in self._logs.values():
            for at, digest, inventory in log.inventories:
                keeping.keep(log.id, at, inventory, digest)

    def _write_track(self, log: _Log) -> None:
        moments = log.moments
        self._rows[_TRACK].append(
            (
                log.id, log.host, log.newest.name if log.newest else log.name, log.platform,
                _ENCODE([(one.kind, short(one.value)) for one in log.identity]),
                moments[0][0], moments[-1][0],
                packed([at for at, _ in moments]), _ENCODE(runs_of([outcome for _, outcome in moments])),
                _ENCODE(log.newest), _ENCODE(log.shown),
            )
        )  # fmt: skip

    def _flush(self, statement: str) -> None:
        self._store.write_many(statement, self._rows[statement])
        self._rows[statement] = []

    def _clusters(self) -> tuple[list[list[_Log]], list[_Log]]:
        """All tracks that share an identity, or a name that is all they have, with those that are being added.

        Those of the store that belong to them are read.

        Returns:
            The clusters, and the tracks that stand alone.
        """
        asked = set().union(*[log.reach for log in self._known.values()])
        links = [*self._rows[_LINK], *self._linked(asked)]  # of the tracks that are being added, and of stored ones
        owner = dict(links)  # a link → the last track that has it
        shared = {value for value, number in links if owner[value] != number}
        lone: list[_Log] = []
        waiting: list[int] = []
        for number, log in self._known.items():
            # The last link by which a track finds others is never one by which it is found.
            alone = log.reach[-1] not in owner and shared.isdisjoint(log.reach)
            if alone:
                lone.append(log)
            else:
                waiting.append(number)
        if not waiting:
            return [], lone
        having: dict[int, list[int]] = {}
        for value, number in links:
            having.setdefault(value, []).append(number)
        group: dict[int, int] = {}

        def root(one: int) -> int:
            while group[one] != one:
                group[one] = group[group[one]]
                one = group[one]
            return one

        while waiting:
            group.update((number, number) for number in waiting)
            found = {
                other for number in waiting for value in self._known[number].reach for other in having.get(value, ())
            }
            waiting = [number for number in found if number not in group]
            self._read([number for number in waiting if number not in self._known])
            more = {value for number in waiting for value in self._known[number].reach} - asked
            asked |= more
            for value, number in self._linked(more):
                having.setdefault(value, []).append(number)
        for number in list(group):
            for value in self._known[number].reach:
                for other in having.get(value, ()):
                    group[root(other)] = root(number)
        clusters: dict[int, list[_Log]] = {}
        for number in group:
            clusters.setdefault(root(number), []).append(self._known[number])
        return list(clusters.values()), [log for log in lone if log.id not in group]

    def _linked(self, values: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Link and track of every link in the store that is among the values."""
        yield from self._store.among("SELECT value, track FROM link WHERE value IN (*)", values)

    def _read(self, numbers: Sequence[int]) -> None:
        """Reads tracks that are not being added to."""
        for number, host, name, platform, identity, *kept in self._store.among(
            "SELECT id, host, name, platform, identity, times, runs, newest, shown FROM track WHERE id IN (*)", numbers
        ):
            ids = _identity(identity)
            words = tuple(map(comparable, ids))
            log = self._known[number] = _Log(track_key(name, platform, words), name, platform, ids, words)
            log.id, log.host = number, host
            log.keep(kept)
            log.settle()

    def _drop(self, hosts: Collection[int]) -> None:
        for table, column in (("host", "id"), ("span", "host"), ("held", "host")):
            self._store.write_many(f"DELETE FROM {table} WHERE {column} = ?", [(one,) for one in hosts])

    def _write_host(self, flags: Sequence[Flag], logs: Sequence[_Log]) -> None:
        """Writes a host, which has the number of its first track, and its history."""
        host = logs[0].id
        moments = logs[0].moments if len(logs) == 1 else sorted([one for log in logs for one in log.moments])
        for _, outcome in moments:
            if outcome not in self._facts:
                self._facts_of(outcome)
        past = history(moments, self._facts)
        newest = max([log.newest for log in logs if log.newest])
        first, last = moments[0][0], moments[-1][0]
        serial = uuid = platform = ""
        for log in logs:
            platform = platform or log.platform
            for shown, word in zip(log.identity, log.words, strict=True):
                if shown.kind == "serial":
                    serial = shown.value
                elif shown.kind == "smbios_uuid":
                    uuid = word.partition(":")[2]
        facts = self._facts[newest.outcome]
        words: list[str] = [*flags]
        if past.contradicts:
            words.append("contradicts")
        if newest.ahead:
            words.append("clock_ahead")
        self._rows[_HOST].append(
            (
                host, newest.name, platform, newest.os, serial, uuid, first, last, facts.verdict, facts.complete,
                newest.outcome, facts.rank[1], " ".join(words),
            )
        )  # fmt: skip
        after = None
        for one in reversed(past.spans):
            until = None if one.until == last else one.until
            self._rows[_SPAN].append((host, one.since, until, after, one.verdict, one.outcome))
            after = one.since
        for held in past.held:
            until = None if held.until == last else held.until
            self._rows[_HELD].append((host, held.subject, held.since, until, held.ended, held.first, held.origin))
        for log in logs:
            log.host = host

    def _outcome(self, outcome: Outcome) -> int:
        """Its number in the store."""
        known = self._outcomes.get(outcome)
        if known is None:
            subjects = tuple(self._subject(one) for one in outcome.subjects)
            data = _ENCODE(
                _Kept(
                    outcome.form,
                    outcome.rules_of,
                    outcome.verdict,
                    outcome.complete,
                    outcome.rules,
                    outcome.tool,
                    subjects,
                    outcome.protection,
                )
            )
            row = self._store.one("SELECT id FROM outcome WHERE data = ?", data)
            insert = "INSERT INTO outcome (data, rules, tool, protection) VALUES (?, ?, ?, ?)"
            values = data, outcome.rules, outcome.tool, outcome.protection
            known = row[0] if row else self._store.write(insert, *values)
            self._outcomes[outcome] = known
        return known

    def _ranked(self, outcome: Outcome) -> tuple[Outcome, tuple[int, str, bytes]]:
        """One object for all equal outcomes, and its rank."""
        rank = _rank(outcome, [msgspec.structs.astuple(one) for one in outcome.subjects])
        found = self._ranks[outcome] = outcome, rank
        return found

    def _subject(self, subject: Subject) -> int:
        known = self._subjects.get(subject)
        if known is None:
            values = msgspec.structs.astuple(subject)
            where = " AND ".join(f"{name} = ?" for name in _SUBJECT)
            row = self._store.one(f"SELECT id FROM subject WHERE {where}", *values)
            marks = ", ".join("?" * len(_SUBJECT))
            insert = f"INSERT INTO subject ({', '.join(_SUBJECT)}) VALUES ({marks})"
            known = row[0] if row else self._store.write(insert, *values)
            self._subjects[subject] = known
        return known

    def _facts_of(self, outcome: int) -> Facts:
        known = self._facts.get(outcome)
        if known is None:
            kept = _KEPT.decode(self._store.one("SELECT data FROM outcome WHERE id = ?", outcome)[0])
            names = ", ".join(_SUBJECT)
            rows = self._store.among(f"SELECT id, {names} FROM subject WHERE id IN (*)", kept.subjects)
            subjects = {row[0]: row[1:] for row in rows}
            rank = _rank(kept, list(subjects.values()))
            by_product = {subjects[one][0]: one for one in kept.subjects}
            known = Facts(rank, kept.verdict, kept.complete, kept.rules, kept.tool, by_product)
            self._facts[outcome] = known
        return known


def _rank(one: Outcome | _Kept, subjects: Sequence[tuple[Any, ...]]) -> tuple[int, str, bytes]:
    """Orders the outcomes of one moment by nothing but what they say."""
    content = _ENCODE((one.verdict, one.complete, one.rules, one.tool, sorted(subjects), one.protection))
    return one.form, one.rules_of, blake2b(content, digest_size=8).digest()


def _show(shown: dict[_Key, _Shown], subject: _Key, one: _Shown) -> None:
    known = shown.get(subject)
    if known is None or known < one:
        shown[subject] = one


def _identity(data: bytes) -> list[Identity]:
    """The identities of a track, as the store has them."""
    return [
        Identity(kind, value if isinstance(value, str) else spelled(value)) for kind, value in _IDENTITY.decode(data)
    ]


def short(value: str) -> str | bytes:
    """An identity in half the room, if it is a number in hexadecimal digits that `spelled` writes in the same way."""
    if len(value) not in {32, 36}:
        return value
    try:
        number = bytes.fromhex(value.replace("-", ""))
    except ValueError:
        return value
    kept = number if len(value) == 32 else b"-" + number
    return kept if len(number) == 16 and spelled(kept) == value else value


def spelled(number: bytes) -> str:
    """16 bytes in hexadecimal digits; with the hyphens of a UUID if one stands before them."""
    digits = number[-16:].hex()
    if len(number) == 16:
        return digits
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _track(log: _Log) -> Track:
    words = ((one.kind, word) for one, word in zip(log.identity, log.words, strict=True))
    return new_track(log.key, log.name, log.platform, words, log.moments[0][0], log.moments[-1][0])


class Newest(NamedTuple):
    """What the newest answer of a host says beyond what is asked of all hosts, and how its products showed last."""

    unseen: tuple[str, ...]
    cautions: tuple[str, ...]
    evidence: str
    details: dict[int, Detail]


def newest_of(store: Store, hosts: Sequence[int]) -> dict[int, Newest]:
    """The newest answer of each of some hosts; its details by the number of the subject."""
    newest: dict[int, _Newest] = {}
    shown: dict[int, dict[int, _Shown]] = {}
    for host, kept, details in store.among("SELECT host, newest, shown FROM track WHERE host IN (*)", hosts):
        one = _NEWEST.decode(kept)
        before = newest.get(host)
        if before is None or before < one:
            newest[host] = one
        if details != _NOTHING_SHOWN:
            own = shown.setdefault(host, {})
            for subject, detail in _SHOWN.decode(details).items():
                _show(own, subject, detail)
    details_of = {host: {key: one.detail for key, one in own.items()} for host, own in shown.items()}
    return {
        host: Newest(last.unseen, last.cautions, last.digest.hex(), details_of.get(host, {}))
        for host, last in newest.items()
    }


def hosts_of(store: Store, words: Sequence[str]) -> dict[str, set[int]]:
    """The hosts that show an identity or have a name.

    Args:
        store: where they are.
        words: identities as `comparable` gives them, or `name:` with a name in small letters.
    """
    found: dict[str, set[int]] = {}
    by_number: dict[int, str] = {}
    for word in words:
        by_number[_number(word)] = word
        if word.startswith("name:"):
            by_number[_lone(_number(word))] = word
    query = "SELECT value, host FROM link JOIN track ON track.id = link.track WHERE value IN (*)"
    for value, host in store.among(query, by_number):
        found.setdefault(by_number[value], set()).add(host)
    return found


def _lone(named: int) -> int:
    """The link of a name that is all that a track has, made of the link of the name."""
    return named ^ 1


def _number(link: str) -> int:
    return int.from_bytes(blake2b(link.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 1
