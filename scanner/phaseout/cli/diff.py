"""`phaseout diff`."""

import contextlib
import datetime as dt
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from phaseout.cli import EXIT_FOUND, EXIT_INCOMPLETE, Failure
from phaseout.cli.output import WIDTH, is_straight, terminal_width, to_file, to_stdout
from phaseout.cli.scan_options import rule_options
from phaseout.judgement.diff import Change, Difference, Look, compare, with_products
from phaseout.model.findings import Report
from phaseout.model.nouns import Inventory
from phaseout.model.rules import Policy, Ruleset
from phaseout.report.safe import cell, json_text, visible

if TYPE_CHECKING:
    from phaseout.rules.matcher import Matcher

_FORMATS = {"table": ".txt", "csv": ".csv", "json": ".json"}
_COLUMNS = ("host", "what", "product", "kind", "name", "old", "new", "path", "user", "source", "old_at", "new_at")


@click.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--require-gone", is_flag=True, help="End with status 1 while anything is left of a product that OLD found."
)
@rule_options
@click.option("-o", "--output", "files", multiple=True, metavar="FILE", help="Write to FILE (repeatable).")
@click.option("-f", "--format", "format_name", type=click.Choice(list(_FORMATS)), help="Else FILE's ending; table.")
def command(
    old: str,
    new: str,
    require_gone: bool,
    folders: tuple[str, ...],
    policy: str | None,
    format_name: str | None,
    files: tuple[str, ...],
) -> None:
    """Say what went and what came between OLD and NEW, and prove a removal.

    Both are saved inventories (of any kind that `phaseout match` reads) or reports in JSON, of one host each.
    Inventories are judged by the rules, and everything in them is compared; of reports, what was found.

    With --require-gone the status is 0 only if OLD found something, NEW has nothing of these products or of their
    vendors, leftovers included, and NEW saw everything that OLD saw. It is 1 if anything is left, and 3 if NEW did not
    see something that OLD saw, so that nothing is proven.

    \b
    Examples:
      phaseout diff before.json after.json
      phaseout diff before.json.gz after.json.gz --require-gone -o proof.json
    """
    chosen = _chosen(format_name, files)
    sides = [_read(old), _read(new)]
    difference = _difference(sides[0], sides[1], folders, policy)
    for path, name in zip(files or (None,), chosen, strict=True):
        width = terminal_width() if path is None else WIDTH
        pieces = _PIECES[name](difference, width)
        if path is None:
            to_stdout(pieces)
            continue
        try:
            to_file(path, pieces)
        except OSError as error:
            raise Failure(f"{path}: {error.strerror or error}: nothing was written there") from error
    if require_gone and difference.proof == "left":
        sys.exit(EXIT_FOUND)
    if require_gone and difference.proof != "proven":
        sys.exit(EXIT_INCOMPLETE)


def _chosen(name: str | None, files: tuple[str, ...]) -> list[str]:
    if name is not None:
        return [name] * max(1, len(files))
    chosen: list[str] = []
    for path in files:
        found = next((one for one, ending in _FORMATS.items() if path.lower().endswith(ending)), None)
        if found is None and not is_straight(path):
            raise click.UsageError(f"-o {path}: the ending names no format; -f says which: {', '.join(_FORMATS)}")
        chosen.append(found or "table")
    return chosen or ["table"]


def _read(path: str) -> Report | Inventory:
    """The one report or inventory in a file.

    Raises:
        Failure: there is none, or several.
    """
    from phaseout.inventories import read_one
    from phaseout.model.nouns import Problem

    try:
        with contextlib.ExitStack() as stack:
            file = sys.stdin.buffer if path == "-" else stack.enter_context(open(path, "rb"))
            found = read_one(file, path if path != "-" else "standard input")
    except OSError as error:
        raise Failure(f"{path}: {error.strerror or error}") from error
    if isinstance(found, Problem):
        raise Failure(f"{visible(found.where)}: {visible(found.why)}")
    return found


def _difference(
    old: Report | Inventory, new: Report | Inventory, folders: tuple[str, ...], policy: str | None
) -> Difference:
    """The difference, with the proof that rules can give."""
    if isinstance(old, Report) and isinstance(new, Report):
        return compare(old, new)
    from phaseout.cli.rule_files import rules_and_policy
    from phaseout.rules.matcher import Matcher

    ruleset, own = rules_and_policy(folders, policy)
    matcher = Matcher(ruleset)
    reports = [_judged(side, matcher, ruleset, own) for side in (old, new)]
    if isinstance(old, Inventory) and isinstance(new, Inventory):
        return with_products(compare(old, new), reports[0], reports[1])
    return compare(reports[0], reports[1])


def _judged(side: Report | Inventory, matcher: "Matcher", ruleset: Ruleset, policy: Policy) -> Report:
    from phaseout.judgement.verdict import judge

    if isinstance(side, Report):
        return side
    return judge(side, matcher.match(side.items), ruleset, policy, dt.datetime.now(dt.UTC))


def _table(difference: Difference, width: int) -> Iterator[str]:
    from tabulate import tabulate

    yield f"{visible(difference.host.name)}: from {_when(difference.old)} to {_when(difference.new)}\n\n"
    if difference.changes:
        rows = [
            tuple(map(visible, (change.what, change.product, change.kind.replace("_", " "), *_told(change))))
            for change in difference.changes
        ]
        limits = [None, 28, None, max(24, width // 3), 24]
        yield tabulate(
            rows,
            headers=("", "product", "kind", "name", "what"),
            tablefmt="simple",
            maxcolwidths=limits,
            disable_numparse=True,
        )
        yield "\n\n"
    else:
        yield "Nothing that was compared has changed.\n"
    for one in difference.newly_unseen:
        yield f"Newly unseen: {visible(one.what)}: {visible(one.why)}.\n"
    for look, name in ((difference.old, "OLD"), (difference.new, "NEW")):
        unseen = "; ".join(f"{visible(one.what)}: {visible(one.why)}" for one in look.unseen)
        yield f"{name} saw {look.items} items, {len(look.sources)} sources to their end; "
        yield f"not seen: {unseen or 'nothing that a source looks for'}.\n"
    yield from _proof(difference)


def _proof(difference: Difference) -> Iterator[str]:
    if difference.removed:
        word = "Not seen any more" if difference.reasons else "Gone"
        yield f"{word}: {visible(', '.join(difference.removed))}.\n"
    for product in dict.fromkeys(one.product for one in difference.left):
        items = [one.item for one in difference.left if one.product == product]
        places = ", ".join(f"{item.kind.replace('_', ' ')} {visible(item.path or item.name)}" for item in items[:5])
        more = f" and {len(items) - 5} more" if len(items) > 5 else ""
        yield f"Left: {visible(product)}: {places}{more}.\n"
    if difference.proof == "proven":
        yield "Removal proven: nothing of it is left, and everything that was seen then was seen now.\n"
    elif difference.proof == "not_proven":
        yield f"Removal not proven: {visible('; '.join(difference.reasons))}.\n"


def _told(change: Change) -> tuple[str, str]:
    name = f"{change.name} ({change.path})" if change.path else change.name
    if change.what in ("gone", "new"):
        return name, change.old or change.new
    return name, f"{change.old or 'none'} → {change.new or 'none'}"


def _when(look: Look) -> str:
    return visible(look.scanned_at) or "a time that is not told"


def _csv(difference: Difference, width: int) -> Iterator[str]:
    import csv
    import io

    del width

    def row(fields: Sequence[str]) -> str:
        line = io.StringIO()
        csv.writer(line).writerow(map(cell, fields))
        return line.getvalue()

    yield row(_COLUMNS)
    host, times = difference.host.name, (difference.old.scanned_at, difference.new.scanned_at)
    for one in difference.changes:
        members = (one.product, one.kind, one.name, one.old, one.new, one.path, one.user, one.source)
        yield row((host, one.what, *members, *times))
    for unseen in difference.newly_unseen:
        yield row((host, "newly unseen", "", "", unseen.what, "", unseen.why, "", "", unseen.source, *times))
    for left in difference.left:
        item = left.item
        members = (left.product, item.kind, item.name, "", item.version, item.path, item.user, item.source)
        yield row((host, "left", *members, *times))
    if difference.proof:
        why = "; ".join(difference.reasons)
        yield row((host, f"removal {difference.proof.replace('_', ' ')}", *[""] * 4, why, "", "", "", *times))


def _json(difference: Difference, width: int) -> Iterator[str]:
    del width
    yield json_text(difference, indent=2) + "\n"


_PIECES: dict[str, Callable[[Difference, int], Iterator[str]]] = {"table": _table, "csv": _csv, "json": _json}
