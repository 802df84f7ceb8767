"""Rules of Santa for macOS: the Team IDs of restricted vendors.

Santa has no audit mode for a rule: one of the block list blocks also where Santa only monitors.

References:
    https://northpole.dev/features/binary-authorization/ (rule types, `santactl rule --import`), "Rules" of the
    configuration profile (StaticRules)
"""

import json
import re
from collections.abc import Collection

from phaseout.export.blocking import heading, traits
from phaseout.model.nouns import Platform
from phaseout.model.rules import Ruleset

_TEAM = re.compile(r"[A-Z0-9]{10}")
_SENTENCES = (
    "Each rule blocks every program that its team signed, at the next start.",
    "It blocks also where Santa only monitors: Santa has no audit mode for a rule. Try it on one machine first.",
    "It does not block what runs already, system extensions that are approved, nor programs of no or another team.",
    "With a sync server or StaticRules, santactl refuses the import: put the rules there.",
)


def export(ruleset: Ruleset, platforms: Collection[Platform]) -> str:
    """The rules as JSON for `santactl rule --import`; the first has in its comment what they block and what not."""
    teams: dict[str, str] = {}
    covered: set[str] = set()
    for trait in traits(ruleset, platforms):
        if trait.field == "ids.team_id" and _TEAM.fullmatch(trait.pattern):
            teams.setdefault(trait.pattern, trait.vendor.name)
            covered.update(product.id for product in trait.vendor.product if "macos" in product.platforms)
    lines = heading(ruleset, platforms, covered, _SENTENCES)
    rules = [
        {
            "rule_type": "TEAMID",
            "policy": "BLOCKLIST",
            "identifier": team,
            "custom_msg": f"Software of {vendor} is being removed from this organisation.",
            "comment": " ".join(lines) if number == 0 else f"Every program that this team of {vendor} signed.",
        }
        for number, (team, vendor) in enumerate(teams.items())
    ]
    return json.dumps({"rules": rules}, indent=2, ensure_ascii=False) + "\n"
