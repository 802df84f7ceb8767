"""Rules for tools that block: what becomes a rule, what does not, and that each file says so."""

import json
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from phaseout.cli.rule_files import read_rules
from phaseout.export import LANGUAGES
from phaseout.export.applocker import publisher
from phaseout.model.rules import Match, Product, Ruleset, Specimen, Vendor

SUBJECT = 'CN=Acme, O="Acme, Inc.", STREET="1 Road, Apt 2", L=Town, S=State, C=US, SERIALNUMBER=7'
GRAPH = "#microsoft.graph."


def ruleset(
    *match: Match, role: str = "covered", signers: tuple[str, ...] = (), teams: tuple[str, ...] = ()
) -> Ruleset:
    product = Product(
        id="acme-tool",
        name="Acme Tool",
        category="other",
        role=role,  # type: ignore[arg-type]
        platforms=("windows", "linux", "macos", "ios", "android"),
        match=match,
        hit=(Specimen(name="tool"),),
    )
    vendor = Vendor(id="acme", name="Acme", signers=signers, team_ids=teams, product=(product,))
    return Ruleset(vendors=(vendor,), measures=(), digest="0123456789abcdef")


def written(name: str, rules: Ruleset, *, enforce: bool = False) -> str:
    (language,) = (one for one in LANGUAGES if one.name == name)
    return language.export(rules, language.platforms, enforce=enforce)


def paths(text: str) -> list[str]:
    return [one.attrib["Path"] for one in ET.fromstring(text).iter("FilePathCondition")]


def test_a_subject_as_applocker_compares_it() -> None:
    assert publisher(SUBJECT) == "O=ACME, INC., L=TOWN, S=STATE, C=US"
    assert publisher("CN=Acme, O=Acme, C=DE") == "O=ACME, C=DE"
    assert publisher("Acme, Inc.") == publisher("CN=Acme, O=Acme") == ""


def test_applocker_allows_all_else_and_only_reports() -> None:
    folder, name = Match(path=r"*\Program Files*\Acme Tool*"), Match(kind="process", name="acmetool.exe")
    both = Match(kind="process", name="agent.exe", path=r"*\bin\*")
    rules = ruleset(
        folder, name, both, Match(kind="driver", path=r"*\drivers\acme*"), role="vendor", signers=(SUBJECT,)
    )
    text = written("applocker", rules)
    collections = ET.fromstring(text).findall("RuleCollection")
    assert [(one.attrib["Type"], one.attrib["EnforcementMode"]) for one in collections] == [
        ("Exe", "AuditOnly"),
        ("Msi", "AuditOnly"),
    ]
    for collection in collections:
        actions = {rule.attrib["Name"]: rule.attrib["Action"] for rule in collection}
        assert actions.pop("Allow everything else") == "Allow"
        assert set(actions.values()) == {"Deny"}
    assert paths(text)[:3] == ["*", r"%PROGRAMFILES%\Acme Tool*", r"*\acmetool.exe"]
    assert 'PublisherName="O=ACME, INC., L=TOWN, S=STATE, C=US"' in text
    assert "agent.exe" not in text, "one field of two would block the programs of others"
    assert 'EnforcementMode="Enabled"' in written("applocker", rules, enforce=True)
    assert written("applocker", rules) == text, "ids stay the same"


def test_wdac_denies_by_the_names_that_the_maker_gave() -> None:
    rules = ruleset(
        Match(kind=("process", "service"), name=("acmetool.exe", "acme*.exe")),
        Match(kind=("driver", "service"), name=("acmeflt", "acmemon.sys")),
        Match(kind="program", name=("Acme Tool*", "Acme")),
        Match(ids={"package_family": "Acme.Tool_8wekyb3d8bbwe"}),
        Match(signer="Acme"),
    )
    root = ET.fromstring(written("wdac", rules).partition("?>")[2])
    space = {"p": "urn:schemas-microsoft-com:sipolicy"}
    denied = [dict(one.attrib) for one in root.findall("p:FileRules/p:Deny", space)]
    named = {
        value for one in denied for key, value in one.items() if key not in ("ID", "FriendlyName", "PackageVersion")
    }
    assert named == {"acmetool.exe", "acmeflt.sys", "acmemon.sys", "Acme Tool", "Acme.Tool_8wekyb3d8bbwe"}
    kernel, user = root.findall("p:SigningScenarios/p:SigningScenario", space)
    counts = [len(one.findall(".//p:FileRuleRef", space)) for one in (kernel, user)]
    assert (kernel.attrib["Value"], user.attrib["Value"], counts) == ("131", "12", [3, 4])
    options = [one.text for one in root.findall("p:Rules/p:Rule/p:Option", space)]
    assert "Enabled:Audit Mode" in options
    assert "Audit Mode" not in written("wdac", rules, enforce=True)
    assert "a publisher's name alone cannot be denied" in written("wdac", rules)


def test_santa_has_no_audit_mode_and_says_so() -> None:
    rules = ruleset(Match(ids={"team_id": "@team_ids"}), teams=("ABCDE12345", "short"))
    (rule,) = json.loads(written("santa", rules))["rules"]
    assert (rule["rule_type"], rule["policy"], rule["identifier"]) == ("TEAMID", "BLOCKLIST", "ABCDE12345")
    assert "It blocks also where Santa only monitors" in rule["comment"]


def test_fapolicyd_knows_folders_and_files() -> None:
    rules = ruleset(Match(path=("/opt/acme/*", "/opt/acme", "/usr/bin/acme", "/opt/with blank/x", "/opt*", "/opt/a-*")))
    lines = [line for line in written("fapolicyd", rules).splitlines() if not line.startswith("#")]
    assert lines == [
        "allow_audit perm=execute all : dir=/opt/acme/",
        "allow_audit perm=execute all : path=/usr/bin/acme",
    ]
    assert "\ndeny_audit perm=execute all : dir=/opt/acme/\n" in written("fapolicyd", rules, enforce=True)


def test_intune_lists_apps_for_each_system() -> None:
    rules = ruleset(Match(ids={"bundle_id": ("com.acme.tool", "com.acme.*")}))
    value = json.loads(written("intune", rules))["value"]
    kinds = [one["@odata.type"] for one in value]
    assert kinds == [f"{GRAPH}{one}GeneralDeviceConfiguration" for one in ("android", "ios", "macOS")]
    for one in value:
        assert one["compliantAppListType"] == "appsNotInListCompliant"
        assert [app["appId"] for app in one["compliantAppsList"]] == ["com.acme.tool"]
        assert "blocks none of them" in one["description"]


@pytest.mark.parametrize("role", ["successor", "indicator", "embedded"])
@pytest.mark.parametrize("name", ["applocker", "wdac", "santa", "fapolicyd", "intune"])
def test_what_a_person_must_decide_is_not_blocked(name: str, role: str) -> None:
    rules = ruleset(
        Match(kind="process", name="acmetool.exe"),
        Match(path=("/opt/acme/*", r"*\Acme Tool\*")),
        Match(ids={"team_id": "ABCDE12345", "bundle_id": "com.acme.tool"}),
        role=role,
    )
    assert not re.search("acmetool|/opt/acme|ABCDE12345|com.acme", written(name, rules))


@pytest.mark.parametrize("name", ["applocker", "wdac", "santa", "fapolicyd"])
def test_each_file_says_for_what_it_has_no_rule(name: str) -> None:
    text = written(name, ruleset(Match(kind="package", name="acme", vendor="Acme")))
    assert "rules 0123456789ab" in text or name == "santa"
    assert "No rule here for: acme-tool." in text or name == "santa"


SCHEMAS = Path(os.environ.get("PHASEOUT_SCHEMAS", "/none"))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "schema"), [("applocker", "AppLocker.xsd"), ("wdac", "cipolicy.xsd")])
@pytest.mark.parametrize("enforce", [False, True])
def test_the_shipped_rules_are_valid_by_the_schema_of_microsoft(name: str, schema: str, enforce: bool) -> None:
    xmlschema = pytest.importorskip("xmlschema")
    if not (SCHEMAS / schema).is_file():
        pytest.skip(f"PHASEOUT_SCHEMAS names no folder with {schema}")
    xmlschema.XMLSchema(str(SCHEMAS / schema)).validate(written(name, read_rules(), enforce=enforce))
