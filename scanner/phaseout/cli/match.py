"""`phaseout match`."""

import datetime as dt
import os
import sys
from collections.abc import Iterable, Iterator
from itertools import chain, islice

import click

from phaseout.cli import EXIT_WRONG_USE, found_status
from phaseout.cli.input_file import open_input, places
from phaseout.cli.interruption import interruptible
from phaseout.cli.output import Outputs
from phaseout.cli.output_options import OutputOptions, output_options
from phaseout.cli.progress import Progress
from phaseout.cli.rule_folders import RuleFolders
from phaseout.cli.scan_options import counted_from, judging_options
from phaseout.cli.several_hosts import SeveralHosts
from phaseout.fleet.judge import Judge, Judged, Settings, judge_all
from phaseout.fleet.places import Place
from phaseout.fleet.tally import Tally
from phaseout.model.findings import Report
from phaseout.model.nouns import Problem
from phaseout.report.safe import visible


@click.command("match")
@click.argument("inventories", nargs=-1, required=True, metavar="INVENTORY...")
@judging_options
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Use this many processes; by default one for each processor.",
)
@click.option(
    "--personal-apps", is_flag=True, help="List the apps of personal phones, too; otherwise they are counted."
)
@output_options("report")
def command(
    inventories: tuple[str, ...],
    folders: RuleFolders,
    policy: str | None,
    as_of: str | None,
    fail_on: str | None,
    jobs: int | None,
    personal_apps: bool,
    output: OutputOptions,
) -> None:
    """Judge saved inventories again: one, or those of a whole fleet.

    An INVENTORY is a file, a folder of files, or - for standard input: saved with --inventory, CycloneDX, SPDX, syft's
    JSON, results of osquery or Fleet, an inventory of GLPI, FusionInventory or OCS, devices of Jamf, Google Workspace
    or Workspace ONE, or a list of programs of Intune, Configuration Manager or Kaspersky Security Center, also with
    gzip or zip. The report says what such an input cannot show.

    Ends with status 1 if something was found on any host, else with 3 if anything was not seen or an inventory could
    not be read, and with 2 if none could.

    \b
    Examples:
      phaseout match laptop-17.json.gz
      phaseout match inventories/ -o fleet.csv
      phaseout match *.cdx.json -f ndjson --as-of 2024-09-29
      syft dir:/ -o cyclonedx-json | phaseout match -
    """
    now = dt.datetime.now(dt.UTC)
    moment = counted_from(as_of) if as_of else now
    from phaseout.cli.rule_files import rules_and_policy

    progress = Progress(quiet=output.quiet)
    with progress.during(lambda: "reading the rules"):
        ruleset, own = rules_and_policy(folders, policy)
    outputs = Outputs(output, "report", own.defaults)
    names = tuple(output.format.name for output in outputs.all)
    settings = Settings(ruleset, own, moment, names, outputs.all[0].page, output.redact, open_input, personal_apps, now)
    run = _Run(outputs, progress)
    files_meant: list[Place] = []
    with progress.during(lambda: progress.rate(len(files_meant), "files listed")):
        for one in places(inventories):
            if isinstance(one, Problem):
                run.heard(one)
            else:
                files_meant.append(one)
    import gc
    import hashlib  # noqa: F401  (from here on, inventories are digested by it)

    gc.disable()  # inventories and reports have no cycles: looking for some would take a quarter of the time
    with interruptible():
        if len(files_meant) == 1:
            run.one_file(files_meant[0], settings)
        else:
            run.several(judge_all(files_meant, settings, jobs or _processors()), len(files_meant))
    tally = run.tally
    complete = not tally.broken and "incomplete" not in tally.verdicts
    status = (
        found_status(tally.found, fail_on or own.defaults.fail_on, complete=complete)
        if tally.verdicts
        else EXIT_WRONG_USE
    )
    sys.exit(outputs.status(status))


class _Run:
    """The hosts on their way from the judge to the outputs."""

    def __init__(self, outputs: Outputs, progress: Progress) -> None:
        self.tally = Tally()
        self._outputs = outputs
        self._progress = progress

    def heard(self, problem: Problem) -> None:
        """Counts an inventory that could not be judged, and says so at once."""
        self.tally.broken += 1
        self._progress.erase()
        click.echo(f"Error: {visible(problem.where)}: {visible(problem.why)}", err=True)

    def one_file(self, place: Place, settings: Settings) -> None:
        """Writes a file with one host as a scan of that host would be written."""
        judge = Judge(settings)
        reports = judge.reports(place.path, place.also)
        with self._progress.during(lambda: "reading"):
            first = list(islice(self._good(reports), 2))
        if len(first) == 1:
            report = first[0]
            self.tally.add(report.verdict, [finding.verdict for finding in report.findings])
            self._outputs.write(lambda form, page: form.write_report(report, page))
        elif first:
            self.several((judge.written(report) for report in chain(first, self._good(reports))), 0)

    def several(self, judged: Iterable[Judged | Problem], planned: int) -> None:
        """Writes every host into every output, as they come.

        Raises:
            click.UsageError: a format holds one host only.
        """
        outputs = SeveralHosts(self._outputs)
        self._progress.fleet(0, planned)
        try:
            for number, found in enumerate(judged, 1):
                if isinstance(found, Problem):
                    self.heard(found)
                    continue
                self.tally.add(found.verdict, found.found)
                outputs.add(found.texts)
                self._progress.fleet(number, planned)
        except BaseException:
            outputs.abandon()
            raise
        finally:
            self._progress.erase()
        outputs.end(self.tally.sentence(), self.tally.gravest())

    def _good(self, reports: Iterable[Report | Problem]) -> Iterator[Report]:
        for found in reports:
            if isinstance(found, Problem):
                self.heard(found)
            else:
                yield found


def _processors() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
