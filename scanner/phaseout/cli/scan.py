"""`phaseout scan`."""

import datetime as dt
import sys

import click

from phaseout.cli import EXIT_FOUND, EXIT_INCOMPLETE, EXIT_INTERRUPTED
from phaseout.cli.output import formats, write
from phaseout.cli.scan_options import (
    check_saving,
    counted_from,
    finish_looking,
    judging_options,
    looking_options,
    output_options,
    save,
    start_looking,
)
from phaseout.model.findings import Report
from phaseout.model.nouns import Platform


@click.command("scan")
@looking_options
@judging_options
@output_options
def command(
    root: str | None,
    platform: Platform | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    deep: bool,
    modules: bool,
    seconds: float,
    priority: str | None,
    saved: str | None,
    folders: tuple[str, ...],
    policy: str | None,
    as_of: str | None,
    fail_on: str,
    format_name: str | None,
    files: tuple[str, ...],
) -> None:
    """Look at this machine and say what must be replaced, and by when.

    \b
    Examples:
      phaseout scan
      phaseout scan -o report.csv -o report.json
      phaseout scan --root /mnt/disk --as-of 2024-09-01
      phaseout scan --inventory laptop-17.json.gz     judged again later with phaseout match
    """
    check_saving(saved)
    formats(format_name, files)  # an unknown format ends here, not after the scan
    now = dt.datetime.now(dt.UTC)
    moment = counted_from(as_of) if as_of else now
    look = start_looking(root, platform, only, skip, seconds, priority, deep=deep, modules=modules)
    try:  # the rules, and what judges by them, are loaded while the worker looks; broken ones end it
        from phaseout.cli.rule_files import rules_and_policy
        from phaseout.judgement.verdict import judge
        from phaseout.rules.matcher import Matcher

        ruleset, own = rules_and_policy(folders, policy)
        matcher = Matcher(ruleset)
    except BaseException:
        look.abandon()
        raise
    inventory = finish_looking(look, now)
    if saved is not None:
        save(inventory, saved)
    report = judge(inventory, matcher.match(inventory.items), ruleset, own, moment)
    write(lambda one, width: one.report(report, width), format_name, files)
    sys.exit(EXIT_INTERRUPTED if look.interrupted else exit_status(report, fail_on))


def exit_status(report: Report, fail_on: str) -> int:
    """0 nothing found and complete, 1 found at or above `fail_on`, 3 nothing found but not everything was seen."""
    found = {finding.verdict for finding in report.findings}
    if fail_on != "never" and ("replace" in found or (fail_on == "review" and found)):
        return EXIT_FOUND
    return EXIT_INCOMPLETE if report.verdict == "incomplete" else 0
