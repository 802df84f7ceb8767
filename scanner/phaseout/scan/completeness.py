"""What a finished scan must hold, for those that come back out of a file: nobody has seen what has no run.

A scan of this version has a run for every source of its platform, also for those that were not asked for. A scan of
another version has at least those of the floor. Whatever a run says that it did not see must be named as unseen.
"""

from collections.abc import Iterator
from typing import TypeVar

import msgspec.structs

from phaseout import __version__
from phaseout.model.counting import counted
from phaseout.model.findings import Report
from phaseout.model.nouns import Inventory, SourceRun, Unseen
from phaseout.model.recording import ALL_SOFTWARE
from phaseout.scan.worker import UNWANTED
from phaseout.sources import FLOOR, names

_Scan = TypeVar("_Scan", bound=Inventory | Report)
_CHANGED = "the file does not hold all that a scan writes: it was changed, or comes from another version"
_REMEDY = "scan the machine again"
_LOST = frozenset(("failed", "timeout"))


def checked(scan: _Scan) -> _Scan:
    """A scan out of a file, with everything that it lacks as unseen. What is incomplete by itself stays as it is.

    Args:
        scan: an inventory or report; one of another tool names what its input does not show.
    """
    if any(one.cause == "not_shown" or one.what == ALL_SOFTWARE for one in scan.unseen):
        return scan  # it is never clean
    lacking = tuple(_lacking(scan))
    if not lacking:
        return scan
    return msgspec.structs.replace(scan, unseen=(*scan.unseen, *lacking))


def _lacking(scan: Inventory | Report) -> Iterator[Unseen]:
    platform = scan.host.platform
    runs = {run.source: run for run in scan.runs}
    if not runs:
        if not scan.unseen:
            yield Unseen(ALL_SOFTWARE, "no source was read", _REMEDY, cause="missing")
        return
    if platform not in FLOOR:
        yield Unseen(ALL_SOFTWARE, f"phaseout scans no {platform}", "use the inventory of its management")
        return
    if scan.tool == f"phaseout {__version__}":
        for name in names(platform):
            if name not in runs:
                yield Unseen(name, _CHANGED, _REMEDY, name, cause="missing")
    named = {one.source or one.what for one in scan.unseen}
    for what, group in FLOOR[platform].items():
        if not any(name in runs and runs[name].items for name in group) and named.isdisjoint((what, *group)):
            yield Unseen(what, "every such system has some, and no source listed any", _REMEDY, cause="missing")
    for run in scan.runs:
        why = _hidden(run)
        if why and run.source not in named:
            yield Unseen(run.source, why, _REMEDY, run.source, cause="missing")


def _hidden(run: SourceRun) -> str:
    """What a run did not see, by its own account; empty if nothing, also where the host cannot have such a source."""
    hiding = next((problem for problem in run.problems if problem.hides), None)
    if hiding is not None:
        return f"{hiding.where}: {hiding.why}"
    if run.status in _LOST or (run.status == "skipped" and run.reason in ("", UNWANTED)):
        return run.reason or run.status
    if run.rows != run.items + sum(run.left_out.values()):
        return f"{counted(run.rows, 'row')} read, and not all of them accounted for"
    return ""
