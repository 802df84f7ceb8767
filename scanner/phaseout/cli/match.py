"""`phaseout match`."""

import contextlib
import datetime as dt
import itertools
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from phaseout.cli import EXIT_FOUND, EXIT_INCOMPLETE, EXIT_WRONG_USE, Failure
from phaseout.cli.output import WIDTH, formats, stdout, terminal_width, write, writing
from phaseout.cli.scan_options import Progress, counted_from, judging_options, output_options
from phaseout.model.findings import Finding, Report
from phaseout.model.nouns import Problem
from phaseout.model.rules import Policy, Ruleset
from phaseout.report import Format
from phaseout.report.safe import visible

if TYPE_CHECKING:
    from concurrent.futures import Future

STDIN = "-"
ENDINGS = (".json", ".ndjson", ".jsonl", ".xml", ".ocs", ".csv", ".tsv", ".log")  # taken out of a folder
_MANY = ("table", "csv", "json", "ndjson", "ocsf", "line", "markdown")  # formats that hold more than one host
_LARGE = 16 << 20  # bytes: such a file may hold many hosts, and is judged one by one in this process
_POOLED = 32  # fewer files are judged sooner than a process has started
_BATCH = 16  # files for one task
_EVERY = 0.1  # seconds between two lines of progress


@click.command("match")
@click.argument("inventories", nargs=-1, required=True, metavar="INVENTORY...")
@judging_options
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes; one for each processor if left out.")
@output_options
def command(
    inventories: tuple[str, ...],
    folders: tuple[str, ...],
    policy: str | None,
    as_of: str | None,
    fail_on: str,
    jobs: int | None,
    format_name: str | None,
    files: tuple[str, ...],
) -> None:
    """Judge saved inventories again: one, or those of a whole fleet.

    An INVENTORY is a file, a folder of files, or - for standard input: saved with --inventory, CycloneDX or SPDX in
    JSON, results of osquery, an inventory of GLPI or FusionInventory, or the CSV of discovered apps out of Intune or
    Configuration Manager; each may be packed with gzip. What such an input cannot show is said in the report.

    Ends with status 1 if something was found on any host, else with 3 if anything was not seen or an inventory could
    not be read, and with 2 if none could.

    \b
    Examples:
      phaseout match laptop-17.json.gz
      phaseout match inventories/ -o fleet.csv
      phaseout match *.cdx.json -f ndjson --as-of 2024-09-29
      syft dir:/ -o cyclonedx-json | phaseout match -
    """
    chosen = formats(format_name, files)
    moment = counted_from(as_of)
    from phaseout.cli.rule_files import rules_and_policy

    ruleset, own = rules_and_policy(folders, policy)
    tally = _Tally(fail_on)
    places = list(_places(inventories, tally))
    width = WIDTH if files else terminal_width()
    settings = _Settings(ruleset, own, moment, tuple(one.name for one in chosen), width, len(places) > 1)
    jobs = jobs or _processors()
    import gc

    gc.disable()  # inventories and reports have no cycles: looking for some would take a quarter of the time
    try:
        if len(places) == 1:
            _one_file(places[0], settings, tally, format_name, files, chosen)
        else:
            _write_many(_judged(places, settings, jobs), chosen, files, tally)
    finally:
        Progress.erase()
    sys.exit(tally.status())


class _Settings(NamedTuple):
    """What every process needs to judge."""

    ruleset: Ruleset
    policy: Policy
    moment: dt.datetime | dt.date
    formats: tuple[str, ...]
    width: int
    brief: bool  # tables have one line a finding


class _Judged(NamedTuple):
    """A host, judged and written down in every format that was asked for."""

    verdict: str
    found: tuple[str, ...]  # verdicts of the findings
    texts: tuple[tuple[str, ...], ...]


class _Tally:
    """What came of all, for the exit status."""

    def __init__(self, fail_on: str) -> None:
        self._fail_on = fail_on
        self.verdicts: dict[str, int] = {}
        self.broken = 0
        self._found = False

    def take(self, verdict: str, found: Sequence[str]) -> None:
        """A host was judged."""
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1
        if self._fail_on != "never" and ("replace" in found or (self._fail_on == "review" and found)):
            self._found = True

    def problem(self, problem: Problem) -> None:
        """An inventory could not be judged: the user is told at once."""
        self.broken += 1
        Progress.erase()
        click.echo(f"Error: {visible(problem.where)}: {visible(problem.why)}", err=True)

    def status(self) -> int:
        """1 found, 2 nothing could be judged, 3 not everything was seen, 0."""
        if self._found:
            return EXIT_FOUND
        if not self.verdicts:
            return EXIT_WRONG_USE
        return EXIT_INCOMPLETE if self.broken or "incomplete" in self.verdicts else 0

    def sentence(self) -> str:
        """What came of all, in words."""
        hosts = sum(self.verdicts.values())
        counts = [
            f"{self.verdicts[one]} {one}"
            for one in ("replace", "review", "incomplete", "clean")
            if one in self.verdicts
        ]
        broken = f" {self.broken:,} could not be read." if self.broken else ""
        return f"{hosts:,} host{'' if hosts == 1 else 's'}: {', '.join(counts) or 'none'}.{broken}"


class _Judge:
    """Judges the inventories of a file."""

    def __init__(self, settings: _Settings) -> None:
        from phaseout.report import format_named
        from phaseout.rules.matcher import Matcher

        self._settings = settings
        self._matcher = Matcher(settings.ruleset)
        self._formats = [one for one in map(format_named, settings.formats) if one is not None]

    def reports(self, path: str) -> Iterator[Report | Problem]:
        """A report on every inventory in a file, and a problem for every one that is broken."""
        from phaseout.inventories import read
        from phaseout.judgement.verdict import judge

        ruleset, policy, moment, *_ = self._settings
        try:
            with contextlib.ExitStack() as stack:
                file = sys.stdin.buffer if path == STDIN else stack.enter_context(open(path, "rb"))
                for found in read(file, path if path != STDIN else "standard input"):
                    if isinstance(found, Problem):
                        yield found
                    else:
                        yield judge(found, self._matcher.match(found.items), ruleset, policy, moment)
        except OSError as error:
            yield Problem(path, error.strerror or str(error))

    def file(self, path: str) -> Iterator[_Judged | Problem]:
        """The same, written down."""
        for report in self.reports(path):
            yield report if isinstance(report, Problem) else self.written(report)

    def written(self, report: Report) -> _Judged:
        """The report in every format."""
        brief = self._settings.brief
        texts = [
            tuple(_lines(report)) if brief and one.name == "table" else tuple(one.report(report, self._settings.width))
            for one in self._formats
        ]
        return _Judged(report.verdict, tuple(finding.verdict for finding in report.findings), tuple(texts))


def _one_file(
    path: str, settings: _Settings, tally: _Tally, format_name: str | None, files: tuple[str, ...], chosen: list[Format]
) -> None:
    """A file with one host is written as a scan of it would be."""
    judge = _Judge(settings)
    reports = judge.reports(path)
    begun: list[Report] = []
    for found in reports:
        if isinstance(found, Problem):
            tally.problem(found)
        else:
            begun.append(found)
            if len(begun) == 2:
                break
    if len(begun) == 1:
        tally.take(begun[0].verdict, [finding.verdict for finding in begun[0].findings])
        write(lambda one, width: one.report(begun[0], width), format_name, files)
    elif begun:
        rest = (
            found if isinstance(found, Problem) else judge.written(found) for found in itertools.chain(begun, reports)
        )
        _write_many(rest, chosen, files, tally)


def _judged(places: list[str], settings: _Settings, jobs: int) -> Iterator[_Judged | Problem]:
    """Everything in the order of the places, judged by several processes if that is worth it."""
    pooled = len(places) >= _POOLED and jobs > 1 and not getattr(sys, "frozen", False)
    judged = _by_several(places, settings, jobs) if pooled else _by_one(places, settings)
    if not Progress.shown():
        yield from judged
        return
    began = shown = time.monotonic()
    for number, found in enumerate(judged, 1):
        yield found
        now = time.monotonic()
        if now - shown > _EVERY and now - began > 5 * _EVERY:
            shown = now
            Progress.show(f"{number:,} of {len(places):,} inventories, {number / (now - began):,.0f} a second")


def _by_one(places: list[str], settings: _Settings) -> Iterator[_Judged | Problem]:
    judge = _Judge(settings)
    for path in places:
        yield from judge.file(path)


def _by_several(places: list[str], settings: _Settings, jobs: int) -> Iterator[_Judged | Problem]:
    """The same by a pool; no more is under way than the processes need, so nothing piles up behind a slow reader."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    from phaseout.scan.worker_process import FORKS

    mine = _Judge(settings)
    context = multiprocessing.get_context("fork" if FORKS else "spawn")
    _share(mine)
    pool = (
        ProcessPoolExecutor(jobs, context)
        if FORKS
        else ProcessPoolExecutor(jobs, context, initializer=_start, initargs=(settings,))
    )
    waiting: deque[Future[list[_Judged | Problem]] | str] = deque()
    tasks = _tasks(places, jobs)
    try:
        while True:
            for task in itertools.islice(tasks, max(0, 2 * jobs + 1 - len(waiting))):
                waiting.append(task if isinstance(task, str) else pool.submit(_task, task))
            if not waiting:
                return
            first = waiting.popleft()
            if isinstance(first, str):
                yield from mine.file(first)
            else:
                yield from first.result()
    except BrokenProcessPool as error:
        raise Failure("a process ended before it had judged its inventories; --jobs 1 shows at which") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _tasks(places: list[str], jobs: int) -> Iterator[list[str] | str]:
    """Batches of files for the pool, and between them what this process judges itself."""
    batch: list[str] = []
    size = max(1, min(_BATCH, len(places) // (4 * jobs)))
    for path in places:
        if path == STDIN or _size(path) >= _LARGE:
            if batch:
                yield batch
            yield path
            batch = []
            continue
        batch.append(path)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


_shared: list[_Judge] = []  # of a process of the pool: one


def _share(judge: _Judge) -> None:
    """Prepares what the forks inherit."""
    _shared[:] = [judge]


def _start(settings: _Settings) -> None:
    import gc

    gc.disable()
    _shared[:] = [_Judge(settings)]


def _task(paths: list[str]) -> list[_Judged | Problem]:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the keyboard speaks to the parent
    return [found for path in paths for found in _shared[0].file(path)]


def _write_many(
    judged: Iterator[_Judged | Problem], chosen: list[Format], files: tuple[str, ...], tally: _Tally
) -> None:
    """Writes every host into every file, as they come.

    Raises:
        click.UsageError: a format holds one host only.
        Failure: a file cannot be written; nothing half-written stays.
    """
    single = next((one.name for one in chosen if one.name not in _MANY), None)
    if single is not None:
        raise click.UsageError(f"-f {single} holds one host; several are held by {', '.join(_MANY)}")
    with contextlib.ExitStack() as stack:
        try:
            sinks = [_opened(path, stack) for path in files] or [stdout()]
            count = 0
            for found in judged:
                if isinstance(found, Problem):
                    tally.problem(found)
                    continue
                tally.take(found.verdict, found.found)
                for one, sink, pieces in zip(chosen, sinks, found.texts, strict=True):
                    for piece in _joined(one.name, pieces, count):
                        sink(piece)
                count += 1
            for one, sink in zip(chosen, sinks, strict=True):
                if one.name == "json":
                    sink("]\n" if count else "[]\n")
                elif one.name == "table":
                    sink(tally.sentence() + "\n")
            if not files:
                sys.stdout.flush()
        except OSError as error:
            if isinstance(error, BrokenPipeError) and not files:
                raise
            raise Failure(
                f"{error.filename or 'output'}: {error.strerror or error}: nothing was written there"
            ) from error


def _opened(path: str, stack: contextlib.ExitStack) -> Callable[[str], object]:
    write_piece = stack.enter_context(writing(path))
    return lambda piece: write_piece(piece.encode())


def _joined(name: str, pieces: tuple[str, ...], count: int) -> Iterator[str]:
    """The pieces of one host behind those of others: one heading in CSV, one list in JSON."""
    if name == "csv" and count:
        yield from pieces[1:]
    elif name == "json":
        yield ",\n" if count else "[\n"
        for piece in pieces:
            yield piece.removesuffix("\n")
    else:
        yield from pieces


def _lines(report: Report) -> Iterator[str]:
    """A line for every finding of the host, or for the host."""
    host = visible(report.host.name)
    for finding in report.findings:
        verdict = finding.verdict.upper() if finding.verdict == "replace" else finding.verdict
        yield f"{host:<24}  {verdict:<10}  {_finding(finding)}\n"
    if not report.findings:
        unseen = "; ".join(f"{one.what}: {one.why}" for one in report.unseen[:2])
        more = f" and {len(report.unseen) - 2} more" if len(report.unseen) > 2 else ""
        why = f"not seen: {visible(unseen)}{more}" if report.unseen else "everything was seen"
        yield f"{host:<24}  {report.verdict:<10}  {why[:240]}\n"


def _finding(finding: Finding) -> str:
    from phaseout.report.table_format import VERSIONS, cut, some

    versions = some([item.version for item in finding.items if item.version], VERSIONS)
    driving = finding.driving
    days = driving.days_left if driving is not None else None
    due = "no date" if days is None else f"{abs(days)} days {'left' if days >= 0 else 'past'}"
    return f"{cut(visible(finding.product))} {versions}".strip() + f" ({finding.state}, {finding.confidence}), {due}"


def _places(inventories: tuple[str, ...], tally: _Tally) -> Iterator[str]:
    """The files that are meant: a folder stands for those below it that are named like inventories."""
    for place in inventories:
        if place == STDIN or not os.path.isdir(place):
            yield place
            continue
        found = False
        for folder, folders, names in os.walk(place):
            folders[:] = sorted(one for one in folders if not one.startswith("."))
            for name in sorted(names):
                if not name.startswith(".") and name.lower().removesuffix(".gz").endswith(ENDINGS):
                    found = True
                    yield os.path.join(folder, name)
        if not found:
            tally.problem(Problem(place, f"holds no inventory: no file that ends {', '.join(ENDINGS)}, or so with .gz"))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _processors() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
