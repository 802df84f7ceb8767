"""What the shipped rules say about real traces, for several readers: the whole way from item to verdict."""

import datetime as dt

import pytest
from phaseout.cli.rule_files import read_rules
from phaseout.judgement.verdict import judge
from phaseout.model.findings import Finding
from phaseout.model.nouns import INVENTORY_SCHEMA, HostInfo, Inventory, Item
from phaseout.model.rules import Policy, Ruleset
from phaseout.rules.matcher import Matcher

AS_OF = dt.date(2026, 11, 21)


@pytest.fixture(scope="module")
def rules() -> Ruleset:
    return read_rules()


def judged(rules: Ruleset, item: Item, *roles: str) -> Finding:
    inventory = Inventory(
        schema=INVENTORY_SCHEMA,
        tool="test",
        scanned_at="2026-11-21T12:00:00Z",
        host=HostInfo(name="x", platform="linux"),
        items=(item,),
        runs=(),
    )
    report = judge(inventory, Matcher(rules).match(inventory.items), rules, Policy(roles=roles), AS_OF)
    (finding,) = (*report.findings, *report.suppressed)
    return finding


FAR = "us-far-52-204-23"
KESL = Item(kind="package", name="kesl", vendor="AO Kaspersky Lab")
OPENTIP = Item(kind="library", name="opentip", vendor="Kaspersky Lab", ids={"purl": "pkg:pypi/opentip@3.0"})
HEXA = Item(kind="library", name="@kaspersky/hexa-ui", ids={"purl": "pkg:npm/%40kaspersky/hexa-ui@1.0"})
ULTRAAV = Item(kind="program", name="UltraAV", vendor="Pango Group")
PARALLELS = Item(kind="program", name="Parallels Internet Security powered by Kaspersky", vendor="Parallels")
SMARTPSS = Item(kind="program", name="SmartPSS", vendor="Dahua")
WECHAT = Item(kind="app", name="WeChat", ids={"bundle_id": "com.tencent.xinWeChat"})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("item", "roles", "product", "verdict", "driving", "due"),
    [
        (KESL, (), "kaspersky-endpoint-security-linux", "replace", "us-commerce-icts-2021-002", "2024-09-29"),
        (
            KESL,
            ("us_person",),
            "kaspersky-endpoint-security-linux",
            "replace",
            "us-commerce-icts-2021-002",
            "2024-09-29",
        ),
        (
            KESL,
            ("us_federal_agency",),
            "kaspersky-endpoint-security-linux",
            "replace",
            "us-dhs-bod-17-01",
            "2017-12-12",
        ),
        (
            KESL,
            ("australia_government",),
            "kaspersky-endpoint-security-linux",
            "replace",
            "au-pspf-002-2025",
            "2025-04-01",
        ),
        (KESL, ("germany_operator",), "kaspersky-endpoint-security-linux", "review", None, ""),
        (
            KESL,
            ("us_dod_contractor",),
            "kaspersky-endpoint-security-linux",
            "replace",
            "us-far-52-204-23",
            "2018-10-01",
        ),
        (KESL, ("canada_government",), "kaspersky-endpoint-security-linux", "review", "ca-government-mobile-2023", ""),
        (OPENTIP, (), "kaspersky-opentip", "review", "us-commerce-icts-2021-002", ""),
        (HEXA, (), "kaspersky-developer-libraries", "review", "", ""),
        (HEXA, ("us_contractor",), "kaspersky-developer-libraries", "replace", FAR, "2018-10-01"),
        (OPENTIP, ("us_contractor",), "kaspersky-opentip", "replace", None, "2018-10-01"),
        (ULTRAAV, ("us_contractor",), "kaspersky-successor-ultraav", "successor", "", ""),
        (PARALLELS, ("us_contractor",), "kaspersky-embedded-parallels", "review", None, "2018-10-01"),
        (SMARTPSS, ("us_contractor",), "dahua-smartpss", "review", "us-ndaa-2019-889", "2020-08-13"),
    ],
)
def test_judgement(
    rules: Ruleset, item: Item, roles: tuple[str, ...], product: str, verdict: str, driving: str | None, due: str
) -> None:
    finding = judged(rules, item, *roles)
    assert (finding.product_id, finding.verdict) == (product, verdict), finding.action
    if driving is not None:
        assert (finding.driving.id if finding.driving else "") == driving
    assert (finding.driving.day if finding.driving else "") == due


def test_social_media_binds_only_those_it_binds(rules: Ruleset) -> None:
    unbound = judged(rules, WECHAT)
    assert (unbound.verdict, unbound.driving) == ("review", None)
    texas = judged(rules, WECHAT, "texas_agency")
    assert (texas.verdict, texas.measures[0].id) == ("replace", "us-texas-prohibited-technologies")
