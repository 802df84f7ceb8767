"""Supervises the look at a host: starts the worker, holds its budgets, and makes the inventory of what it sends.

The worker starts before anything heavy is loaded, so that the rules are read while it looks, and sends every item as
soon as it has it. A source that exceeds its time, or takes the worker with it, is marked so; what it had sent is kept,
and a new worker goes on with the rest.
"""

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from phaseout.model.nouns import INVENTORY_SCHEMA, HostInfo, Inventory, Item, Problem, SourceRun, Unseen
from phaseout.scan.messages import Closed, Ended, Found, Message, Opened, Planned, Refused, Request, Started
from phaseout.scan.worker import UNWANTED
from phaseout.scan.worker_process import FORKS, Forked, Spawned

SOURCE_SECONDS = 30.0
WHOLE_SECONDS = 120.0
SOURCE_CPU_SECONDS = 20.0
WHOLE_CPU_SECONDS = 60.0
_OPENING_SECONDS = 30.0  # for starting the worker and opening the host
_TICK = 0.25  # seconds between two calls of `progress`
# Seconds between two looks at what the worker uses; most scans are over before the first. macOS bounds no memory.
_LOOK = 0.25 if sys.platform == "darwin" else 2.0
_ROOM = 128 << 20  # bytes of messages; what they become takes four times that
MEMORY = 2 << 30  # bytes of address space for the worker


class CannotLookError(Exception):
    """The host cannot be opened, or there is no such source; the text says which."""


class Look:
    """A look at a host that is under way. Make it first, do other work, then ask for the inventory.

    Args:
        request: what is looked at.
        whole: seconds for all sources together.
        each: seconds for one source.
        cpu: seconds that one source may compute. All together may compute half of `whole`, and a minute at least.
        memory: bytes of address space for the worker (on Windows and macOS: of memory).
        fork: whether the worker is a fork; else it is a new interpreter.
        progress: called at least every quarter of a second while the look goes on, with how many sources have run,
            how many will, and the title of the one that runs.
    """

    def __init__(
        self,
        request: Request,
        *,
        whole: float = WHOLE_SECONDS,
        each: float = SOURCE_SECONDS,
        cpu: float = SOURCE_CPU_SECONDS,
        memory: int = MEMORY,
        fork: bool = FORKS,
        progress: Callable[[int, int, str], None] | None = None,
    ) -> None:
        self._request = request
        self._progress = progress
        self._memory = memory
        self._kind = Forked if fork else Spawned
        self._each = each
        self._end = time.monotonic() + whole
        self._cpu = cpu
        self._whole_cpu = max(whole / 2, WHOLE_CPU_SECONDS)  # what is left of it
        self._room = _ROOM  # and of this
        self._host: HostInfo | None = None
        self._opening: tuple[Problem, ...] = ()
        self._planned: dict[str, Planned] = {}
        self._runs: dict[str, SourceRun] = {}
        self._items: list[Item] = []
        self._current = ""
        self._since = 0.0
        self._computed = 0.0  # seconds, by the worker, as of the last look at its clock
        self._cpu_began: float | None = None  # what it had computed when the source began
        self._looked = 0.0
        self._peak_memory = 0
        self.interrupted = False
        self._worker: Forked | Spawned = self._kind(request, memory, whole)

    def inventory(self, *, scanned_at: str, tool: str) -> Inventory:
        """Everything that the sources saw, sorted, so that the same host gives the same inventory.

        Args:
            scanned_at: the moment to put into it, RFC 3339 in UTC.
            tool: name and version to put into it.

        Raises:
            CannotLookError: there is nothing to look at.
        """
        try:
            with _sigterm_as_interrupt():
                self._supervise()
        except KeyboardInterrupt:
            self.interrupted = True
            self._give_up("interrupted")
        finally:
            self.abandon()
        if self._host is None:
            raise CannotLookError("the worker ended before it had opened the host")
        self._items.sort(
            key=lambda item: (item.kind, item.name, item.version, item.path, item.user, item.source, item.command)
        )
        return Inventory(
            schema=INVENTORY_SCHEMA,
            tool=tool,
            scanned_at=scanned_at,
            host=self._host,
            items=tuple(self._items),
            runs=tuple(self._runs[name] for name in self._planned if name in self._runs),
            peak_memory=self._peak_memory,
            unseen=tuple(_unseen(self._opening, self._runs, tuple(self._planned.values()))),
        )

    def abandon(self) -> None:
        """Ends the worker, wherever it is."""
        self._worker.kill()

    def _supervise(self) -> None:
        while True:
            began = len(self._runs)
            how = self._listen(self._worker)
            if how is None:
                return
            self._worker.kill()
            self._whole_cpu -= self._computed
            self._room -= self._worker.received
            status, reason = how
            if self._current:
                self._lose(status, reason)
            elif len(self._runs) == began:  # it did not even come to its first source: nor would the next
                self._give_up(reason)
                return
            if time.monotonic() >= self._end or self._whole_cpu <= 0:
                self._give_up("no time left: the whole look has a limit, see --timeout")
                return
            if self._room <= 0:
                self._give_up("no room left: all sources together may give so much")
                return
            if all(name in self._runs for name in self._planned):
                return
            rest = msgspec.structs.replace(self._request, done=tuple(self._runs), items=len(self._items))
            self._worker = self._kind(rest, self._memory, self._end - time.monotonic())

    def _listen(self, worker: Forked | Spawned) -> tuple[str, str] | None:
        """Takes messages to the end; status and reason where a source did not come to its own."""
        self._began()
        self._looked, self._computed = time.monotonic(), 0.0
        while True:
            if self._progress is not None:
                title = self._planned[self._current].title if self._current in self._planned else ""
                self._progress(len(self._runs), len(self._planned), title)
            messages = worker.receive(min(_TICK, self._limit() - time.monotonic()))
            if messages == []:
                done = bool(self._planned) and all(name in self._runs for name in self._planned)
                return None if done else ("failed", worker.death())
            for message in messages or ():
                self._take(message)
            exceeded = self._exceeded(worker)
            if exceeded:
                return exceeded

    def _began(self) -> None:
        """The clocks of a source, of opening the host, or of what lies between two sources begin."""
        self._since = time.monotonic()
        self._cpu_began = None

    def _limit(self) -> float:
        """When what goes on must have come to its end."""
        return min(self._since + (self._each if self._current else _OPENING_SECONDS), self._end)

    def _exceeded(self, worker: Forked | Spawned) -> tuple[str, str] | None:
        """Status and reason of what goes on if it has exceeded a budget."""
        now = time.monotonic()
        if worker.received > self._room:
            return "failed", f"ended: all sources together have given more than {_ROOM >> 20} MiB"
        if now >= self._limit():
            whose = f"a source may take {self._each:g} s" if self._current else "that is no source's time"
            if now >= self._end:
                whose = "the whole look has a limit, see --timeout"
            return "timeout", f"ended after {now - self._since:.0f} s: {whose}"
        if now - self._looked < min(_LOOK, self._cpu / 4):
            return None
        self._looked = now
        computed, memory = worker.used()
        self._computed = max(computed, self._computed)
        if self._cpu_began is None:
            self._cpu_began = max(self._computed - (now - self._since), 0.0)  # nobody looked then: this at least
        if memory > self._memory:
            return "failed", f"ended with {memory >> 20} MiB: the worker may hold {self._memory >> 20}"
        used = self._computed - self._cpu_began
        if used > self._cpu and self._current:
            return "timeout", f"ended after {used:.0f} s of CPU: a source may compute {self._cpu:g} s"
        if self._computed > self._whole_cpu:
            return "timeout", "ended: all sources together have computed as long as they may, see --timeout"
        return None

    def _take(self, message: Message) -> None:
        if isinstance(message, Found):
            self._items.append(message.item)
        elif isinstance(message, Started):
            self._current = message.source
            self._began()
        elif isinstance(message, Ended):
            self._runs[message.run.source] = message.run
            self._current = ""
            self._began()
        elif isinstance(message, Opened):
            if self._host is None:
                self._host, self._opening = message.host, message.problems
                self._planned = {planned.name: planned for planned in message.planned}
        elif isinstance(message, Closed):
            self._peak_memory = max(self._peak_memory, message.peak_memory)
        elif isinstance(message, Refused):
            raise CannotLookError(message.why)

    def _lose(self, status: str, reason: str) -> None:
        """Marks the source that was running."""
        items = sum(item.source == self._current for item in self._items)
        self._runs[self._current] = SourceRun(
            source=self._current,
            status="timeout" if status == "timeout" else "failed",
            reason=reason,
            rows=items,
            items=items,
            seconds=round(time.monotonic() - self._since, 6),
        )
        self._current = ""

    def _give_up(self, reason: str) -> None:
        """Marks everything that has not run."""
        if self._current:
            self._lose("failed", reason)
        for name in self._planned:
            self._runs.setdefault(name, SourceRun(source=name, status="failed", reason=reason))


@contextlib.contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Within it, the signal by which service managers end a job leads to a partial report, as Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread: whoever runs us there handles signals himself
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _unseen(opening: Sequence[Problem], runs: dict[str, SourceRun], planned: Sequence[Planned]) -> Iterator[Unseen]:
    """What the runs did not see. What a host cannot have (an offline root no processes) is not unseen."""
    if opening:
        yield Unseen("Users and operating system", _summary(opening), _remedy(opening))
    for source in planned:
        run = runs.get(source.name)
        if run is None or run.status in {"failed", "timeout"}:
            reason = run.reason if run else "it never ran"
            yield Unseen(source.title, reason, source=source.name, kinds=source.kinds)
        elif run.reason == UNWANTED:
            yield Unseen(source.title, UNWANTED, "leave out --source and --skip-source", source.name, source.kinds)
        elif run.status == "partial":
            named = [problem for problem in run.problems if problem.cause == "unsupported"]
            for one in named:  # places that no source reads: each is named by itself
                yield Unseen(one.where, one.why, one.remedy, source.name, source.kinds)
            others = [problem for problem in run.problems if problem.cause != "unsupported"]
            if others:
                yield Unseen(source.title, _summary(others), _remedy(others), source.name, source.kinds)


def _summary(problems: Sequence[Problem]) -> str:
    first = problems[0]
    more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
    return f"{first.where}: {first.why}{more}"


def _remedy(problems: Sequence[Problem]) -> str:
    own = next((problem.remedy for problem in problems if problem.remedy), "")
    if own:
        return own
    if any("guarded by macOS" in problem.why for problem in problems):
        return "give the program that starts phaseout Full Disk Access (System Settings > Privacy & Security)"
    if any("permission denied" in problem.why for problem in problems):
        return "run as administrator" if sys.platform == "win32" else "run as root"
    return ""
