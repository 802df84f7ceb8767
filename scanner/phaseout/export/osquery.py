r"""A pack of osquery: for each product one query on each table.

A query returns the rows of the table that fit the product's match blocks, with the product. SQL expresses less than a
rule: it ignores case only in Latin letters, does not fold accents, look-alike letters or format characters, and removes
legal forms (Inc, GmbH, AO) anywhere in a publisher's name.

References:
    https://osquery.readthedocs.io/en/stable/deployment/configuration/ (packs), https://osquery.io/schema/ (tables);
    https://www.sqlite.org/lang_expr.html (LIKE, ESCAPE, collations)
"""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from phaseout.export import LeftOutBlock, elsewhere, in_words, platforms_of, products
from phaseout.model.findings import CONFIDENCES, Confidence
from phaseout.model.nouns import Kind, Platform
from phaseout.model.rules import Product, Ruleset, Vendor
from phaseout.rules.matcher import Block
from phaseout.rules.normalise import FORMS, file_names
from phaseout.rules.patterns import Texts

_INTERVAL = 86_400  # seconds between two runs of a query
_ALL: tuple[Platform, ...] = ("linux", "macos", "windows")
_NAMES = {"linux": "linux", "macos": "darwin", "windows": "windows"}
_OF_USERS = "users CROSS JOIN {} USING (uid)"  # these tables show only the current user without a uid
_MAINTAINER = "trim(substr(maintainer || ' <', 1, instr(maintainer || ' <', ' <')))"
_FOLDED = "folded_vendor"
_NESTED = 12
_PUNCTUATION = (
    ",",
    ".",
    "-",
    "_",
    "(",
    ")",
    "/",
    "&",
    "'",
    '"',
    "\N{FULLWIDTH LEFT PARENTHESIS}",
    "\N{FULLWIDTH RIGHT PARENTHESIS}",
)
_LATIN_FORMS = tuple(sorted(form for form in FORMS if form.isascii()))
_UNINSTALL = "Microsoft\\Windows\\CurrentVersion\\Uninstall\\"
_SOFTWARE = ("HKEY_LOCAL_MACHINE\\SOFTWARE\\", "HKEY_LOCAL_MACHINE\\SOFTWARE\\WOW6432Node\\")
_PROGRAM_FOLDERS = ("C:\\Program Files\\", "C:\\Program Files (x86)\\", "C:\\ProgramData\\")
_WITHOUT_TABLE = {
    "signer": "osquery gives the signer only of a named file (authenticode, signature)",
    "ids.clsid": "osquery has no table of the Security Center's or Internet Explorer's identifiers",
    "ids.package_family": "osquery has no table of MSIX packages",
    "ids.upgrade_code": "osquery has no table of upgrade codes",
}


class Table(NamedTuple):
    """One table of osquery: where it is, which kinds of items its rows are, and which column holds which field."""

    platforms: tuple[Platform, ...]
    kinds: tuple[Kind, ...]
    columns: dict[str, tuple[str, ...]]
    of_users: bool = False
    only_shown: tuple[str, ...] = ()  # columns that no block is tried on


TABLES: dict[str, Table] = {
    "deb_packages": Table(
        ("linux",), ("package",), {"name": ("name",), "vendor": (_MAINTAINER,), "version": ("version",)}
    ),
    "rpm_packages": Table(
        ("linux",),
        ("package",),
        {"name": ("name",), "vendor": ("vendor",), "version": ("version || '-' || release",)},
    ),
    "systemd_units": Table(("linux",), ("service",), {"name": ("id",)}),
    "kernel_modules": Table(("linux",), ("driver",), {"name": ("name",)}),
    "processes": Table(_ALL, ("process",), {"name": ("name",), "path": ("path",), "command": ("cmdline",)}),
    "programs": Table(
        ("windows",),
        ("program",),
        {
            "name": ("name",),
            "vendor": ("publisher",),
            "version": ("version",),
            "path": ("install_location",),
            "ids.product_code": ("identifying_number",),
        },
    ),
    "services": Table(
        ("windows",), ("service",), {"name": ("name",), "path": ("path", "module_path"), "command": ("path",)}
    ),
    "drivers": Table(
        ("windows",),
        ("driver",),
        {"name": ("service",), "vendor": ("provider",), "version": ("version",), "path": ("image",)},
    ),
    "scheduled_tasks": Table(("windows",), ("task",), {"name": ("name",), "path": ("path",), "command": ("action",)}),
    "windows_security_products": Table(("windows",), ("security_product",), {"name": ("name",)}),
    "chocolatey_packages": Table(
        ("windows",), ("package",), {"name": ("name",), "vendor": ("author",), "version": ("version",)}
    ),
    "apps": Table(
        ("macos",),
        ("app",),
        {
            "name": ("bundle_name", "display_name"),
            "version": ("bundle_short_version",),
            "path": ("path",),
            "ids.bundle_id": ("bundle_identifier",),
        },
    ),
    "launchd": Table(
        ("macos",),
        ("service",),
        {"name": ("label",), "path": ("program",), "command": ("program_arguments", "program")},
    ),
    "package_receipts": Table(
        ("macos",), ("package",), {"name": ("package_id",), "version": ("version",), "ids.receipt_id": ("package_id",)}
    ),
    "system_extensions": Table(
        ("macos",),
        ("driver",),
        {
            "name": ("identifier",),
            "version": ("version",),
            "path": ("bundle_path",),
            "ids.bundle_id": ("identifier",),
            "ids.team_id": ("team",),
        },
    ),
    "kernel_extensions": Table(
        ("macos",),
        ("driver",),
        {"name": ("name",), "version": ("version",), "path": ("path",), "ids.bundle_id": ("name",)},
    ),
    "homebrew_packages": Table(("macos",), ("package",), {"name": ("name",), "version": ("version",)}),
    "chrome_extensions": Table(
        _ALL,
        ("extension",),
        {"name": ("name",), "version": ("version",), "path": ("path",), "ids.extension_id": ("identifier",)},
        of_users=True,
        only_shown=("path",),
    ),
    "firefox_addons": Table(
        _ALL,
        ("extension",),
        {"name": ("name",), "version": ("version",), "path": ("path",), "ids.extension_id": ("identifier",)},
        of_users=True,
        only_shown=("path",),
    ),
    "npm_packages": Table(
        _ALL,
        ("library",),
        {
            "name": ("name",),
            "version": ("version",),
            "path": ("path",),
            "ids.purl": ("'pkg:npm/' || replace(name, '@', '%40') || '@' || version",),
        },
        only_shown=("path",),
    ),
    "python_packages": Table(
        _ALL,
        ("library",),
        {
            "name": ("name",),
            "vendor": ("author",),
            "version": ("version",),
            "path": ("path",),
            "ids.purl": ("'pkg:pypi/' || lower(name) || '@' || version",),
        },
        of_users=True,
        only_shown=("path",),
    ),
    # These two list nothing by themselves: a query must name keys and folders.
    "registry": Table(("windows",), ("file", "program"), {"ids.registry_key": ("key",)}),
    "file": Table(_ALL, ("file",), {"path": ("path",)}),
}


def export(ruleset: Ruleset, platforms: Collection[Platform]) -> str:
    """The pack as JSON. Its member `phaseout`, which osquery does not read, lists what was left out."""
    queries: dict[str, object] = {}
    left_out: list[LeftOutBlock] = []
    for vendor, product in products(ruleset, platforms):
        blocks = [Block(match, vendor, product) for match in product.match]
        left_out += _left_out(product, blocks, platforms)
        for name, table in TABLES.items():
            here = platforms_of(product, platforms) & set(table.platforms)
            query = _query(vendor, product, name, table, sorted(here)) if here else None
            if query is not None:
                queries[f"{product.id}.{name}"] = {
                    "query": query,
                    "interval": _INTERVAL,
                    "platform": ",".join(_NAMES[platform] for platform in sorted(here)),
                    "snapshot": True,
                    "description": f"{product.name}, as {name} shows it",
                }
    about = {
        "rules": ruleset.digest,
        "left_out": [{"product": one.product, "match": one.block, "reason": one.reason} for one in left_out],
    }
    return json.dumps({"phaseout": about, "queries": queries}, ensure_ascii=False, indent=1) + "\n"


def _query(vendor: Vendor, product: Product, name: str, table: Table, platforms: Sequence[Platform]) -> str | None:
    """The rows of the table that are the product, or `None` if no block can be said of this table."""
    conditions = list(_conditions(vendor, product, name, table, platforms))
    if not conditions:
        return None
    where = _any([condition for _, condition in conditions])
    if product.role == "vendor":  # a catch-all shows what no product names
        named = [
            condition
            for other in vendor.product
            if other.role != "vendor" and not set(other.platforms).isdisjoint(platforms)
            for _, condition in _conditions(vendor, other, name, table, platforms)
        ]
        where += _none(named)
    version, path = (table.columns.get(field, ("''",))[0] for field in ("version", "path"))
    shown = table.columns.get("name") or table.columns.get("path") or table.columns["ids.registry_key"]
    constants = {
        "vendor": vendor.name,
        "product": product.name,
        "product_id": product.id,
        "role": product.role,
        "kind": table.kinds[0],
    }
    selected = ", ".join(f"{_text(value)} AS {column}" for column, value in constants.items())
    source = _OF_USERS.format(name) if table.of_users else name
    first = ""
    if _FOLDED in where:
        first, source = _with_folded(table.columns["vendor"][0], source)
    return (
        f"{first}SELECT DISTINCT {selected}, {_confidence(conditions)} AS confidence, "  # noqa: S608  (not run here)
        f"{shown[0]} AS name, {version} AS version, {path} AS path FROM {source} WHERE {where};"
    )


def _conditions(
    vendor: Vendor, product: Product, name: str, table: Table, platforms: Sequence[Platform]
) -> Iterator[tuple[Confidence, str]]:
    """What a row must fulfil, block by block, with what takes it back."""
    back = [*(Block(match, vendor, None) for match in vendor.unless)]
    back += [Block(match, vendor, product) for match in product.unless]
    unless = [condition for block in back if (condition := _condition(block, name, table, platforms))]
    for match in product.match:
        block = Block(match, vendor, product)
        condition = _condition(block, name, table, platforms)
        if condition:
            yield block.confidence, condition + (_none(unless) if name not in {"file", "registry"} else "")


def _condition(block: Block, name: str, table: Table, platforms: Sequence[Platform]) -> str:
    """A block in SQL; empty if the table cannot show what it asks."""
    if block.kinds and block.kinds.isdisjoint(table.kinds):
        return ""
    parts = []
    for field, texts in block.fields:
        columns = table.columns.get(field)
        if columns is None or field in table.only_shown or not isinstance(texts, Texts):
            return ""
        if name == "file":
            alternatives = [each for pattern in texts.patterns for each in _folders(pattern, platforms)]
        elif name == "registry":
            alternatives = [each for pattern in texts.patterns for each in _keys(pattern)]
        elif field == "vendor":
            alternatives = [_fits(_FOLDED, _without_forms(pattern)) for pattern in texts.patterns]
        else:
            slashes = field in {"path", "command"} and "windows" in table.platforms
            alternatives = [_fits(column, pattern, slashes) for column in columns for pattern in texts.patterns]
            if field == "name":
                alternatives += _file_names(texts.patterns, table)
        if not alternatives:
            return ""
        parts.append(_any(list(dict.fromkeys(alternatives))))
    return " AND ".join(parts)


def _file_names(patterns: Sequence[str], table: Table) -> Iterator[str]:
    """That a program or driver bears a name without the ending of its file, or with it; no Unix path has had one."""
    for pattern in patterns:
        names = [name for kind in table.kinds for name in file_names(pattern, kind)] if "*" not in pattern else []
        for column in table.columns["name"]:
            for name in names:
                path = next(iter(table.columns.get("path", ())), "")
                elsewhere = f" AND coalesce({path}, '') NOT LIKE '/%'" if path else ""
                yield f"{_fits(column, name)}{elsewhere}"


def _fits(column: str, pattern: str, slashes: bool = False) -> str:
    r"""Whether a column fits a pattern; with `slashes`, `\` and `/` are the same."""
    if slashes:
        column, pattern = f"replace({column}, '\\', '/')", pattern.replace("\\", "/")
    if "*" not in pattern:
        return f"{column} = {_text(pattern)} COLLATE NOCASE"
    if any(char in pattern for char in "%_"):
        for char in "^%_":
            pattern = pattern.replace(char, f"^{char}")
        return f"{column} LIKE {_text(pattern.replace('*', '%'))} ESCAPE '^'"
    return f"{column} LIKE {_text(pattern.replace('*', '%'))}"


def _with_folded(column: str, source: str) -> tuple[str, str]:
    """A WITH clause and its last table: the source, and beside it a publisher without punctuation and legal forms.

    The parser of osquery's SQLite holds a hundred things at once, so that only so many calls may stand in another.
    """
    wanted = [(char, " ") for char in _PUNCTUATION] + [(f" {form} ", " ") for form in _LATIN_FORMS] + [("  ", " ")] * 2
    steps = [f"step0 AS (SELECT *, ' ' || lower({column}) || ' ' AS folded0 FROM {source})"]  # noqa: S608
    for start in range(0, len(wanted), _NESTED):
        number = len(steps)
        expression = f"folded{number - 1}"
        for old, new in wanted[start : start + _NESTED]:
            expression = f"replace({expression}, {_text(old)}, {_text(new)})"
        steps.append(f"step{number} AS (SELECT *, {expression} AS folded{number} FROM step{number - 1})")  # noqa: S608
    steps.append(f"folded AS (SELECT *, trim(folded{len(steps) - 1}) AS {_FOLDED} FROM step{len(steps) - 1})")  # noqa: S608
    return f"WITH {', '.join(steps)} ", "folded"


def _without_forms(pattern: str) -> str:
    """The same for a pattern."""
    plain = "".join(char.lower() if char.isascii() else char for char in pattern)
    for char in _PUNCTUATION:
        plain = plain.replace(char, " ")
    words = plain.split()
    return " ".join([word for word in words if word not in _LATIN_FORMS] or words)


def _folders(pattern: str, platforms: Sequence[Platform]) -> Iterator[str]:
    """Places of a pattern that `file` can look up: those that begin with a folder, and the usual ones of Windows."""
    places = [pattern]
    if pattern[:2] in {"*\\", "*/"}:
        rest = pattern[2:].replace("/", "\\")
        root = rest.startswith(("Program Files", "ProgramData"))
        places = ["C:\\" + rest] if root else [folder + rest for folder in _PROGRAM_FOLDERS]
    for place in places:
        windows = place.startswith("C:\\")
        if windows != ("windows" in platforms) and not (place.startswith("/") and len(platforms) > 1):
            continue
        if windows or place.startswith("/"):
            bare = place.rstrip("*").rstrip("/\\") if place.endswith(("/*", "\\*")) else ""
            if bare and "*" not in bare:
                yield f"path = {_text(bare)}"
            # Of LIKE with ESCAPE the table would hear nothing; `_` is any character here.
            yield f"path LIKE {_text(place.replace('*', '%'))}" if "*" in place else f"path = {_text(place)}"


def _keys(pattern: str) -> Iterator[str]:
    """Keys of a pattern: a whole path below HKLM, or the name of an entry of the Uninstall keys."""
    if pattern.upper().startswith("HKLM\\SOFTWARE\\"):
        rest = pattern[len("HKLM\\SOFTWARE\\") :]
        places = [software + rest[1:] for software in _SOFTWARE] if rest.startswith("*") else [_SOFTWARE[0] + rest]
    elif "\\" not in pattern:
        places = [software + _UNINSTALL + pattern for software in _SOFTWARE]
    else:
        return
    for place in places:
        yield f"key LIKE {_text(place.replace('*', '%'))}" if "*" in place else f"key = {_text(place)}"


def _confidence(conditions: Sequence[tuple[Confidence, str]]) -> str:
    """The surest of the blocks that fit a row."""
    levels = [level for level in reversed(CONFIDENCES) if any(level == known for known, _ in conditions)]
    whens = [
        f"WHEN {_any([condition for known, condition in conditions if known == level])} THEN '{level}'"
        for level in levels[:-1]
    ]
    return f"CASE {' '.join(whens)} ELSE '{levels[-1]}' END" if whens else f"'{levels[-1]}'"


def _left_out(product: Product, blocks: Sequence[Block], platforms: Collection[Platform]) -> Iterator[LeftOutBlock]:
    here = platforms_of(product, platforms)
    tables = [(name, table, sorted(here & set(table.platforms))) for name, table in TABLES.items()]
    for block in blocks:
        if elsewhere(block, here) or any(_condition(block, *where) for where in tables if where[2]):
            continue
        yield LeftOutBlock(product.id, in_words(block), _reason(block))


def _reason(block: Block) -> str:
    for field, texts in block.fields:
        if not isinstance(texts, Texts):
            return "SQL cannot compare versions number by number"
        if field in _WITHOUT_TABLE:
            return _WITHOUT_TABLE[field]
    asked = " and ".join(field for field, _ in block.fields)
    kinds = " or ".join(sorted(block.kinds)) or "anything"
    return f"no table of osquery has {asked} of {kinds} on these platforms"


def _any(conditions: Sequence[str]) -> str:
    return "(" + " OR ".join(f"({condition})" if " AND " in condition else condition for condition in conditions) + ")"


def _none(conditions: Sequence[str]) -> str:
    """That none of them holds; what is compared with NULL does not hold."""
    return f" AND NOT coalesce({_any(conditions)}, 0)" if conditions else ""


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
