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
_RULES: tuple[tuple[str, str], ...] = (
    # options by which single programs take a password
    (r"(\b(?:mysql|mariadb)[^\n]{0,2000}?\s-p)(?!\s)\S+", rf"\1{MASK}"),
    (r"(\b(?:sshpass|psexec|mongo|rdesktop|wmic)[^\n]{0,2000}?\s[-/]p\s{0,3})\S+", rf"\1{MASK}"),
    (r"(\b(?:plink|pscp|psftp|putty)[^\n]{0,2000}?\s-pw\s{1,3})\S+", rf"\1{MASK}"),
    (r"(\b(?:curl|wget)[^\n]{0,2000}?\s(?:-u|--user)\s{0,3}[^\s:]{0,200}:)\S+", rf"\1{MASK}"),
    (r"(\b(?:smbclient|rpcclient|mount\.cifs)[^\n]{0,2000}?\s-U\s{0,3}[^\s%]{0,200}%)\S+", rf"\1{MASK}"),
    (r"(\bldap[a-z]{3,10}\b[^\n]{0,2000}?\s-w\s{0,3})\S+", rf"\1{MASK}"),
    (r"(\bredis-cli[^\n]{0,2000}?\s-a\s{1,3})\S+", rf"\1{MASK}"),
    (r"(\bschtasks[^\n]{0,2000}?\s/r?p\s{1,3})\S+", rf"\1{MASK}"),
    (r"(freerdp[^\n]{0,2000}?\s/p:)\S+", rf"\1{MASK}"),
    (r"(\bopenssl\s[^\n]{0,2000}?\s-k\s{1,3})\S+", rf"\1{MASK}"),
    (r"(\bsqlplus\s+[^\s/]{1,200}/)[^\s@]+", rf"\1{MASK}"),
    (r"(\bhtpasswd\s[^\n]{0,200}?-\w{0,5}b\w{0,5}\s+\S+\s+\S+\s+)\S+", rf"\1{MASK}"),
    # -p is the password of most programs, and a port or a folder of the others
    (r"((?:^|\s)(?:-p\s{1,3}|/p:))(?![-/.~*]|[a-z]:\\|[\d:.,/]+(?:tcp|udp)?(?:\s|$))\S+", rf"\1{MASK}"),
    (r"(\s-p)(?=[^\s/:]*\d)(?=[^\s/:]*[a-z])[^\s/:]{6,}(?=\s|$)", rf"\1{MASK}"),
    (r"(\b(?:7z[a-z]{0,2}|rar|unrar)\b[^\n]{0,2000}?\s-h?p)(?!\s)\S+", rf"\1{MASK}"),
    (r"(\bnet\s+use\s[^\n]{0,500}?\s)(?![/-])(\S+)(\s+/user:)", rf"\1{MASK}\3"),
    # scheme://user:password@host, and a token in place of the user
    (r"(://[^\s/:@\"'?#]{0,200}):[^\s/@\"']{1,2000}@", rf"\1:{MASK}@"),
    (r"(://)[^\s/:@\"'?#]{16,2000}@", rf"\1{MASK}@"),
    (r"\b(bearer|basic|digest|negotiate)(\s+)[a-z0-9+/=._~-]{8,}", rf"\1\2{MASK}"),
    # name=value and name: value
    (rf"((?:{_NAMES}){_NOT_ITSELF}[\w-]{{0,20}}[\"']?\s{{0,3}}[=:]\s{{0,3}}){_VALUE}", rf"\1{MASK}"),
    # --name value, -name value and /name value
    (
        rf"((?:^|\s)(?:--?|/)[\w-]{{0,30}}(?:{_NAMES}){_NOT_ITSELF}[\w-]{{0,20}}\s{{1,3}})(?![-/]){_VALUE}",
        rf"\1{MASK}",
    ),
    # tokens that are known by their form
    (r"\b(?-i:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|npm_|hf_|AKIA|ASIA|AIza|sk-|sk_live_|dop_v1_)[\w-]{16,}", MASK),
    (r"(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)[^\n]*", rf"\1{MASK}"),
    (r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*", MASK),
)
# One of these is in every string that a pattern above can change; most strings have none.
_SIGNS = (
    *("pass", "kennwort", "contrase", "secret", "token", "key", "credential", "auth", "pwd", "pw", "sig", "otp", "pin"),
    *("bearer", "basic ", "digest", "negotiate", "mysql", "mariadb", "psexec", "mongo", "rdesktop", "wmic"),
    *("plink", "pscp", "psftp", "putty", "curl", "wget", "smbclient", "rpcclient", "cifs", "ldap", "redis", "schtasks"),
    *("freerdp", "7z", "rar", "net use", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "glpat", "xox", "npm_"),
    *("-p", "/p:", "sqlplus", "htpasswd", "openssl", "hf_", "private key"),
    *("akia", "asia", "aiza", "sk-", "sk_live", "dop_v1", "eyj"),
)


def masked(text: str) -> str:
    """The string with `***` in place of what looks like a secret."""
    if not may_hold_secrets(text):
        return text
    for pattern, new in _compiled():
        text = pattern.sub(new, text)
    return text


@cache
def _compiled() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The patterns. Compiling them takes milliseconds, and many scans need none."""
    return tuple((re.compile(pattern, re.IGNORECASE), new) for pattern, new in _RULES)


def may_hold_secrets(text: str) -> bool:
    """Whether the string has anything to mask at all: quick, and wrong only in saying yes too often."""
    if "@" in text and "://" in text and _user_information().search(text):
        return True
    lower = text.lower()
    for sign in _SIGNS:  # noqa: SIM110  (a plain loop is twice as fast, and this is asked of every item)
        if sign in lower:
            return True
    return False


@cache
def _user_information() -> re.Pattern[str]:
    """What may stand before the host of a URL: most texts with an `@` have it in the address of a maintainer."""
    return re.compile(r"://[^\s/@\"']*@")


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


def masked_inventory(inventory: Inventory) -> Inventory:
    """The same of every item that quotes a command; the same object if there are no secrets."""
    items = tuple(
        masked_item(item) if item.command or "uninstall" in item.details else item for item in inventory.items
    )
    changed = any(new is not old for new, old in zip(items, inventory.items, strict=True))
    return replace(inventory, items=items) if changed else inventory
