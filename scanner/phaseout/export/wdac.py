"""A policy of App Control for Business (WDAC): programs, drivers and packaged apps of restricted vendors.

A publisher's name alone cannot be denied there: a signer needs the hash of the certificate of the authority that issued
it, which rules do not hold. So files are denied by the name that their maker gave them, which renaming does not change.

References:
    https://learn.microsoft.com/windows/security/application-security/application-control/app-control-for-business/design/
    ("create-appcontrol-deny-policy", "select-types-of-rules-to-create"); cipolicy.xsd of Windows 10 and 11
"""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from phaseout.export.blocking import Trait, heading, traits
from phaseout.model.nouns import Platform
from phaseout.model.rules import Ruleset

_POLICY = "{6A1F6C3E-7C4A-4E0E-9C55-0B7C6E5A9D21}"
_PLATFORM = "{2E07F7E4-194C-4D20-B7C9-6F44A6C5A234}"  # of Windows, the same in all policies
_OPTIONS = ("Enabled:Unsigned System Integrity Policy", "Enabled:UMCI", "Enabled:Update Policy No Reboot")
_AUDIT_MODE = "Enabled:Audit Mode"
_SHORT = 5  # letters; shorter names are those of others as well
_FAMILY = re.compile(r"[A-Za-z0-9.-]+_[a-z0-9]{13}")
_SENTENCES = (
    "It denies files by the original name or product name in their version resource, and packaged apps by family.",
    "It does not deny what a vendor signed under other names: a publisher's name alone cannot be denied here.",
    "A signer would need the hash of the issuing authority's certificate, which these rules do not hold.",
    "Drivers are denied, too: remove them first, since Windows may not start without a boot driver that is denied.",
    "The rules that allow everything make it a list of what is denied: leave them out to merge it with your policy.",
)
_AUDIT = "Audit only: event 3076 says what would be blocked. Make it again with --enforce to block (event 3077)."
_ENFORCED = "It blocks."


class _Deny(NamedTuple):
    product: str
    title: str
    attributes: str
    kernel: bool = False


def export(ruleset: Ruleset, platforms: Collection[Platform], *, enforce: bool) -> str:
    """The policy as XML, with what it denies and what not in a comment."""
    denied = list({deny.attributes: deny for deny in _denied(ruleset, platforms)}.values())
    lines = heading(
        ruleset,
        platforms,
        {deny.product for deny in denied},
        (_ENFORCED if enforce else _AUDIT, *_SENTENCES),
    )
    identifiers = {deny.attributes: f"ID_DENY_P_{number}" for number, deny in enumerate(denied, 1)}
    options = _OPTIONS if enforce else (*_OPTIONS, _AUDIT_MODE)
    files = [
        f'    <Deny ID="{identifiers[deny.attributes]}" FriendlyName={quoteattr(deny.title)} {deny.attributes} />\n'
        for deny in denied
    ]
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n<!--\n',
        *(f"{line.replace('--', '- -')}\n" for line in lines),
        "-->\n",
        '<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy" PolicyType="Base Policy">\n',
        f"  <VersionEx>1.0.{max(ruleset.serial, 0) & 0xFFFF}.0</VersionEx>\n",
        f"  <PlatformID>{_PLATFORM}</PlatformID>\n",
        "  <Rules>\n",
        *(f"    <Rule><Option>{option}</Option></Rule>\n" for option in options),
        "  </Rules>\n  <EKUs />\n  <FileRules>\n",
        '    <Allow ID="ID_ALLOW_A_1" FriendlyName="everything else, kernel" FileName="*" />\n',
        '    <Allow ID="ID_ALLOW_A_2" FriendlyName="everything else, user" FileName="*" />\n',
        *files,
        "  </FileRules>\n  <Signers />\n  <SigningScenarios>\n",
        _scenario(
            131, "ID_SIGNINGSCENARIO_DRIVERS_1", "ID_ALLOW_A_1", [identifiers[d.attributes] for d in denied if d.kernel]
        ),
        _scenario(
            12,
            "ID_SIGNINGSCENARIO_WINDOWS",
            "ID_ALLOW_A_2",
            [identifiers[d.attributes] for d in denied if not d.kernel],
        ),
        "  </SigningScenarios>\n  <UpdatePolicySigners />\n  <CiSigners />\n  <HvciOptions>0</HvciOptions>\n",
        f"  <BasePolicyID>{_POLICY}</BasePolicyID>\n  <PolicyID>{_POLICY}</PolicyID>\n",
        "</SiPolicy>\n",
    ]
    return "".join(parts)


def _denied(ruleset: Ruleset, platforms: Collection[Platform]) -> Iterator[_Deny]:
    for trait in traits(ruleset, platforms):
        title = f"{trait.product.id}: {trait.pattern}"
        name = trait.pattern
        if trait.field == "ids.package_family" and _FAMILY.fullmatch(name):
            version = 'PackageVersion="65535.65535.65535.65535"'
            yield _Deny(trait.product.id, title, f"PackageFamilyName={quoteattr(name)} {version}")
        elif trait.field == "name" and trait.kinds:
            yield from _by_name(trait, title)


def _by_name(trait: Trait, title: str) -> Iterator[_Deny]:
    name = trait.pattern.lower()
    if trait.is_of("process") and name.endswith(".exe") and "*" not in name and len(name) >= _SHORT + 4:
        yield _Deny(trait.product.id, title, f"FileName={quoteattr(trait.pattern)}")
    if trait.is_of("driver") and "*" not in name and len(name.removesuffix(".sys")) >= _SHORT:
        file = f"{trait.pattern.removesuffix('.sys')}.sys"
        yield _Deny(trait.product.id, title, f"FileName={quoteattr(file)}", kernel=True)
    product = trait.pattern.removesuffix("*").strip()
    if trait.is_of("program") and "*" not in product and " " in product and not product.lower().endswith(".exe"):
        yield _Deny(trait.product.id, title, f"ProductName={quoteattr(product)}")


def _scenario(number: int, identifier: str, allowed: str, denied: list[str]) -> str:
    references = "".join(f'<FileRuleRef RuleID="{one}" />' for one in (allowed, *denied))
    return (
        f'    <SigningScenario Value="{number}" ID="{identifier}" FriendlyName="phaseout">\n'
        f"      <ProductSigners><FileRulesRef>{references}</FileRulesRef></ProductSigners>\n    </SigningScenario>\n"
    )
