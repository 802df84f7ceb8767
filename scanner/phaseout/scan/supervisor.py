"""Supervises a scan: starts the worker, holds its budgets, and makes the inventory of what it sends.

The worker starts before anything heavy is loaded, so that the rules are read meanwhile, and sends every item at once. A
source that exceeds its time, or takes the worker with it, is marked so; what it had sent is kept, and a new worker
continues with the rest.
"""

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from phaseout.host.account import current_account
from phaseout.model.nouns import (
    INVENTORY_SCHEMA,
    Cause,
    HostInfo,
    Inventory,
    Item,
    Platform,
    Problem,
    SourceRun,
    Unseen,
)
from phaseout.model.recording import ALL_SOFTWARE, RESULTS, SharedTexts, in_order, nothing_shown, unseen_parts
from phaseout.scan.messages import Closed, Ended, Found, Message, Opened, Planned, Refused, Request, Several, Started
from phaseout.scan.worker import UNWANTED
from phaseout.scan.worker_process import FORKS, Forked, PreparedWorker, Spawned
from phaseout.sources import FLOOR

SOURCE_SECONDS = 30.0
WHOLE_SECONDS = 120.0
SOURCE_CPU_SECONDS = 20.0
WHOLE_CPU_SECONDS = 60.0
_OPENING_SECONDS = 30.0  # for starting the worker and opening the host
_TICK = 0.25  # seconds between two calls of `progress`
# Seconds between two checks of what the worker uses; most scans end before the first. macOS enforces no memory limit.
_USAGE_INTERVAL = 0.25 if sys.platform == "darwin" else 2.0
_RESULTS = 2 * RESULTS  # bytes of messages: the worker itself stops its sources at less
_ITEM = 512  # bytes that an item takes beside what its message does
MEMORY = 2 << 30  # bytes of address space for the worker
_WHOLE = "the time limit of the whole scan (--timeout) was reached"
REMEDIES: dict[Cause, str] = {
    "permission": "run as administrator" if sys.platform == "win32" else "run as root",
    "guarded": "give the program that starts phaseout Full Disk Access (System Settings > Privacy & Security)",
    "mount": "scan the machine that holds it, or a copy of it with --root",
    "cloud": "keep the files on this machine, then scan again",
    "limit": "check this place by hand: it holds more than phaseout reads",
    "vanished": "scan again while nothing is installed or removed",
    "missing": "find out where it went, or mount the disk that holds it",
    "damaged": "repair it or restore it from a backup, then scan again",
    "unsupported": "check this place by hand",
    "error": "scan again; if it stays, check the disk",
}

_Loss = Literal["failed", "timeout"]


class ScanError(Exception):
    """The host cannot be opened, or there is no such source; the text says which."""


class SeveralHostsError(Exception):
    """The image holds several hosts; each of `images` names one, to be scanned by itself."""

    def __init__(self, images: tuple[str, ...]) -> None:
        super().__init__()
        self.images = images


class ScanSupervisor:
    """A scan in progress. Create it first, do other work, then call `inventory`.

    Args:
        request: what to scan.
        whole: seconds for all sources together.
        each: seconds for one source.
        cpu: seconds of CPU time for one source. All together may use half of `whole`, and a minute at least.
        memory: bytes of address space for the worker (on Windows and macOS: of memory).
        fork: whether the worker is a fork; otherwise it is a new interpreter.
        prepared: a fork that waits for its request; see `worker_process.prepare`.
        progress: called at least every quarter of a second during the scan with the number of sources that have run,
            the number of all, and the title of the current one.
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
        prepared: PreparedWorker | None = None,
        progress: Callable[[int, int, str], None] | None = None,
    ) -> None:
        began = prepared.began if prepared else time.time()
        request = msgspec.structs.replace(request, began=request.began or began)
        self._request = request
        self._progress = progress
        self._memory = memory
        self._kind = Forked if fork else Spawned
        self._each = each
        self._end = time.monotonic() + whole
        self._cpu = cpu
        self._whole_cpu = max(whole / 2, WHOLE_CPU_SECONDS)  # seconds that are left
        self._results = _RESULTS  # bytes that are left
        # A compressed image is unpacked before it is read: that may take as long as the whole scan may.
        self._opening_seconds = whole if request.image is not None else _OPENING_SECONDS
        self._host: HostInfo | None = None
        self._opening: tuple[Problem, ...] = ()
        self._planned: dict[str, Planned] = {}
        self._runs: dict[str, SourceRun] = {}
        self._items: list[Item] = []
        self._found: Callable[[Item], object] | None = None
        self._texts = SharedTexts()
        self._current = ""
        self._lost: tuple[_Loss, str] = (
            "failed",
            "the worker ended",
        )  # how the last worker ended
        self._since = 0.0
        self._computed = 0.0  # seconds of CPU time of the worker at the last check
        self._cpu_began: float | None = None  # the same when the current source started
        self._checked = 0.0
        self._peak_memory = 0
        self.interrupted = False
        self._worker: Forked | Spawned = self._kind(request, memory, whole, prepared)

    def inventory(self, *, scanned_at: str, tool: str, found: Callable[[Item], object] | None = None) -> Inventory:
        """Everything that the sources found, sorted, so that the same host gives the same inventory.

        Args:
            scanned_at: the time of the scan, RFC 3339 in UTC.
            tool: name and version of this program.
            found: is called with every item as it comes.

        Raises:
            ScanError: there is nothing to scan.
            SeveralHostsError: there are several hosts, and this is one scan.
        """
        self._found = found
        try:
            with _sigterm_as_interrupt():
                self._supervise()
        except KeyboardInterrupt:
            self.interrupted = True
            self._give_up("interrupted")
        finally:
            self.abandon()
        if self._host is None:
            if self.interrupted:
                raise ScanError("interrupted before the host was opened")
            return self._of_unopened_host(scanned_at, tool)
        opened = Opened(self._host, tuple(self._planned.values()), self._opening)
        whole = assembled(opened, self._items, self._runs, scanned_at=scanned_at, tool=tool)
        return replace(whole, peak_memory=self._peak_memory, scanned_by=current_account())

    def _of_unopened_host(self, scanned_at: str, tool: str) -> Inventory:
        """An inventory without anything: the worker ended, or had to be ended, before it had opened the host."""
        from phaseout.host.opening import unopened

        status, reason = self._lost
        cause: Cause = "limit" if status == "timeout" else "error"
        why = f"the host was not opened: {reason}"
        return Inventory(
            schema=INVENTORY_SCHEMA,
            tool=tool,
            scanned_at=scanned_at,
            host=unopened(self._request.image or self._request.root, self._request.platform),
            items=(),
            runs=(),
            unseen=(Unseen(ALL_SOFTWARE, why, "scan again, with more time (--timeout)", cause=cause),),
        )

    def abandon(self) -> None:
        """Ends the worker, whatever it is doing."""
        self._worker.kill()

    def _supervise(self) -> None:
        while True:
            began = len(self._runs)
            lost = self._listen(self._worker)
            if lost is None:
                return
            self._worker.kill()
            self._whole_cpu -= self._computed
            self._results -= self._worker.received
            status, reason = lost
            self._lost = lost
            if self._current:
                self._lose(status, reason)
            elif len(self._runs) == began:  # it did not even reach its first source, nor would the next worker
                self._give_up(reason)
                return
            if time.monotonic() >= self._end or self._whole_cpu <= 0:
                self._give_up(f"not run: {_WHOLE}")
                return
            if self._results <= 0:
                self._give_up(f"not run: result limit reached: all sources together may return {_RESULTS >> 20} MiB")
                return
            if all(name in self._runs for name in self._planned):
                return
            used = _RESULTS - self._results
            done = tuple(self._runs)
            memory = used + _ITEM * len(self._items)
            rest = msgspec.structs.replace(self._request, done=done, memory=memory, results=used)
            self._worker = self._kind(rest, self._memory, self._end - time.monotonic())

    def _listen(self, worker: Forked | Spawned) -> tuple[_Loss, str] | None:
        """Takes messages until the worker is done; status and reason if it ended before, or had to be ended."""
        self._start_clocks()
        self._checked, self._computed = time.monotonic(), 0.0
        while True:
            if self._progress is not None:
                title = self._planned[self._current].title if self._current in self._planned else ""
                self._progress(len(self._runs), len(self._planned), title)
            messages = worker.receive(min(_TICK, self._deadline() - time.monotonic()))
            if messages == []:
                done = bool(self._planned) and all(name in self._runs for name in self._planned)
                return None if done else ("failed", worker.death())
            for message in messages or ():
                self._take(message)
            exceeded = self._exceeded(worker)
            if exceeded:
                return exceeded

    def _start_clocks(self) -> None:
        """Starts the clocks of a source, of opening the host, or of the time between two sources."""
        self._since = time.monotonic()
        self._cpu_began = None

    def _deadline(self) -> float:
        """When the current step must have ended."""
        return min(self._since + (self._each if self._current else self._opening_seconds), self._end)

    def _exceeded(self, worker: Forked | Spawned) -> tuple[_Loss, str] | None:
        """Status and reason if the current step has exceeded a budget."""
        now = time.monotonic()
        if worker.received > self._results:
            return "failed", f"ended: result limit reached: all sources together may return {_RESULTS >> 20} MiB"
        if now >= self._deadline():
            seconds = f"ended after {now - self._since:.0f} s"
            if now >= self._end:
                return "timeout", f"{seconds}: {_WHOLE}"
            if self._current:
                return "timeout", f"{seconds}: the time limit of a source is {self._each:g} s"
            return "timeout", f"{seconds} {'between two sources' if self._host else 'while opening the host'}"
        if now - self._checked < min(_USAGE_INTERVAL, self._cpu / 4):
            return None
        self._checked = now
        computed, memory = worker.used()
        self._computed = max(computed, self._computed)
        if self._cpu_began is None:
            self._cpu_began = max(self._computed - (now - self._since), 0.0)  # the least that it can have been
        if memory > self._memory:
            return "failed", f"ended at {memory >> 20} MiB: the memory limit of the worker is {self._memory >> 20} MiB"
        used = self._computed - self._cpu_began
        if used > self._cpu and self._current:
            return "timeout", f"ended after {used:.0f} s of CPU time: the limit of a source is {self._cpu:g} s"
        if self._computed > self._whole_cpu:
            return "timeout", "ended: all sources together have used up their CPU time, see --timeout"
        return None

    def _take(self, message: Message) -> None:
        if isinstance(message, Found):
            item = self._texts.within(message.item)
            self._items.append(item)
            if self._found is not None:
                self._found(item)
        elif isinstance(message, Started):
            self._current = message.source
            self._start_clocks()
        elif isinstance(message, Ended):
            self._runs[message.run.source] = message.run
            self._current = ""
            self._start_clocks()
        elif isinstance(message, Opened):
            if self._host is None:
                self._host, self._opening = message.host, message.problems
                self._planned = {planned.name: planned for planned in message.planned}
        elif isinstance(message, Closed):
            self._peak_memory = max(self._peak_memory, message.peak_memory)
        elif isinstance(message, Refused):
            raise ScanError(message.why)
        elif isinstance(message, Several):
            raise SeveralHostsError(message.images)

    def _lose(self, status: _Loss, reason: str) -> None:
        """Marks the current source."""
        items = sum(item.source == self._current for item in self._items)
        self._runs[self._current] = SourceRun(
            source=self._current,
            status=status,
            reason=reason,
            rows=items,
            items=items,
            seconds=round(time.monotonic() - self._since, 6),
        )
        self._current = ""

    def _give_up(self, reason: str) -> None:
        """Marks all sources that have not run."""
        if self._current:
            self._lose("failed", reason)
        for name in self._planned:
            self._runs.setdefault(name, SourceRun(source=name, status="failed", reason=reason))


def assembled(
    opened: Opened, items: list[Item], runs: dict[str, SourceRun], *, scanned_at: str, tool: str
) -> Inventory:
    """The inventory of what a worker has sent, with everything that it did not see.

    Args:
        opened: the host, and the sources that were planned.
        items: those that were found.
        runs: name of a source → how it ended.
        scanned_at: the time of the scan, RFC 3339 in UTC.
        tool: name and version of this program.
    """
    ended = tuple(runs[one.name] for one in opened.planned if one.name in runs)
    return Inventory(
        schema=INVENTORY_SCHEMA,
        tool=tool,
        scanned_at=scanned_at,
        host=opened.host,
        items=in_order(items),
        runs=ended,
        unseen=(
            *_unseen(opened.problems, runs, opened.planned),
            *_below_floor(opened.host.platform, runs),
            *nothing_shown(ended, items, "check that this is the root of a system"),
        ),
    )


@contextlib.contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Makes SIGTERM, by which service managers end a job, lead to a partial report, as Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread: the caller handles signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _unseen(opening: Sequence[Problem], runs: dict[str, SourceRun], planned: Sequence[Planned]) -> Iterator[Unseen]:
    """What the runs did not see. What a host cannot have (an offline root no processes) is not unseen."""
    yield from unseen_parts("Users and operating system", opening, REMEDIES)
    for source in planned:
        run = runs.get(source.name)
        if run is None or run.status in {"failed", "timeout"}:
            reason = run.reason if run else "it did not run"
            cause: Cause = "limit" if run and run.status == "timeout" else "error"
            yield Unseen(source.title, reason, source=source.name, kinds=source.kinds, cause=cause)
        elif run.reason == UNWANTED:
            remedy = "leave out --source and --skip-source"
            yield Unseen(source.title, UNWANTED, remedy, source.name, source.kinds, "not_asked")
        else:
            yield from unseen_parts(source.title, run.problems, REMEDIES, source=source.name, kinds=source.kinds)


def _below_floor(platform: Platform, runs: dict[str, SourceRun]) -> Iterator[Unseen]:
    """The databases of installed software that every host of this platform has, and that showed nothing here."""
    for what, names in FLOOR[platform].items():
        ran = [runs[name] for name in names if name in runs]
        if ran and not any(run.items or run.reason == UNWANTED for run in ran):
            why = "every such system has some, and none were found"
            yield Unseen(what, why, "check that this is the whole root of a system", cause="missing")
