"""Firewall rules and Winsock entries that name a program."""

from tests.support.harness import run
from tests.support.trees import WindowsTree

SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
RULES = rf"{SERVICES}\SharedAccess\Parameters\FirewallPolicy\FirewallRules"
CATALOGUE = rf"{SERVICES}\WinSock2\Parameters\Protocol_Catalog9\Catalog_Entries"
NAMES = rf"{SERVICES}\WinSock2\Parameters\NameSpace_Catalog5\Catalog_Entries64"
AGENT = r"C:\Program Files (x86)\Kaspersky Lab\NetworkAgent\klnagent.exe"


def _packed(path: str) -> bytes:
    return path.encode().ljust(888, b"\0")


def test_a_program_that_rules_allow(windows_tree: WindowsTree) -> None:
    rule = "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=15000|App={}|Name=x|"
    windows_tree.key(
        RULES, {"{1}": rule.format(AGENT), "{2}": rule.format(AGENT.lower()), "{3}": rule.format("System")}
    )
    windows_tree.key(RULES, {"{4}": rule.format(r"%SystemRoot%\System32\svchost.exe"), "{5}": 7})
    result = run("network_settings", windows_tree.host())
    (item,) = result.items
    assert (item.kind, item.name, item.path, item.state) == ("setting", "klnagent.exe", AGENT, "leftover")
    assert [one.what for one in item.evidence] == ["{1}", "{2}"]
    assert result.run.left_out == {"a setting": 2, "listed as another item": 1, "part of the operating system": 1}


def test_a_word_in_a_name_and_a_rule_that_blocks(windows_tree: WindowsTree) -> None:
    windows_tree.key(RULES, {"{1}": f"v2.10|Action=Block|App={AGENT}|Name=Block Kaspersky|"})
    windows_tree.key(RULES, {"{2}": "v2.10|Action=Allow|Svc=avp|Name=Kaspersky|"})
    assert run("network_settings", windows_tree.host()).items == ()


def test_libraries_of_winsock(windows_tree: WindowsTree) -> None:
    ours = r"C:\Program Files\Kaspersky Lab\made\lsp.dll"
    windows_tree.write(ours)
    windows_tree.key(rf"{CATALOGUE}\000000000001", {"PackedCatalogItem": _packed(ours)})
    memory = _packed("%SystemRoot%\\system32\\mswsock.dll\0" + ours)
    windows_tree.key(rf"{CATALOGUE}64\000000000001", {"PackedCatalogItem": memory})
    windows_tree.key(rf"{NAMES}\000000000001", {"LibraryPath": r"%SystemRoot%\system32\napinsp.dll"})
    windows_tree.key(rf"{NAMES}\000000000002", {})
    result = run("network_settings", windows_tree.host())
    (item,) = result.items
    assert (item.path, item.state, item.details["type"]) == (ours, "installed", "Winsock catalogue")
    assert result.run.left_out == {"part of the operating system": 2, "damaged": 1}
    assert [one.cause for one in result.problems] == ["damaged"]


def test_a_library_in_the_folder_of_windows_that_is_gone(windows_tree: WindowsTree) -> None:
    path = r"%SystemRoot%\system32\made.dll"
    windows_tree.key(rf"{CATALOGUE}\000000000001", {"PackedCatalogItem": _packed(path)})
    (item,) = run("network_settings", windows_tree.host()).items
    assert (item.name, item.state) == ("made.dll", "leftover")
