"""Judges the inventories of many hosts, by several processes where that is worth it.

Each process reads a file, judges what it holds and writes every report down, so that only finished text comes back. The
results keep the order of the places. A file that ends its process costs one `Problem`.
"""

import datetime as dt
import gc
import multiprocessing
import multiprocessing.connection
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, NamedTuple, cast

from phaseout.fleet.places import Place
from phaseout.inventories import read, read_logs
from phaseout.inventories.known_items import KnownItem, KnownItems, saved_items
from phaseout.judgement.verdict import digest_of, judge
from phaseout.model.findings import Hits, Report
from phaseout.model.nouns import Inventory, Item, Problem
from phaseout.model.rules import Policy, Ruleset
from phaseout.parsers.encodings.sha256 import sha256
from phaseout.report import FORMATS, Page, Redaction
from phaseout.report.redact import redacted
from phaseout.report.several import host_chunks
from phaseout.rules.matcher import Matcher, at, listed_hits
from phaseout.scan.completeness import checked
from phaseout.scan.interruption import interruption_waits

_POOLED = 32  # fewer files are judged sooner than a process has started
_BATCH = 16  # files for one task
_AHEAD = 3  # tasks for each process that may be finished before their turn
_Pipe = multiprocessing.connection.Connection


class Judged(NamedTuple):
    """One host: its verdict, those of its findings, and its report as text in every format."""

    verdict: str
    found: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]


class Settings(NamedTuple):
    """What a process needs to judge. `open_place` must be a function of a module, so that it can be sent.

    `personal_apps` lists the apps of personal phones and tablets, which are only counted otherwise.
    `now` is what the clock says: an inventory that is dated later is marked as such.
    """

    ruleset: Ruleset
    policy: Policy
    as_of: dt.datetime | dt.date
    formats: tuple[str, ...]
    page: Page
    redact: tuple[Redaction, ...]
    open_place: Callable[[str], BinaryIO]
    personal_apps: bool = False
    now: dt.datetime | None = None


class Judge:
    """Judges the inventories in a file. Another process gets it as its settings, and builds the index of rules anew."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._matcher = Matcher(settings.ruleset)
        self._known = KnownItems()
        self._formats = [one for one in FORMATS if one.name in settings.formats]
        self._digested = any(one.digest for one in self._formats)

    def __reduce__(self) -> "tuple[type[Judge], tuple[Settings]]":
        return Judge, (self._settings,)

    def reports(self, path: str, also: tuple[str, ...] = ()) -> Iterator[Report | Problem]:
        """A report on every inventory in a file, and a problem for every one that is broken.

        Args:
            path: the file.
            also: further files that belong to it.
        """
        settings = self._settings
        try:
            for found in self._inventories(path, also):
                if isinstance(found, Problem):
                    yield found
                else:
                    yield redacted(self.report(found), settings.redact)
        except OSError as error:
            yield Problem(path, error.strerror or str(error), cause="error")
        except Exception as error:  # noqa: BLE001  (a fault that one file meets must not cost the others)
            yield Problem(path, f"{type(error).__name__}: {error}", cause="error")

    def report(self, inventory: Inventory) -> Report:
        """The report on an inventory. What it has in common with earlier ones is not matched again."""
        settings = self._settings
        known = self._known.known(inventory.items)
        hits = self._hits(inventory.items, known) if known else self._matcher.match(inventory.items)
        whole = checked(inventory)
        digest = self._digest(whole, known) if self._digested else ""
        return judge(whole, hits, settings.ruleset, settings.policy, settings.as_of, settings.now, digest)

    def _digest(self, inventory: Inventory, known: Sequence[KnownItem]) -> str:
        file = self._known.file_of(inventory)
        if file is not None:
            return sha256(file).hexdigest()
        return digest_of(inventory, saved_items(known) if known else None)

    def _hits(self, items: Sequence[Item], known: Sequence[KnownItem]) -> Hits:
        hits = [one.hits for one in known]
        if None in hits:
            fresh = list(dict.fromkeys([one for one in known if one.hits is None]))
            found = self._matcher.match([one.item for one in fresh])
            if found.unseen:
                return self._matcher.match(items)  # where a limit is reached, what is left out depends on all items
            for one in fresh:
                one.hits = ()
            for hit in found:
                one = fresh[hit.item]
                one.hits = (*(one.hits or ()), hit)
            hits = [one.hits for one in known]
        if not any(hits):
            return Hits()
        return listed_hits((at(index, hit) for index, some in enumerate(hits) for hit in some or ()), items)

    def _inventories(self, path: str, also: tuple[str, ...]) -> Iterator[Inventory | Problem]:
        settings = self._settings
        if also:
            yield from read_logs((path, *also), settings.open_place, personal_apps=settings.personal_apps)
            return
        with settings.open_place(path) as file:
            name = path if path != "-" else "standard input"
            yield from read(file, name, personal_apps=settings.personal_apps, known=self._known)

    def judged(self, path: str, also: tuple[str, ...] = ()) -> Iterator[Judged | Problem]:
        """The same as text."""
        for report in self.reports(path, also):
            yield report if isinstance(report, Problem) else self.written(report)

    def written(self, report: Report) -> Judged:
        """The report as text in every format, in the order of the settings."""
        texts = {one.name: host_chunks(one, report, self._settings.page) for one in self._formats}
        return Judged(
            report.verdict,
            tuple(finding.verdict for finding in report.findings),
            tuple(texts[name] for name in self._settings.formats),
        )


def judge_all(places: Sequence[Place], settings: Settings, jobs: int) -> Iterator[Judged | Problem]:
    """Every host in every place, in the order of the places.

    Args:
        places: the files.
        settings: the rules, and how the reports are written.
        jobs: processes.
    """
    mine = Judge(settings)
    if len(places) < _POOLED or jobs == 1 or getattr(sys, "frozen", False):
        for place in places:
            yield from mine.judged(place.path, place.also)
        return
    pool = _Pool(mine, jobs)
    try:
        for task in pool.run(_tasks(places, jobs)):
            yield from mine.judged(task.path, task.also) if isinstance(task, Place) else task
    finally:
        pool.end()


def _tasks(places: Sequence[Place], jobs: int) -> Iterator[list[str] | Place]:
    """Batches of files for the pool, and between them the files that this process judges itself."""
    batch: list[str] = []
    size = max(1, min(_BATCH, len(places) // (4 * jobs)))
    for place in places:
        if not place.alone:
            batch.append(place.path)
        if batch and (place.alone or len(batch) == size):
            yield batch
            batch = []
        if place.alone:
            yield place
    if batch:
        yield batch


class _Task:
    """A batch of files with what has come of them so far."""

    def __init__(self, paths: list[str]) -> None:
        self.waiting = deque(paths)
        self.found: list[Judged | Problem] = []


class _Worker:
    """A process that judges files, and the pipe to it."""

    def __init__(self, judge: Judge) -> None:
        if sys.platform == "linux":
            context = multiprocessing.get_context("fork")
        else:
            context = multiprocessing.get_context("spawn")
        with interruption_waits():
            self.pipe, theirs = context.Pipe()
            self._process = context.Process(target=_judge_for, args=(judge, theirs), daemon=True)
            self._process.start()
            theirs.close()
            del theirs
        self.task: _Task | None = None

    def start(self, task: _Task) -> None:
        """Gives it the files of the task that are still to be judged."""
        self.task = task
        self.pipe.send(list(task.waiting))

    def end(self) -> None:
        """Ends it, whatever it is doing."""
        self.pipe.close()
        self._process.terminate()
        self._process.join()


class _Pool:
    """Some processes, each busy with one task, and the finished tasks whose turn has not come."""

    def __init__(self, judge: Judge, jobs: int) -> None:
        self._judge = judge
        with interruption_waits():  # ends of pipes are closed meanwhile, and an interruption of that would be lost
            self._workers = [_Worker(judge) for _ in range(jobs)]

    def run(self, tasks: Iterator[list[str] | Place]) -> Iterator[list[Judged | Problem] | Place]:
        """The results of the batches, and in between the paths that the caller judges, in the order of the tasks."""
        begun: deque[_Task | Place] = deque()
        while True:
            for worker in self._workers:
                while worker.task is None and len(begun) < _AHEAD * len(self._workers):
                    task = next(tasks, None)
                    if task is None:
                        break
                    if isinstance(task, Place):
                        begun.append(task)
                    else:
                        worker.start(_Task(task))
                        begun.append(cast("_Task", worker.task))
            if not begun:
                return
            first = begun[0]
            if isinstance(first, Place):
                begun.popleft()
                yield first
            elif not first.waiting:
                begun.popleft()
                yield first.found
            else:
                self._wait()

    def _wait(self) -> None:
        """Takes what has come from any process. The file at which one ended is a problem, the rest begins anew."""
        busy = [number for number, worker in enumerate(self._workers) if worker.task is not None]
        ready = multiprocessing.connection.wait([self._workers[number].pipe for number in busy])
        for number in busy:
            if self._workers[number].pipe not in ready:
                continue
            worker = self._workers[number]
            task = cast("_Task", worker.task)
            try:
                task.found += worker.pipe.recv()
                path = task.waiting.popleft()
            except (EOFError, OSError):
                path = task.waiting.popleft()
                task.found.append(Problem(path, "the process that judged it has ended", cause="error"))
                worker.end()
                worker = self._workers[number] = _Worker(self._judge)
                if task.waiting:
                    worker.start(task)
            if not task.waiting:
                worker.task = None

    def end(self) -> None:
        """Ends all processes."""
        for worker in self._workers:
            worker.end()


def _judge_for(judge: Judge, pipe: "_Pipe") -> None:
    """The life of a process: takes lists of files, and gives back what each of them holds."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this process
    gc.disable()
    while True:
        try:
            paths = pipe.recv()
        except EOFError:
            return
        for path in paths:
            pipe.send(list(judge.judged(path)))
