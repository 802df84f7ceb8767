"""No exception of the shipped rules hides what a user puts into a folder, or under a name, of their choice."""

from collections.abc import Iterator

import msgspec
import pytest
from phaseout.cli.rule_files import read_rules
from phaseout.model.findings import Hits
from phaseout.model.nouns import Item
from phaseout.model.rules import Match, Product, Vendor
from phaseout.rules.matcher import Matcher
from phaseout.rules.self_check import specimen_item

RULES = read_rules()
CHOSEN = ("path", "command", "name")


def exceptions() -> Iterator[tuple[Vendor, Product, Match]]:
    for vendor in RULES.vendors:
        for product in vendor.product:
            for match in (*vendor.unless, *product.unless):
                yield vendor, product, match


def chosen(match: Match) -> dict[str, str]:
    """A value that fits each field that a user can choose; empty if the block asks for more than these."""
    wanted = {field: getattr(match, field) for field in CHOSEN if getattr(match, field)}
    if match.ids or match.vendor or match.signer:
        return {}
    return {field: (one if isinstance(one, str) else one[0]).replace("*", "x") for field, one in wanted.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("vendor", "product", "match"),
    [pytest.param(*one, id=f"{one[1].id}-{number}") for number, one in enumerate(exceptions()) if chosen(one[2])],
)
def test_a_user_cannot_take_an_item_out_of_the_report(vendor: Vendor, product: Product, match: Match) -> None:
    matcher = Matcher(RULES)
    for specimen in product.hit:
        item = specimen_item(specimen)
        changed = moved(item, match)
        if plain(product, vendor, changed):
            assert any(hit.vendor.id == vendor.id for hit in matcher.match([changed])), changed


def moved(item: Item, match: Match) -> Item:
    """An item where it lies in a folder, or has a name, of the exception."""
    fields = {
        field: f"{getattr(item, field)} {value}" if field == "name" else f"{value}/{getattr(item, field)}"
        for field, value in chosen(match).items()
    }
    return msgspec.structs.replace(item, **fields)


def plain(product: Product, vendor: Vendor, item: Item) -> Hits:
    """The hits of the same product without its exceptions."""
    bare = msgspec.structs.replace(product, unless=())
    alone = msgspec.structs.replace(vendor, unless=(), product=(bare,))
    return Matcher(msgspec.structs.replace(RULES, vendors=(alone,))).match([item])
