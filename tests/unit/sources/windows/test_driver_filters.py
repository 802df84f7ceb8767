"""Filters of network adapters, of device classes and of single devices."""

from pathlib import Path

import pytest
from phaseout.parsers.windows.registry_values import Value

from tests.support.harness import run
from tests.support.pe_writer import ENGLISH, executable
from tests.support.trees import WindowsTree

CONTROL = r"HKLM\SYSTEM\CurrentControlSet\Control"
SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
COMPONENTS = rf"{CONTROL}\Network\{{4d36e974-e325-11ce-bfc1-08002be10318}}"
ADAPTER = rf"{CONTROL}\Class\{{4d36e972-e325-11ce-bfc1-08002be10318}}\0007"
FILTER = "{A0000000-0000-4000-8000-0000000000A1}"
CARD = "{B0000000-0000-4000-8000-0000000000B1}"
DEVICE = r"HKLM\SYSTEM\CurrentControlSet\Enum\HID\VID_0000&PID_0001\7&1"
KEYBOARD = rf"{CONTROL}\Class\{{4d36e96b-e325-11ce-bfc1-08002be10318}}"
DRIVER = r"C:\Windows\System32\drivers\klim6.sys"


def _network(tree: WindowsTree, component: str = "made_kl_ndisfilt", service: str = "klim6", **ndi: int) -> None:
    values: dict[str, Value] = {
        "ComponentId": component,
        "Characteristics": 0x40008,
        "Description": "@oem9.inf,%x%;Made Filter",
    }
    tree.key(rf"{COMPONENTS}\{FILTER}", values)
    tree.key(rf"{COMPONENTS}\{FILTER}\Ndi", {"Service": service, **ndi})
    tree.key(ADAPTER, {"DriverDesc": "Example Ethernet"})
    tree.key(rf"{ADAPTER}\Linkage", {"FilterList": (f"{CARD}-{FILTER.lower()}-0000",)})


def test_a_bound_filter_whose_driver_is_gone(windows_tree: WindowsTree) -> None:
    _network(windows_tree, FilterRunType=1)
    windows_tree.key(rf"{SERVICES}\klim6", {"Type": 1, "ImagePath": r"\SystemRoot\system32\drivers\klim6.sys"})
    (item,) = run("driver_filters", windows_tree.host()).items
    assert (item.kind, item.name, item.state, item.path.lower()) == ("setting", "klim6", "leftover", DRIVER.lower())
    effect = item.details["effect"]
    assert effect.startswith("bound to Example Ethernet; Windows keeps the network down without it")
    assert "remove the filter (its binding) first" in effect
    assert item.details["description"] == "Made Filter"


def test_since_windows_10_an_optional_filter_says_so(windows_tree: WindowsTree) -> None:
    _network(windows_tree)
    windows_tree.key(rf"{CONTROL}\NetworkSetup2\Filters\{FILTER}\Kernel", {"Optional": 1})
    windows_tree.key(rf"{SERVICES}\klim6", {"Type": 1})
    windows_tree.write(DRIVER, executable({ENGLISH: {"CompanyName": "AO Kaspersky Lab"}}))
    (item,) = run("driver_filters", windows_tree.host()).items
    assert (item.state, item.vendor) == ("installed", "AO Kaspersky Lab")
    assert "down without it" not in item.details["effect"]


@pytest.mark.parametrize(("component", "service"), [("ms_pacer", "Psched"), ("MS_other", "made")])
def test_filters_of_windows(windows_tree: WindowsTree, component: str, service: str) -> None:
    _network(windows_tree, component, service)
    result = run("driver_filters", windows_tree.host())
    assert (result.items, result.run.left_out) == ((), {"part of the operating system": 1})


def test_a_filter_of_several_classes_is_one_item(windows_tree: WindowsTree) -> None:
    windows_tree.key(KEYBOARD, {"Class": "Keyboard", "UpperFilters": ("klkbdflt", "kbdclass", "")})
    windows_tree.key(rf"{CONTROL}\Class\{{5}}", {"Class": "Mouse", "LowerFilters": "KLKBDFLT"})
    result = run("driver_filters", windows_tree.host())
    (item,) = result.items
    assert (item.name, item.state, item.details["description"]) == ("klkbdflt", "leftover", "Keyboard, Mouse")
    assert "take it out of the list first" in item.details["effect"]
    assert result.run.left_out == {"listed as another item": 1, "part of the operating system": 1}


def test_filters_of_single_devices(windows_tree: WindowsTree) -> None:
    windows_tree.key(DEVICE, {"DeviceDesc": "@oem1.inf,%d%;Made Keyboard", "UpperFilters": ("klkbdflt2",)})
    windows_tree.key(rf"{DEVICE}0", {"FriendlyName": "Other", "LowerFilters": ("KLKBDFLT2", "serenum")})
    windows_tree.key(rf"{DEVICE}1", {"UpperFilters": ("klkbdflt2",)})
    result = run("driver_filters", windows_tree.host())
    (item,) = result.items
    assert (item.name, item.state, item.details["type"]) == ("klkbdflt2", "leftover", "filter of single devices")
    assert item.details["description"] == "Made Keyboard, Other, VID_0000&PID_0001"
    assert item.details["effect"].startswith("it filters Made Keyboard, Other")
    assert result.run.left_out == {"listed as another item": 2, "part of the operating system": 1}


def test_a_limit_of_devices_is_said(windows_tree: WindowsTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phaseout.sources.windows.driver_filters._MOST", 1)
    for number in range(3):
        windows_tree.key(rf"{DEVICE}{number}", {"UpperFilters": ("made",)})
    result = run("driver_filters", windows_tree.host())
    assert (result.names(), [one.cause for one in result.problems]) == (["made"], ["limit"])


def test_a_driver_of_microsoft_by_its_file(windows_tree: WindowsTree) -> None:
    windows_tree.key(KEYBOARD, {"UpperFilters": ("newflt",)})
    windows_tree.key(rf"{SERVICES}\newflt", {"Type": 1})
    made = executable({ENGLISH: {"CompanyName": "Microsoft Corporation"}})
    windows_tree.write(r"C:\Windows\System32\drivers\newflt.sys", made)
    assert run("driver_filters", windows_tree.host()).items == ()


def test_the_forms_of_every_windows(windows_tree: WindowsTree, corpora: Path) -> None:
    windows_tree.export((corpora / "residues" / "windows" / "ndis.reg").read_bytes())
    assert run("driver_filters", windows_tree.host()).names() == ["klim6", "klkbdflt"]
