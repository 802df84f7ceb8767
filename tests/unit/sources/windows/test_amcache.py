"""What Amcache.hve remembers: both of its forms, and whether it is still there."""

import lzma
from collections import Counter
from pathlib import Path

import pytest
from phaseout.host import Host
from phaseout.host.filesystem.windows import WindowsFiles
from phaseout.host.windows.opening import windows_host

from tests.support.harness import Result, run
from tests.support.regf_writer import Tree, hive
from tests.support.trees import WindowsTree

HIVE = r"C:\Windows\AppCompat\Programs\Amcache.hve"
KEYS = r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall"
SHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
AVP = r"c:\program files (x86)\kaspersky lab\kaspersky 21.3\avp.exe"
TREE: Tree = {
    r"Root\InventoryApplication\0000a": {
        "Name": "Kaspersky",
        "Version": "21.3.10.391",
        "Publisher": "Kaspersky",
        "Source": "Msi",
        "MsiProductCode": "{90120000-0010-0409-0000-0000000ff1ce}",
        "InstallDate": "08/01/2017 13:14:28",
        "RootDirPath": r"%programfiles(x86)%\Kaspersky Lab\Kaspersky 21.3",
        "RegistryKeyPath": rf"HKEY_LOCAL_MACHINE\{KEYS[5:]}\Kaspersky",
    },
    r"Root\InventoryApplication\0000b": {
        "Name": "Acme.Anvil",
        "Publisher": 'CN=0815, O="Acme, Ltd", C=US',
        "PackageFullName": "Acme.Anvil_1.0_x64__8wekyb3d8bbwe",
        "InstallDate": "yesterday",
        "RootDirPath": r"C:\Windows\System32",
    },
    r"Root\InventoryApplicationFile\avp.exe|1": {
        "Name": "avp.exe",
        "Publisher": "ao kaspersky lab",
        "ProductName": "kaspersky anti-virus",
        "ProductVersion": "21.3.10.391",
        "LowerCaseLongPath": AVP,
        "FileId": f"0000{SHA1}",
        "BinaryType": "pe32_i386",
    },
    r"Root\InventoryApplicationFile\ntdll.dll|1": {"Name": "ntdll.dll", "IsOsComponent": 1},
    r"Root\InventoryApplicationFile\empty": {"Size": 5},
    r"Root\Programs\0000c": {
        "0": "Kaspersky Anti-Virus",
        "1": "14.0",
        "2": "Kaspersky Lab",
        "6": "AddRemoveProgram",
        "7": (rf"HKEY_LOCAL_MACHINE\{KEYS[5:]}\Old",),
        "a": 1501593268,
        "d": (r"c:\program files (x86)\kaspersky lab\kaspersky anti-virus 14.0",),
        "11": ("{90120000-0010-0409-0000-0000000ff1ce}",),
    },
    r"Root\File\ccbe4c57-0000-0000-0000-100000000000\1000": {
        "15": r"C:\Tools\kvrt.exe",
        "0": "Kaspersky Virus Removal Tool",
        "1": "AO Kaspersky Lab",
        "5": "15.0.19.0",
        "101": f"0000{SHA1}",
    },
}


def amcache(tree: WindowsTree, content: Tree = TREE) -> Result:
    tree.write(HIVE, hive(content))
    return run("amcache", tree.host())


def test_both_forms(windows_tree: WindowsTree) -> None:
    result = amcache(windows_tree)
    assert [(item.kind, item.name, item.vendor, item.version, item.state) for item in result.items] == [
        ("app", "Acme.Anvil", "Acme, Ltd", "", "installed"),
        ("file", "avp.exe", "ao kaspersky lab", "21.3.10.391", "leftover"),
        ("file", "kvrt.exe", "AO Kaspersky Lab", "15.0.19.0", "leftover"),
        ("program", "Kaspersky", "Kaspersky", "21.3.10.391", "leftover"),
        ("program", "Kaspersky Anti-Virus", "Kaspersky Lab", "14.0", "leftover"),
    ]
    assert result.one("avp.exe").path == "C" + AVP[1:]
    assert result.one("avp.exe").details["sha1"] == SHA1
    assert result.one("kvrt.exe").details["sha1"] == SHA1
    assert result.one("Acme.Anvil").ids["package_family"] == "Acme.Anvil_8wekyb3d8bbwe"
    assert result.one("Kaspersky").ids == {
        "product_code": "{90120000-0010-0409-0000-0000000FF1CE}",
        "registry_key": "Kaspersky",
    }
    assert result.one("Kaspersky").details["installed"] == "2017-08-01"
    assert result.one("Kaspersky Anti-Virus").details["installed"] == "2017-08-01T13:14:28Z"
    assert result.one("Kaspersky Anti-Virus").ids["product_code"] == "{90120000-0010-0409-0000-0000000FF1CE}"
    assert result.run.left_out == {"part of the operating system": 1, "an empty entry": 1}
    shared = "many programs share the folder that it names: whether it is there is not known"
    assert result.one("Acme.Anvil").notes == ('InstallDate: not a date: "yesterday"', shared)
    assert result.problems == ()


def test_what_is_still_there_is_installed(windows_tree: WindowsTree) -> None:
    windows_tree.key(
        r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion", {"ProgramFilesDir (x86)": r"C:\Program Files (x86)"}
    )
    windows_tree.write(r"C:\Program Files (x86)\Kaspersky Lab\Kaspersky 21.3\avp.exe")
    windows_tree.folder(r"C:\Program Files (x86)\Kaspersky Lab\Kaspersky Anti-Virus 14.0")
    installed = [item.name for item in amcache(windows_tree).items if item.state == "installed"]
    assert installed == ["Acme.Anvil", "avp.exe", "Kaspersky", "Kaspersky Anti-Virus"]
    # Once there are Uninstall keys they tell better: folders are left by many uninstallers.
    windows_tree.key(r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Something")
    windows_tree.key(rf"{KEYS}\Old")
    installed = [item.name for item in amcache(windows_tree).items if item.state == "installed"]
    assert installed == ["Acme.Anvil", "avp.exe", "Kaspersky Anti-Virus"]


def test_the_running_windows_keeps_it_locked(windows_tree: WindowsTree) -> None:
    windows_tree.write(HIVE, hive(TREE))
    offline = windows_tree.host()
    assert isinstance(offline.files, WindowsFiles)
    assert offline.registry is not None
    live: Host = windows_host(offline.registry, offline.files, r"C:\Windows", root="")
    result = run("amcache", live)
    assert (result.run.status, result.run.reason) == ("skipped", "the running system keeps it locked")


def test_absent_and_damaged(windows_tree: WindowsTree) -> None:
    assert run("amcache", windows_tree.host()).run.status == "ok"
    windows_tree.write(HIVE, "hello")
    assert [problem.why for problem in run("amcache", windows_tree.host()).problems] == ["not a registry hive"]
    data = hive(TREE)
    windows_tree.write(HIVE, data[:4096] + data[4096:].replace(b"vk", b"xx", 12))
    assert run("amcache", windows_tree.host()).run.status == "partial"


REAL = {
    "plaso/test_data/winreg/Amcache.hve": (1467, {"app": 47, "program": 52, "file": 1367}, 1),
    "plaso/test_data/winreg/win10-Amcache.hve": (105, {"app": 71, "program": 4, "file": 23}, 7),
    "amcache/Windows/Amcache/Win11/RathbunVM/Amcache.hve": (341, {"app": 91, "program": 12, "file": 167}, 71),
    "hives/regipy/regipy_tests/data/amcache.hve.xz": (1467, {"app": 47, "program": 52, "file": 1367}, 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_real_hives(windows_tree: WindowsTree, corpora: Path, name: str) -> None:
    """The programs of the older form among those of 2017 are listed twice, once in each form."""
    data = (corpora / name).read_bytes()
    windows_tree.write(HIVE, lzma.decompress(data) if name.endswith(".xz") else data)
    for log in (corpora / name).parent.glob("Amcache.hve.LOG?"):
        windows_tree.write(HIVE + log.suffix, log.read_bytes())
    result = run("amcache", windows_tree.host())
    assert (result.run.rows, Counter(item.kind for item in result.items), sum(result.run.left_out.values())) == REAL[
        name
    ]
    assert all(item.state == "leftover" or item.notes for item in result.items)
    assert {problem.where for problem in result.problems} <= {HIVE}  # that its log was not read, at most
    assert all(len(item.details["sha1"]) in {0, 40} for item in result.items if item.kind == "file")
