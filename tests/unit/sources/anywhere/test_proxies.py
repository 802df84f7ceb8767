"""Proxies and proxy scripts."""

from pathlib import Path

from phaseout.parsers.windows.registry_values import Value

from tests.support.harness import run
from tests.support.trees import MacTree, WindowsTree
from tests.unit.parsers.windows.test_proxy_settings import winhttp, wininet

INTERNET = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"
ADA = rf"HKU\{WindowsTree.ADA}\{INTERNET}"
MACHINE = rf"HKLM\{INTERNET}"
SCRIPT = "file:///C:/ProgramData/Kaspersky%20Lab/made/proxy.pac"
PREFERENCES = "/Library/Preferences/SystemConfiguration/preferences.plist"


def test_a_script_in_the_folder_of_a_vendor(windows_tree: WindowsTree) -> None:
    windows_tree.key(ADA, {"ProxyEnable": 0, "ProxyServer": "127.0.0.1:8080", "AutoConfigURL": SCRIPT})
    windows_tree.key(rf"{ADA}\Connections", {"DefaultConnectionSettings": wininet(5, "", SCRIPT), "x": "text"})
    result = run("proxies", windows_tree.host())
    (item,) = result.items
    assert (item.kind, item.user, item.state) == ("setting", "ada", "leftover")
    assert item.path == r"C:\ProgramData\Kaspersky Lab\made\proxy.pac"
    assert result.run.left_out == {"listed as another item": 1, "a setting": 1}


def test_secrets_are_not_kept(windows_tree: WindowsTree) -> None:
    values: dict[str, Value] = {"ProxyEnable": 1, "ProxyServer": "http=http://ada:pw@proxy:1;https=ada:pw@proxy:2"}
    windows_tree.key(ADA, {**values, "AutoConfigURL": "http://ada:pw@wpad/x.pac?token=1"})
    assert run("proxies", windows_tree.host()).names() == ["http://wpad/x.pac", "http=http://proxy:1;proxy:2"]


def test_the_services_of_windows_and_a_damaged_record(windows_tree: WindowsTree) -> None:
    records = {"WinHttpSettings": winhttp(3, "127.0.0.1:8080"), "VPN": wininet(2, "p:1")[:-40]}
    windows_tree.key(rf"{MACHINE}\Connections", records)
    result = run("proxies", windows_tree.host())
    assert (result.names(), [one.cause for one in result.problems]) == (["127.0.0.1:8080"], ["damaged"])
    assert result.items[0].state == "installed"


def test_a_mac(mac_tree: MacTree) -> None:
    script = {
        "ProxyAutoConfigEnable": 1,
        "ProxyAutoConfigURLString": "file:///Library/Application%20Support/Made/a.pac",
    }
    on = {"HTTPEnable": 1, "HTTPProxy": "127.0.0.1", "HTTPPort": 8080, "SOCKSEnable": 0, "SOCKSProxy": "x"}
    services = {"1": {"Proxies": {**script, **on}}, "2": {"Proxies": {"ProxyAutoConfigEnable": 0}}, "3": {}, "4": "x"}
    mac_tree.plist(PREFERENCES, {"NetworkServices": services})
    result = run("proxies", mac_tree.host())
    named = [(item.name, item.path, item.state) for item in result.items]
    path = "/Library/Application Support/Made/a.pac"
    assert named == [(script["ProxyAutoConfigURLString"], path, "leftover"), ("http=127.0.0.1:8080", "", "installed")]
    assert result.run.left_out == {"a setting": 3}


def test_a_real_layout(mac_tree: MacTree, corpora: Path) -> None:
    mac_tree.copy(PREFERENCES, corpora / "residues" / "macos" / "preferences.plist")
    assert run("proxies", mac_tree.host()).items
