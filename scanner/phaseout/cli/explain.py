"""`phaseout explain`."""

from collections.abc import Callable
from typing import TypeVar, get_args

import click

from phaseout.cli.choices import OneOf
from phaseout.cli.output import say
from phaseout.cli.rule_files import rules_and_policy
from phaseout.cli.rule_folders import RuleFolders, rule_folder_options
from phaseout.model.fields import BY_NAME, TEXTS, item_of
from phaseout.model.nouns import IdType, Item, Kind
from phaseout.rules.matcher import Block, Matcher

_NEAREST = 3
_PARAMETER = "field_"
_F = TypeVar("_F", bound=Callable[..., object])


def _field_options(command: _F) -> _F:
    """An option for each text that a rule may ask for."""
    for field in reversed(TEXTS):
        if field != "name":
            command = click.option(f"--{field}", _PARAMETER + field, default="", help=BY_NAME[field].shown)(command)
    return command


@click.command("explain")
@click.argument("name")
@click.option("--kind", type=OneOf(get_args(Kind), "kind"), help="The kind of item; by default all kinds are tried.")
@_field_options
@click.option(
    "--id",
    "ids",
    multiple=True,
    metavar="TYPE=VALUE",
    help="An identifier, such as bundle_id=com.example (repeatable).",
)
@rule_folder_options
def command(name: str, kind: Kind | None, ids: tuple[str, ...], folders: RuleFolders, **fields: str) -> None:
    """Say why NAME is, or is not, matched, and by which rule.

    \b
    Example:
      phaseout explain kesl --kind package --vendor "Kaspersky Lab"
    """
    ruleset, _ = rules_and_policy(folders, None)
    matcher = Matcher(ruleset)
    kinds: tuple[Kind, ...] = (kind,) if kind else get_args(Kind)
    texts = {"name": name} | {field: fields[_PARAMETER + field] for field in TEXTS if field != "name"}
    items = [item_of(one, texts, _ids(ids)) for one in kinds]
    hits = matcher.match(items)
    found: dict[tuple[str, str], list[str]] = {}
    for hit in hits:
        kind_of_hit, _, reason = hit.because.partition(" with ")
        line = f"{hit.product.name} ({hit.product.id}), {hit.confidence}: {{}} with {reason}"
        found.setdefault((hit.product.id, line), []).append(kind_of_hit)
    for (_, line), kinds_found in sorted(found.items()):
        say(line.replace("{}", ", ".join(kinds_found), 1))
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
        say("Not matched: no rule shares a word with it.")
        return
    say("Not matched. Nearest:")
    ranked = sorted(candidates.values(), key=lambda one: (one[0], one[1].product.id if one[1].product else ""))
    for _, block, misses, item in ranked[:_NEAREST]:
        product = block.product
        if product is None:
            continue
        if misses:
            lacking = "; ".join(f"{field} is not {wanted}" for field, wanted in misses)
        else:
            lacking = "an unless block of the rule excludes it" if matcher.excluded(item, product) else "it fits"
        say(f"  {product.id}: {lacking}")
