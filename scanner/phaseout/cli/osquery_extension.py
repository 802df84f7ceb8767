"""`phaseout osquery-extension`."""

import datetime as dt
import signal
import sys

import click

from phaseout.cli import Failure
from phaseout.cli.choices import OneOf
from phaseout.cli.interruption import interruptible
from phaseout.cli.rule_files import read_policy, read_rules
from phaseout.cli.rule_folders import RuleFolders
from phaseout.cli.scan_options import SYSTEMS, rule_options
from phaseout.cli.scanning import TOOL
from phaseout.model.findings import Report
from phaseout.model.nouns import Inventory, Platform
from phaseout.serve.osquery_extension import CannotServeError, serve


@click.command("osquery-extension")
@click.option("--socket", "path", required=True, metavar="PATH", help="osquery's extension socket, or pipe.")
@click.option("--timeout", type=click.FloatRange(min=0), default=3, show_default=True, help="Seconds to wait for it.")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    default=3,
    show_default=True,
    help="Seconds between two checks that osquery still runs.",
)
@click.option(
    "--keep",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long a result is used before a query scans again.",
)
@click.option("--root", metavar="DIR", help="Scan a mounted disk, a chroot or a backup instead of this machine.")
@click.option(
    "--os",
    "platform",
    type=OneOf(SYSTEMS, "system"),
    help="The system of the root, where its content does not show it.",
)
@rule_options
@click.option("--verbose", is_flag=True, help="Accepted because osquery passes it; changes nothing.")
def command(
    path: str,
    timeout: float,
    interval: float,
    keep: float,
    root: str | None,
    platform: Platform | None,
    folders: RuleFolders,
    policy: str | None,
    verbose: bool,
) -> None:
    """Serve the tables restricted_software, restricted_software_coverage and phaseout_items to osquery.

    \b
    Examples:
      osqueryi --extension phaseout.ext      where phaseout.ext runs: phaseout osquery-extension "$@"
      phaseout osquery-extension --socket ~/.osquery/shell.em
    """
    del verbose

    def scan() -> tuple[Inventory, Report]:
        """Scans, and reads the rules anew: a change of rules needs no restart of osquery."""
        from phaseout.judgement.verdict import judge
        from phaseout.rules.matcher import Matcher
        from phaseout.scan.messages import Request
        from phaseout.scan.supervisor import ScanSupervisor

        now = dt.datetime.now(dt.UTC)
        # A fork would inherit the locks of our threads, so the worker is a new interpreter.
        under_way = ScanSupervisor(Request(root=root, platform=platform, low_priority=True), fork=False)
        try:
            own = read_policy(policy)
            ruleset = read_rules(folders, own.policy, own.cautions)
            matcher = Matcher(ruleset)
            inventory = under_way.inventory(scanned_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"), tool=TOOL)
        finally:
            under_way.abandon()
        return inventory, judge(inventory, matcher.match(inventory.items), ruleset, own.policy, now)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the socket is removed on the way out
    try:
        with interruptible():
            serve(path, scan, timeout=timeout, interval=interval, keep=keep)
    except CannotServeError as error:
        raise Failure(str(error)) from error
