"""Whether a host is protected without what is to be replaced."""

import pytest
from phaseout.judgement.protection import protection
from phaseout.model.findings import Finding, ProtectionState
from phaseout.model.nouns import HostInfo, Inventory, Item, Platform, SourceRun

RUNS: dict[Platform, tuple[str, ...]] = {
    "linux": ("antivirus",),
    "macos": ("xprotect", "applications"),
    "windows": ("defender", "security_products"),
}


def inventory(*items: Item, platform: Platform = "windows", runs: tuple[str, ...] | None = None) -> Inventory:
    names = RUNS[platform] if runs is None else runs
    return Inventory(
        schema="",
        tool="",
        scanned_at="2026-11-26T12:00:00Z",
        host=HostInfo(name="h", platform=platform),
        items=items,
        runs=tuple(SourceRun(source=name, status="ok") for name in names),
    )


def product(name: str = "Other", source: str = "security_products", **details: str) -> Item:
    return Item(kind="security_product", name=name, source=source, details={"type": "antivirus", **details})


def finding(*items: Item, verdict: str = "replace", state: str = "installed") -> Finding:
    return Finding(
        vendor="Kaspersky",
        vendor_id="kaspersky",
        product="Kaspersky Endpoint Security",
        product_id="kes",
        category="endpoint_security",
        role="covered",
        verdict=verdict,  # type: ignore[arg-type]
        state=state,  # type: ignore[arg-type]
        confidence="likely",
        items=items,
        because=("",) * len(items),
    )


@pytest.mark.parametrize(
    ("details", "state"),
    [
        ({"enabled": "yes"}, "protected"),
        ({"enabled": "yes", "updated": "2026-11-25T00:00:00Z"}, "protected"),
        ({"enabled": "yes", "updated": "2026-11-25"}, "protected"),
        ({"enabled": "yes", "updated": "2026-11-01T00:00:00Z"}, "outdated"),
        ({"enabled": "yes", "up_to_date": "no"}, "outdated"),
        ({"enabled": "yes", "mode": "on demand"}, "on_demand"),
        ({"enabled": "yes", "mode": "passive"}, "passive"),
        ({"enabled": "no", "mode": "passive"}, "off"),
        ({"enabled": "snoozed"}, "off"),
        ({"enabled": ""}, "unknown"),
    ],
)
def test_what_one_product_says(details: dict[str, str], state: ProtectionState) -> None:
    found = protection(inventory(product(**details)), ())
    assert (found.state, found.product) == (state, "Other")
    assert found.text.startswith("Other ")


def test_the_best_counts_and_old_signatures_are_dated() -> None:
    passive = product("Microsoft Defender Antivirus", "defender", enabled="yes", mode="passive", note="by policy")
    found = protection(inventory(passive, product(enabled="yes", updated="2026-11-01T00:00:00Z")), ())
    assert found.text == "Other is on, and its signatures are old (signatures of 2026-11-01)."


def test_only_what_is_to_be_replaced() -> None:
    """And the policy that kept Defender aside for it stays when it goes."""
    theirs = product("Kaspersky", enabled="yes")
    passive = product("Microsoft Defender Antivirus", "defender", enabled="yes", mode="passive", note="by policy")
    found = protection(inventory(theirs, passive), (finding(theirs),))
    assert (found.state, found.product) == ("restricted", "Kaspersky Endpoint Security")
    assert found.text.endswith("Microsoft Defender Antivirus is there and passive: it does not block (by policy).")
    gone = protection(inventory(theirs, passive), (finding(theirs, state="leftover"),))
    assert gone.state == "passive"
    waived = protection(inventory(theirs), (finding(theirs, verdict="waived"),))
    assert waived.state == "restricted"
    assert protection(inventory(theirs), (finding(theirs, verdict="successor"),)).state == "protected"


def test_what_defender_registered_does_not_outvote_its_settings() -> None:
    registered = product("Windows Defender", enabled="yes", up_to_date="yes")
    settings = product("Microsoft Defender Antivirus", "defender", enabled="no")
    assert protection(inventory(registered, settings), ()).state == "off"
    assert protection(inventory(registered), ()).state == "protected"


def test_firewalls_and_leftovers_do_not_protect() -> None:
    firewall = Item(kind="security_product", name="F", details={"type": "firewall", "enabled": "yes"})
    left = Item(kind="security_product", name="L", state="leftover", details={"type": "antivirus", "enabled": "yes"})
    assert protection(inventory(firewall, left), ()).state == "none"


@pytest.mark.parametrize("platform", ["linux", "macos", "windows"])
def test_nothing_is_only_said_where_one_would_have_been_seen(platform: Platform) -> None:
    assert protection(inventory(platform=platform), ()).state == "none"
    assert protection(inventory(platform=platform, runs=("deb_packages",)), ()).state == "unknown"
