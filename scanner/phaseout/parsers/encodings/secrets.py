"""Masks what looks like a secret in command lines, URLs and settings, before it comes into an inventory.

A pattern that hides too much costs a reader a word; one that hides too little gives a password to everybody who reads a
report. So every value of an option or setting with a telling name is masked, as are the passwords in URLs, the options
by which well-known programs take a password, and tokens of well-known form. Rules match names, paths and programs,
none of which are masked.

References:
    RFC 3986, section 3.2.1 (user information); RFC 6750 (Bearer); mysql(1), sshpass(1), curl(1), ldapsearch(1);
    https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
"""

import re
from functools import cache, lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from phaseout.model.nouns import Evidence, Inventory, Item

MASK = "***"
_NAMED_BY_COMMAND = frozenset(("process", "service", "task"))  # a job of cron has no other name
_NAMES = (
    r"passw(?:or)?d|passwd|passphrase|passwort|kennwort|contrase|secret|token|api[-_]?key|access[-_]?key|account[-_]?key|"
    r"private[-_]?key|shared[-_]?key|credential|authorization|(?<![a-z0-9])(?:pass|pwd(?![=:]/)|pw|auth|sig|otp|pin)(?![a-z])"
)
_NOT_ITSELF = r"(?![-_]?(?:file|path|dir|fd|policy|prompt|stdin|length|type|url|env|store|manager))"
_VALUE = r"""(?:"[^"]{0,4000}"|'[^']{0,4000}'|[^\s"';&|]*[^\s"';&|,])"""


class _Rule(NamedTuple):
    """What a secret looks like, and what stands in its place.

    Attributes:
        signs: of each of these, one is in every text that the pattern fits: in lower case, with a blank for any white
            space and before the text.
        pattern: a regular expression that ignores case.
        new: what replaces it.
    """

    signs: tuple[tuple[str, ...], ...]
    pattern: str
    new: str


# What telling names begin with; "pass" is in "sshpass" and the like as well.
_NAME_SIGNS = (
    "pass",
    "kennwort",
    "contrase",
    "secret",
    "token",
    "key",
    "credential",
    "auth",
    "pw",
    "sig",
    "otp",
    "pin",
)
_PLAIN_TOKENS = ("glpat-", "xox", "akia", "asia", "aiza", "sk-")
_TOKENS = ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "npm_", "hf_", "sk_live_", "dop_v1_")
_SHORT, _LONG = (" -p",), ("/p:",)
# The first signs of a rule are the rarer ones; rules that share them are asked together.
_RULES = (
    # options by which single programs take a password
    _Rule((_SHORT, ("mysql", "mariadb")), r"(\b(?:mysql|mariadb)[^\n]{0,2000}?\s-p)(?!\s)\S+", rf"\1{MASK}"),
    _Rule(
        (("sshpass", "psexec", "mongo", "rdesktop", "wmic"), ("-p", "/p")),
        r"(\b(?:sshpass|psexec|mongo|rdesktop|wmic)[^\n]{0,2000}?\s[-/]p\s{0,3})\S+",
        rf"\1{MASK}",
    ),
    _Rule(
        (_SHORT, ("plink", "pscp", "psftp", "putty")),
        r"(\b(?:plink|pscp|psftp|putty)[^\n]{0,2000}?\s-pw\s{1,3})\S+",
        rf"\1{MASK}",
    ),
    _Rule(
        ((" -u", " --user"), ("curl", "wget")),
        r"(\b(?:curl|wget)[^\n]{0,2000}?\s(?:-u|--user)\s{0,3}[^\s:]{0,200}:)\S+",
        rf"\1{MASK}",
    ),
    _Rule(
        ((" -u",), ("smbclient", "rpcclient", "cifs")),
        r"(\b(?:smbclient|rpcclient|mount\.cifs)[^\n]{0,2000}?\s-U\s{0,3}[^\s%]{0,200}%)\S+",
        rf"\1{MASK}",
    ),
    _Rule(((" -w",), ("ldap",)), r"(\bldap[a-z]{3,10}\b[^\n]{0,2000}?\s-w\s{0,3})\S+", rf"\1{MASK}"),
    _Rule((("redis-cli",),), r"(\bredis-cli[^\n]{0,2000}?\s-a\s{1,3})\S+", rf"\1{MASK}"),
    _Rule((("schtasks",),), r"(\bschtasks[^\n]{0,2000}?\s/r?p\s{1,3})\S+", rf"\1{MASK}"),
    _Rule((_LONG, ("freerdp",)), r"(freerdp[^\n]{0,2000}?\s/p:)\S+", rf"\1{MASK}"),
    _Rule(((" -k",), ("openssl",)), r"(\bopenssl\s[^\n]{0,2000}?\s-k\s{1,3})\S+", rf"\1{MASK}"),
    _Rule((("sqlplus",),), r"(\bsqlplus\s+[^\s/]{1,200}/)[^\s@]+", rf"\1{MASK}"),
    _Rule((("htpasswd",),), r"(\bhtpasswd\s[^\n]{0,200}?-\w{0,5}b\w{0,5}\s+\S+\s+\S+\s+)\S+", rf"\1{MASK}"),
    # -p is the password of most programs, and a port or a folder of the others
    _Rule(
        ((*_SHORT, *_LONG),),
        r"((?:^|\s)(?:-p\s{1,3}|/p:))(?![-/.~*]|[a-z]:\\|[\d:.,/]+(?:tcp|udp)?(?:\s|$))\S+",
        rf"\1{MASK}",
    ),
    _Rule((_SHORT,), r"(\s-p)(?=[^\s/:]*\d)(?=[^\s/:]*[a-z])[^\s/:]{6,}(?=\s|$)", rf"\1{MASK}"),
    _Rule(
        (("7z", "rar"), (" -p", " -hp")), r"(\b(?:7z[a-z]{0,2}|rar|unrar)\b[^\n]{0,2000}?\s-h?p)(?!\s)\S+", rf"\1{MASK}"
    ),
    _Rule((("/user:",),), r"(\bnet\s+use\s[^\n]{0,500}?\s)(?![/-])(\S+)(\s+/user:)", rf"\1{MASK}\3"),
    # scheme://user:password@host, and a token in place of the user
    _Rule((("@",), ("://",)), r"(://[^\s/:@\"'?#]{0,200}):[^\s/@\"']{1,2000}@", rf"\1:{MASK}@"),
    _Rule((("@",), ("://",)), r"(://)[^\s/:@\"'?#]{16,2000}@", rf"\1{MASK}@"),
    _Rule(
        (("bearer", "basic", "digest", "negotiate"),),
        r"\b(bearer|basic|digest|negotiate)(\s+)[a-z0-9+/=._~-]{8,}",
        rf"\1\2{MASK}",
    ),
    # name=value and name: value
    _Rule(
        (_NAME_SIGNS, ("=", ":")),
        rf"((?:{_NAMES}){_NOT_ITSELF}[\w-]{{0,20}}[\"']?\s{{0,3}}[=:]\s{{0,3}}){_VALUE}",
        rf"\1{MASK}",
    ),
    # --name value, -name value and /name value
    _Rule(
        (_NAME_SIGNS, ("-", "/")),
        rf"((?:^|\s)(?:--?|/)[\w-]{{0,30}}(?:{_NAMES}){_NOT_ITSELF}[\w-]{{0,20}}\s{{1,3}})(?![-/]){_VALUE}",
        rf"\1{MASK}",
    ),
    # tokens that are known by their form
    _Rule((_PLAIN_TOKENS,), r"\b(?-i:glpat-|xox[abprs]-|AKIA|ASIA|AIza|sk-)[\w-]{16,}", MASK),
    _Rule((("_",), _TOKENS), r"\b(?-i:gh[pousr]_|github_pat_|npm_|hf_|sk_live_|dop_v1_)[\w-]{16,}", MASK),
    _Rule((("private key",),), r"(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)[^\n]*", rf"\1{MASK}"),
    _Rule((("eyj",),), r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*", MASK),
)
# Letters that fit `s` and `i` where a pattern ignores case, and that `lower` keeps or takes apart.
_WHITE_SPACE = re.compile(r"\s")
_LIKE_ASCII = str.maketrans({"\u017f": "s", "\u0131": "i", "\u0307": None})


def masked(text: str) -> str:
    """The string with `***` in place of what looks like a secret."""
    for rule in _rules_for(text):
        text = _compiled(rule.pattern).sub(rule.new, text)
    return text


def may_hold_secrets(text: str) -> bool:
    """Whether the string has anything to mask at all: quick, and wrong only in saying yes too often."""
    return bool(_rules_for(text))


def _rules_for(text: str) -> list[_Rule]:
    """The rules whose signs the string has, in their order; for most strings none.

    A plain loop is twice as fast as `any`, and this is asked of every item.
    """
    lower = " " + text.lower()
    if not lower.isascii():
        lower = lower.translate(_LIKE_ASCII)
    if not lower.isprintable():
        lower = _WHITE_SPACE.sub(" ", lower)
    found: list[int] = []
    for signs, rules in _BY_FIRST_SIGNS:
        for sign in signs:
            if sign in lower:
                found += [number for number, others in rules if not others or _has_all(lower, others)]
                break
    return [_RULES[number] for number in sorted(found)] if found else []


def _has_all(text: str, groups: tuple[tuple[str, ...], ...]) -> bool:
    """Whether the string has a sign of each group."""
    return all(any(sign in text for sign in signs) for signs in groups)


_Signs = tuple[str, ...]


def _by_first_signs() -> tuple[tuple[_Signs, list[tuple[int, tuple[_Signs, ...]]]], ...]:
    """For each group of signs that rules begin with: these rules by number, with the other groups that they need."""
    groups: dict[_Signs, list[tuple[int, tuple[_Signs, ...]]]] = {}
    for number, rule in enumerate(_RULES):
        groups.setdefault(rule.signs[0], []).append((number, rule.signs[1:]))
    return tuple(groups.items())


_BY_FIRST_SIGNS = _by_first_signs()


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern, compiled when it is first needed: most scans need few, and together they take 20 milliseconds."""
    return re.compile(pattern, re.IGNORECASE)


def masked_item(item: Item) -> Item:
    """The item without secrets; the same object if there are none, which is the usual case."""
    named = item.kind in _NAMED_BY_COMMAND
    for text in (item.name if named else "", item.command, *item.details.values(), *item.notes):
        if text and _masked(text) != text:
            break
    else:
        for one in item.evidence:
            if _masked(one.what) != one.what:
                break
        else:
            return item
    return replace(
        item,
        name=_masked(item.name) if named else item.name,
        command=_masked(item.command),
        details={key: _masked(value) for key, value in item.details.items()},
        notes=tuple(map(_masked, item.notes)),
        evidence=tuple(Evidence(one.where, _masked(one.what)) for one in item.evidence),
    )


_masked = lru_cache(maxsize=4096)(masked)  # packages share makers, addresses and states


def masked_once(item: Item) -> Item:
    """The item as `masked_inventory` leaves it."""
    return masked_item(item) if item.command or "uninstall" in item.details else item


def masked_inventory(inventory: Inventory) -> Inventory:
    """The same of every item that quotes a command; the same object if there are no secrets."""
    items = tuple(map(masked_once, inventory.items))
    changed = any(new is not old for new, old in zip(items, inventory.items, strict=True))
    return replace(inventory, items=items) if changed else inventory
