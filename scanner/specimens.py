"""Whether every specimen of every rule is judged as its file says: the rules tested against themselves."""

from collections.abc import Iterator

from scanner.matching import Matcher
from scanner.model import Item, Ruleset, Specimen


def judge_specimens(ruleset: Ruleset) -> Iterator[str]:
    """A line for each specimen that is judged otherwise than its file says.

    A `hit` must be this product. A `miss` must not be this product, whatever else it is.
    """
    matcher = Matcher(ruleset)
    for vendor in ruleset.vendors:
        for number, product in enumerate(vendor.product):
            place = f"vendors/{vendor.id}.toml: product[{number}]"
            for index, specimen in enumerate(product.hit):
                if product.id not in _products(matcher, specimen):
                    instead = _instead(matcher, specimen)
                    yield f"{place}.hit[{index}]: {_shown(specimen)} is not recognised as {product.id}{instead}"
            for index, specimen in enumerate(product.miss):
                if product.id in _products(matcher, specimen):
                    yield f"{place}.miss[{index}]: {_shown(specimen)} is recognised as {product.id}"


def specimen_item(specimen: Specimen) -> Item:
    """A specimen as the item that a source would give."""
    return Item(
        kind=specimen.kind,
        name=specimen.name,
        vendor=specimen.vendor,
        version=specimen.version,
        path=specimen.path,
        command=specimen.command,
        signer=specimen.signer,
        ids=specimen.ids,
    )


def _products(matcher: Matcher, specimen: Specimen) -> list[str]:
    return [hit.product.id for hit in matcher.match([specimen_item(specimen)])]


def _instead(matcher: Matcher, specimen: Specimen) -> str:
    found = _products(matcher, specimen)
    return f" but as {', '.join(found)}" if found else ""


def _shown(specimen: Specimen) -> str:
    fields = ("name", "vendor", "version", "path", "command", "signer")
    parts = [f"{field} {value!r}" for field in fields if (value := str(getattr(specimen, field)))]
    return f"{specimen.kind} " + ", ".join([*parts, *(f"{key} {value!r}" for key, value in specimen.ids.items())])
