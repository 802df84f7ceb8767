"""Which items are which products, how sure that is, and why.

Rules are indexed by the words of their patterns: an item is compared only with the blocks that share a word with it,
so the cost of an item does not grow with the number of rules.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from operator import attrgetter

from phaseout.model.budget import Budget
from phaseout.model.fields import BY_NAME, FIELDS, HEAD_LISTS, IDS, TEXTS
from phaseout.model.findings import CONFIDENCES, Confidence, Hit, Hits
from phaseout.model.nouns import Item, Unseen
from phaseout.model.rules import Match, Patterns, Product, Ruleset, Vendor, VersionRange, WordIndex
from phaseout.rules import normalise
from phaseout.rules.patterns import HEAD, Texts, Versions

_LISTED = 1_000  # items of one product that a report lists
_PRODUCTS = 10_000  # that a report lists
_NAMED = frozenset(("driver", "service"))  # what settings of Windows name
_STARTED = frozenset(("program", "task"))  # what becomes a process
_RUN_AS = {".exe": "process", ".sys": "driver", ".dll": "library"}  # what a file becomes that is run
# Words of ordinary software: a block indexed by one of them would be tried on many ordinary items.
_COMMON = frozenset(
    (
        b"agent app application applications apps bin client cloud com core data desktop dll driver drivers "
        b"endpoint exe files for group inc lib library linux local npm office opt package pkg program "
        b"programdata pypi security server service services share site small software sys system system32 "
        b"tools update users usr var web windows x64 x86 "
        b"base etc home init json log modules "
        b"browser center code common connect control developer enterprise explorer framework free game lab labs "
        b"manager messenger mobile music network password pro project setup studio support systems team technologies "
        b"technology video"
    ).split()
)
_COMMON_HEADS = frozenset(word[:HEAD] for word in _COMMON)

# What is remembered of earlier items: hosts of one fleet are much alike. Bounded, for texts come from anywhere.
_REMEMBERED = 1 << 16
_REMEMBERED_LENGTH = 512  # characters
_PIECE = 256  # items whose words are looked up together
_SOUGHT = 16  # words of a piece that are sought one by one


class NotIndexableError(ValueError):
    """A block without a literal to index on: it would have to be tried on every item."""


class Block:
    """One `match` or `unless` block, ready to be tried on an item.

    Args:
        match: the block.
        vendor: whose it is.
        product: whose it is; `None` for a block of the vendor.
        shared: the patterns of the vendor's blocks, which are much alike.
    """

    def __init__(
        self, match: Match, vendor: Vendor, product: Product | None, shared: "_SharedTexts | None" = None
    ) -> None:
        self.match = match
        self.vendor = vendor
        self.product = product
        self.kinds: frozenset[str] = frozenset((match.kind,) if isinstance(match.kind, str) else match.kind)
        self.fields: list[tuple[str, Texts | Versions]] = list(_fields(match, vendor, {} if shared is None else shared))
        identity = any(BY_NAME[field].identity for field, _ in self.fields)
        self.confidence: Confidence = "certain" if identity else _confidence(match)
        self.identifies = identity or any(BY_NAME[field].company for field, _ in self.fields)
        self._publishers = self._forms() if [field for field, _ in self.fields] == ["vendor"] else None

    def confidence_of(self, item: Item) -> Confidence:
        """How sure the block is of an item that it fits.

        By the publisher alone, another firm of the same name may be meant (`Example GmbH` where rules know `Example
        Ltd.`): unless a rule has its legal form, the publisher is a mere name.
        """
        if self._publishers is not None:
            form = normalise.legal_form(item.vendor)
            known = self._publishers.get(normalise.vendor(item.vendor))
            if form and known is not None and form not in known:
                return "possible"
        return self.confidence

    def _forms(self) -> dict[str, set[str]]:
        """Name of a publisher → the legal forms that the block gives it."""
        found: dict[str, set[str]] = {}
        for _, patterns in self.fields:
            for pattern in patterns.patterns:
                found.setdefault(normalise.vendor(pattern), set()).add(normalise.legal_form(pattern))
        return found

    def fits(self, spelled: "_Spelled") -> list[tuple[str, str]] | None:
        """Each field of the block with the value that fits; `None` if one does not fit."""
        if not self._is_for(spelled.item):
            return None
        found: list[tuple[str, str]] = []
        for field, patterns in self.fields:
            if not spelled.fits(field, patterns):
                return None
            found.append((field, _value(spelled.item, field)))
        return found

    def misses(self, spelled: "_Spelled") -> list[tuple[str, str]]:
        """The fields that do not fit, each with the patterns it wants, for an explanation."""
        found: list[tuple[str, str]] = []
        if not self._is_for(spelled.item):
            found.append(("kind", " or ".join(sorted(self.kinds))))
        for field, patterns in self.fields:
            if not spelled.fits(field, patterns):
                found.append((field, " or ".join(patterns.patterns[:3]) + (" …" if len(patterns.patterns) > 3 else "")))
        return found

    def _is_for(self, item: Item) -> bool:
        """Whether it is tried on the item.

        A setting that names a driver or service is matched as that, a program or task that is called like its file as
        the process that it becomes, and so is a file by its ending.
        """
        kinds = self.kinds
        if not kinds or item.kind in kinds:
            return True
        if item.kind == "setting":
            return not kinds.isdisjoint(_NAMED)
        if item.kind == "file":
            return _RUN_AS.get(item.name[-4:].lower()) in kinds
        return item.kind in _STARTED and "process" in kinds and item.path.endswith((f"/{item.name}", f"\\{item.name}"))

    def keys(self) -> list[tuple[list[bytes], list[bytes]]]:
        """The words of the field that the block is indexed by: for each pattern whole words and word prefixes.

        Raises:
            NotIndexableError: no field has a literal in each of its patterns.
        """
        best: list[tuple[list[bytes], list[bytes]]] | None = None
        for field, patterns in self.fields:
            if not BY_NAME[field].indexed or isinstance(patterns, Versions):
                continue
            keys = patterns.keys
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
        self._of_vendors: dict[str, _SharedTexts] = {vendor.id: {} for vendor in ruleset.vendors}
        self._wanted = [(match, *owner) for owner in _products(ruleset) for match in owner[1].match]
        self._blocks: dict[int, Block] = {}  # by the place in these; each is made when it is first needed
        self._owners = {product.id: (vendor, product) for vendor, product in _products(ruleset)}
        self._unless: dict[str, list[Block]] = {}  # by product, made as late
        index = ruleset.index or index_of(ruleset)
        self._words = {word.encode("latin-1"): numbers for word, numbers in index.words.items()}
        self._heads: dict[bytes, list[tuple[bytes, int]]] = {}  # by their first letters
        for number, head in sorted((number, head) for head, numbers in index.heads.items() for number in numbers):
            begun = head.encode("latin-1")
            self._heads.setdefault(begun[:HEAD], []).append((begun, number))
        self._ordinary: set[bytes] = set()  # words in which no block is interested; most come again on the next host
        self._learning = Budget()  # for what may be known before `match`
        self._learned: dict[int, Item] = {}  # ordinary items by their `id`, which no other has while they are held here
        self._judged: dict[tuple[str, ...], list[Hit]] = {}  # by what is matched of an item

    @property
    def blocks(self) -> list[Block]:
        """All `match` blocks."""
        return [self._block(number) for number in range(len(self._wanted))]

    def learn(self, items: Sequence[Item]) -> None:
        """Remembers what can be known of items before they have a place: `match` is sooner done with them."""
        if self._learning.out_of_time or max(len(self._ordinary), len(self._learned)) >= _REMEMBERED:
            return
        for first in range(0, len(items), _PIECE):
            piece = items[first : first + _PIECE]
            self._learned.update((id(item), item) for item in piece)
            for _, item, words in self._interesting(enumerate(piece)):
                del self._learned[id(item)]
                self._known_hits(-1, item, words, self._learning)

    def match(self, items: Sequence[Item], budget: Budget | None = None) -> Hits:
        """Every item that is a product of the rules, in the order of the items, the surest product first.

        Args:
            items: of one host.
            budget: what this and the judging may use.
        """
        found = _Collected(Hits(budget))
        budget = found.hits.budget
        for first in range(0, len(items), _PIECE):
            piece = enumerate(items[first : first + _PIECE], first)
            for index, item, words in self._interesting(one for one in piece if id(one[1]) not in self._learned):
                for hit in self._known_hits(index, item, words, budget):
                    found.take(hit, item)
                if late := budget.out_of_time:
                    found.stopped(index + 1, len(items), late)
                    return found.hits_and_limits()
            if first + _PIECE < len(items) and (late := budget.out_of_time):
                found.stopped(first + _PIECE, len(items), late)
                break
        return found.hits_and_limits()

    def all_hits(self, items: Sequence[Item]) -> list[Hit]:
        """The same without limits, for items of many hosts."""
        unbounded = Budget(float("inf"))
        hits: list[Hit] = []
        for first in range(0, len(items), _PIECE):
            for index, item, words in self._interesting(enumerate(items[first : first + _PIECE], first)):
                hits += self._known_hits(index, item, words, unbounded)
        return hits

    def nearest(self, item: Item) -> Iterator[tuple[Block, list[tuple[str, str]]]]:
        """Every block that shares a word with the item, with the fields that do not fit, for an explanation."""
        spelled = _Spelled(item)
        for block in self._candidates(item_words(item), HEAD):
            yield block, block.misses(spelled)

    def excluded(self, item: Item, product: Product) -> Block | None:
        """The `unless` block that keeps the item from being the product, if the vendor has another one that it is."""
        spelled = _Spelled(item)
        return next((block for block in self._exceptions(product) if block.fits(spelled) is not None), None)

    def _block(self, number: int) -> Block:
        block = self._blocks.get(number)
        if block is None:
            match, vendor, product = self._wanted[number]
            block = self._blocks[number] = Block(match, vendor, product, self._of_vendors[vendor.id])
        return block

    def _exceptions(self, product: Product) -> list[Block]:
        """The `unless` blocks of a product and of its vendor."""
        blocks = self._unless.get(product.id)
        if blocks is None:
            vendor, _ = self._owners[product.id]
            texts = self._of_vendors[vendor.id]
            blocks = self._unless[product.id] = [
                *(Block(match, vendor, None, texts) for match in vendor.unless),
                *(Block(match, vendor, product, texts) for match in product.unless),
            ]
        return blocks

    def _interesting(self, piece: Iterable[tuple[int, Item]]) -> Iterator[tuple[int, Item, list[bytes]]]:
        """The items that a block may fit, each with its place in the inventory and its words.

        The words of all are split together, and the few that a block is interested in are sought in the whole: of most
        items, nothing is done for one alone.
        """
        given = list(piece)
        texts = [_together(item) for _, item in given]
        plain = [text if text.isascii() else "" for text in texts]
        whole = normalise.separated("\0".join(("", *plain, "")))
        telling = self._telling(whole.split())
        if len(telling) > _SOUGHT:
            chosen: Iterable[int] = range(len(given))
        else:
            ends = list(accumulate(len(text) + 1 for text in plain))
            starts = (at for word in telling for at in _found(whole, b" %b " % word))
            others = (number for number, text in enumerate(texts) if not text.isascii())
            chosen = sorted({*others, *(bisect_right(ends, start) for start in starts)})
        for number in chosen:
            place, item = given[number]
            found = item_words(item)
            if self._telling(found):
                yield place, item, found

    def _telling(self, found: Iterable[bytes]) -> list[bytes]:
        """The words in which a block is interested. Those that are ordinary are remembered."""
        telling: list[bytes] = []
        for word in set(found).difference(self._ordinary):
            if word in self._words or any(word.startswith(head) for head, _ in self._heads.get(word[:HEAD], ())):
                telling.append(word)
            elif len(word) <= _REMEMBERED_LENGTH and len(self._ordinary) < _REMEMBERED:
                self._ordinary.add(word)
        return telling

    def _known_hits(self, index: int, item: Item, found: list[bytes], budget: Budget) -> list[Hit]:
        """The hits of an item; of one that is matched like an earlier one, they are the same."""
        key = (item.kind, *_matched(item), *item.ids, *item.ids.values())
        known = self._judged.get(key)
        if known is None:
            known = self._hits(index, item, found, budget)
            if len(self._judged) < _REMEMBERED and not budget.out_of_time and sum(map(len, key)) <= _REMEMBERED_LENGTH:
                self._judged[key] = known
            return known
        return [at(index, hit) for hit in known]

    def _hits(self, index: int, item: Item, found: list[bytes], budget: Budget) -> list[Hit]:
        spelled = _Spelled(item)
        best: dict[str, Hit] = {}
        held: dict[str, Hit] = {}  # excepted by what a user can choose, such as a path
        for number, block in enumerate(self._candidates(found)):
            if number & 0xF == 0xF and budget.out_of_time:
                break  # the caller says so
            fits = block.fits(spelled)
            product = block.product
            if fits is None or product is None:
                continue
            confidence = block.confidence_of(item)
            if confidence == "possible" and item.kind == "security_product":
                confidence = "likely"  # it is no mere name: the product itself registered it with the operating system
            known = best.get(product.id)
            if known is not None and rank(known.confidence) >= rank(confidence):
                continue
            exceptions = [unless for unless in self._exceptions(product) if unless.fits(spelled) is not None]
            if any(exception.identifies for exception in exceptions):
                continue
            hit = Hit(index, block.vendor, product, confidence, _because(item, fits))
            if not exceptions:
                best[product.id] = hit
            elif product.id not in held or rank(held[product.id].confidence) < rank(confidence):
                held[product.id] = hit
        # Such an exception says which product of the vendor it is, and hides nothing.
        elsewhere = {hit.vendor.id for hit in best.values() if hit.product.role != "successor"}
        best.update({product: hit for product, hit in held.items() if hit.vendor.id not in elsewhere})
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

    def _candidates(self, found: Iterable[bytes], letters: int | None = None) -> Iterator[Block]:
        """The blocks that are found by one of the words, or by a start of one: all of it, or so many letters."""
        seen: set[int] = set()
        for word in dict.fromkeys(found):
            heads = self._heads.get(word[:HEAD], ())
            for number in (
                *self._words.get(word, ()),
                *(one for head, one in heads if word.startswith(head[:letters])),
            ):
                if number not in seen:
                    seen.add(number)
                    yield self._block(number)


def index_of(ruleset: Ruleset) -> WordIndex:
    """The index of rules: each pattern by its rarest word, or by a word prefix if it has no distinctive word.

    Raises:
        NotIndexableError: a block has no literal in each pattern of any of its fields.
    """
    texts: dict[str, _SharedTexts] = {vendor.id: {} for vendor in ruleset.vendors}
    wanted = [
        Block(match, vendor, product, texts[vendor.id]).keys()
        for vendor, product in _products(ruleset)
        for match in product.match
    ]
    uses: dict[bytes, int] = {}
    for keys in wanted:
        for whole, _heads in keys:
            for word in whole:
                uses[word] = uses.get(word, 0) + 1
    index = WordIndex(words={}, heads={})
    for number, keys in enumerate(wanted):
        for whole, heads in keys:
            telling = [word for word in whole if word not in _COMMON] or (whole if not heads else [])
            table = index.words if telling else index.heads
            key = (
                min(telling, key=lambda word: (len(word) < 3, uses[word], -len(word), word))
                if telling
                else min(heads, key=lambda head: head[:HEAD] in _COMMON_HEADS)
            )
            numbers = table.setdefault(key.decode("latin-1"), [])
            if not numbers or numbers[-1] != number:
                numbers.append(number)
    return index


def _products(ruleset: Ruleset) -> Iterator[tuple[Vendor, Product]]:
    return ((vendor, product) for vendor in ruleset.vendors for product in vendor.product)


def at(index: int, hit: Hit) -> Hit:
    """The hit, for the same item at that place of an inventory."""
    return Hit(index, hit.vendor, hit.product, hit.confidence, hit.because)


def listed_hits(hits: Iterable[Hit], items: Sequence[Item]) -> Hits:
    """Of the hits of a host, those that a report lists."""
    found = _Collected(Hits())
    for hit in hits:
        found.take(hit, items[hit.item])
    return found.hits_and_limits()


class _Collected:
    """The hits that a report lists. A flood of items of one product leaves room for every other product."""

    def __init__(self, hits: Hits) -> None:
        self.hits = hits
        self._counts: dict[str, int] = {}
        self._dropped: dict[str, int] = {}  # name of a product → items

    def take(self, hit: Hit, item: Item) -> None:
        """Keeps a hit, or counts it where there is no room."""
        budget = self.hits.budget
        count = self._counts.get(hit.product.id, 0)
        full = count >= _LISTED or budget.out_of_text if count else len(self._counts) >= _PRODUCTS or budget.overdrawn
        if full:
            self._dropped[hit.product.name] = self._dropped.get(hit.product.name, 0) + 1
            return
        self._counts[hit.product.id] = count + 1
        budget.take(len(hit.because) + _length(item))
        self.hits.append(hit)

    def stopped(self, compared: int, items: int, why: str) -> None:
        """Notes that the time was used up."""
        if compared < items:
            why = f"stopped after {compared:,} of {items:,} items: {why}"
        else:
            why = f"the last item was not compared with all rules: {why}"
        self.hits.unseen.append(Unseen("Comparison with the rules", why, _BY_HAND, cause="limit"))

    def hits_and_limits(self) -> Hits:
        """The hits, with what is not listed among them."""
        if self._dropped:
            name = next(iter(self._dropped))
            others = f" and of {len(self._dropped) - 1} more products" if len(self._dropped) > 1 else ""
            why = f"{sum(self._dropped.values()):,} more items of {name}{others}: a report lists no more"
            self.hits.unseen.append(Unseen("Items that rules recognise", why, _BY_HAND, cause="limit"))
        return self.hits


def _length(item: Item) -> int:
    """Characters of everything in an item."""
    evidence = (part for one in item.evidence for part in (one.where, one.what))
    texts = (*_texts(item), *item.ids.values(), *item.details.values(), *item.notes, *evidence)
    return sum(map(len, texts))


_texts = attrgetter(*TEXTS, "user")
_BY_HAND = "look at this machine by hand: somebody floods it with names"


class _Spelled(dict[str, str]):
    """The fields of an item in normal spelling, each computed when first used."""

    def __init__(self, item: Item) -> None:
        self.item = item

    def __missing__(self, field: str) -> str:
        self[field] = spelled = _spelling(field)(_value(self.item, field))
        return spelled

    def fits(self, field: str, patterns: "Texts | Versions") -> bool:
        """Whether a field fits one of the patterns, a folder also as what lies in it.

        Of a program or driver, the name fits with its ending and without; a Unix path says that it never had one.
        """
        text = self[field]
        if patterns.fits(text) is not None:
            return True
        if field == "path":
            return patterns.fits(f"{text}/") is not None
        if field != "name" or self.item.path.startswith("/"):
            return False
        return any(patterns.fits(name) is not None for name in normalise.file_names(text, self.item.kind))


def _spelling(field: str) -> Callable[[str], str]:
    """How a field is spelled before it is compared."""
    if field in _COMPANIES:
        return normalise.vendor
    return normalise.path if field == "path" else normalise.normal


_COMPANIES = frozenset(field.name for field in FIELDS if field.company)
_FIELDS_BUT_IDS = tuple(field for field in FIELDS if not field.name.startswith(IDS))
_indexed = attrgetter(*(name for name in TEXTS if BY_NAME[name].indexed))
_matched = attrgetter(*TEXTS)


def item_words(item: Item) -> list[bytes]:
    """The words of everything in an item that a block may be found by, in their normal spelling."""
    return [word for text in (*_indexed(item), *item.ids.values()) if text for word in normalise.words(text)]


def _together(item: Item) -> str:
    """Everything in an item that a block may be found by."""
    texts: tuple[str, ...] = _indexed(item)
    return "\0".join((*texts, *item.ids.values()) if item.ids else texts)


def _found(whole: bytes, sought: bytes) -> Iterator[int]:
    """The places of a word between blanks; one blank may end a word and begin the next."""
    at = whole.find(sought)
    while at >= 0:
        yield at
        at = whole.find(sought, at + len(sought) - 1)


def rank(confidence: Confidence) -> int:
    """0 for possible, 1 for likely, 2 for certain."""
    return CONFIDENCES.index(confidence)


def wanted_of(match: Match, field: str) -> Patterns | VersionRange:
    """What a block asks of a field; empty if nothing."""
    if field.startswith(IDS):
        return match.ids.get(field[len(IDS) :], ())  # type: ignore[call-overload, no-any-return]
    wanted: Patterns | VersionRange = getattr(match, field)
    return wanted


# The blocks of one vendor name it by the same patterns: (patterns, spelling of the field) → these.
_SharedTexts = dict[tuple[str | tuple[str, ...], Callable[[str], str]], Texts]


def _fields(match: Match, vendor: Vendor, shared: _SharedTexts) -> Iterator[tuple[str, Texts | Versions]]:
    fields = FIELDS if match.ids else _FIELDS_BUT_IDS
    for field in fields:
        wanted = wanted_of(match, field.name)
        if isinstance(wanted, VersionRange):
            yield field.name, Versions(wanted)
        elif wanted:
            spell = _spelling(field.name)
            texts = shared.get((wanted, spell))
            if texts is None:
                texts = shared[wanted, spell] = Texts(_written_out(wanted, vendor), spell)
            yield field.name, texts


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
    """Of a block without identity: vendor and name are likely, a name alone is possible."""
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
