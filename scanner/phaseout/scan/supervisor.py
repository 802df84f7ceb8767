"""Supervises a scan: starts the workers, holds their budgets, and makes the inventory of what they send.

The workers start before anything heavy is loaded, so that the rules are read meanwhile, and send every item at once. A
source that exceeds its time, or takes its worker with it, is marked so; what it had sent is kept, and a new worker
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
from phaseout.scan import WHOLE_SECONDS
from phaseout.scan.messages import Closed, Ended, Found, Message, Opened, Planned, Refused, Request, Several, Started
from phaseout.scan.worker import UNWANTED
from phaseout.scan.worker_process import (
    FORKS,
    Forked,
    Prepared,
    PreparedWorker,
    Shared,
    Spawned,
    Worker,
    started,
    workers_at_once,
)
from phaseout.sources import FLOOR

SOURCE_SECONDS = 30.0
SOURCE_CPU_SECONDS = 20.0
WHOLE_CPU_SECONDS = 60.0
_OPENING_SECONDS = 30.0  # for starting a worker and opening the host
_TICK = 0.25  # seconds between two calls of `progress`
# Seconds between two checks of what a worker uses; most scans end before the first. macOS enforces no memory limit.
_USAGE_INTERVAL = 0.25 if sys.platform == "darwin" else 2.0
_RESULTS = 2 * RESULTS  # bytes of messages: the workers themselves stop their sources at less
_ITEM = 512  # bytes that an item takes beside what its message does
MEMORY = 2 << 30  # bytes of address space for all workers together
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


class _Lane:
    """A worker and what it is doing.

    Args:
        number: its own among those that run at the same time.
        worker: the worker.
    """

    def __init__(self, number: int, worker: Worker) -> None:
        self.number = number
        self.worker = worker
        self.current = ""  # the source that it runs
        self.ended = 0  # sources that it has run
        self.closed = False  # whether no source is left for it
        self.computed = 0.0  # seconds of CPU time at the last check
        self.checked = time.monotonic()
        self.start_clocks()

    def start_clocks(self) -> None:
        """Starts the clocks of a source, of opening the host, or of the time between two sources."""
        self.since = time.monotonic()
        self.cpu_began: float | None = None  # seconds of CPU time when the current step began


class ScanSupervisor:
    """A scan in progress. Create it first, do other work, then call `inventory`.

    Args:
        request: what to scan.
        whole: seconds for all sources together.
        each: seconds for one source.
        cpu: seconds of CPU time for one source. All together may use half of `whole`, and a minute at least.
        memory: bytes of address space for all workers together (on Windows and macOS: of memory).
        fork: whether workers are forks; otherwise there is one, a new interpreter.
        workers: how many forks run at the same time; by default one for each processor, at most two. An image has one,
            since it is opened and unpacked once.
        prepared: forks that wait for their request; see `worker_process.prepare`.
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
        workers: int | None = None,
        prepared: Prepared | None = None,
        progress: Callable[[int, int, str], None] | None = None,
    ) -> None:
        began = prepared.began if prepared else time.time()
        request = msgspec.structs.replace(request, began=request.began or began)
        self._request = request
        self._progress = progress
        self._kind: type[Worker] = Forked if fork else Spawned
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
        self._found: Callable[[list[Item]], object] | None = None
        self._texts = SharedTexts()
        self._lost: tuple[_Loss, str] = ("failed", "the worker ended")  # how the last one that was lost ended
        self._not_run = ""  # why sources have not run
        self._peak_memory = 0
        self.interrupted = False
        ready = prepared.workers if prepared else ()
        count = (workers or len(ready) or workers_at_once()) if fork and request.image is None else 1
        self._memory = memory // count  # bytes for each worker
        self._shared = prepared.shared if prepared else Shared(count) if fork else None
        self._lanes = [self._lane(number, *ready[number : number + 1]) for number in range(count)]

    def inventory(
        self, *, scanned_at: str, tool: str, found: Callable[[list[Item]], object] | None = None
    ) -> Inventory:
        """Everything that the sources found, sorted, so that the same host gives the same inventory.

        Args:
            scanned_at: the time of the scan, RFC 3339 in UTC.
            tool: name and version of this program.
            found: is called with the items as they come.

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
        """Ends the workers, whatever they are doing."""
        for lane in self._lanes:
            lane.worker.kill()
        self._lanes.clear()
        if self._shared is not None:
            self._shared.close()

    def _lane(self, number: int, prepared: PreparedWorker | None = None) -> _Lane:
        """A new worker."""
        used = _RESULTS - self._results
        memory = used + _ITEM * len(self._items)
        request = replace(self._request, done=tuple(self._runs), memory=memory, results=used)
        seconds = self._end - time.monotonic()
        return _Lane(number, started(request, self._memory, seconds, self._shared, number, prepared))

    def _supervise(self) -> None:
        while self._lanes:
            self._show_progress()
            earliest = min(map(self._deadline, self._lanes))
            came = self._kind.receive([lane.worker for lane in self._lanes], min(_TICK, earliest - time.monotonic()))
            for lane in tuple(self._lanes):
                lost = self._attend(lane, came.get(lane.worker))
                if lost is not None:
                    self._replace(lane, *lost)
        self._give_up(self._not_run)

    def _show_progress(self) -> None:
        if self._progress is not None:
            running = [lane for lane in self._lanes if lane.current in self._planned]
            longest = min(running, key=lambda lane: lane.since, default=None)
            title = self._planned[longest.current].title if longest is not None else ""
            self._progress(len(self._runs), len(self._planned), title)

    def _attend(self, lane: _Lane, messages: list[Message] | None) -> tuple[_Loss, str] | None:
        """Takes messages of a worker; status and reason if it has ended before its time, or has to be ended."""
        if messages == []:
            if not lane.closed:
                return "failed", lane.worker.death()
            self._end_lane(lane)
            return None
        known = len(self._items)
        for message in messages or ():
            self._take(lane, message)
        if self._found is not None and len(self._items) > known:
            self._found(self._items[known:])
        return self._exceeded(lane)

    def _replace(self, lane: _Lane, status: _Loss, reason: str) -> None:
        """Ends a worker that is lost, and lets a new one continue with what nobody has run."""
        self._end_lane(lane)
        self._lost, self._not_run = (status, reason), reason
        if lane.current:
            self._lose(lane, status, reason)
        elif not lane.ended:  # it did not even reach its first source, nor would the next worker
            return
        computed, received = self._used()
        if time.monotonic() >= self._end or computed >= self._whole_cpu:
            self._not_run = f"not run: {_WHOLE}"
        elif received >= self._results:
            self._not_run = f"not run: result limit reached: all sources together may return {_RESULTS >> 20} MiB"
        elif not all(name in self._runs for name in self._planned):
            self._lanes.append(self._lane(lane.number))

    def _end_lane(self, lane: _Lane) -> None:
        lane.worker.kill()
        self._lanes.remove(lane)
        self._whole_cpu -= lane.computed
        self._results -= lane.worker.received

    def _used(self) -> tuple[float, int]:
        """Seconds of CPU time, and bytes of messages, of all workers that are there."""
        return sum(lane.computed for lane in self._lanes), sum(lane.worker.received for lane in self._lanes)

    def _deadline(self, lane: _Lane) -> float:
        """When the current step of a worker must have ended."""
        return min(lane.since + (self._each if lane.current else self._opening_seconds), self._end)

    def _exceeded(self, lane: _Lane) -> tuple[_Loss, str] | None:
        """Status and reason if the current step of a worker has exceeded a budget."""
        now = time.monotonic()
        computed, received = self._used()
        if received > self._results:
            return "failed", f"ended: result limit reached: all sources together may return {_RESULTS >> 20} MiB"
        if now >= self._deadline(lane):
            seconds = f"ended after {now - lane.since:.0f} s"
            if now >= self._end:
                return "timeout", f"{seconds}: {_WHOLE}"
            if lane.current:
                return "timeout", f"{seconds}: the time limit of a source is {self._each:g} s"
            return "timeout", f"{seconds} {'between two sources' if self._host else 'while opening the host'}"
        if now - lane.checked < min(_USAGE_INTERVAL, self._cpu / 4):
            return None
        lane.checked = now
        used, memory = lane.worker.used()
        computed += max(used - lane.computed, 0.0)
        lane.computed = max(used, lane.computed)
        if lane.cpu_began is None:
            lane.cpu_began = max(lane.computed - (now - lane.since), 0.0)  # the least that it can have been
        if memory > self._memory:
            return "failed", f"ended at {memory >> 20} MiB: the memory limit of the worker is {self._memory >> 20} MiB"
        used = lane.computed - lane.cpu_began
        if used > self._cpu and lane.current:
            return "timeout", f"ended after {used:.0f} s of CPU time: the limit of a source is {self._cpu:g} s"
        if computed > self._whole_cpu:
            return "timeout", "ended: all sources together have used up their CPU time, see --timeout"
        return None

    def _take(self, lane: _Lane, message: Message) -> None:
        if isinstance(message, Found):
            self._items.append(self._texts.within(message.item))
        elif isinstance(message, Started):
            lane.current = message.source
            lane.start_clocks()
        elif isinstance(message, Ended):
            self._runs[message.run.source] = message.run
            lane.current = ""
            lane.ended += 1
            lane.start_clocks()
        elif isinstance(message, Opened):
            if self._host is None:
                self._host, self._opening = message.host, message.problems
                self._planned = {planned.name: planned for planned in message.planned}
        elif isinstance(message, Closed):
            lane.closed = True
            self._peak_memory += message.peak_memory
        elif isinstance(message, Refused):
            raise ScanError(message.why)
        elif isinstance(message, Several):
            raise SeveralHostsError(message.images)

    def _lose(self, lane: _Lane, status: _Loss, reason: str) -> None:
        """Marks the source that a worker was running."""
        items = sum(item.source == lane.current for item in self._items)
        self._runs[lane.current] = SourceRun(
            source=lane.current,
            status=status,
            reason=reason,
            rows=items,
            items=items,
            seconds=round(time.monotonic() - lane.since, 6),
        )
        lane.current = ""

    def _give_up(self, reason: str) -> None:
        """Ends all workers, and marks all sources that have not run."""
        for lane in self._lanes:
            lane.worker.kill()
            if lane.current:
                self._lose(lane, "failed", reason)
        self._lanes.clear()
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
