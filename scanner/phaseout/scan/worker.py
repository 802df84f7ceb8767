"""Runs the sources over a host and sends their results, message by message.

This happens in processes of their own, so that a source that hangs, crashes or takes all memory costs only itself
(`phaseout.scan.supervisor` holds the budgets). Loading this module is cheap; `work` loads host and sources.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec.structs import force_setattr, replace

from phaseout.model.fields import TEXTS
from phaseout.model.nouns import Evidence, HostInfo, Item, LeftOut, Problem, SourceRun
from phaseout.model.quoting import quoted
from phaseout.model.recording import MEMORY, RESULTS, TEXT, Recorder, memory_of, shortened
from phaseout.parsers.encodings.secrets import masked_item
from phaseout.scan.memory import peak_memory
from phaseout.scan.messages import Closed, Ended, Found, Message, Opened, Planned, Refused, Request, Several, Started
from phaseout.scan.withholding import Withholding

if TYPE_CHECKING:
    from phaseout.host import Host
    from phaseout.sources.source import Inside, Source

UNWANTED = "not asked for"
TURNS = bytes(range(256))  # the number of a source is its place in these; no platform has as many
# What usually takes longest comes first, so that two workers end together.
_LONGEST = (
    *("loose_programs", "elsewhere", "systemd", "dpkg", "data_folders", "python_packages", "ca_certificates"),
    *("cached_packages", "processes", "vendor_folders", "ruby_gems", "java_certificates", "hooks"),
)
_NEEDS = {
    "live": "an offline root has none",
    "offline": "the running system keeps it locked",
    "processes": "an offline root has no running processes",
    "registry": "this host has no registry",
}


def warm_up() -> None:
    """Loads what a scan of this machine needs, which takes longer than most of its sources."""
    import phaseout.host.identity
    from phaseout.host.opening import live_platform
    from phaseout.sources import load

    platform = live_platform()
    if platform == "linux":
        import phaseout.host.processes.linux  # noqa: F401
    else:
        import psutil  # noqa: F401
    load(platform)


def work(
    request: Request,
    send: Callable[[Message], None],
    turns: Iterable[int] = TURNS,
    returned: "Returned | None" = None,
) -> None:
    """Opens the host, runs the sources one after the other, and sends all results as they come.

    Args:
        request: what to scan.
        send: is called with each result.
        turns: gives the numbers of the sources that this worker runs, as long as there are any.
        returned: what all workers have returned.
    """
    from phaseout.host import NotAHostError
    from phaseout.host.identity import identity
    from phaseout.host.opening import live_host, offline_host
    from phaseout.host.processes.priority import lower_priority
    from phaseout.sources import load

    if request.low_priority:
        lower_priority()
    try:
        if request.image is not None:
            from phaseout.host.images.opening import SeveralHostsError, image_host

            try:
                host = image_host(request.image, request.platform, deep=request.deep)
            except SeveralHostsError as error:
                send(Several(tuple(map(_printable, error.images))))
                return
        elif request.root is None:
            host = live_host(deep=request.deep, modules=request.modules)
        else:
            host = offline_host(request.root, request.platform, deep=request.deep)
    except NotAHostError as error:
        send(Refused(_printable(str(error))))
        return
    began = request.began or time.time()
    sources = load(host.info.platform)
    names = [source.name for source in sources]
    for name in (*request.only, *request.skip):
        if name not in names:
            send(Refused(f"no source {quoted(name)} for {host.info.platform}; there are {', '.join(names)}"))
            return
    info = _clean_info(replace(host.info, identity=identity(host, hardware=request.hardware_ids)))
    host.files.report_changes(began)
    send(
        Opened(
            info,
            tuple(Planned(source.name, source.title, source.kinds) for source in sources),
            tuple(map(_clean_problem, _drain(host))),
        )
    )
    returned = returned or Returned()
    in_turn = sorted(sources, key=_place_in_turn)
    for turn in turns:
        if turn >= len(in_turn):
            break
        source = in_turn[turn]
        if source.name in request.done:
            continue
        if source.name in request.skip or (request.only and source.name not in request.only):
            send(Ended(SourceRun(source=source.name, status="skipped", reason=UNWANTED)))
            continue
        send(Started(source.name))
        run = run_source(source, host, lambda item: send(Found(item)), returned, mask=request.mask, began=began)
        send(Ended(run))
    send(Closed(peak_memory()))


def _place_in_turn(source: "Source") -> int:
    return _LONGEST.index(source.name) if source.name in _LONGEST else len(_LONGEST)


class Returned:
    """What the workers of a scan have returned: bytes of memory that the items take, and bytes of their texts.

    Each worker counts in two numbers of its own, and reads those of all: none waits for another.

    Args:
        counts: the numbers of all workers, those of memory first.
        worker: the number of this one.
    """

    def __init__(self, counts: list[int] | memoryview | None = None, worker: int = 0) -> None:
        self._counts = [0, 0] if counts is None else counts
        self._workers = len(self._counts) // 2
        self._worker = worker

    @classmethod
    def shared(cls, workers: int) -> "Returned":
        """Counts of so many workers, which are forks of this process or become ones."""
        import mmap

        return cls(memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("q")[: 2 * workers])

    def by(self, worker: int) -> "Returned":
        """The same counts, as one of the workers has them."""
        return Returned(self._counts, worker)

    def add(self, memory: int, size: int) -> None:
        """Counts what this worker has returned."""
        self._counts[self._worker] += memory
        self._counts[self._workers + self._worker] += size

    def left(self) -> tuple[int, int]:
        """Bytes of memory, and of texts, that may still be returned."""
        counts, workers = self._counts, self._workers
        return MEMORY - sum(counts[:workers]), RESULTS - sum(counts[workers:])


class _Room:
    """What one source may return: three quarters of what is left of all, so that a flood leaves room for the others.

    Args:
        returned: what all have returned.
    """

    def __init__(self, returned: Returned) -> None:
        self._returned = returned
        self._memory, self._size = (max(left, 0) * 3 // 4 for left in returned.left())
        self._given = 0

    def take(self, item: Item, size: int) -> None:
        """Uses up the room of one item, whose texts take that many bytes."""
        memory = memory_of(item, size)
        self._memory -= memory
        self._size -= size
        self._returned.add(memory, size)
        self._given += 1

    @property
    def full(self) -> str:
        """Why nothing more fits; empty if it does."""
        memory, size = self._returned.left()
        if min(memory, size, self._memory, self._size) > 0:
            return ""
        limit = f"{MEMORY >> 20} MiB of memory" if min(memory, self._memory) <= 0 else f"{RESULTS >> 20} MiB of text"
        return f"stopped after {self._given:,} items: a source may return three quarters of what is left of {limit}"


def run_source(
    source: "Source",
    host: "Host",
    found: Callable[[Item], object],
    returned: Returned | None = None,
    *,
    mask: bool = True,
    began: float = math.inf,
) -> SourceRun:
    """Runs one source and returns how it ended, whatever the source does.

    Args:
        source: the source.
        host: what it scans.
        found: is called with each item as it comes.
        returned: what all sources have returned; without it, nothing.
        mask: whether secrets are masked.
        began: when the scan began, in seconds since 1970: what users have changed since is a problem.
    """
    started = time.perf_counter()
    missing = _missing(source, host)
    if missing:
        return SourceRun(source=source.name, status="skipped", reason=missing)
    room = _Room(returned or Returned())
    recorder = Recorder(source.name)
    withholding = Withholding(host.files)
    reason = ""
    try:
        for trace in _traces(source, host, began):
            if isinstance(trace, Item):
                if full := room.full:
                    recorder.problem(Problem(source.name, full, "limit"))
                    break
                recorder.count += 1
                item, size = _clean(trace, source.name)
                room.take(item, size)
                found(masked_item(withholding.unquoted(item)) if mask else item)
            elif isinstance(trace, LeftOut):
                recorder.left_out(trace)
            else:
                recorder.problem(_clean_problem(trace))
    except BrokenPipeError:
        raise  # the supervisor is gone
    except Exception as error:  # noqa: BLE001  (the other sources must run)
        reason = _printable(f"{type(error).__name__}: {error}")
    host.files.report_changes(began)
    for problem in _drain(host):
        recorder.problem(_clean_problem(problem))
    return recorder.run(reason, time.perf_counter() - started)


def _traces(source: "Source", host: "Host", began: float) -> "Iterator[Item | Problem | LeftOut]":
    """The results of a source, and those of others in the hosts that it found within this one."""
    from phaseout.sources.source import Inside

    for trace in source.collect(host):
        if isinstance(trace, Inside):
            yield from _within(trace, began)
        else:
            yield trace


def _within(inside: "Inside", began: float) -> "Iterator[Item | Problem | LeftOut]":
    from phaseout.sources import load_inside, load_named

    moved = inside.moved
    # A Windows inside is a prefix of Wine: it belongs to a user of this host, whatever its own user is called.
    owner = inside.user if inside.host.info.platform == "windows" else ""
    for source in load_named(moved.sources) if moved else load_inside(inside.host.info.platform):
        try:
            for trace in _traces(source, inside.host, began):
                if isinstance(trace, Item):
                    details = {"named_by": moved.named_by} if moved else {"inside": inside.name}
                    yield replace(
                        trace,
                        path=_outside(inside, trace.path) if moved else trace.path,
                        user=inside.user if moved else owner or trace.user or inside.user,
                        details={**details, **trace.details, "seen_by": source.name},
                        evidence=tuple(Evidence(_outside(inside, one.where), one.what) for one in trace.evidence),
                    )
                elif isinstance(trace, Problem):
                    yield replace(trace, where=_outside(inside, trace.where))
                else:
                    yield trace
        except Exception as error:  # noqa: BLE001  (the other sources must run there as well)
            yield Problem(f"{inside.name}: {source.name}", f"{type(error).__name__}: {error}", "error")
        inside.host.files.report_changes(began)
        for problem in _drain(inside.host):
            yield replace(problem, where=_outside(inside, problem.where))


def _outside(inside: "Inside", where: str) -> str:
    """A place within a host as the host around it has it."""
    if inside.moved is None:
        return f"{inside.name}: {where}"
    folder, at = inside.moved.folder, inside.moved.at
    if not where.startswith(at) or where[len(at) : len(at) + 1] not in "/:":
        return where
    below = where[len(at) :]
    return folder + (below.replace("/", "\\") if "\\" in folder else below)


def _missing(source: "Source", host: "Host") -> str:
    """Why the source cannot run on such a host; empty if it can."""
    has = {
        "live": host.live,
        "offline": not host.live,
        "processes": host.processes is not None,
        "registry": host.registry is not None,
    }
    return next((_NEEDS[need] for need in source.needs if not has[need]), "")


def _drain(host: "Host") -> list[Problem]:
    """Takes the problems that the host has recorded since the last call."""
    recorded = [host.files.problems] + ([host.registry.problems] if host.registry is not None else [])
    problems = [problem for problems in recorded for problem in problems]
    for one in recorded:
        one.clear()
    return problems


_TEXTS = (*TEXTS, "user")
_texts = attrgetter(*_TEXTS)


def _clean(item: Item, source: str) -> tuple[Item, int]:
    """The item with its source, its strings printable as UTF-8 and of bounded length; and the memory for these."""
    text = "".join(
        (
            *_texts(item),
            *item.ids.values(),
            *item.details.values(),
            *item.notes,
            *(part for one in item.evidence for part in (one.where, one.what)),
        )
    )
    if text.isascii() and len(text) <= TEXT:
        force_setattr(item, "source", source)  # the usual item, which nothing else refers to yet: faster than a copy
        if "" in item.ids.values():
            force_setattr(item, "ids", {key: value for key, value in item.ids.items() if value})
        if "" in item.details.values():
            force_setattr(item, "details", {key: value for key, value in item.details.items() if value})
        return item, len(text)
    shorter = replace(
        item,
        source=source,
        **dict(zip(_TEXTS, map(_printable, _texts(item)), strict=True)),
        ids={key: _printable(value) for key, value in item.ids.items() if value},
        details={key: _printable(value) for key, value in item.details.items() if value},
        notes=tuple(map(_printable, item.notes)),
        evidence=tuple(Evidence(_printable(one.where), _printable(one.what)) for one in item.evidence),
    )
    return shorter, len(text) * (1 if text.isascii() else 4)  # as CPython holds them, if one character is an emoji


def _clean_problem(problem: Problem) -> Problem:
    return replace(
        problem,
        where=_printable(problem.where),
        why=_printable(problem.why),
        remedy=_printable(problem.remedy),
    )


def _clean_info(info: HostInfo) -> HostInfo:
    """The host with strings that are printable as UTF-8: users may choose the names of mount points."""
    return replace(
        info,
        name=_printable(info.name),
        os=_printable(info.os),
        os_version=_printable(info.os_version),
        arch=_printable(info.arch),
        root=_printable(info.root),
        skipped_mounts=tuple(map(_printable, info.skipped_mounts)),
        notes=tuple(map(_printable, info.notes)),
    )


def _printable(text: str) -> str:
    text = shortened(text)
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
