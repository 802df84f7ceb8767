"""Runs the sources over a host and keeps what they found, what they could not read, and how each one ended."""

import time
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from scanner.host import Host
from scanner.model import (
    INVENTORY_SCHEMA,
    Evidence,
    Inventory,
    Item,
    LeftOut,
    Problem,
    RunStatus,
    SourceRun,
    Unseen,
)
from scanner.sources.source import Source

_TEXT = 8192  # characters of one field; a command line may be 2 MiB
_PROBLEMS = 100  # of one source; the rest is counted
_UNWANTED = "not asked for"
_NEEDS = {
    "live": "an offline root has none",
    "processes": "an offline root has no running processes",
    "registry": "this host has no registry",
}


def take_inventory(
    host: Host, sources: Sequence[Source], *, scanned_at: str, tool: str, unwanted: frozenset[str] = frozenset()
) -> Inventory:
    """Everything that the sources see on the host, sorted, so that the same host gives the same inventory.

    Args:
        host: what is looked at.
        sources: what looks; one that the host cannot serve ends as `skipped`.
        scanned_at: the moment to put into the inventory, RFC 3339 in UTC.
        tool: name and version to put into the inventory.
        unwanted: names of sources that the operator does not want to run; what they would show counts as unseen.
    """
    items: list[Item] = []
    runs: list[SourceRun] = []
    opening = _drain(host)
    for source in sources:
        run, found = _run(source, host, unwanted)
        runs.append(run)
        items += found
    items.sort(key=lambda item: (item.kind, item.name, item.version, item.path, item.user, item.source, item.command))
    return Inventory(
        schema=INVENTORY_SCHEMA,
        tool=tool,
        scanned_at=scanned_at,
        host=host.info,
        items=tuple(items),
        runs=tuple(runs),
        unseen=tuple(_unseen(opening, runs, sources)),
    )


def _run(source: Source, host: Host, unwanted: frozenset[str]) -> tuple[SourceRun, list[Item]]:
    started = time.perf_counter()
    if source.name in unwanted:
        return SourceRun(source=source.name, status="skipped", reason=_UNWANTED), []
    missing = _missing(source, host)
    if missing:
        return SourceRun(source=source.name, status="skipped", reason=missing), []
    items: list[Item] = []
    left_out: dict[str, int] = {}
    problems: list[Problem] = []
    reason = ""
    try:
        for trace in source.collect(host):
            if isinstance(trace, Item):
                items.append(_clean(trace, source.name))
            elif isinstance(trace, LeftOut):
                left_out[trace.reason] = left_out.get(trace.reason, 0) + trace.count
            else:
                problems.append(trace)
    except Exception as error:  # noqa: BLE001  (whatever a source does, the others must run)
        reason = f"{type(error).__name__}: {error}"
    problems += _drain(host)
    problems = list(dict.fromkeys(Problem(_printable(one.where), _printable(one.why)) for one in problems))
    if len(problems) > _PROBLEMS:
        more = len(problems) - _PROBLEMS
        problems[_PROBLEMS:] = [Problem(source.name, f"{more} further problems of this source are not listed")]
    status: RunStatus = "failed" if reason else "partial" if problems else "ok"
    return (
        SourceRun(
            source=source.name,
            status=status,
            reason=_printable(reason),
            rows=len(items) + sum(left_out.values()),
            items=len(items),
            left_out=left_out,
            problems=tuple(problems),
            seconds=round(time.perf_counter() - started, 6),
        ),
        items,
    )


def _missing(source: Source, host: Host) -> str:
    for need in source.needs:
        if (need == "live" and not host.live) or (need == "processes" and host.processes is None) or need == "registry":
            return _NEEDS[need]
    return ""


def _drain(host: Host) -> list[Problem]:
    problems = host.files.problems[:]
    host.files.problems.clear()
    return problems


def _unseen(opening: Sequence[Problem], runs: Sequence[SourceRun], sources: Sequence[Source]) -> Iterator[Unseen]:
    """What the runs did not see. What a host cannot have (an offline root no processes) is not unseen."""
    if opening:
        yield Unseen("Users and operating system", _summary(opening), _remedy(opening))
    for source, run in zip(sources, runs, strict=True):
        if run.status in ("failed", "timeout"):
            yield Unseen(source.title, run.reason, source=source.name, kinds=source.kinds)
        elif run.reason == _UNWANTED:
            yield Unseen(source.title, run.reason, "leave out --source and --skip-source", source.name, source.kinds)
        elif run.status == "partial":
            yield Unseen(source.title, _summary(run.problems), _remedy(run.problems), source.name, source.kinds)


def _summary(problems: Sequence[Problem]) -> str:
    first = problems[0]
    more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
    return f"{first.where}: {first.why}{more}"


def _remedy(problems: Sequence[Problem]) -> str:
    return "run as root" if any("permission denied" in problem.why for problem in problems) else ""


def _clean(item: Item, source: str) -> Item:
    """The item with its source, its texts printable as UTF-8 and of bounded length."""
    return replace(
        item,
        source=source,
        name=_printable(item.name),
        vendor=_printable(item.vendor),
        version=_printable(item.version),
        path=_printable(item.path),
        user=_printable(item.user),
        command=_printable(item.command),
        signer=_printable(item.signer),
        ids={key: _printable(value) for key, value in item.ids.items() if value},
        details={key: _printable(value) for key, value in item.details.items() if value},
        evidence=tuple(Evidence(_printable(one.where), _printable(one.what)) for one in item.evidence),
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
