"""`phaseout fleet add|judge|assets|status|hosts|trend|page|export|evidence|forget`."""

import contextlib
import datetime as dt
import gc
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from phaseout.cli import EXIT_WRONG_USE, Failure
from phaseout.cli.choices import OneOf, rule_ids
from phaseout.cli.fleet_formats import hosts_text, status_text, trend_text
from phaseout.cli.input_file import STDIN, listed, open_input, read_input
from phaseout.cli.interruption import interruptible
from phaseout.cli.output import STDOUT, terminal_width, write_file
from phaseout.cli.output_file import writing
from phaseout.cli.progress import Progress
from phaseout.cli.rule_folders import RuleFolders
from phaseout.cli.scan_options import counted_from, rule_options
from phaseout.fleet.status import LEAST_VALID, STATES, VALID, Wanted, hosts, status, trend
from phaseout.fleet.store import Store, StoreError, opened
from phaseout.model.counting import counted
from phaseout.model.findings import Hits, ProtectionState, Report
from phaseout.model.nouns import Inventory, Problem
from phaseout.report.safe import visible

if TYPE_CHECKING:
    from phaseout.fleet.kept import Judging

_POLICY = 1 << 20  # bytes
_FIRST = 1980, 1, 1, 0, 0, 0  # no archive knows earlier times
_F = TypeVar("_F", bound=Callable[..., Any])


@click.group("fleet")
def command() -> None:
    """Keep the reports of many machines in one file, STORE: who still runs what, who is silent, and the trend.

    \b
    Examples:
      phaseout fleet add fleet.db reports/
      phaseout fleet assets fleet.db machines.csv
      phaseout fleet status fleet.db
      phaseout fleet hosts fleet.db --state silent
      phaseout fleet trend fleet.db --by product
    """


def _rule_option(kind: str, help_text: str) -> Callable[[_F], _F]:
    """An option that takes the id or name of a vendor, product or measure of the rules."""
    names = OneOf(rule_ids(kind), open_ended=True)
    return click.option(f"--{kind}", default="", metavar="ID", type=names, help=help_text)


def _store_options(function: _F) -> _F:
    """Adds STORE, the moment, and how long an answer holds."""
    for option in (
        click.option(
            "--valid",
            type=click.IntRange(1, 3650),
            default=VALID,
            show_default=True,
            metavar="DAYS",
            help="Days without an answer after which a host is silent.",
        ),
        click.option("--as-of", metavar="DATE", help="Show the fleet at this moment instead of now."),
        click.argument("store", metavar="STORE"),
    ):
        function = option(function)
    return function


def _format_options(*formats: str) -> Callable[[_F], _F]:
    def add(function: _F) -> _F:
        for option in (
            click.option("-o", "--output", default=STDOUT, metavar="FILE", help="Write to FILE."),
            click.option(
                "-f",
                "--format",
                "format_name",
                type=OneOf(formats, "format"),
                default=formats[0],
                show_default=True,
            ),
        ):
            function = option(function)
        return function

    return add


@command.command("add")
@click.argument("store", metavar="STORE")
@click.argument("places", nargs=-1, required=True, metavar="PLACE...")
@rule_options
def add_answers(store: str, places: tuple[str, ...], folders: RuleFolders, policy: str | None) -> None:
    """Add the reports of machines; STORE is created if it does not exist.

    A PLACE is a file, a folder of files, or - for standard input: reports of `phaseout scan` as JSON, NDJSON or CSV,
    and inventories of every kind that `phaseout match` reads, which are judged by the rules. Each file is read once;
    adding it again, late or in another order gives the same store.

    Ends with status 2 if any file, or a part of one, was refused; everything else is added.

    \b
    Examples:
      phaseout fleet add fleet.db //server/reports
      phaseout fleet add fleet.db reports/*.json.gz
    """
    from phaseout.fleet.add import Reading, Totals, add
    from phaseout.fleet.places import Listed

    gc.disable()  # answers have no cycles: looking for some would take a quarter of the time
    totals, progress = Totals(), Progress()
    judge = _Judge(folders, policy)
    unread = 0

    def meant() -> Iterator[Listed]:
        nonlocal unread
        for one in listed(places):
            if isinstance(one, Problem):
                unread += 1
                _say_refused(progress, one)
            else:
                yield one

    reading = Reading(open_input, read_input, judge.report, judge.ids)
    now = int(dt.datetime.now(dt.UTC).timestamp())
    shown = progress.during(lambda: progress.rate(totals.listed, "files"))
    with interruptible(), _opened(store, make=True) as kept, shown:
        for problem in add(kept, meant(), reading, now, totals):
            _say_refused(progress, problem)
    click.echo(f"{visible(store)}: {totals.sentence()}")
    sys.exit(EXIT_WRONG_USE if unread or totals.refused or totals.parts else 0)


@command.command("judge")
@click.argument("store", metavar="STORE")
@rule_options
@click.option("--as-of", metavar="DATE", help="Count days from this date instead of today.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
def judge_kept(store: str, folders: RuleFolders, policy: str | None, as_of: str | None, dry_run: bool) -> None:
    """Judge the newest inventory of every host by the current rules, without asking a machine.

    Only hosts that sent inventories can be judged. What these rules find first is not counted as a regression.

    \b
    Examples:
      phaseout fleet judge fleet.db
      phaseout fleet judge fleet.db --rules our-rules/ --dry-run
    """
    from phaseout.fleet.judge_again import judge_again

    judge = _Judge(folders, policy, as_of)
    with interruptible(), _opened(store) as kept, Progress().during(lambda: "judging"):
        found = judge_again(kept, judge.judging(), keep=not dry_run)
        without = kept.one("SELECT count(*) FROM host")[0] - found.inventories
    click.echo(
        f"{visible(store)}: {counted(found.inventories, 'inventory', 'inventories')} judged"
        f"{' (nothing was kept)' if dry_run else ''}: on {counted(found.found, 'host')} a product was found that was"
        f" not known, on {counted(found.lost, 'host')} one is no longer found."
    )
    if without > 0:
        click.echo(f"{counted(without, 'host')} sent no inventory and cannot be judged again.")


@command.command("assets")
@click.argument("store", metavar="STORE")
@click.argument("file", metavar="FILE")
def replace_list(store: str, file: str) -> None:
    """Set the list of machines that must answer: FILE replaces the list in STORE.

    FILE is a CSV with any of the columns name, serial, uuid, group, role, owner and retired, or an export of Intune,
    Active Directory or Kaspersky Security Center. Only the first of several rows about one machine counts.

    Ends with status 2 if a row was refused; the others are the list.

    \b
    Examples:
      phaseout fleet assets fleet.db machines.csv
    """
    from phaseout.fleet.assets import Asset, read_assets, replace_assets

    assets: list[Asset] = []
    refused = 0
    try:
        with open_input(file) as stream:
            for one in read_assets(stream, file if file != STDIN else "standard input"):
                if isinstance(one, Problem):
                    refused += 1
                    _say_refused(Progress(), one)
                else:
                    assets.append(one)
    except OSError as error:
        raise Failure(f"{file}: {error.strerror or error}") from error
    if not assets:
        raise Failure(f"{file}: no machine in it: the list stays as it was")
    with interruptible(), _opened(store, make=True) as kept, kept.changing():
        replace_assets(kept, assets)
        found = kept.one("SELECT count(host) FROM asset")[0]
    retired = sum(one.retired for one in assets)
    click.echo(
        f"{visible(store)}: {counted(len(assets), 'machine')}, {retired:,} retired, {found:,} known;"
        f" {counted(refused, 'row')} refused"
    )
    sys.exit(EXIT_WRONG_USE if refused else 0)


@command.command("status")
@_store_options
@_format_options("table", "json")
def show_status(store: str, as_of: str | None, valid: int, format_name: str, output: str) -> None:
    """Show the fleet in numbers: states, groups, products, dates ahead and behind.

    \b
    Examples:
      phaseout fleet status fleet.db
      phaseout fleet status fleet.db --valid 30 -f json
    """
    with _opened(store) as kept, Progress().during(lambda: "counting"):
        found = status(kept, _moment(as_of), valid)
    write_file(output, status_text(found, format_name, terminal_width(output)))


@command.command("hosts")
@_store_options
@click.option("--state", type=OneOf((*STATES, "unlisted"), "state"), default=None, help="Only hosts in this state.")
@_rule_option("product", "Only hosts with this product, by id or name.")
@_rule_option("vendor", "Only hosts with software of this vendor, by id or name.")
@_rule_option("measure", "Only hosts with a product for which this measure decides.")
@click.option("--group", default="", help="Only hosts in this group of the asset list.")
@click.option("--user", default="", help="Only hosts where this user has a product.")
@click.option("--name", default="", help="Only hosts with this name.")
@click.option(
    "--origin",
    type=OneOf(("first", "new", "again", "new_rules", "unknown"), "origin"),
    default=None,
    help="Only hosts with a product that appeared in this way; again: it had been gone before.",
)
@click.option(
    "--doubtful", is_flag=True, help="Only hosts that may be another machine, or two: renamed, reinstalled, cloned, …"
)
@click.option(
    "--protection",
    type=OneOf(get_args(ProtectionState), "state of protection"),
    default=None,
    help="Only hosts whose newest answer says this about their protection.",
)
@click.option("--unprotected", is_flag=True, help="Only hosts that lost a product and have no protection now.")
@click.option("--seen-since", metavar="DATE", help="Only hosts that answered since then.")
@_format_options("table", "csv", "json")
def show_hosts(
    store: str,
    as_of: str | None,
    valid: int,
    seen_since: str | None,
    format_name: str,
    output: str,
    doubtful: bool,
    unprotected: bool,
    **wanted: str | None,
) -> None:
    """List the hosts behind a number, with what is on them.

    \b
    Examples:
      phaseout fleet hosts fleet.db --state silent
      phaseout fleet hosts fleet.db --product kaspersky-endpoint-security -f csv -o to-do.csv
    """
    since = int(_begin(seen_since).timestamp()) if seen_since else 0
    with _opened(store) as kept:
        wants = Wanted(
            seen_since=since,
            doubtful=doubtful,
            unprotected=unprotected,
            **{name: value or "" for name, value in wanted.items()},
        )
        with Progress().during(lambda: "counting"):
            found = hosts(kept, _moment(as_of), wants, valid)
        write_file(output, hosts_text(found, format_name, terminal_width(output)))


@command.command("trend")
@_store_options
@click.option("--by", type=OneOf(("state", "product", "measure", "group")), default="state", show_default=True)
@click.option("--since", metavar="DATE", help="The first day; by default that of the first answer.")
@_format_options("table", "csv", "json")
def show_trend(
    store: str, as_of: str | None, valid: int, by: Any, since: str | None, format_name: str, output: str
) -> None:
    """Count the hosts in each state, or with each product, at the end of each day (UTC).

    \b
    Examples:
      phaseout fleet trend fleet.db --by product --since 2026-01-01 -f csv
    """
    if valid < LEAST_VALID:
        raise click.UsageError(f"--valid {valid}: a trend knows no gaps shorter than {LEAST_VALID} days")
    first = _moment(since).date() if since else None
    with _opened(store) as kept, Progress().during(lambda: "counting"):
        found = trend(kept, _moment(as_of), by=by, since=first, valid=valid)
    write_file(output, trend_text(found, format_name, terminal_width(output)))


@command.command("page")
@_store_options
@click.option("-o", "--output", default=STDOUT, metavar="FILE", help="Write to FILE.")
def write_whole_page(store: str, as_of: str | None, valid: int, output: str) -> None:
    """Write one HTML file for the person who answers for the fleet. It loads nothing and can be forwarded.

    \b
    Examples:
      phaseout fleet page fleet.db -o fleet.html
    """
    from phaseout.fleet.html_page import write_page

    if valid < LEAST_VALID:
        raise click.UsageError(f"--valid {valid}: a trend knows no gaps shorter than {LEAST_VALID} days")
    with _opened(store) as kept:
        write_file(output, write_page(kept, _moment(as_of), valid))


@command.command("export")
@_store_options
@click.option(
    "--parquet",
    metavar="DIR",
    help="Write Parquet to this folder, which must be new or empty. Needs the extra `fleet`.",
)
@click.option("--csv", "as_csv", metavar="DIR", help="Write CSV to this folder, which must be new or empty.")
def export_tables(store: str, as_of: str | None, valid: int, parquet: str | None, as_csv: str | None) -> None:
    """Write the fleet as tables, for DuckDB, Spark, ClickHouse or a warehouse.

    \b
    Examples:
      phaseout fleet export fleet.db --parquet export/
      phaseout fleet export fleet.db --csv export/
    """
    from phaseout.fleet import tables

    folder = parquet or as_csv
    if not folder or (parquet and as_csv):
        raise click.UsageError("--parquet or --csv says where the tables go")
    encoded, ending = (tables.as_parquet, "parquet") if parquet else (tables.as_csv, "csv")
    try:
        if os.path.isdir(folder) and os.listdir(folder):
            raise Failure(f"{folder}: not empty: a table of an earlier export would be read with the new ones")
        count = 0
        with _opened(store) as kept, Progress().during(lambda: f"{count:,} files written"):
            for table in tables.tables(kept, _moment(as_of), valid):
                path = os.path.join(folder, *f"{table.path}.{ending}".split("/"))
                data = encoded(table)
                os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
                with writing(path) as write:
                    write(data)
                count += 1
    except ImportError as error:
        raise Failure("Parquet needs pyarrow: pip install 'phaseout[fleet]'") from error
    click.echo(f"{visible(folder)}: {counted(count, 'file')}")


@command.command("evidence")
@_store_options
@click.option("--policy", metavar="FILE", help="Include this policy, with its roles and waivers.")
@click.option("-o", "--output", required=True, metavar="FILE", help="Write the archive to FILE.")
def write_evidence(store: str, as_of: str | None, valid: int, policy: str | None, output: str) -> None:
    """Write one archive for an auditor: the fleet at a moment, its history, and the SHA-256 of every report.

    The same store and moment give the same archive, byte for byte.

    \b
    Examples:
      phaseout fleet evidence fleet.db -o evidence.zip
      phaseout fleet evidence fleet.db --as-of 2026-06-30 --policy phaseout.toml -o evidence.zip
    """
    import io
    import zipfile

    from phaseout.fleet.evidence import evidence

    moment = _moment(as_of)
    try:
        declared = read_input(policy, _POLICY + 1) if policy else None
    except OSError as error:
        raise Failure(f"{policy}: {error.strerror or error}") from error
    if declared is not None and len(declared) > _POLICY:
        raise Failure(f"{policy}: larger than {_POLICY >> 20} MiB: no policy")
    archive = io.BytesIO()
    shown = Progress().during(lambda: "collecting")
    with _opened(store) as kept, shown, zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for name, data in evidence(kept, moment, valid, declared):
            member = zipfile.ZipInfo(name, max(moment.astimezone(dt.UTC).timetuple()[:6], _FIRST))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o600 << 16
            files.writestr(member, data)
    with writing(output) as write:
        write(archive.getvalue())
    click.echo(f"{visible(output)}: {hashlib.sha256(archive.getvalue()).hexdigest()}")


@command.command("forget")
@click.argument("store", metavar="STORE")
@click.option("--name", default="", help="Hosts with this name.")
@click.option("--last-before", metavar="DATE", help="Hosts whose newest answer is older than this.")
def forget_hosts(store: str, name: str, last_before: str | None) -> None:
    """Delete hosts, with all that they reported, from STORE.

    Take their files out of the folder of reports first: the next `add` reads every file that is still there.

    \b
    Examples:
      phaseout fleet forget fleet.db --name old-laptop
      phaseout fleet forget fleet.db --last-before 2025-01-01
    """
    from phaseout.fleet.forget import forget

    if not (name or last_before):
        raise click.UsageError("--name or --last-before says which hosts")
    before = int(_begin(last_before).timestamp()) if last_before else 0
    with interruptible(), _opened(store) as kept, Progress().during(lambda: "forgetting"):
        count = forget(kept, name=name, before=before)
    click.echo(f"{visible(store)}: {counted(count, 'host')} forgotten")


@contextlib.contextmanager
def _opened(path: str, *, make: bool = False) -> Iterator[Store]:
    try:
        with opened(path, make=make) as store:
            yield store
    except StoreError as error:
        raise Failure(str(error)) from error


class _Judge:
    """Judges inventories by rules that are loaded only if there is one."""

    def __init__(self, folders: RuleFolders, policy: str | None, as_of: str | None = None) -> None:
        self._folders = folders
        self._policy = policy
        self._moment = counted_from(as_of)
        self._now = dt.datetime.now(dt.UTC)
        self._loaded: Any = None
        self._ids: dict[tuple[str, str], tuple[str, str]] | None = None

    def report(self, inventory: Inventory) -> Report:
        """The report on an inventory."""
        _, _, matcher = self._rules()
        return self._report(inventory, matcher.match(inventory.items))

    def judging(self) -> "Judging":
        """What judges inventories."""
        from phaseout.fleet.kept import Judging
        from phaseout.rules.matcher import listed_hits

        _, _, matcher = self._rules()
        return Judging(
            matcher.all_hits, lambda inventory, hits: self._report(inventory, listed_hits(hits, inventory.items))
        )

    def _report(self, inventory: Inventory, hits: "Hits") -> Report:
        from phaseout.judgement.verdict import judge
        from phaseout.scan.completeness import checked

        ruleset, own, _ = self._rules()
        return judge(checked(inventory), hits, ruleset, own, self._moment, self._now)

    def ids(self, vendor: str, product: str) -> tuple[str, str]:
        """The ids of a vendor and a product; their names where the rules do not know them."""
        if self._ids is None:
            ruleset, _, _ = self._rules()
            self._ids = {(one.name, each.name): (one.id, each.id) for one in ruleset.vendors for each in one.product}
        return self._ids.get((vendor, product), (vendor, product))

    def _rules(self) -> Any:
        if self._loaded is None:
            from phaseout.cli.rule_files import rules_and_policy
            from phaseout.rules.matcher import Matcher

            ruleset, own = rules_and_policy(self._folders, self._policy)
            self._loaded = ruleset, own, Matcher(ruleset)
        return self._loaded


def _say_refused(progress: Progress, problem: Problem) -> None:
    progress.erase()
    click.echo(f"Refused: {visible(problem.where)}: {visible(problem.why)}", err=True)


def _begin(text: str) -> dt.datetime:
    """The moment that the user names; of a day its beginning."""
    return _instant(text, dt.time())


def _moment(text: str | None) -> dt.datetime:
    """The moment that the user names; of a day its end."""
    return _instant(text, dt.time(23, 59, 59))


def _instant(text: str | None, of_day: dt.time) -> dt.datetime:
    found = counted_from(text)
    return found if isinstance(found, dt.datetime) else dt.datetime.combine(found, of_day, dt.UTC)
