"""What rules hold that a tool which blocks programs can use: identifiers that are enough by themselves.

A block with two fields would block too much by one of them. Products that need a person's decision, and those that are
not restricted, are not blocked.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from phaseout.export import products
from phaseout.model.nouns import Platform
from phaseout.model.rules import Product, Ruleset, Vendor
from phaseout.rules.matcher import Block
from phaseout.rules.patterns import Texts

_BLOCKED = frozenset(("covered", "vendor"))  # roles
_NAMED = 40  # products without a rule that are named


class Trait(NamedTuple):
    """A pattern that tells a product by itself; without kinds it counts for all."""

    vendor: Vendor
    product: Product
    field: str
    pattern: str
    kinds: frozenset[str]

    def is_of(self, *kinds: str) -> bool:
        """Whether it may be one of these kinds."""
        return not self.kinds or not self.kinds.isdisjoint(kinds)


def traits(ruleset: Ruleset, platforms: Collection[Platform]) -> Iterator[Trait]:
    """Every such pattern of the restricted products of these platforms."""
    for vendor, product in products(ruleset, platforms):
        for match in product.match if product.role in _BLOCKED else ():
            block = Block(match, vendor, product)
            if len(block.fields) == 1:
                field, texts = block.fields[0]
                for pattern in texts.patterns if isinstance(texts, Texts) else ():
                    yield Trait(vendor, product, field, pattern, block.kinds)


def heading(
    ruleset: Ruleset, platforms: Collection[Platform], covered: Collection[str], sentences: tuple[str, ...]
) -> list[str]:
    """What stands at the head of a file: which rules, what it blocks and what not, and the products it has no rule for.

    Args:
        ruleset: the rules.
        platforms: those of the tool.
        covered: the ids of the products that have a rule in the file.
        sentences: what the tool can and cannot do.
    """
    release = f", serial {ruleset.serial} made {ruleset.made}" if ruleset.serial else ""
    without = [
        product.id
        for _, product in products(ruleset, platforms)
        if product.role in _BLOCKED and product.id not in covered
    ]
    more = f" and {len(without) - _NAMED} more" if len(without) > _NAMED else ""
    rest = f"No rule here for: {', '.join(without[:_NAMED])}{more}." if without else ""
    return [f"Made by phaseout from its rules {ruleset.digest[:12]}{release}.", *sentences, *([rest] if rest else [])]
