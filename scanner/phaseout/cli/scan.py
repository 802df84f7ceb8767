"""`phaseout scan`."""

import datetime as dt
import sys

import click

from phaseout.cli import EXIT_INTERRUPTED, found_status
from phaseout.cli.output import Outputs, check_saving
from phaseout.cli.output_options import OutputOptions, output_options
from phaseout.cli.rule_folders import RuleFolders
from phaseout.cli.scan_options import ScanOptions, counted_from, judging_options, scan_options
from phaseout.cli.scanning import start_scan
from phaseout.cli.several_hosts import SeveralHosts
from phaseout.fleet.tally import Tally
from phaseout.report.several import host_chunks


@click.command("scan")
@scan_options
@judging_options
@output_options("report")
def command(
    options: ScanOptions,
    saved: str | None,
    folders: RuleFolders,
    policy: str | None,
    as_of: str | None,
    fail_on: str | None,
    output: OutputOptions,
) -> None:
    """Scan this machine: what must be replaced, and by when.

    \b
    Examples:
      phaseout scan
      phaseout scan -o report.csv -o report.json
      phaseout scan --root /mnt/disk --as-of 2024-09-01
      phaseout scan --image server.qcow2
      phaseout scan --image images.tar -o images.csv
      phaseout scan --inventory laptop-17.json.gz     phaseout match judges it again
    """
    check_saving(saved)
    now = dt.datetime.now(dt.UTC)
    moment = counted_from(as_of) if as_of else now
    scan = start_scan(options, quiet=output.quiet)
    try:  # the rules, and what judges by them, are loaded while the workers scan; broken rules end them
        from phaseout.cli.rule_files import rules_and_policy
        from phaseout.judgement.verdict import judge
        from phaseout.rules.matcher import Matcher

        ruleset, own = rules_and_policy(folders, policy)
        outputs = Outputs(output, "report", own.defaults)
        matcher = Matcher(ruleset)
        outputs.load()
        if sys.platform != "win32":
            import hashlib  # noqa: F401  (there is time to load it now, and it digests the inventory five times as fast)
    except BaseException:
        scan.abandon()
        raise
    inventories = list(scan.inventories(now, matcher.learn))
    tally = Tally()
    reports = []
    for inventory in inventories:
        found = matcher.match(inventory.items)
        report = outputs.redacted(judge(inventory, found, ruleset, own, moment, now))
        tally.add(report.verdict, [finding.verdict for finding in report.findings])
        reports.append(report)
    outputs.save(map(outputs.redacted, inventories), saved)
    if len(reports) == 1:
        outputs.write(lambda form, page: form.write_report(reports[0], page))
    else:
        several = SeveralHosts(outputs)
        for report in reports:
            several.add([host_chunks(one.format, report, one.page) for one in outputs.all])
        several.end(tally.sentence(), tally.gravest())
    weakest = fail_on or own.defaults.fail_on
    status = found_status(tally.found, weakest, complete="incomplete" not in tally.verdicts)
    sys.exit(EXIT_INTERRUPTED if scan.interrupted else outputs.status(status))
