"""The look itself: runs the sources over a host and sends what they give, message by message.

It runs in a process of its own, so that a source that hangs, crashes or takes all memory costs that source and no more
(`phaseout.scan.supervisor` holds the budgets). Loading this module is cheap; host and sources are loaded by `work`.
"""

import sys
import time
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec.structs import force_setattr, replace

from phaseout.model.fields import TEXTS
from phaseout.model.nouns import Evidence, HostInfo, Item, LeftOut, Problem, RunStatus, SourceRun
from phaseout.scan.messages import Closed, Ended, Found, Message, Opened, Planned, Refused, Request, Started

if TYPE_CHECKING:
    from phaseout.host import Host
    from phaseout.sources.source import Inside, Source

UNWANTED = "not asked for"
_TEXT = 8192  # characters of one field; a command line may be 2 MiB
_PROBLEMS = 100  # of one source; the rest is counted
_ITEMS = 500_000  # of one source; more is no inventory but a fault
_ALL_ITEMS = 1_000_000  # of all sources: the supervisor holds them, half a gigabyte
_NEEDS = {
    "live": "an offline root has none",
    "offline": "the running system keeps it locked",
    "processes": "an offline root has no running processes",
    "registry": "this host has no registry",
}


def warm_up() -> None:
    """Loads what a look at this machine needs, which takes longer than most of its sources."""
    from phaseout.host.opening import live_platform
    from phaseout.sources import load

    platform = live_platform()
    if platform == "linux":
        import phaseout.host.processes.linux  # noqa: F401
    else:
        import psutil  # noqa: F401
    load(platform)


def work(request: Request, send: Callable[[Message], None]) -> None:
    """Opens the host, runs the sources one after the other, and sends everything as it comes."""
    from phaseout.host.opening import NotAHostError, live_host, offline_host
    from phaseout.host.processes.priority import lower_priority
    from phaseout.sources import load

    if request.low_priority:
        lower_priority()
    try:
        host = live_host() if request.root is None else offline_host(request.root, request.platform)
    except NotAHostError as error:
        send(Refused(str(error)))
        return
    host.deep = request.deep
    if request.modules:
        from phaseout.host.processes import modules

        host.modules = modules
    sources = load(host.info.platform)
    names = [source.name for source in sources]
    for name in (*request.only, *request.skip):
        if name not in names:
            send(Refused(f"no source {name!r} for {host.info.platform}; there are {', '.join(names)}"))
            return
    planned = [source for source in sources if source.name not in request.done]
    send(
        Opened(
            _clean_info(host.info),
            tuple(Planned(source.name, source.title, source.kinds) for source in planned),
            tuple(map(_clean_problem, _drain(host))),
        )
    )
    left = max(_ALL_ITEMS - request.items, 0)
    for source in planned:
        if source.name in request.skip or (request.only and source.name not in request.only):
            send(Ended(SourceRun(source=source.name, status="skipped", reason=UNWANTED)))
            continue
        send(Started(source.name))
        run = run_source(source, host, lambda item: send(Found(item)), min(left, _ITEMS))
        left -= run.items
        send(Ended(run))
    send(Closed(_peak_memory()))


def run_source(source: "Source", host: "Host", found: Callable[[Item], None], most: int = _ITEMS) -> SourceRun:
    """Runs one source, hands over its items as they come, and tells how it ended. Whatever it does, this returns.

    Args:
        source: what is run.
        host: what it looks at.
        found: takes each item.
        most: items, after which it is stopped.
    """
    started = time.perf_counter()
    missing = _missing(source, host)
    if missing:
        return SourceRun(source=source.name, status="skipped", reason=missing)
    items = 0
    left_out: dict[str, int] = {}
    problems: list[Problem] = []
    reason = ""
    try:
        for trace in _traces(source, host):
            if isinstance(trace, Item):
                if items >= most:
                    reason = f"stopped after {items} items: one source may give {_ITEMS}, all together {_ALL_ITEMS}"
                    break
                items += 1
                found(_clean(trace, source.name))
            elif isinstance(trace, LeftOut):
                left_out[trace.reason] = left_out.get(trace.reason, 0) + trace.count
            else:
                problems.append(trace)
    except BrokenPipeError:
        raise  # nobody listens any more
    except Exception as error:  # noqa: BLE001  (whatever a source does, the others must run)
        reason = f"{type(error).__name__}: {error}"
    problems += _drain(host)
    problems = list(dict.fromkeys(map(_clean_problem, problems)))
    if len(problems) > _PROBLEMS:
        more = len(problems) - _PROBLEMS
        problems[_PROBLEMS:] = [Problem(source.name, f"{more} further problems of this source are not listed")]
    status: RunStatus = "failed" if reason else "partial" if problems else "ok"
    return SourceRun(
        source=source.name,
        status=status,
        reason=_printable(reason),
        rows=items + sum(left_out.values()),
        items=items,
        left_out=left_out,
        problems=tuple(problems),
        seconds=round(time.perf_counter() - started, 6),
    )


def _traces(source: "Source", host: "Host") -> "Iterator[Item | Problem | LeftOut]":
    """What a source gives, and what others see in the hosts that it found within this one."""
    from phaseout.sources.source import Inside

    for trace in source.collect(host):
        if isinstance(trace, Inside):
            yield from _within(trace)
        else:
            yield trace


def _within(inside: "Inside") -> "Iterator[Item | Problem | LeftOut]":
    from phaseout.sources import load_inside

    for source in load_inside():
        try:
            for trace in _traces(source, inside.host):
                if isinstance(trace, Item):
                    yield replace(
                        trace,
                        user=trace.user or inside.user,
                        details={**trace.details, "inside": inside.name, "seen_by": source.name},
                        evidence=tuple(Evidence(f"{inside.name}: {one.where}", one.what) for one in trace.evidence),
                    )
                elif isinstance(trace, Problem):
                    yield replace(trace, where=f"{inside.name}: {trace.where}")
                else:
                    yield trace
        except Exception as error:  # noqa: BLE001  (the other sources must look into it as well)
            yield Problem(f"{inside.name}: {source.name}", f"{type(error).__name__}: {error}")
        for problem in _drain(inside.host):
            yield replace(problem, where=f"{inside.name}: {problem.where}")


def _peak_memory() -> int:
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # bytes there, KiB elsewhere


def _missing(source: "Source", host: "Host") -> str:
    has = {
        "live": host.live,
        "offline": not host.live,
        "processes": host.processes is not None,
        "registry": host.registry is not None,
    }
    return next((_NEEDS[need] for need in source.needs if not has[need]), "")


def _drain(host: "Host") -> list[Problem]:
    """The problems that the host has recorded since they were last asked for."""
    recorded = [host.files.problems] + ([host.registry.problems] if host.registry is not None else [])
    problems = [problem for problems in recorded for problem in problems]
    for one in recorded:
        one.clear()
    return problems


_TEXTS = (*TEXTS, "user")
_texts = attrgetter(*_TEXTS)


def _clean(item: Item, source: str) -> Item:
    """The item with its source, its texts printable as UTF-8 and of bounded length."""
    text = "".join(
        (
            *_texts(item),
            *item.ids.values(),
            *item.details.values(),
            *(part for one in item.evidence for part in (one.where, one.what)),
        )
    )
    if text.isascii() and len(text) <= _TEXT and all(item.ids.values()) and all(item.details.values()):
        force_setattr(item, "source", source)  # the usual item, not yet seen by anybody: copying it takes longer
        return item
    return replace(
        item,
        source=source,
        **dict(zip(_TEXTS, map(_printable, _texts(item)), strict=True)),
        ids={key: _printable(value) for key, value in item.ids.items() if value},
        details={key: _printable(value) for key, value in item.details.items() if value},
        evidence=tuple(Evidence(_printable(one.where), _printable(one.what)) for one in item.evidence),
    )


def _clean_problem(problem: Problem) -> Problem:
    return replace(problem, where=_printable(problem.where), why=_printable(problem.why))


def _clean_info(info: HostInfo) -> HostInfo:
    """The host with texts that are printable as UTF-8: mount points are named by whoever may mount."""
    return replace(
        info,
        name=_printable(info.name),
        os=_printable(info.os),
        os_version=_printable(info.os_version),
        arch=_printable(info.arch),
        root=_printable(info.root),
        skipped_mounts=tuple(map(_printable, info.skipped_mounts)),
    )


def _printable(text: str) -> str:
    if len(text) > _TEXT:
        text = text[:_TEXT] + "…"
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
