"""The rules in the languages of other tools, for machines on which phaseout is not installed.

One file for each language. None can express everything that a rule says: the exported file names each block that is
left out, with the reason.
"""

from collections.abc import Callable, Collection, Iterator
from importlib import import_module
from typing import NamedTuple, cast

from phaseout.model.fields import FIELDS
from phaseout.model.nouns import Platform
from phaseout.model.rules import Product, Ruleset, Vendor
from phaseout.rules.matcher import Block

_ONLY_ON = {field.name: field.platform for field in FIELDS if field.platform}


class LeftOutBlock(NamedTuple):
    """A match block that a language cannot express, and why."""

    product: str
    block: str
    reason: str


class Language(NamedTuple):
    """A tool that takes rules.

    Attributes:
        name: as in `--to NAME`.
        title: what it gives.
        one_platform: whether a file is for one platform only.
        platforms: those that it has.
        audits: whether its files only report unless they are asked to block.
    """

    name: str
    title: str
    one_platform: bool = False
    platforms: tuple[Platform, ...] = ("linux", "macos", "windows")
    audits: bool = False

    def export(self, ruleset: Ruleset, platforms: Collection[Platform], *, enforce: bool = False) -> str:
        """The rules for these platforms as the text of one file; `enforce` asks a tool that audits to block."""
        module = import_module(f"phaseout.export.{self.name.replace('-', '_')}")
        export = cast("Callable[..., str]", module.export)
        return export(ruleset, platforms, enforce=enforce) if self.audits else export(ruleset, platforms)


LANGUAGES = (
    Language("osquery", "a pack of queries"),
    Language("sigma", "detection rules for process creation, registry and driver load"),
    Language("wazuh-sca", "a policy of Security Configuration Assessment", one_platform=True),
    Language("applocker", "a policy of AppLocker for Windows", platforms=("windows",), audits=True),
    Language("wdac", "a policy of App Control for Business (WDAC) for Windows", platforms=("windows",), audits=True),
    Language("santa", "rules of Santa for macOS", platforms=("macos",)),
    Language("fapolicyd", "rules of fapolicyd for Linux", platforms=("linux",), audits=True),
    Language("intune", "lists of apps for Intune", platforms=("android", "ios", "macos")),
)


def products(ruleset: Ruleset, platforms: Collection[Platform]) -> Iterator[tuple[Vendor, Product]]:
    """Every product but successors, which are not restricted."""
    for vendor in ruleset.vendors:
        for product in vendor.product:
            if product.role != "successor" and not platforms_of(product, platforms).isdisjoint(platforms):
                yield vendor, product


def platforms_of(product: Product, platforms: Collection[Platform]) -> frozenset[Platform]:
    """Those of the platforms on which a product runs."""
    return frozenset(product.platforms) & frozenset(platforms)


def elsewhere(block: Block, platforms: Collection[Platform]) -> bool:
    """Whether a block asks for a field that none of these platforms has, so that leaving it out loses nothing."""
    return any(_ONLY_ON.get(field, platform) not in platforms for platform in platforms for field, _ in block.fields)


def in_words(block: Block) -> str:
    """A block in words; long lists are cut."""
    kinds = [" or ".join(sorted(block.kinds))] if block.kinds else []
    fields = []
    for field, texts in block.fields:
        more = f" and {len(texts.patterns) - 3} more" if len(texts.patterns) > 3 else ""
        fields.append(f"{field} {', '.join(texts.patterns[:3])}{more}")
    return "; ".join([*kinds, *fields])
