"""Checks of a rule beyond its shape, against false alarms and unsupported claims."""

from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase

from phaseout.model.fields import BY_NAME, HEAD_LISTS, IDS, TEXTS
from phaseout.model.quoting import quoted
from phaseout.model.regex import regex
from phaseout.model.rules import VENDOR, Match, Measure, Policy, Product, Role, Vendor, VersionRange

_PATTERNS = 500  # of one field of a block; the longest shipped list has 42, the longest shipped pattern 59 characters
_PATTERN = 256  # characters
_MEASURES = 250  # each is compared with each product; a tenth of them is shipped
_SUGGESTIONS = 1_000  # known names among which a similar one is looked for
_WAIVERS = 1_000  # and deadlines of a policy: each is compared with each product
_HOME = regex(r"[A-Z]{2}(-[A-Z0-9]{1,3})?\Z")
_ID = regex(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
# Names that other software or malware uses as well: they prove nothing on their own.
GENERIC = frozenset(
    (
        *("avp", "kav", "wdserver", "soyuz.exe", "kavstart", "kavstart.exe"),
        *("agent", "agent.exe", "client.exe", "launcher.exe", "setup.exe", "update.exe", "updater.exe", "service.exe"),
    )
)
_EXACT = regex(r"[^\W_]{2,}_[^\W_]{2,}")
_WORD = regex(r"[^\W_]{3,}|[^\W_\x00-\u02ff]{2,}")  # two ideographs tell as much as three letters


def check_vendor(vendor: Vendor, name: str) -> Iterator[str]:
    """The errors of a vendor file, each with its place."""
    yield from _check_id(vendor.id, name)
    for field in HEAD_LISTS.values():
        listed: tuple[str, ...] = getattr(vendor, field.head_list)
        if len(listed) > _PATTERNS or any(len(pattern) > _PATTERN for pattern in listed):
            yield f"{field.head_list}: more than {_PATTERNS} patterns, or one of more than {_PATTERN} characters"
    seen: dict[str, int] = {}
    for number, product in enumerate(vendor.product):
        place = f"product[{number}]"
        if not _ID.match(product.id):
            yield f"{place}.id: {quoted(product.id)} must be lower case words joined by hyphens"
        if product.id in seen:
            yield f"{place}.id: {quoted(product.id)} is product[{seen[product.id]}] already"
        seen.setdefault(product.id, number)
        yield from _check_product(product, vendor, place)
    for number, match in enumerate(vendor.unless):
        yield from _check_match(match, vendor, f"unless[{number}]", indexed=False)


def check_measure(measure: Measure, name: str) -> Iterator[str]:
    """The errors of a measure file, each with its place."""
    yield from _check_id(measure.id, name)
    known = {reference.id for reference in measure.reference}
    for reference in measure.reference:
        if not reference.url and not reference.citation:
            yield f"reference {quoted(reference.id)}: needs url or citation"
    seen: set[str] = set()
    for number, milestone in enumerate(measure.milestone):
        place = f"milestone[{number}]"
        if milestone.id in seen:
            yield f"{place}.id: {quoted(milestone.id)} is there already"
        seen.add(milestone.id)
        if milestone.at is None and not milestone.when:
            yield f"{place}: needs at or when"
        if milestone.at is not None and milestone.at.tzinfo is None:
            yield f"{place}.at: an instant needs its offset, such as {milestone.at.isoformat()}-04:00"
        if not milestone.references:
            yield f"{place}.references: a date without provenance"
        for reference_id in milestone.references:
            if reference_id not in known:
                yield f"{place}.references: {quoted(reference_id)} is no [[reference]] of this file"
        for vendor_id in milestone.vendors:
            if vendor_id not in measure.vendors:
                yield f"{place}.vendors: {quoted(vendor_id)} is not among the vendors of the measure"
    citing = [(f"exempts[{number}]", one.references) for number, one in enumerate(measure.exempts)]
    citing += [(f"unclear[{number}]", one.references) for number, one in enumerate(measure.unclear)]
    citing += [(f"report[{number}]", one.references) for number, one in enumerate(measure.report)]
    for place, references in citing:
        for reference_id in references:
            if reference_id not in known:
                yield f"{place}.references: {quoted(reference_id)} is no [[reference]] of this file"
    if not measure.vendors and not measure.unruled_vendors and not measure.unlisted:
        yield "vendors: names nobody, and unruled_vendors and unlisted neither"
    if measure.status.review_by <= measure.status.as_of:
        yield "status.review_by: must lie after as_of"


def check_roles(roles: Sequence[Role]) -> Iterator[str]:
    """The errors of the roles."""
    known = {role.id for role in roles}
    seen: set[str] = set()
    for role in roles:
        if role.id in seen or role.id == VENDOR:
            yield f"role {quoted(role.id)}: is there already"
        seen.add(role.id)
        if not _HOME.match(role.home):
            home = quoted(role.home)
            yield f"role {quoted(role.id)}: home must be a country or a state of it, such as US or US-TX, not {home}"
        for implied in role.implies:
            if implied not in known:
                yield f"role {quoted(role.id)}: implies an unknown role {quoted(implied)}{_meant(implied, known)}"


def check_references(
    vendors: Sequence[Vendor], measures: Sequence[Measure], roles: Sequence[Role]
) -> Iterator[tuple[str, str]]:
    """Id and error of each file with a dangling reference or a duplicate definition."""
    if len(measures) > _MEASURES:
        yield measures[_MEASURES].id, f"with this file, there are more than {_MEASURES} measures"
        return
    known_vendors = {vendor.id for vendor in vendors}
    products: dict[str, str] = {}
    for vendor in vendors:
        for product in vendor.product:
            if product.id in products:
                yield vendor.id, f"product {quoted(product.id)} is defined by {products[product.id]} too"
            products[product.id] = vendor.id
    for measure in measures:
        for vendor_id in measure.vendors:
            if vendor_id not in known_vendors:
                yield measure.id, f"vendors: there is no vendor file {quoted(vendor_id)}"
        named = [*measure.products, *(product for milestone in measure.milestone for product in milestone.products)]
        named += (product for exemption in measure.exempts for product in exemption.products)
        for product_id in dict.fromkeys(named):
            if product_id not in products:
                yield measure.id, f"products: there is no product {quoted(product_id)}"
        known_roles = {VENDOR, *(role.id for role in roles)}
        bound = [(f"bound[{number}].role", one.role) for number, one in enumerate(measure.bound)]
        acting = [(f"milestone[{number}].actor", one.actor) for number, one in enumerate(measure.milestone)]
        except_for = [
            (f"bound[{number}].unless", role) for number, one in enumerate(measure.bound) for role in one.unless
        ]
        for place, role_id in (*bound, *except_for, *acting):
            if role_id not in known_roles:
                yield measure.id, f"{place}: roles.toml has no role {quoted(role_id)}{_meant(role_id, known_roles)}"


def check_policy(policy: Policy, vendors: Sequence[Vendor], roles: Sequence[Role]) -> Iterator[str]:
    """Unknown roles, products and vendors in a policy."""
    for name, given in (("waiver", policy.waiver), ("cutoff", policy.cutoff)):
        if len(given) > _WAIVERS:
            yield f"{name}: there are {len(given)}, more than {_WAIVERS}"
            return
    known = {role.id for role in roles}
    for number, role in enumerate(policy.roles):
        if role not in known:
            yield f"roles[{number}]: unknown role {quoted(role)}{_meant(role, known)}"
    named = {product.id for vendor in vendors for product in vendor.product}
    products = named | {vendor.id for vendor in vendors}
    for number, waiver in enumerate(policy.waiver):
        if not any(fnmatchcase(product, waiver.product) for product in named):
            yield f"waiver[{number}].product: no product {quoted(waiver.product)}{_meant(waiver.product, named)}"
    for number, cutoff in enumerate(policy.cutoff):
        if cutoff.product not in products:
            meant = _meant(cutoff.product, products)
            yield f"cutoff[{number}].product: no product or vendor {quoted(cutoff.product)}{meant}"
    for name in policy.replacements:
        if name not in products:
            yield f"replacements: no product or vendor {quoted(name)}{_meant(name, products)}"


def _meant(name: str, known: Collection[str]) -> str:
    if len(known) > _SUGGESTIONS or len(name) > _PATTERN:  # the comparison takes their product
        return ""
    import difflib

    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f", did you mean {quoted(close[0])}?" if close else ""


def _check_id(identifier: str, name: str) -> Iterator[str]:
    stem = name.replace("\\", "/").rpartition("/")[2].removesuffix(".toml")
    if not _ID.match(identifier):
        yield f"id: {quoted(identifier)} must be lower case words joined by hyphens"
    elif identifier != stem:
        yield f"id: {quoted(identifier)} must be the name of the file, {quoted(stem)}"


def _check_product(product: Product, vendor: Vendor, place: str) -> Iterator[str]:
    if not product.match:
        yield f"{place}.match: needs at least one block"
    if not product.hit:
        yield f"{place}.hit: needs at least one specimen"
    for number, match in enumerate(product.match):
        yield from _check_match(match, vendor, f"{place}.match[{number}]", indexed=True)
    for number, match in enumerate(product.unless):
        yield from _check_match(match, vendor, f"{place}.unless[{number}]", indexed=False)


def _check_match(match: Match, vendor: Vendor, place: str, *, indexed: bool) -> Iterator[str]:
    fields = dict(_patterns(match))
    if not fields and not match.version:
        yield f"{place}: an empty block would match everything"
        return
    for field, patterns in fields.items():
        if len(patterns) > _PATTERNS:
            yield f"{place}.{field}: {len(patterns)} patterns, more than {_PATTERNS}: use several blocks"
        for pattern in patterns:
            if len(pattern) > _PATTERN:
                yield f"{place}.{field}: {quoted(pattern, 40)} is longer than {_PATTERN} characters"
            if pattern in HEAD_LISTS:
                wanted = HEAD_LISTS[pattern]
                if field != wanted.name:
                    yield f"{place}.{field}: {pattern} belongs in {wanted.name}"
                elif not getattr(vendor, wanted.head_list):
                    yield f"{place}.{field}: {pattern} is empty: the file has no {wanted.head_list}"
            elif pattern.startswith("@") and BY_NAME[field].company:
                yield f"{place}.{field}: {quoted(pattern)} is no list; there are {', '.join(HEAD_LISTS)}"
            elif not pattern.strip(" *"):
                yield f"{place}.{field}: {quoted(pattern)} fits everything"
    if indexed and not any(_indexable(patterns) for field, patterns in fields.items() if BY_NAME[field].indexed):
        yield f"{place}: no field whose every pattern has a word of three letters that no * touches on its left"
    if indexed and set(fields) == {"name"}:
        for pattern in fields["name"]:
            if pattern.lower() in GENERIC:
                yield f"{place}.name: {quoted(pattern)} is too generic without path, signer or vendor beside it"
    if match.grade == "C" and len(fields) < 2:
        yield f"{place}: an identifier of grade C needs a second field beside it"


def _patterns(match: Match) -> Iterator[tuple[str, tuple[str, ...]]]:
    for field in TEXTS:
        value: str | tuple[str, ...] | VersionRange = getattr(match, field)
        if value and not isinstance(value, VersionRange):
            yield field, (value,) if isinstance(value, str) else value
    for key, patterns in match.ids.items():
        yield IDS + key, (patterns,) if isinstance(patterns, str) else patterns


def _indexable(patterns: Sequence[str]) -> bool:
    """Whether each pattern has a word of three letters, or the start of one, that no star touches on its left.

    A name without a star may also have two short words, such as `cm_km`.
    """
    for pattern in patterns:
        if _EXACT.fullmatch(pattern):
            continue
        found = any(word.start() == 0 or pattern[word.start() - 1] != "*" for word in _WORD.finditer(pattern))
        if not found and not pattern.startswith("@"):
            return False
    return True
