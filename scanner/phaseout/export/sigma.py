r"""Sigma rules: for each product one rule a log source (process creation, registry, driver load).

A log shows what happens, not what is installed: these rules see a product that starts, loads a driver or writes to
its keys. What they say of a name, they say of the end of a path.

References:
    https://sigmahq.io/sigma-specification/specification/sigma-rules-specification.html (fields, logsource, wildcards),
    https://sigmahq.io/docs/basics/log-sources.html
"""

import uuid
from collections.abc import Collection, Iterator
from typing import NamedTuple

from phaseout.export import LeftOutBlock, elsewhere, in_words, platforms_of, products
from phaseout.export.yaml_text import Value, comment, yaml_text
from phaseout.model.nouns import Kind, Platform
from phaseout.model.rules import Product, Ruleset, Vendor
from phaseout.rules.matcher import Block
from phaseout.rules.patterns import Texts

_NAMESPACE = uuid.UUID("5b7c0b52-2d0c-4a53-9f5e-6f2b6d6f2f11")  # rules keep their ids from one export to the next
_UNINSTALL = "\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\"


class LogSource(NamedTuple):
    """A kind of events: on which platforms it exists, which items it shows, and which of its fields hold what."""

    category: str
    platforms: tuple[Platform, ...]
    kinds: tuple[Kind, ...]
    fields: dict[str, str]
    ending: str = ""  # of files, which a name may lack


_LOGS = (
    LogSource(
        "process_creation",
        ("linux", "macos"),
        ("process",),
        {"name": "Image", "path": "Image", "command": "CommandLine"},
    ),
    LogSource(
        "process_creation",
        ("windows",),
        ("process",),
        {"name": "Image", "path": "Image", "command": "CommandLine", "vendor": "Company"},
    ),
    LogSource("registry_event", ("windows",), ("file", "program"), {"ids.registry_key": "TargetObject"}),
    LogSource(
        "driver_load",
        ("windows",),
        ("driver",),
        {"name": "ImageLoaded", "path": "ImageLoaded", "signer": "Signature"},
        ".sys",
    ),
)


def export(ruleset: Ruleset, platforms: Collection[Platform]) -> str:
    """The rules as documents of one YAML file; what was left out stands in comments at its head."""
    documents: list[str] = []
    left_out: list[LeftOutBlock] = []
    for vendor, product in products(ruleset, platforms):
        here = platforms_of(product, platforms)
        said: set[int] = set()
        for log in _LOGS:
            for platform in sorted(here & set(log.platforms)):
                rule = _rule(vendor, product, log, platform, ruleset.digest, said)
                if rule is not None:
                    documents.append(yaml_text(rule))
        for number, match in enumerate(product.match):
            block = Block(match, vendor, product)
            if number not in said and not elsewhere(block, here):
                left_out.append(LeftOutBlock(product.id, in_words(block), _reason(block)))
    head = comment("Rules of phaseout. Left out, since no log source shows it:")
    head += "".join(comment(f"{one.product}: {one.block} ({one.reason})") for one in left_out)
    return head + "---\n" + "---\n".join(documents)


def _rule(
    vendor: Vendor, product: Product, log: LogSource, platform: Platform, digest: str, said: set[int]
) -> dict[str, Value] | None:
    selections: dict[str, Value] = {}
    for number, match in enumerate(product.match):
        selection = _selection(Block(match, vendor, product), log, platform)
        if selection:
            selections[f"selection_{number}"] = selection
            said.add(number)
    if not selections:
        return None
    back = [Block(match, vendor, product) for match in (*vendor.unless, *product.unless)]
    filters = [selection for block in back if (selection := _selection(block, log, platform))]
    detection: dict[str, Value] = {**selections, **{f"filter_{number}": one for number, one in enumerate(filters)}}
    detection["condition"] = "1 of selection_*" + (" and not 1 of filter_*" if filters else "")
    return {
        "title": f"{product.name} ({log.category.replace('_', ' ')}, {platform})",
        "id": str(uuid.uuid5(_NAMESPACE, f"{product.id} {log.category} {platform}")),
        "status": "experimental",
        "description": f"{product.name} of {vendor.name}, product {product.id} of phaseout's rules {digest[:12]}",
        **({"references": list(dict.fromkeys(product.references))} if product.references else {}),
        "author": "phaseout",
        "logsource": {"category": log.category, "product": platform},
        "detection": detection,
        "falsepositives": ["Software of another vendor with the same name"],
        "level": "medium" if product.role == "covered" else "low",
    }


def _selection(block: Block, log: LogSource, platform: Platform) -> dict[str, Value]:
    """A block as the selection of a log source; empty if it cannot be expressed there."""
    if block.kinds and block.kinds.isdisjoint(log.kinds):
        return {}
    selection: dict[str, Value] = {}
    # The path first: a name, which seldom has a star, can be asked for as an ending beside it.
    for field, texts in sorted(block.fields, key=lambda each: each[0] == "name"):
        name = log.fields.get(field)
        if name is None or not isinstance(texts, Texts):
            return {}
        wanted = [*texts.patterns]
        if field == "name":
            wanted += [pattern + log.ending for pattern in wanted if not pattern.endswith((log.ending, "*"))]
        values = [each for pattern in wanted for each in _values(field, pattern, platform)]
        if not values:
            return {}
        key, plain = _modified(name, list(dict.fromkeys(values)))
        if key in selection:  # one selection cannot ask for a field twice, unless in two ways
            return {}
        selection[key] = plain
    return selection


def _modified(name: str, values: list[str]) -> tuple[str, list[Value]]:
    """Field and values without their stars, where all of them have the same at the same ends."""
    for modifier, head, tail in (("contains", "*", "*"), ("endswith", "*", ""), ("startswith", "", "*")):
        bare = [value[len(head) : len(value) - len(tail)] for value in values]
        if all(v == head + b + tail and "*" not in b for v, b in zip(values, bare, strict=True)):
            return f"{name}|{modifier}", list(bare)
    return name, list(values)


def _values(field: str, pattern: str, platform: Platform) -> Iterator[str]:
    slash = "\\" if platform == "windows" else "/"
    if field == "name":
        yield _sigma(f"*{slash}{pattern}")
    elif field == "ids.registry_key":
        yield from _keys(pattern)
    elif field in {"path", "command"}:
        if platform == "windows" and not pattern.startswith("/"):
            yield _sigma(pattern.replace("/", "\\"))
        elif platform != "windows" and "\\" not in pattern:
            yield _sigma(pattern)
    else:
        yield _sigma(pattern)


def _keys(pattern: str) -> Iterator[str]:
    if pattern.upper().startswith("HKLM\\"):
        yield _sigma(pattern)
        if not pattern.endswith("*"):
            yield _sigma(pattern + "\\*")
    elif "\\" not in pattern:
        yield _sigma(f"*{_UNINSTALL}{pattern}\\*")


def _sigma(pattern: str) -> str:
    """Escapes backslashes and question marks, which are special in Sigma; `*` is a wildcard in both languages."""
    return pattern.replace("\\", "\\\\").replace("?", "\\?")


def _reason(block: Block) -> str:
    shown = {kind for log in _LOGS for kind in log.kinds}
    if block.kinds and block.kinds.isdisjoint(shown):
        return f"no log source shows a {' or '.join(sorted(block.kinds)).replace('_', ' ')}"
    return f"no log source has {' and '.join(field for field, _ in block.fields)} together"
