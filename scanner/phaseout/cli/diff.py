"""`phaseout diff`."""

import datetime as dt
import sys
from typing import TYPE_CHECKING

import click

from phaseout.cli import EXIT_FOUND, EXIT_INCOMPLETE, Failure
from phaseout.cli.diff_formats import WRITERS
from phaseout.cli.input_file import open_input
from phaseout.cli.output import Outputs
from phaseout.cli.output_options import OutputOptions, output_options
from phaseout.cli.rule_folders import RuleFolders
from phaseout.cli.scan_options import rule_options
from phaseout.judgement.diff import Difference, compare, shortened, with_products
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
@output_options
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
    sides = [_read(old), _read(new)]
    difference = outputs.redacted(shortened(_difference(sides[0], sides[1], folders, policy)))
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


def _difference(
    old: Report | Inventory, new: Report | Inventory, folders: RuleFolders, policy: str | None
) -> Difference:
    """The difference, with the proof that rules can give."""
    now = dt.datetime.now(dt.UTC)
    if isinstance(old, Report) and isinstance(new, Report):
        return compare(old, new, now)
    from phaseout.cli.rule_files import rules_and_policy
    from phaseout.rules.matcher import Matcher

    ruleset, own = rules_and_policy(folders, policy)
    matcher = Matcher(ruleset)
    reports = [_judged(side, matcher, ruleset, own, now) for side in (old, new)]
    both = isinstance(old, Inventory) and isinstance(new, Inventory)
    difference = compare(old, new) if both else compare(reports[0], reports[1])
    seen = new if isinstance(new, Inventory) else None
    return with_products(difference, reports[0], reports[1], seen=seen, ruleset=ruleset, now=now)


def _judged(side: Report | Inventory, matcher: "Matcher", ruleset: Ruleset, policy: Policy, now: dt.datetime) -> Report:
    from phaseout.judgement.verdict import judge

    if isinstance(side, Report):
        return side
    return judge(side, matcher.match(side.items), ruleset, policy, now, now)
