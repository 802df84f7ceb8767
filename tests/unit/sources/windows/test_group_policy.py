"""Software and scripts of group policies."""

from tests.support.harness import run
from tests.support.trees import WindowsTree

DEPLOYED = r"Microsoft\Windows\CurrentVersion\Group Policy\AppMgmt"
LISTS = r"C:\Windows\System32\GroupPolicy\Machine\Scripts"
SHARE = r"\\ksc\KLSHARE\PkgInst\NetAgent 15\installer.exe"
CODE = "{0AB30972-4BAC-7BEE-CBCA-B8F9E68797D8}"


def test_software_for_machine_and_user(windows_tree: WindowsTree) -> None:
    values = {"Deployment Name": "Kaspersky Endpoint Security", "GPO Name": "Security", "Product ID": CODE.lower()}
    windows_tree.key(rf"HKLM\SOFTWARE\{DEPLOYED}\{{1}}", values)
    windows_tree.key(rf"HKU\{WindowsTree.ADA}\Software\{DEPLOYED}\{{2}}", {})
    machine, user = sorted(run("group_policy", windows_tree.host()).items, key=lambda item: item.user)
    assert (machine.name, machine.ids["product_code"]) == ("Kaspersky Endpoint Security", CODE)
    assert (machine.details["policy"], "take it out of the policy" in machine.details["effect"]) == ("Security", True)
    assert (user.name, user.user) == ("{2}", "ada")


def test_scripts_and_what_they_run_from_shares(windows_tree: WindowsTree) -> None:
    text = "[Startup]\r\n0CmdLine=C:\\scripts\\a.cmd\r\n0Parameters=/x\r\n1CmdLine=\r\n2CmdLine=" + SHARE + "\r\n"
    windows_tree.write(rf"{LISTS}\scripts.ini", text.encode("utf-16"))
    windows_tree.write(r"C:\scripts\a.cmd", 'msiexec /i "\\\\srv\\share\\kes_win.msi" /qn\r\nrem nothing\r\n')
    result = run("group_policy", windows_tree.host())
    found = [(item.name, item.path, item.command) for item in result.items]
    assert found == [
        ("a.cmd /x", "", r"C:\scripts\a.cmd /x"),
        ("installer.exe", SHARE, SHARE),
        ("kes_win.msi", r"\\srv\share\kes_win.msi", r"\\srv\share\kes_win.msi"),
    ]
    assert result.run.left_out == {"an empty entry": 1}
