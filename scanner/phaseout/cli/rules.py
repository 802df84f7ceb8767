"""`phaseout rules list|show|check|schema|new|export|verify|import|rollback`."""

import datetime as dt
import os
import re
import sys
from typing import get_args

import click

from phaseout.cli import Failure
from phaseout.cli.choices import OneOf, ids_of, meant, rule_ids
from phaseout.cli.output import say, say_table
from phaseout.cli.progress import Progress
from phaseout.cli.rule_files import broken, read_files, read_rules, rules_and_policy, shipped
from phaseout.cli.rule_folders import RuleFolders, rule_folder_options
from phaseout.cli.scan_options import counted_from
from phaseout.judgement.applied import bound_roles, days_left, declared
from phaseout.model.counting import counted
from phaseout.model.nouns import Platform
from phaseout.model.quoting import quoted
from phaseout.model.rules import Measure, Policy, Product, Role, RoleFile, Ruleset, Vendor
from phaseout.report.safe import json_text, visible
from phaseout.report.wording import exempted
from phaseout.rules.load import RuleError


@click.group("rules")
def command() -> None:
    """List, show, check, begin and import rules.

    \b
    Examples:
      phaseout rules list
      phaseout rules show kaspersky
      phaseout rules check my-rules/
    """


_KINDS = ("vendor", "product", "measure", "role")
_ID = OneOf(rule_ids(*_KINDS), open_ended=True)
_FORMAT = click.option("-f", "--format", "format_name", type=OneOf(("table", "json"), "format"), default="table")


@command.command("list")
@rule_folder_options
@_FORMAT
@click.option("--as-of", metavar="DATE", help="Count days from this date instead of today.")
def list_rules(folders: RuleFolders, format_name: str, as_of: str | None) -> None:
    """All products, measures and roles, one line each, with what lies behind and ahead of a measure.

    \b
    Examples:
      phaseout rules list
      phaseout rules list --as-of 2024-09-01
    """
    ruleset, _ = rules_and_policy(folders, None)
    if format_name == "json":
        _json(ruleset)
        return
    moment = counted_from(as_of)
    products = [
        (vendor.name, product.id, product.name, product.category, product.role, " ".join(product.platforms))
        for vendor in ruleset.vendors
        for product in vendor.product
    ]
    say_table(("vendor", "id", "product", "category", "role", "platforms"), products)
    click.echo()
    measures = [
        (measure.id, measure.jurisdiction, measure.force, measure.status.state, *_behind_and_ahead(measure, moment))
        for measure in ruleset.measures
    ]
    say_table(("measure", "where", "force", "status", "last", "next"), measures)
    click.echo()
    roles = [(role.id, role.title, role.home, " ".join(role.implies)) for role in ruleset.roles]
    say_table(("role", "is", "home", "implies"), roles)


@command.command("show")
@click.argument("identifier", metavar="ID", type=_ID)
@rule_folder_options
@_FORMAT
def show(identifier: str, folders: RuleFolders, format_name: str) -> None:
    """One vendor, product, measure or role, whole.

    \b
    Examples:
      phaseout rules show kaspersky
      phaseout rules show us-commerce-icts-2021-002
      phaseout rules show us_dod_contractor
    """
    ruleset, _ = rules_and_policy(folders, None)
    found = _find(ruleset, identifier)
    if found is None:
        known = ids_of(ruleset, *_KINDS)
        raise click.UsageError(f"no vendor, product, measure or role {quoted(identifier)}{meant(identifier, known, 3)}")
    if format_name == "json":
        _json(found)
    elif isinstance(found, Measure):
        _show_measure(found)
    elif isinstance(found, Role):
        _show_role(found, ruleset)
    else:
        _show_products(found)


@command.command("check")
@click.argument("folders", nargs=-1, metavar="[DIR]…")
@click.option("--only-rules", is_flag=True, help="Check without the shipped rules.")
@click.option(
    "--clean",
    "clean_files",
    multiple=True,
    metavar="CSV",
    help="More ordinary software that no rule may match (repeatable).",
)
def check(folders: tuple[str, ...], only_rules: bool, clean_files: tuple[str, ...]) -> None:
    """Check the shipped rules, and those in DIR beside them.

    Names every error, judges every specimen, and tries a list of ordinary software. The columns of that CSV are
    named as the fields of an item: name, vendor, path, kind, …

    \b
    Example:
      phaseout rules check my-rules/ --clean our-software.csv
    """
    from phaseout.rules.self_check import check_rules

    try:
        ruleset = read_rules(RuleFolders(only=folders) if only_rules else RuleFolders(added=folders))
        clean = read_files((os.path.join(shipped(), "clean.csv"), *clean_files))
    except RuleError as error:
        raise broken(error) from error
    with Progress().during(lambda: "checking"):
        wrong = list(check_rules(ruleset, clean))
    for line in wrong:
        click.echo(visible(line), err=True)
    products = [product for vendor in ruleset.vendors for product in vendor.product]
    specimens = sum(len(product.hit) + len(product.miss) for product in products)
    ordinary = sum(content.count(b"\n") - 1 for content in clean.values())
    click.echo(
        f"{counted(len(ruleset.vendors), 'vendor')}, {counted(len(products), 'product')}, "
        f"{counted(len(ruleset.measures), 'measure')}, "
        f"{counted(specimens, 'specimen')}, {counted(ordinary, 'ordinary name')}: {len(wrong)} wrong"
    )
    sys.exit(2 if wrong else 0)


@command.command("schema")
@click.argument("kind", type=OneOf(("vendor", "measure", "roles", "policy"), "schema"))
def schema(kind: str) -> None:
    """The JSON Schema of a rule file or policy, for an editor that completes TOML.

    \b
    Example:
      phaseout rules schema policy > policy.schema.json
    """
    import msgspec

    shape = {"vendor": Vendor, "measure": Measure, "roles": RoleFile, "policy": Policy}[kind]
    _json({"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(shape)})


@command.command("new")
@click.argument("kind", type=OneOf(("vendor", "measure"), "kind"))
@click.argument("name")
@click.option("--rules", "folder", default=".", metavar="DIR", help="The folder of your rules; by default this one.")
def new(kind: str, name: str, folder: str) -> None:
    """Write a commented starting file for a vendor or a measure, which passes the check.

    \b
    Examples:
      phaseout rules new vendor "Acme Corp" --rules my-rules/
      phaseout rules new measure "Acme Act 2027" --rules my-rules/
    """
    identifier = "-".join(re.findall(r"[a-z0-9]+", name.lower()))
    if not identifier:
        raise click.UsageError(
            f"{quoted(name)}: an id needs letters of the Latin alphabet or digits; use a transcription"
        )
    path = os.path.join(folder, f"{kind}s", f"{identifier}.toml")
    template = _VENDOR if kind == "vendor" else _MEASURE
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    today = dt.datetime.now(dt.UTC).date()
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:
            file.write(template.format(id=identifier, name=escaped, today=today, review=today + dt.timedelta(days=180)))
    except OSError as error:
        raise Failure(f"{path}: {error.strerror or error}") from error
    click.echo(f"{path}: now fill it in, then: phaseout rules check {folder}")


@command.command("export")
@click.option(
    "--to",
    "language",
    required=True,
    type=OneOf(("osquery", "sigma", "wazuh-sca", "applocker", "wdac", "santa", "fapolicyd", "intune"), "language"),
    help="The tool: the first three detect, the others block or report.",
)
@click.option(
    "--os",
    "platforms",
    multiple=True,
    type=OneOf(get_args(Platform), "system"),
    help="Only for this system (repeatable); wazuh-sca takes exactly one.",
)
@click.option("--vendor", "vendors", metavar="ID", multiple=True, help="Only this vendor (repeatable).")
@click.option("--enforce", is_flag=True, help="Block; without it, applocker, wdac and fapolicyd only report.")
@click.option("-o", "--output", "file", metavar="FILE", help="Write to FILE instead of standard output.")
@rule_folder_options
@click.option("--policy", metavar="FILE", help="Your own policy: the rules that it adds are exported, too.")
def export_rules(
    language: str,
    platforms: tuple[Platform, ...],
    vendors: tuple[str, ...],
    enforce: bool,
    file: str | None,
    folders: RuleFolders,
    policy: str | None,
) -> None:
    """Write the rules in the language of another tool, for machines without phaseout.

    What that language cannot say is left out, and the file says so. Files that block say what they block and what not.

    \b
    Examples:
      phaseout rules export --to osquery -o /etc/osquery/packs/phaseout.conf
      phaseout rules export --to sigma -o phaseout-sigma.yml
      phaseout rules export --to wazuh-sca --os linux -o phaseout_linux.yml
      phaseout rules export --to applocker --vendor kaspersky -o applocker.xml
    """
    import msgspec

    from phaseout.cli.output import STDOUT, write_file
    from phaseout.cli.output_file import SHARED
    from phaseout.export import LANGUAGES

    chosen = next(one for one in LANGUAGES if one.name == language)
    if chosen.one_platform and len(set(platforms)) != 1:
        raise click.UsageError(f"{language} is for one operating system: name it with --os")
    if not set(platforms) <= set(chosen.platforms):
        raise click.UsageError(f"{language} is for {', '.join(chosen.platforms)} only")
    if enforce and not chosen.audits:
        raise click.UsageError(f"{language} has no audit mode that --enforce could end")
    ruleset, _ = rules_and_policy(folders, policy)
    known = {vendor.id: vendor for vendor in ruleset.vendors}
    if missing := [one for one in vendors if one not in known]:
        raise click.UsageError(f"no vendor {', '.join(missing)}: phaseout rules list")
    if vendors:
        ruleset = msgspec.structs.replace(ruleset, vendors=tuple(known[one] for one in dict.fromkeys(vendors)))
    text = chosen.export(ruleset, platforms or chosen.platforms, enforce=enforce)
    write_file(file or STDOUT, iter((text,)), SHARED)


@command.command("verify")
@click.argument("file", metavar="FILE")
def verify(file: str) -> None:
    """Check a rule pack, and import nothing: signatures, manifest, digests, this program's version, the rules.

    \b
    Example:
      phaseout rules verify phaseout-rules-7.tar
    """
    from phaseout.cli import rule_store

    click.echo(rule_store.verify(file))


@command.command("import")
@click.argument("file", metavar="FILE")
@click.option(
    "--allow-older", is_flag=True, help="Import the pack even if this machine had it, or a later one, before."
)
def import_pack(file: str, allow_older: bool) -> None:
    """Check a rule pack, and use its rules from now on. Only the administrator can do that.

    The rules before stay for `phaseout rules rollback`. docs/packs.md says where they lie.

    \b
    Example:
      phaseout rules import phaseout-rules-7.tar
    """
    from phaseout.cli import rule_store

    click.echo(rule_store.install(file, allow_older=allow_older))


@command.command("rollback")
def rollback() -> None:
    """Go back to the rules before the last import.

    \b
    Example:
      phaseout rules rollback
    """
    from phaseout.cli import rule_store

    click.echo(rule_store.rollback())


_MEASURE = """\
# {name}: what it is, and where its text can be read. docs/howto/own_rules.md says what each field means.
id = "{id}"
title = "{name}"
issuer = "who issued it"
instrument = "statute"      # or regulation, determination, order, directive, contract_clause, list, policy, advisory
citation = ["how it is cited"]
jurisdiction = "US"         # a country, or a state of it: US-TX
force = "binding"           # or contractual, funding, advisory
vendors = ["kaspersky"]     # ids of vendor files
unruled_vendors = []        # names that it lists as well, and that no vendor file looks for
unlisted = []               # what else it reaches, in words: a list that nobody read, a class without names
components = "unclear"      # embedded: parts of other products too; branded_only: not those
user = "What it means for a user whom it does not bind."
action = "What a bound reader has to do."
waiver = ""                 # who may grant an exception under it; empty: none is known

[status]
state = "in_force"
as_of = {today}             # when that was checked
review_by = {review}        # when to check it again

[[bound]]
role = "us_federal_agency"  # an id of roles.toml
duty = "What it asks of them."

# Every dated consequence, with its provenance. `at` has the offset of its own zone; without a date `when` says in words
# when it applies.
[[milestone]]
id = "removal"
kind = "removal_due"
text = "What happens then."
at = 2027-01-01T00:00:00-05:00
actor = "us_federal_agency"
verified = "unverified"     # or primary (its text was read), copy, secondary, derived
references = ["r1"]

[[reference]]
id = "r1"
tier = "primary"            # or copy, secondary
url = "https://example.gov/"
citation = "what it is called"
"""
_VENDOR = """\
# {name}: who that is, and why software of it matters. docs/howto/own_rules.md says what each field means.
id = "{id}"
name = "{name}"
names = []                  # in other scripts and languages
publishers = ["{name}"]     # as machines show them; case and legal forms (Inc, GmbH, AO) do not matter
signers = []                # subjects of code signatures
team_ids = []               # Apple's, ten characters
references = []             # where all this can be read

[[product]]
id = "{id}-product"
name = "{name} product"
category = "other"
role = "covered"            # or embedded, indicator, trace, vendor (catch-all), successor
platforms = ["linux", "macos", "windows"]
remove = [
  {{ step = "uninstall", platform = "windows", text = "Uninstall it in Settings > Apps." }},
  {{ step = "uninstall", platform = "linux", text = "Remove it with the package manager." }},
  {{ step = "verify", text = "Scan again." }},
]

# Every field of a block must fit, any block suffices. A name alone never says more than "review".
[[product.match]]
kind = ["package", "program", "app"]
name = "{name} *"
vendor = "@publishers"
grade = "B"                 # A and B stand alone, C only beside a second field
reference = "who attests it"

# Real traces that must be recognised, and real ones that must not.
[[product.hit]]
kind = "program"
name = "{name} 1.0"
vendor = "{name}"

[[product.miss]]
kind = "program"
name = "Something else"
vendor = "Somebody else"
why = "it shares a word"

# Everything else by this vendor: never more than "review".
[[product]]
id = "{id}-other"
name = "Other software by {name}"
category = "other"
role = "vendor"
platforms = ["linux", "macos", "windows"]

[[product.match]]
vendor = "@publishers"

[[product.hit]]
kind = "program"
name = "Anything"
vendor = "{name}"
"""


def _find(ruleset: Ruleset, identifier: str) -> Vendor | Product | Measure | Role | None:
    for vendor in ruleset.vendors:
        if vendor.id == identifier:
            return vendor
        for product in vendor.product:
            if product.id == identifier:
                return product
    rest: tuple[Measure | Role, ...] = (*ruleset.measures, *ruleset.roles)
    return next((one for one in rest if one.id == identifier), None)


def _show_products(found: Vendor | Product) -> None:
    say(f"{found.name} ({found.id})")
    if found.note:
        say(f"  {found.note}")
    for product in found.product if isinstance(found, Vendor) else (found,):
        say(f"\n{product.id}: {product.name}")
        say(f"  {product.category}, {product.role}, {product.status}, {' '.join(product.platforms)}")
        for match in product.match:
            say(f"  matched by (grade {match.grade}): {_fields(match)}")
        for match in product.unless:
            say(f"  unless: {_fields(match)}")
        for number, step in enumerate(product.remove, 1):
            say(f"  remove {number}. {f'({step.platform}) ' if step.platform else ''}{step.text}")


def _fields(match: object) -> str:
    import msgspec

    members = msgspec.to_builtins(match)
    shown = {key: value for key, value in members.items() if value and key not in ("grade", "reference")}
    return ", ".join(f"{key} = {value}" for key, value in shown.items())


def _show_measure(measure: Measure) -> None:
    say(f"{measure.title} ({measure.id})")
    say(f"  {measure.issuer}, {measure.instrument}, {'; '.join(measure.citation)}")
    status = measure.status
    say(f"  {measure.jurisdiction}, {measure.force}, {status.state} as of {status.as_of}, review by {status.review_by}")
    if measure.vendors:
        say(f"  Vendors: {', '.join(measure.vendors)}")
    if measure.products:
        say(f"  Of their vendors only: {', '.join(measure.products)}")
    if measure.unruled_vendors:
        say(f"  Named as well, and not looked for: {', '.join(measure.unruled_vendors)}")
    if measure.unlisted:
        say(f"  Reached as well, and not known by name: {'; '.join(measure.unlisted)}")
    if measure.reason:
        say(f"  Reason given: {measure.reason}")
    for bound in measure.bound:
        unless = f", unless {' or '.join(bound.unless)}" if bound.unless else ""
        say(f"  Binds {bound.role}{unless}: {bound.duty}")
    say(f"  What a bound reader does: {measure.action}")
    say(f"  For others: {measure.user}")
    for exemption in measure.exempts:
        say(f"  Exempts {exempted(exemption)}")
    for doubt in measure.unclear:
        say(f"  Unclear for {', '.join(doubt.categories)}: {doubt.text}")
    if measure.waiver:
        say(f"  Exceptions: {measure.waiver}")
    for report in measure.report:
        say(f"  When {report.trigger}: report to {report.to}, within {report.within}: {'; '.join(report.fields)}")
    for milestone in measure.milestone:
        when = milestone.at.isoformat() if milestone.at else milestone.when
        about = ", ".join((*milestone.vendors, *milestone.products))
        known = f"{milestone.actor}, {milestone.verified}{f', only {about}' if about else ''}"
        say(f"  {when}  {milestone.kind} ({known}): {milestone.text}")
    for reference in measure.reference:
        say(f"  [{reference.id}] {reference.tier}: {reference.citation} {reference.url}".rstrip())
    if measure.note:
        say(f"  Note: {measure.note}")
    if status.note:
        say(f"  Status: {status.note}")


def _show_role(role: Role, ruleset: Ruleset) -> None:
    """What a role is, and what each measure asks of it."""
    who = declared(Policy(roles=(role.id,)), ruleset.roles)
    say(f"{role.id}: {role.title}")
    say(f"  Home: {role.home}")
    if role.implies:
        say(f"  Implies: {', '.join(role.implies)}")
    for measure in ruleset.measures:
        roles = bound_roles(measure, who)
        for bound in measure.bound:
            if bound.role in roles:
                say(f"  {measure.id}{f' (as {bound.role})' if bound.role != role.id else ''}: {bound.duty}")


def _behind_and_ahead(measure: Measure, moment: dt.date) -> tuple[str, str]:
    """The last milestone that has passed, and the next that has not."""
    dated = sorted((one.at, one.basis == "law", one.kind) for one in measure.milestone if one.at)
    days = [(days_left(at, moment), f"{kind} {at.date()}") for at, _, kind in dated]
    behind = [f"{what} ({counted(-left, 'day')} past)" for left, what in days if left < 0]
    ahead = [f"{what} ({counted(left, 'day') + ' left' if left else 'today'})" for left, what in days if left >= 0]
    undated = "without a date" if len(dated) < len(measure.milestone) else ""
    return behind[-1] if behind else "", ahead[0] if ahead else undated


def _json(value: object) -> None:
    click.echo(json_text(value, indent=2))
