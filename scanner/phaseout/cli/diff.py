"""`phaseout diff`."""

import datetime as dt
import sys
from functools import cached_property
from typing import TYPE_CHECKING

import click

from phaseout.cli import EXIT_FOUND, EXIT_INCOMPLETE, Failure
from phaseout.cli.diff_formats import WRITERS
from phaseout.cli.input_file import open_input
from phaseout.cli.output import Outputs
from phaseout.cli.output_options import OutputOptions, output_options
from phaseout.cli.rule_folders import RuleFolders
from phaseout.cli.scan_options import rule_options
from phaseout.judgement.diff import Difference, compare, outlined, shortened, with_products
from phaseout.model.findings import Report
from phaseout.model.nouns import Inventory
from phaseout.model.rules import Policy, Ruleset
from phaseout.report.safe import visible

if TYPE_CHECKING:
    from phaseout.rules.matcher import Matcher


@click.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--require-gone", is_flag=True, help="End with status 1 if anything is left of what OLD found.")
@rule_options
@output_options("difference")
def command(
    old: str,
    new: str,
    require_gone: bool,
    folders: RuleFolders,
    policy: str | None,
    output: OutputOptions,
) -> None:
    """Compare OLD and NEW: what went, what came, and whether a removal is proven.

    Both are saved inventories (of any kind that `phaseout match` reads) or reports in JSON, of one host each.
    Inventories are judged by the rules, and all their items are compared; of reports, the findings are. The result is
    written as table, CSV, JSON or HTML (the proof on one page, to be signed).

    With --require-gone the status is 0 only if OLD found something, both are of one machine by its identity (a name
    is no proof), NEW is the younger inventory, both saw everything in which the software could show, and NEW has
    nothing of these products or of their vendors, leftovers included. It is 1 if anything is left, else 3, with the
    reasons why nothing is proven.

    \b
    Examples:
      phaseout diff before.json after.json
      phaseout diff before.json.gz after.json.gz --require-gone -o proof.json
    """
    outputs = Outputs(output, "difference")
    difference = outputs.redacted(shortened(_difference(old, new, folders, policy)))
    outputs.write(lambda form, page: WRITERS[form.name](difference, page))
    status = 0
    if require_gone and difference.proof != "proven":
        status = EXIT_FOUND if difference.proof == "left" else EXIT_INCOMPLETE
    sys.exit(outputs.status(status))


def _read(path: str) -> Report | Inventory:
    """The one report or inventory in a file.

    Raises:
        Failure: there is none, or several.
    """
    from phaseout.inventories import read_one
    from phaseout.model.nouns import Problem

    try:
        with open_input(path) as file:
            found = read_one(file, path if path != "-" else "standard input")
    except OSError as error:
        raise Failure(f"{path}: {error.strerror or error}") from error
    if isinstance(found, Problem):
        raise Failure(f"{visible(found.where)}: {visible(found.why)}")
    from phaseout.scan.completeness import checked

    return checked(found)


def _difference(old_path: str, new_path: str, folders: RuleFolders, policy: str | None) -> Difference:
    """The difference, with the proof that rules can give."""
    now = dt.datetime.now(dt.UTC)
    judge = _Judge(folders, policy, now)
    old = _read(old_path)
    before = judge.report(old)
    if isinstance(old, Inventory):
        old = outlined(old)  # before NEW is read: either may take a hundred megabytes
    new = _read(new_path)
    after = judge.report(new)
    if isinstance(old, Report) and isinstance(new, Report):
        return compare(old, new, now)
    both = isinstance(old, Inventory) and isinstance(new, Inventory)
    difference = compare(old, new) if both else compare(before, after)
    seen = new if isinstance(new, Inventory) else None
    return with_products(difference, before, after, seen=seen, ruleset=judge.rules[0], now=now)


class _Judge:
    """Judges inventories; reports have been judged."""

    def __init__(self, folders: RuleFolders, policy: str | None, now: dt.datetime) -> None:
        self._folders = folders
        self._policy = policy
        self._now = now

    def report(self, side: Report | Inventory) -> Report:
        """The scan as a report."""
        if isinstance(side, Report):
            return side
        from phaseout.judgement.verdict import judge

        ruleset, policy, matcher = self.rules
        return judge(side, matcher.match(side.items), ruleset, policy, self._now, self._now)

    @cached_property
    def rules(self) -> "tuple[Ruleset, Policy, Matcher]":
        """The rules, loaded when they are first needed."""
        from phaseout.cli.rule_files import rules_and_policy
        from phaseout.rules.matcher import Matcher

        ruleset, policy = rules_and_policy(self._folders, self._policy)
        return ruleset, policy, Matcher(ruleset)
