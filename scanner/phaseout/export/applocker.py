r"""A policy of AppLocker: programs and installers of restricted vendors, by publisher and by path.

AppLocker compares the whole subject of a certificate (`O=…, L=…, S=…, C=…`), so only subjects that were seen in full
become rules; a star within one is no wildcard.

References:
    https://learn.microsoft.com/windows/security/application-security/application-control/app-control-for-business/applocker/
    ("Understanding the publisher rule condition", "path rule condition", "AppLocker CSP" with the schema)
"""

import re
import uuid
from collections.abc import Collection, Iterator
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from phaseout.export.blocking import Trait, heading, traits
from phaseout.model.nouns import Platform
from phaseout.model.rules import Ruleset

_NAMESPACE = uuid.UUID("0b8d7d4e-52b5-4a4f-8f5c-9b1f0d1c7a01")  # rules keep their ids from one export to the next
_EVERYBODY = "S-1-1-0"
_COLLECTIONS = ("Exe", "Msi")
_PARTS = ("O", "L", "S", "C")
_PART = re.compile(r'\s*([A-Za-z.0-9]+)=("(?:[^"]|"")*"|[^,]*)(?:,|$)')
_SHORT = 4  # letters of a folder's or program's name; less is too little to block by
_SENTENCES = (
    "It blocks programs and installers that these publishers signed, and those in these folders or of these names.",
    "It does not block drivers, libraries (the collection Dll is left out) and scripts.",
    "It does not block renamed or moved copies, unless one of the listed publishers signed them.",
    "The rule that allows everything is there because a collection blocks all that no rule allows.",
    "AppLocker works only while the service AppIDSvc runs. Rules apply to administrators as well.",
)
_AUDIT = "Audit only: events 8003 and 8006 say what would be blocked. Make it again with --enforce to block."
_ENFORCED = "It blocks."


class _Rule(NamedTuple):
    product: str
    title: str
    element: str
    condition: str


def export(ruleset: Ruleset, platforms: Collection[Platform], *, enforce: bool) -> str:
    """The policy as XML, with what it blocks and what not in a comment."""
    rules = list(dict.fromkeys(_rules(ruleset, platforms)))
    lines = heading(
        ruleset,
        platforms,
        {rule.product for rule in rules},
        (_ENFORCED if enforce else _AUDIT, *_SENTENCES),
    )
    mode = "Enabled" if enforce else "AuditOnly"
    parts = [
        "<!--\n",
        *(f"{line.replace('--', '- -')}\n" for line in lines),
        "-->\n",
        '<AppLockerPolicy Version="1">\n',
    ]
    for collection in _COLLECTIONS:
        parts.append(f'  <RuleCollection Type="{collection}" EnforcementMode="{mode}">\n')
        allow = _Rule("", "Allow everything else", "FilePathRule", '<FilePathCondition Path="*" />')
        parts.append(_element(collection, allow, "Allow", "Without it the collection would block everything."))
        parts += [_element(collection, rule, "Deny", f"Product {rule.product} of phaseout's rules.") for rule in rules]
        parts.append("  </RuleCollection>\n")
    return "".join((*parts, "</AppLockerPolicy>\n"))


def publisher(subject: str) -> str:
    """`CN=…, O=AO X, L=Moscow, S=…, C=RU, …` → `O=AO X, L=MOSCOW, S=…, C=RU`; empty without organisation or country."""
    found = {name.upper(): value.strip('"').replace('""', '"') for name, value in _PART.findall(subject)}
    if "O" not in found or "C" not in found:
        return ""
    return ", ".join(f"{part}={found[part].strip()}" for part in _PARTS if found.get(part)).upper()


def _rules(ruleset: Ruleset, platforms: Collection[Platform]) -> Iterator[_Rule]:
    for vendor in ruleset.vendors:
        for product in vendor.product:
            seen = (
                [specimen.signer for specimen in product.hit if specimen.signer] if product.role != "successor" else []
            )
            for subject in (*vendor.signers, *seen) if product.role == "vendor" else ():
                if name := publisher(subject):
                    condition = (
                        f'<FilePublisherCondition PublisherName={quoteattr(name)} ProductName="*" BinaryName="*">'
                        '<BinaryVersionRange LowSection="*" HighSection="*" /></FilePublisherCondition>'
                    )
                    yield _Rule(product.id, f"{vendor.name}: {name}", "FilePublisherRule", condition)
    for trait in traits(ruleset, platforms):
        if path := _path(trait):
            title = f"{trait.product.name}: {path}"
            yield _Rule(trait.product.id, title, "FilePathRule", f"<FilePathCondition Path={quoteattr(path)} />")


def _path(trait: Trait) -> str:
    """The path that a pattern stands for; empty where AppLocker would not see it, or it would block too much."""
    pattern = trait.pattern
    if trait.field == "name" and trait.is_of("process") and trait.kinds:
        is_program = pattern.lower().endswith(".exe") and "*" not in pattern
        return rf"*\{pattern}" if is_program and len(pattern) >= _SHORT + 4 else ""
    if trait.field != "path" or not trait.is_of("process", "program", "app") or "~" in pattern or "\\" not in pattern:
        return ""
    for head, known in (
        (r"*\Program Files*" + "\\", "%PROGRAMFILES%\\"),
        (r"*\ProgramData" + "\\", "%OSDRIVE%\\ProgramData\\"),
    ):
        if pattern.startswith(head):
            pattern = known + pattern[len(head) :]
    return pattern if len(pattern.strip("*\\")) >= _SHORT else ""


def _element(collection: str, rule: _Rule, action: str, description: str) -> str:
    identifier = uuid.uuid5(_NAMESPACE, f"{collection} {rule.title}")
    attributes = (
        f'Id="{identifier}" Name={quoteattr(rule.title[:1024])} Description={quoteattr(description)} '
        f'UserOrGroupSid="{_EVERYBODY}" Action="{action}"'
    )
    return (
        f"    <{rule.element} {attributes}>\n      <Conditions>{rule.condition}</Conditions>\n    </{rule.element}>\n"
    )
