"""The policy for Wazuh, against the fields and the grammar of rules that its documentation gives."""

import re
from typing import Any

import pytest
from phaseout.cli.rule_files import read_rules
from phaseout.export.wazuh_sca import export
from phaseout.model.nouns import Platform
from phaseout.model.rules import Ruleset

from tests.support.command import phaseout

yaml = pytest.importorskip("yaml", reason="not installed: PyYAML")
PLATFORMS: tuple[Platform, ...] = ("linux", "macos", "windows")

# "Creating custom SCA policies" of Wazuh's documentation: the tables of sections, the grammar of rules.
EXISTENCE = r"(f:/|f:[A-Z]:\\|d:/|d:[A-Z]:\\|p:|r:HKEY_LOCAL_MACHINE\\)[^>]+"
OUTPUT = r"c:[^>]+ -> r:.+"
RULES = {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": rf"^({EXISTENCE}|{OUTPUT})$"}}
TEXT = {"type": "string", "minLength": 1}
SCHEMA = {
    "type": "object",
    "required": ["policy", "checks"],
    "additionalProperties": False,
    "properties": {
        "policy": {
            "type": "object",
            "required": ["id", "file", "name", "description"],
            "additionalProperties": False,
            "properties": {
                **dict.fromkeys(("id", "file", "name", "description"), TEXT),
                "references": {"type": "array", "items": TEXT},
            },
        },
        "requirements": {
            "type": "object",
            "required": ["title", "description", "condition", "rules"],
            "additionalProperties": False,
            "properties": {
                "title": TEXT,
                "description": TEXT,
                "condition": {"enum": ["all", "any", "none"]},
                "rules": RULES,
            },
        },
        "checks": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["id", "title", "condition", "rules"],
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
                    **dict.fromkeys(("title", "description", "rationale", "remediation"), TEXT),
                    "condition": {"enum": ["all", "any", "none"]},
                    "rules": RULES,
                },
            },
        },
    },
}


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    return read_rules()


def policy(ruleset: Ruleset, platform: Platform) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(export(ruleset, (platform,)))
    return loaded


def rules_of(policy: dict[str, Any], product: str) -> list[str]:
    return [
        rule for check in policy["checks"] if f"product {product} of" in check["description"] for rule in check["rules"]
    ]


@pytest.mark.slow  # to load the checker of the schema takes three seconds
@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_policy_is_what_the_documentation_says(ruleset: Ruleset, platform: Platform) -> None:
    import jsonschema

    found = policy(ruleset, platform)
    jsonschema.validate(found, SCHEMA)
    ids = [check["id"] for check in found["checks"]]
    assert len(set(ids)) == len(ids) >= 10
    assert {check["condition"] for check in found["checks"]} == {"none"}


@pytest.mark.slow
def test_ids_of_checks_differ_between_policies_only_by_product(ruleset: Ruleset) -> None:
    ids = {(check["id"], check["title"]) for platform in PLATFORMS for check in policy(ruleset, platform)["checks"]}
    assert len({identifier for identifier, _ in ids}) == len(ids)


def test_no_check_mixes_package_managers(ruleset: Ruleset) -> None:
    """A rule that asks one that is not there is not applicable, and the whole check with it."""
    for check in policy(ruleset, "linux")["checks"]:
        asked = {re.split(r"[ /]", rule)[0] if rule.startswith("c:") else "" for rule in check["rules"]}
        assert len(asked) == 1


def test_what_is_looked_for_on_linux(ruleset: Ruleset) -> None:
    rules = rules_of(policy(ruleset, "linux"), "kaspersky-endpoint-security-linux")
    assert {"d:/opt/kaspersky/kesl", "p:kesl", "f:/etc/init.d/kesl"} <= set(rules)
    assert r"c:dpkg -s kesl -> r:^Maintainer:\.*Kaspersky" in rules
    assert r"c:rpm -qi kesl -> r:^Vendor\s*:\.*Kaspersky" in rules


@pytest.mark.slow
def test_what_is_looked_for_on_windows(ruleset: Ruleset) -> None:
    found = policy(ruleset, "windows")
    assert r"r:HKEY_LOCAL_MACHINE\SOFTWARE\KasperskyLab" in rules_of(found, "kaspersky-other")
    assert r"d:C:\Program Files (x86)\Kaspersky Lab\NetworkAgent" in rules_of(found, "kaspersky-network-agent")
    text = "\n".join(rule for check in found["checks"] for rule in check["rules"])
    assert "*" not in text
    assert "c:" not in text


def test_what_is_left_out_stands_at_the_head(ruleset: Ruleset) -> None:
    head = [line for line in export(ruleset, PLATFORMS[1:2]).splitlines() if line.startswith("#")]
    assert any("ids.team_id" in line and "cannot ask" in line for line in head)


def test_the_command_wants_one_platform() -> None:
    wrong = phaseout("rules", "export", "--to", "wazuh-sca")
    assert (wrong.returncode, "name it with --os" in wrong.stderr) == (2, True)
    right = phaseout("rules", "export", "--to", "wazuh-sca", "--os", "linux")
    assert right.returncode == 0
    assert yaml.safe_load(right.stdout)["policy"]["file"] == "phaseout_linux.yml"
