"""Which items are which products, how sure that is, and why.

Rules are indexed by the words of their patterns: an item is compared only with the blocks that share a word with it,
so the cost of an item does not grow with the number of rules.
"""

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from phaseout.model.fields import BY_NAME, FIELDS, HEAD_LISTS, IDS, TEXTS
from phaseout.model.findings import CONFIDENCES, Confidence, Hit
from phaseout.model.nouns import Item
from phaseout.model.rules import Match, Patterns, Product, Ruleset, Vendor, VersionRange
from phaseout.rules import normalise
from phaseout.rules.patterns import HEAD, Texts, Versions

# Words of ordinary software: a block indexed by one of them would be tried on half of all items.
_COMMON = frozenset(
    (
        b"agent app application applications apps bin client cloud com core data desktop dll driver drivers "
        b"endpoint exe files for group inc lib library linux local npm office opt package pkg program "
        b"programdata pypi security server service services share site small software sys system system32 "
        b"tools update users usr var web windows x64 x86"
    ).split()
)

# What is remembered of earlier items: hosts of one fleet are much alike. Bounded, for texts come from anywhere.
_REMEMBERED = 1 << 16
_REMEMBERED_LENGTH = 512  # characters


class NotIndexableError(ValueError):
    """A block without a literal to index on: it would have to be tried on every item."""


class Block:
    """One `match` or `unless` block, ready to be tried on an item."""

    def __init__(self, match: Match, vendor: Vendor, product: Product | None) -> None:
        self.match = match
        self.vendor = vendor
        self.product = product
        self.kinds: frozenset[str] = frozenset((match.kind,) if isinstance(match.kind, str) else match.kind)
        self.fields: list[tuple[str, Texts | Versions]] = list(_fields(match, vendor))
        self.confidence = _confidence(match)

    def fits(self, spelled: "_Spelled") -> list[tuple[str, str]] | None:
        """Each field of the block with the value that fits; `None` if one does not fit."""
        if self.kinds and spelled.item.kind not in self.kinds:
            return None
        found: list[tuple[str, str]] = []
        for field, patterns in self.fields:
            if patterns.fits(spelled[field]) is None:
                return None
            found.append((field, _value(spelled.item, field)))
        return found

    def misses(self, spelled: "_Spelled") -> list[tuple[str, str]]:
        """The fields that do not fit, each with the patterns it wants, for an explanation."""
        found: list[tuple[str, str]] = []
        if self.kinds and spelled.item.kind not in self.kinds:
            found.append(("kind", " or ".join(sorted(self.kinds))))
        for field, patterns in self.fields:
            if patterns.fits(spelled[field]) is None:
                found.append((field, " or ".join(patterns.patterns[:3]) + (" …" if len(patterns.patterns) > 3 else "")))
        return found

    def keys(self) -> list[tuple[list[bytes], list[bytes]]]:
        """The words of the field that the block is indexed by: for each pattern whole words and word prefixes.

        Raises:
            NotIndexableError: no field has a literal in each of its patterns.
        """
        best: list[tuple[list[bytes], list[bytes]]] | None = None
        for field, patterns in self.fields:
            if not BY_NAME[field].indexed or isinstance(patterns, Versions):
                continue
            keys = list(patterns.keys())
            if not keys or not all(whole or heads for whole, heads in keys):
                continue
            # The fewer patterns, the more selective; the vendor comes last, because every item of the vendor has it.
            if best is None or (field != "vendor" and len(keys) <= len(best)):
                best = keys
        if best is None:
            raise NotIndexableError
        return best


class Matcher:
    """The rules, indexed."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.blocks: list[Block] = []
        self._words: dict[bytes, list[Block]] = {}
        self._heads: dict[bytes, list[Block]] = {}
        self._unless: dict[str, list[Block]] = {}
        for vendor in ruleset.vendors:
            shared = [Block(match, vendor, None) for match in vendor.unless]
            for product in vendor.product:
                self.blocks += [Block(match, vendor, product) for match in product.match]
                self._unless[product.id] = shared + [Block(match, vendor, product) for match in product.unless]
        self._index()
        self._known_words = frozenset(self._words)
        self._known_heads = frozenset(self._heads)
        self._ordinary: set[str] = {""}  # texts in which no block is interested; most come again on the next host
        self._judged: dict[tuple[str, ...], list[Hit]] = {}  # by what is matched of an item

    def match(self, items: Sequence[Item]) -> list[Hit]:
        """Every item that is a product of the rules, in the order of the items, the surest product first."""
        hits: list[Hit] = []
        are_ordinary = self._ordinary.issuperset
        for index, item in enumerate(items):
            texts = _indexed(item)
            if item.ids:
                texts += tuple(item.ids.values())
            if are_ordinary(texts) or not self._interesting(texts):
                continue
            hits += self._known_hits(index, item)
        return hits

    def nearest(self, item: Item) -> Iterator[tuple[Block, list[tuple[str, str]]]]:
        """Every block that shares a word with the item, with the fields that do not fit, for an explanation."""
        spelled = _Spelled(item)
        for block in self._candidates(item_words(item)):
            yield block, block.misses(spelled)

    def excluded(self, item: Item, product: Product) -> Block | None:
        """The `unless` block that keeps the item from being the product."""
        spelled = _Spelled(item)
        return next((block for block in self._unless[product.id] if block.fits(spelled) is not None), None)

    def _interesting(self, texts: tuple[str, ...]) -> bool:
        """Whether a block may fit one of the texts. Those that are ordinary are remembered."""
        ordinary = self._ordinary
        interesting = False
        for text in texts:
            if text in ordinary:
                continue
            found = normalise.words(text)
            if self._known_words.isdisjoint(found) and self._known_heads.isdisjoint([word[:HEAD] for word in found]):
                if len(text) <= _REMEMBERED_LENGTH and len(ordinary) < _REMEMBERED:
                    ordinary.add(text)
            else:
                interesting = True
        return interesting

    def _known_hits(self, index: int, item: Item) -> list[Hit]:
        """The hits of an item; of one that is matched like an earlier one, they are the same."""
        key = (item.kind, *_matched(item), *item.ids, *item.ids.values())
        known = self._judged.get(key)
        if known is None:
            known = self._hits(index, item, item_words(item))
            if len(self._judged) < _REMEMBERED and sum(map(len, key)) <= _REMEMBERED_LENGTH:
                self._judged[key] = known
            return known
        return [Hit(index, hit.vendor, hit.product, hit.confidence, hit.because) for hit in known]

    def _hits(self, index: int, item: Item, found: list[bytes]) -> list[Hit]:
        spelled = _Spelled(item)
        best: dict[str, Hit] = {}
        for block in self._candidates(found):
            fits = block.fits(spelled)
            product = block.product
            if fits is None or product is None:
                continue
            known = best.get(product.id)
            if known is not None and rank(known.confidence) >= rank(block.confidence):
                continue
            if any(unless.fits(spelled) is not None for unless in self._unless[product.id]):
                continue
            best[product.id] = Hit(index, block.vendor, product, block.confidence, _because(item, fits))
        # Where the vendor is certain, a weaker match of one of its products is certain as well.
        for sure in [hit for hit in best.values() if hit.product.role == "vendor" and hit.confidence == "certain"]:
            for hit in list(best.values()):
                if hit.vendor.id == sure.vendor.id and hit.product.role == "covered" and hit.confidence != "certain":
                    because = f"{hit.because} and {sure.because.partition(' with ')[2]}"
                    best[hit.product.id] = Hit(index, hit.vendor, hit.product, "certain", because)
        named = {hit.vendor.id for hit in best.values() if hit.product.role != "vendor"}
        hits = [hit for hit in best.values() if hit.product.role != "vendor" or hit.vendor.id not in named]
        hits.sort(key=lambda hit: (-rank(hit.confidence), hit.product.id))
        return hits

    def _candidates(self, found: Iterable[bytes]) -> Iterator[Block]:
        seen: set[int] = set()
        for word in dict.fromkeys(found):
            for block in (*self._words.get(word, ()), *self._heads.get(word[:HEAD], ())):
                if id(block) not in seen:
                    seen.add(id(block))
                    yield block

    def _index(self) -> None:
        """Indexes each pattern by its rarest word, or by a word prefix if it has no distinctive word."""
        wanted = [(block, block.keys()) for block in self.blocks]
        uses: dict[bytes, int] = {}
        for _, keys in wanted:
            for whole, _heads in keys:
                for word in whole:
                    uses[word] = uses.get(word, 0) + 1
        for block, keys in wanted:
            for whole, heads in keys:
                telling = [word for word in whole if word not in _COMMON] or (whole if not heads else [])
                table = self._words if telling else self._heads
                key = min(telling, key=lambda word: (uses[word], -len(word), word)) if telling else max(heads, key=len)
                blocks = table.setdefault(key, [])
                if not blocks or blocks[-1] is not block:
                    blocks.append(block)


class _Spelled(dict[str, str]):
    """The fields of an item in normal spelling, each computed when first used."""

    def __init__(self, item: Item) -> None:
        self.item = item

    def __missing__(self, field: str) -> str:
        value = _value(self.item, field)
        spelled = normalise.vendor(value) if field in _COMPANIES else normalise.normal(value)
        self[field] = spelled
        return spelled


_COMPANIES = frozenset(field.name for field in FIELDS if field.company)
_indexed = attrgetter(*(name for name in TEXTS if BY_NAME[name].indexed))
_matched = attrgetter(*TEXTS)


def item_words(item: Item) -> list[bytes]:
    """The words of everything in an item that a block may be found by, in their normal spelling."""
    return [word for text in (*_indexed(item), *item.ids.values()) if text for word in normalise.words(text)]


def rank(confidence: Confidence) -> int:
    """0 for possible, 1 for likely, 2 for certain."""
    return CONFIDENCES.index(confidence)


def wanted_of(match: Match, field: str) -> Patterns | VersionRange:
    """What a block asks of a field; empty if nothing."""
    if field.startswith(IDS):
        return match.ids.get(field[len(IDS) :], ())  # type: ignore[call-overload, no-any-return]
    wanted: Patterns | VersionRange = getattr(match, field)
    return wanted


def _fields(match: Match, vendor: Vendor) -> Iterator[tuple[str, Texts | Versions]]:
    for field in FIELDS:
        wanted = wanted_of(match, field.name)
        if isinstance(wanted, VersionRange):
            yield field.name, Versions(wanted)
        elif wanted:
            yield (
                field.name,
                Texts(_written_out(wanted, vendor), normalise.vendor if field.company else normalise.normal),
            )


def _written_out(patterns: str | tuple[str, ...], vendor: Vendor) -> Iterator[str]:
    for pattern in (patterns,) if isinstance(patterns, str) else patterns:
        if pattern in HEAD_LISTS:
            yield from getattr(vendor, HEAD_LISTS[pattern].head_list)
        else:
            yield pattern


def _value(item: Item, field: str) -> str:
    if field.startswith(IDS):
        return item.ids.get(field[len(IDS) :], "")  # type: ignore[call-overload, no-any-return]
    value: str = getattr(item, field)
    return value


def _confidence(match: Match) -> Confidence:
    """Identity is certain, vendor and name are likely, a name alone is possible."""
    if any(field.identity and wanted_of(match, field.name) for field in FIELDS):
        return "certain"
    packages = match.kind in ("package", ("package",))
    if match.vendor and match.name and packages:
        return "certain"
    if match.vendor or match.path or match.command or match.ids:
        return "likely"
    return "possible"


def _because(item: Item, fits: Sequence[tuple[str, str]]) -> str:
    return f"{item.kind.replace('_', ' ')} with " + " and ".join(
        f'{field.removeprefix("ids.")} "{value}"' for field, value in fits
    )
