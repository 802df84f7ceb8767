"""`phaseout rules list|show|check`."""

import sys

import click

from scanner.cli.rule_files import broken, read_rules, rules_and_policy
from scanner.model import Measure, Policy, Product, Ruleset, Vendor
from scanner.ruleset import RuleError


@click.group("rules")
def command() -> None:
    """List, show and check the rules."""


_FOLDERS = click.option("--rules", "folders", multiple=True, metavar="DIR", help="Rules instead of the shipped ones.")
_FORMAT = click.option("-f", "--format", "format_name", type=click.Choice(["table", "json"]), default="table")


@command.command("list")
@_FOLDERS
@_FORMAT
def list_rules(folders: tuple[str, ...], format_name: str) -> None:
    """All products and measures, one line each."""
    ruleset, _ = rules_and_policy(folders, None)
    if format_name == "json":
        _json(ruleset)
        return
    from tabulate import tabulate

    products = [
        (vendor.name, product.id, product.name, product.category, product.role, " ".join(product.platforms))
        for vendor in ruleset.vendors
        for product in vendor.product
    ]
    click.echo(tabulate(products, headers=("vendor", "id", "product", "category", "role", "platforms")))
    click.echo()
    measures = [
        (measure.id, measure.jurisdiction, measure.force, measure.status.state, _next(measure), measure.title)
        for measure in ruleset.measures
    ]
    click.echo(tabulate(measures, headers=("measure", "where", "force", "status", "dates", "title")))


@command.command("show")
@click.argument("identifier", metavar="ID")
@_FOLDERS
@_FORMAT
def show(identifier: str, folders: tuple[str, ...], format_name: str) -> None:
    """One vendor, product or measure, whole."""
    ruleset, _ = rules_and_policy(folders, None)
    found = _find(ruleset, identifier)
    if found is None:
        import difflib

        known = [vendor.id for vendor in ruleset.vendors] + [measure.id for measure in ruleset.measures]
        known += [product.id for vendor in ruleset.vendors for product in vendor.product]
        close = difflib.get_close_matches(identifier, known, n=3)
        meant = f"; did you mean {', '.join(close)}?" if close else ""
        raise click.UsageError(f"no vendor, product or measure {identifier!r}{meant}")
    if format_name == "json":
        _json(found)
    elif isinstance(found, Measure):
        _show_measure(found)
    else:
        _show_products(found)


@command.command("check")
@click.argument("folders", nargs=-1, metavar="[DIR]…")
def check(folders: tuple[str, ...]) -> None:
    """Read all rules, name every error, and judge every specimen."""
    from scanner.specimens import judge_specimens

    try:
        ruleset = read_rules(folders, Policy())
    except RuleError as error:
        raise broken(error) from error
    wrong = list(judge_specimens(ruleset))
    for line in wrong:
        click.echo(line, err=True)
    products = [product for vendor in ruleset.vendors for product in vendor.product]
    specimens = sum(len(product.hit) + len(product.miss) for product in products)
    click.echo(
        f"{len(ruleset.vendors)} vendors, {len(products)} products, {len(ruleset.measures)} measures, "
        f"{specimens} specimens: {len(wrong)} wrong"
    )
    sys.exit(2 if wrong else 0)


def _find(ruleset: Ruleset, identifier: str) -> Vendor | Product | Measure | None:
    for vendor in ruleset.vendors:
        if vendor.id == identifier:
            return vendor
        for product in vendor.product:
            if product.id == identifier:
                return product
    return next((measure for measure in ruleset.measures if measure.id == identifier), None)


def _show_products(found: Vendor | Product) -> None:
    click.echo(f"{found.name} ({found.id})")
    if found.note:
        click.echo(f"  {found.note}")
    for product in found.product if isinstance(found, Vendor) else (found,):
        click.echo(f"\n{product.id}: {product.name}")
        click.echo(f"  {product.category}, {product.role}, {product.status}, {' '.join(product.platforms)}")
        for match in product.match:
            click.echo(f"  matched by (grade {match.grade}): {_fields(match)}")
        for match in product.unless:
            click.echo(f"  unless: {_fields(match)}")
        for number, step in enumerate(product.remove, 1):
            click.echo(f"  remove {number}. {step}")


def _fields(match: object) -> str:
    import msgspec

    members = msgspec.to_builtins(match)
    shown = {key: value for key, value in members.items() if value and key not in ("grade", "reference")}
    return ", ".join(f"{key} = {value}" for key, value in shown.items())


def _show_measure(measure: Measure) -> None:
    click.echo(f"{measure.title} ({measure.id})")
    click.echo(f"  {measure.issuer}, {measure.instrument}, {'; '.join(measure.citation)}")
    click.echo(f"  {measure.jurisdiction}, {measure.force}, {measure.status.state} as of {measure.status.as_of}")
    click.echo(f"  For a user: {measure.user}")
    for bound in measure.bound:
        click.echo(f"  Binds {bound.role}: {bound.duty}")
    for exemption in measure.exempts:
        click.echo(f"  Exempt: {', '.join(exemption.categories)} {exemption.condition}".rstrip())
    for milestone in measure.milestone:
        when = milestone.at.isoformat() if milestone.at else milestone.when
        click.echo(f"  {when}  {milestone.kind} ({milestone.actor}, {milestone.verified}): {milestone.text}")
    for reference in measure.reference:
        click.echo(f"  [{reference.id}] {reference.tier}: {reference.citation} {reference.url}".rstrip())
    if measure.note:
        click.echo(f"  Note: {measure.note}")


def _next(measure: Measure) -> str:
    dates = sorted(milestone.at for milestone in measure.milestone if milestone.at)
    return f"{dates[0].date()} … {dates[-1].date()}" if dates else "no date"


def _json(value: object) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
