"""Checks the rules against themselves: specimens, blocks that never count, and names that must stay clean."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import cast, get_args

from phaseout.model.fields import TEXTS, item_of
from phaseout.model.nouns import Item, Kind
from phaseout.model.quoting import quoted
from phaseout.model.rules import Product, Ruleset, Specimen, Vendor
from phaseout.rules.matcher import Block, Matcher, rank


def check_rules(ruleset: Ruleset, clean: Mapping[str, bytes]) -> Iterator[str]:
    """A line for each error in rules whose files are well formed.

    Args:
        ruleset: the rules.
        clean: name → content of CSV files with ordinary software, which no rule may match. Their columns are named
            as the fields of an item; `kind` may be empty, then every kind is tried.
    """
    matcher = Matcher(ruleset)
    yield from judge_specimens(ruleset, matcher)
    yield from needless_blocks(ruleset)
    for name, content in clean.items():
        yield from judge_clean(name, content, matcher)


def judge_specimens(ruleset: Ruleset, matcher: Matcher) -> Iterator[str]:
    """A line for each specimen that is matched otherwise than its file says.

    A `hit` must match this product. A `miss` must not, but may match another.
    """
    for vendor, number, product in _products(ruleset):
        place = f"vendors/{vendor.id}.toml: product[{number}]"
        for index, specimen in enumerate(product.hit):
            found = _recognised(matcher, specimen)
            if product.id not in found:
                instead = f" but as {', '.join(found)}" if found else ""
                yield f"{place}.hit[{index}]: {_shown(specimen)} is not recognised as {product.id}{instead}"
        for index, specimen in enumerate(product.miss):
            if product.id in _recognised(matcher, specimen):
                yield f"{place}.miss[{index}]: {_shown(specimen)} is recognised as {product.id}"


def needless_blocks(ruleset: Ruleset) -> Iterator[str]:
    """A line for each block that another one of the same product covers, and for each that two products share."""
    owners: dict[object, str] = {}
    for vendor, number, product in _products(ruleset):
        place = f"vendors/{vendor.id}.toml: product[{number}]"
        blocks = [Block(match, vendor, product) for match in product.match]
        for index, block in enumerate(blocks):
            same = _essence(block)
            if same in owners:
                yield f"{place}.match[{index}]: the same block stands in {owners[same]}"
            owners.setdefault(same, f"{vendor.id}.toml: product[{number}].match[{index}]")
            for other, wider in enumerate(blocks):
                if other != index and _essence(wider) != same and _covers(wider, block):
                    yield f"{place}.match[{index}]: is redundant: match[{other}] fits everything that it fits"
                    break


def judge_clean(name: str, content: bytes, matcher: Matcher) -> Iterator[str]:
    """A line for each row of ordinary software that a rule matches, and for each column that is no field."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        unknown = [field for field in reader.fieldnames or () if field not in (*TEXTS, "kind", "why")]
        if unknown or "name" not in (reader.fieldnames or ()):
            yield f"{name}: columns must be name and any of {', '.join((*TEXTS[1:], 'kind', 'why'))}"
            return
        for row in reader:
            items = list(_row_items(row))
            for hit in matcher.match(items):
                yield f"{name}:{reader.line_num}: {quoted(row['name'])} is matched as {hit.product.id}: {hit.because}"
                break
    except (UnicodeDecodeError, csv.Error) as error:
        yield f"{name}: {error}"


def specimen_item(specimen: Specimen) -> Item:
    """A specimen as the item that a source would give."""
    return item_of(specimen.kind, {field: getattr(specimen, field) for field in TEXTS}, specimen.ids)


def _products(ruleset: Ruleset) -> Iterator[tuple[Vendor, int, Product]]:
    for vendor in ruleset.vendors:
        for number, product in enumerate(vendor.product):
            yield vendor, number, product


def _recognised(matcher: Matcher, specimen: Specimen) -> list[str]:
    return [hit.product.id for hit in matcher.match([specimen_item(specimen)])]


def _essence(block: Block) -> object:
    """What decides a match: everything but grade and reference."""
    return block.kinds, tuple(sorted((field, frozenset(texts.patterns)) for field, texts in block.fields))


def _covers(wider: Block, block: Block) -> bool:
    """Whether everything that fits `block` also fits `wider`, with at least the same confidence."""
    if rank(wider.confidence) < rank(block.confidence):
        return False
    if wider.kinds and not (block.kinds and block.kinds <= wider.kinds):
        return False
    fields = {field: set(texts.patterns) for field, texts in block.fields}
    return all(field in fields and fields[field] <= set(texts.patterns) for field, texts in wider.fields)


def _row_items(row: Mapping[str, str | None]) -> Iterator[Item]:
    kinds = (row.get("kind") or "",) if row.get("kind") else get_args(Kind)
    for kind in kinds:
        yield item_of(cast("Kind", kind), {field: row.get(field) or "" for field in TEXTS}, {})


def _shown(specimen: Specimen) -> str:
    parts = [f"{field} {quoted(value)}" for field in TEXTS if (value := str(getattr(specimen, field)))]
    return f"{specimen.kind} " + ", ".join([*parts, *(f"{key} {quoted(value)}" for key, value in specimen.ids.items())])
