"""Providers of the Windows Filtering Platform."""

from pathlib import Path

from tests.support.harness import run
from tests.support.trees import WindowsTree
from tests.unit.parsers.windows.test_wfp_object import KEY, record

POLICY = r"HKLM\SYSTEM\CurrentControlSet\Services\BFE\Parameters\Policy\Persistent"
OTHER = "{22222222-2222-3333-4444-555555555555}"


def test_a_provider_with_what_belongs_to_it(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"{POLICY}\Provider", {KEY: record("provider", KEY, "Kaspersky Lab", service="klwfp")})
    windows_tree.key(rf"{POLICY}\Callout", {OTHER: record("callout", OTHER, "no vendor", provider=KEY)})
    result = run("filtering_platform", windows_tree.host())
    (item,) = result.items
    assert (item.name, item.vendor, item.state) == ("klwfp", "Kaspersky Lab", "leftover")
    assert item.details["effect"].startswith("1 provider, 1 callout registered")
    assert result.run.left_out == {"part of another item": 1}


def test_a_provider_that_is_only_referred_to(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"{POLICY}\SubLayer", {OTHER: record("sublayer", OTHER, "Made layer", provider=KEY)})
    (item,) = run("filtering_platform", windows_tree.host()).items
    assert (item.name, item.state, item.details["id"]) == ("Made layer", "installed", KEY)


def test_what_windows_brings(windows_tree: WindowsTree) -> None:
    provider = record("provider", KEY, "@FirewallAPI.dll,-23501", service="mpssvc")
    windows_tree.key(rf"{POLICY}\Provider", {KEY: provider})
    windows_tree.key(rf"{POLICY}\SubLayer", {OTHER: record("sublayer", OTHER, "Whatever", provider=KEY)})
    result = run("filtering_platform", windows_tree.host())
    assert (result.items, result.run.left_out) == ((), {"part of the operating system": 2})


def test_a_damaged_object_costs_itself(windows_tree: WindowsTree) -> None:
    good = record("provider", KEY, "Made")
    windows_tree.key(rf"{POLICY}\Provider", {OTHER: good[:100], "{3}": 7, KEY: good})
    result = run("filtering_platform", windows_tree.host())
    assert (result.names(), result.run.left_out) == (["Made"], {"damaged": 2})
    assert [one.cause for one in result.problems] == ["damaged", "damaged"]


def test_real_layouts(windows_tree: WindowsTree, corpora: Path) -> None:
    windows_tree.export((corpora / "residues" / "windows" / "wfp.reg").read_bytes())
    (item,) = run("filtering_platform", windows_tree.host()).items
    assert (item.name, item.vendor) == ("AVP99.9", "Kaspersky Lab (made)")
