"""`phaseout explain`."""

from typing import get_args

import click

from phaseout.cli.rule_files import rules_and_policy
from phaseout.model.nouns import IdType, Item, Kind
from phaseout.report.safe import visible
from phaseout.rules.matcher import Block, Matcher

_NEAREST = 3


@click.command("explain")
@click.argument("name")
@click.option("--kind", type=click.Choice(get_args(Kind)), help="Else every kind is tried.")
@click.option("--vendor", default="", help="The publisher, as the machine shows it.")
@click.option("--version", "software_version", default="", help="The version.")
@click.option("--path", default="", help="The path of the file or folder.")
@click.option("--command", "command_line", default="", help="The command line.")
@click.option("--signer", default="", help="Who signed it.")
@click.option("--id", "ids", multiple=True, metavar="TYPE=VALUE", help="Such as bundle_id=com.example (repeatable).")
@click.option(
    "--rules", "folders", multiple=True, metavar="DIR", help="Rules instead of the shipped ones (repeatable)."
)
def command(
    name: str,
    kind: Kind | None,
    vendor: str,
    software_version: str,
    path: str,
    command_line: str,
    signer: str,
    ids: tuple[str, ...],
    folders: tuple[str, ...],
) -> None:
    """Say why NAME is, or is not, matched, and by which rule.

    \b
    Example:
      phaseout explain kesl --kind package --vendor "Kaspersky Lab"
    """
    ruleset, _ = rules_and_policy(folders, None)
    matcher = Matcher(ruleset)
    kinds: tuple[Kind, ...] = (kind,) if kind else get_args(Kind)
    items = [
        Item(
            kind=one,
            name=name,
            vendor=vendor,
            version=software_version,
            path=path,
            command=command_line,
            signer=signer,
            ids=_ids(ids),
        )
        for one in kinds
    ]
    hits = matcher.match(items)
    found: dict[tuple[str, str], list[str]] = {}
    for hit in hits:
        kind_of_hit, _, reason = hit.because.partition(" with ")
        line = f"{hit.product.name} ({hit.product.id}), {hit.confidence}: {{}} with {reason}"
        found.setdefault((hit.product.id, line), []).append(kind_of_hit)
    for (_, line), kinds_found in sorted(found.items()):
        click.echo(visible(line.replace("{}", ", ".join(kinds_found), 1)))
    if not hits:
        _nearest(matcher, items)


def _ids(pairs: tuple[str, ...]) -> dict[IdType, str]:
    known: tuple[IdType, ...] = get_args(IdType)
    found: dict[IdType, str] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        if key not in known or not value:
            raise click.UsageError(f"--id {pair}: must be TYPE=VALUE with one of {', '.join(known)}")
        found[key] = value
    return found


def _nearest(matcher: Matcher, items: list[Item]) -> None:
    """The blocks that lack least, each with the field that failed."""
    candidates: dict[int, tuple[int, Block, list[tuple[str, str]], Item]] = {}
    for item in items:
        for block, misses in matcher.nearest(item):
            known = candidates.get(id(block))
            if known is None or len(misses) < known[0]:
                candidates[id(block)] = (len(misses), block, misses, item)
    if not candidates:
        click.echo("Not matched: no rule shares a word with it.")
        return
    click.echo("Not matched. Nearest:")
    ranked = sorted(candidates.values(), key=lambda one: (one[0], one[1].product.id if one[1].product else ""))
    for _, block, misses, item in ranked[:_NEAREST]:
        product = block.product
        if product is None:
            continue
        if misses:
            lacking = "; ".join(f"{field} is not {wanted}" for field, wanted in misses)
        else:
            lacking = "an unless block of the rule excludes it" if matcher.excluded(item, product) else "it fits"
        click.echo(visible(f"  {product.id}: {lacking}"))
