"""Libraries that Windows, Explorer and Office load."""

from tests.support.harness import run
from tests.support.pe_writer import ENGLISH, executable
from tests.support.trees import WindowsTree

SOFTWARE = r"HKLM\SOFTWARE"
CONTROL = r"HKLM\SYSTEM\CurrentControlSet\Control"
CLSID = "{0AB30972-4BAC-7BEE-CBCA-B8F9E68797D8}"
OTHER = "{11111111-2222-3333-4444-555555555555}"
LIBRARY = r"C:\Program Files (x86)\Kaspersky Lab\made\shellex.dll"
CREDENTIALS = rf"{SOFTWARE}\Microsoft\Windows\CurrentVersion\Authentication\Credential Providers"
SHELL = rf"{SOFTWARE}\Classes\*\shellex\ContextMenuHandlers"


def _class(tree: WindowsTree, clsid: str, library: str, view: str = "") -> None:
    tree.key(rf"{SOFTWARE}\Classes\{view}CLSID\{clsid}\InprocServer32", {"": library})


def test_extensions_of_explorer_and_log_on(windows_tree: WindowsTree) -> None:
    _class(windows_tree, CLSID, f'"{LIBRARY}"')
    windows_tree.key(rf"{SHELL}\Kaspersky Anti-Virus", {"": CLSID})
    windows_tree.key(rf"{SHELL}\{CLSID}")
    windows_tree.key(rf"{CREDENTIALS}\{CLSID}", {"": "Made Provider"})
    result = run("loaded_libraries", windows_tree.host())
    found = {(item.name, item.details["type"], item.state, item.path) for item in result.items}
    assert found == {
        ("Kaspersky Anti-Virus", "shell extension", "leftover", LIBRARY),
        ("Made Provider", "credential provider", "leftover", LIBRARY),
    }
    assert {item.ids["clsid"] for item in result.items} == {CLSID}
    assert "delete the entry first" in result.items[0].details["effect"]
    assert result.run.left_out == {"listed as another item": 1}


def test_an_entry_that_keeps_its_name_and_has_lost_its_class(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"{SHELL}\Kaspersky Anti-Virus", {"": CLSID})
    windows_tree.key(rf"{SHELL}\{OTHER}")
    result = run("loaded_libraries", windows_tree.host())
    assert (result.names(), result.run.left_out) == (["Kaspersky Anti-Virus"], {"names nothing that is there": 1})


def test_add_ins_of_office_for_machine_and_user(windows_tree: WindowsTree) -> None:
    _class(windows_tree, CLSID, LIBRARY, "WOW6432Node\\")
    windows_tree.key(rf"{SOFTWARE}\Classes\Made.AddIn\CLSID", {"": CLSID})
    windows_tree.key(rf"{SOFTWARE}\WOW6432Node\Microsoft\Office\Outlook\Addins\Made.AddIn", {"LoadBehavior": 3})
    manifest = "file:///C:/Program%20Files/Made/made.vsto|vstolocal"
    windows_tree.key(
        rf"HKU\{WindowsTree.ADA}\Software\Microsoft\Office\Excel\Addins\Made.Sheet", {"Manifest": manifest}
    )
    result = run("loaded_libraries", windows_tree.host())
    found = [(item.name, item.user, item.path) for item in result.items]
    assert found == [("Made.AddIn", "", LIBRARY), ("Made.Sheet", "ada", r"C:\Program Files\Made\made.vsto")]


def test_what_the_system_loads(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"{CONTROL}\Lsa", {"Notification Packages": ("scecli", "klpwd"), "Security Packages": ('""',)})
    windows_tree.key(rf"{CONTROL}\NetworkProvider\Order", {"ProviderOrder": "klnp, LanmanWorkstation"})
    services = r"HKLM\SYSTEM\CurrentControlSet\Services"
    windows_tree.key(rf"{services}\klnp\NetworkProvider", {"ProviderPath": LIBRARY})
    path = r"%SystemRoot%\System32\ntlanman.dll"
    windows_tree.key(rf"{services}\LanmanWorkstation\NetworkProvider", {"ProviderPath": path})
    windows_tree.key(rf"{CONTROL}\Session Manager\AppCertDLLs", {"x": r"C:\made\cert.dll"})
    result = run("loaded_libraries", windows_tree.host())
    assert result.names() == ["cert.dll", "klnp", "klpwd"]
    assert result.one("klpwd").path == r"C:\Windows\System32\klpwd.dll"
    assert result.one("klnp").details["type"] == "network provider"
    assert result.run.left_out == {"part of the operating system": 2}


def test_a_library_of_microsoft_is_told_by_its_file(windows_tree: WindowsTree) -> None:
    path = r"C:\Windows\System32\new.dll"
    windows_tree.write(path, executable({ENGLISH: {"CompanyName": "Microsoft Corporation"}}))
    _class(windows_tree, CLSID, path)
    windows_tree.key(rf"{CREDENTIALS}\{CLSID}", {"": "New"})
    assert run("loaded_libraries", windows_tree.host()).items == ()


def test_libraries_of_the_spooler_and_the_clock(windows_tree: WindowsTree) -> None:
    made = executable({ENGLISH: {"CompanyName": "Made", "ProductName": "Kit"}})
    windows_tree.write(r"C:\Windows\System32\mon.dll", made)
    windows_tree.key(rf"{CONTROL}\Print\Monitors\Kit", {"Driver": "mon.dll"})
    windows_tree.key(rf"{CONTROL}\Print\Providers\Kit", {"Name": "gone.dll"})
    windows_tree.key(
        r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\TimeProviders\Kit", {"DllName": r"C:\Kit\time.dll"}
    )
    found = {
        (item.details["type"], item.path, item.vendor) for item in run("loaded_libraries", windows_tree.host()).items
    }
    assert found == {
        ("print monitor", r"C:\Windows\System32\mon.dll", "Made"),
        ("print provider", r"C:\Windows\System32\gone.dll", ""),
        ("time provider", r"C:\Kit\time.dll", ""),
    }
