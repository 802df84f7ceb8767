"""Drivers that no service starts: packages by the database and by their INF, and files."""

import struct

from tests.support.harness import Result, run
from tests.support.pe_writer import ENGLISH, executable
from tests.support.regf_writer import hive
from tests.support.trees import WindowsTree

STORE = r"C:\Windows\System32\DriverStore\FileRepository"
KLIF = "klif.inf_amd64_0123456789abcdef"
INF = (
    "[Version]\r\nClass=ActivityMonitor\r\nProvider=%KL%\r\nDriverVer=03/01/2023,30.727.0.1\r\n"
    '[x.Services]\r\nAddService=klif,2,y\r\n[Strings]\r\nKL="AO Kaspersky Lab"\r\n'
)
MADE = executable({ENGLISH: {"CompanyName": "AO Kaspersky Lab", "ProductVersion": "30.7"}}, [("AO Kaspersky Lab", "K")])
SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"


def of(tree: WindowsTree) -> Result:
    moved = {path.replace("CurrentControlSet", "ControlSet001"): values for path, values in tree.keys.items()}
    tree.keys = {**moved, r"HKLM\SYSTEM\Select": {"Current": 1}}
    return run("driver_packages", tree.host())


def test_a_package_without_a_database(windows_tree: WindowsTree) -> None:
    windows_tree.write(rf"{STORE}\{KLIF}\klif.inf", INF.encode("utf-16"))
    windows_tree.write(rf"{STORE}\{KLIF}\klif.sys", MADE)
    windows_tree.write(rf"{STORE}\disk.inf_amd64_1\disk.inf", "[Version]\nProvider=Microsoft")
    windows_tree.write(r"C:\Windows\INF\oem12.inf", INF)
    result = of(windows_tree)
    (item,) = result.items
    assert (item.kind, item.name, item.state, item.vendor, item.version, item.signer, item.path) == (
        "driver",
        "klif",
        "leftover",
        "AO Kaspersky Lab",
        "30.727.0.1",
        "AO Kaspersky Lab",
        rf"{STORE}\{KLIF}\klif.inf",
    )
    assert result.run.left_out == {"part of the operating system": 1}
    windows_tree.key(rf"{SERVICES}\KLIF", {"Type": 2})
    assert of(windows_tree).items[0].state == "installed"


def test_the_database(windows_tree: WindowsTree) -> None:
    version = bytes(32) + struct.pack("<4H", 1, 0, 727, 30) + bytes(8)
    packages = r"HKLM\SYSTEM\DriverDatabase\DriverPackages"
    windows_tree.key(rf"{packages}\{KLIF}", {"": "klif.inf", "Provider": "AO Kaspersky Lab", "Version": version})
    windows_tree.key(rf"{packages}\disk.inf_amd64_1", {"": "disk.inf", "Provider": "Microsoft"})
    newer = {r"DriverDatabase\DriverPackages\klim6.inf_amd64_2": {"": "klim6.inf", "Provider": "Kaspersky"}}
    windows_tree.write(r"C:\Windows\System32\config\DRIVERS", hive(newer))
    items = of(windows_tree).items
    assert [(item.name, item.vendor, item.version) for item in items] == [
        ("klif", "AO Kaspersky Lab", "30.727.0.1"),
        ("klim6", "Kaspersky", ""),
    ]


def test_published_copies_where_there_is_no_store(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\Windows\INF\oem12.inf", INF)
    windows_tree.write(r"C:\Windows\INF\disk.inf", INF)
    assert [item.path for item in of(windows_tree).items] == [r"C:\Windows\INF\oem12.inf"]


def test_files_without_a_service(windows_tree: WindowsTree) -> None:
    drivers = r"C:\Windows\System32\drivers"
    for name in ("klif", "K4W-21-25\\klhk", "used", "moved"):
        windows_tree.write(rf"{drivers}\{name}.sys", MADE)
    windows_tree.write(rf"{drivers}\classpnp.sys", executable({ENGLISH: {"CompanyName": "Microsoft Corporation"}}))
    windows_tree.write(r"C:\Windows\ELAMBKUP\klelam.sys", MADE)
    windows_tree.key(rf"{SERVICES}\used", {"Type": 1})
    windows_tree.key(rf"{SERVICES}\other", {"Type": 1, "ImagePath": r"\SystemRoot\System32\drivers\MOVED.sys"})
    result = of(windows_tree)
    assert [(item.name, item.state, item.signer) for item in result.items] == [
        (name, "leftover", "AO Kaspersky Lab") for name in ("klelam", "klhk", "klif")
    ]
    assert result.run.left_out == {"part of the operating system": 1}


def test_damage(windows_tree: WindowsTree) -> None:
    windows_tree.write(rf"{STORE}\a.inf_amd64_1\a.inf", "hello")
    windows_tree.folder(rf"{STORE}\b.inf_amd64_1")
    windows_tree.key(r"HKLM\SYSTEM\DriverDatabase\DriverPackages\c.inf_amd64_1", {"Provider": b"\1", "Version": b"x"})
    result = of(windows_tree)
    assert [(item.name, item.notes) for item in result.items] == [
        ("a", ()),
        ("c", ("Provider is not text but 1 bytes",)),
    ]
    assert [problem.cause for problem in result.problems] == ["damaged"]
    assert result.run.left_out == {"a folder": 1}


def test_a_driver_beside_the_libraries_of_windows(windows_tree: WindowsTree) -> None:
    made = executable({ENGLISH: {"CompanyName": "Made", "ProductName": "Kit"}})
    windows_tree.write(r"C:\Windows\System32\kit.sys", made)
    windows_tree.write(r"C:\Windows\System32\deeper\kit.sys", made)
    assert [item.path for item in run("driver_packages", windows_tree.host()).items] == [r"C:\Windows\System32\kit.sys"]
