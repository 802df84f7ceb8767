"""What files of group policies set."""

from tests.support.harness import run
from tests.support.trees import WindowsTree
from tests.unit.parsers.windows.test_registry_pol import pol

LOCAL = r"C:\Windows\System32\GroupPolicy"
EXTENSION = "dhnkblpjbkfklfloegejegedcafpliaa"
FORCED = (r"Software\Policies\Google\Chrome\ExtensionInstallForcelist", "1", f"{EXTENSION};https://example.org/x")
MADE = (r"Software\Policies\KasperskyLab\Made", "Setting", 1)
PAC = "file:///C:/ProgramData/Kaspersky%20Lab/made/proxy.pac"
INTERNET = r"Software\Policies\Microsoft\Windows\CurrentVersion\Internet Settings"


def test_what_a_policy_brings_back(windows_tree: WindowsTree) -> None:
    run_key = r"Software\Microsoft\Windows\CurrentVersion\Policies\Explorer\Run"
    windows_tree.write(
        rf"{LOCAL}\Machine\Registry.pol",
        pol(FORCED, MADE, (run_key, "1", r"\\ksc\KLSHARE\setup.exe"), (INTERNET, "AutoConfigURL", PAC)),
    )
    items = {item.name: item for item in run("policy_files", windows_tree.host()).items}
    assert set(items) == {EXTENSION, "KasperskyLab", "Google", "1", PAC}
    assert (items[EXTENSION].kind, items[EXTENSION].state) == ("extension", "leftover")
    assert items[EXTENSION].ids["extension_id"] == EXTENSION
    assert items["KasperskyLab"].ids["registry_key"] == r"HKLM\Software\Policies\KasperskyLab\Made"
    assert "take it out of the policy" in items["KasperskyLab"].details["effect"]
    assert (items["1"].kind, items["1"].command) == ("task", r"\\ksc\KLSHARE\setup.exe")
    assert items[PAC].path == r"C:\ProgramData\Kaspersky Lab\made\proxy.pac"


def test_the_places_of_policies(windows_tree: WindowsTree) -> None:
    made = pol(MADE)
    for place in (
        rf"{LOCAL}\User\Registry.pol",
        rf"{LOCAL}\DataStore\0\SysVol\example.org\Policies\{{1}}\User\Registry.pol",
        rf"C:\Windows\System32\GroupPolicyUsers\{WindowsTree.ADA}\User\Registry.pol",
        r"C:\ProgramData\ntuser.pol",
        r"C:\Users\ada\ntuser.pol",
    ):
        windows_tree.write(place, made)
    result = run("policy_files", windows_tree.host())
    found = sorted((item.user, item.ids["registry_key"].partition("\\")[0]) for item in result.items)
    assert found == [("", "HKCU"), ("", "HKLM"), ("ada", "HKCU")]
    assert result.run.left_out == {"listed as another item": 2}


def test_settings_of_windows_are_counted(windows_tree: WindowsTree) -> None:
    rule = (r"Software\Policies\Microsoft\Windows\Safer\CodeIdentifiers\0\Paths\{1}", "ItemData", r"C:\Kaspersky Lab\*")
    windows_tree.write(rf"{LOCAL}\Machine\Registry.pol", pol(rule, (INTERNET, "ProxyServer", "off:1")))
    result = run("policy_files", windows_tree.host())
    assert (result.items, result.run.left_out) == ((), {"a setting": 2})


def test_a_damaged_file_is_read_as_far_as_it_goes(windows_tree: WindowsTree) -> None:
    windows_tree.write(rf"{LOCAL}\Machine\Registry.pol", pol(MADE) + b"[\0")
    result = run("policy_files", windows_tree.host())
    assert (result.names(), [one.cause for one in result.problems]) == (["KasperskyLab"], ["damaged"])
