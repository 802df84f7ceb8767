"""Drives and folders that the registry of a Windows names and the disk does not show."""

import os
import shutil
import sys

import pytest
from phaseout.parsers.windows.registry_values import Value

from tests.support.harness import run
from tests.support.regf_writer import utf16
from tests.support.trees import WindowsTree

MOUNTED = r"HKLM\SYSTEM\MountedDevices"
SHELL = r"Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders"


@pytest.fixture(autouse=True)
def _current(windows_tree: WindowsTree) -> None:
    windows_tree.key(r"HKLM\SYSTEM\Select", {"Current": 1})


def wheres(tree: WindowsTree) -> list[str]:
    return [problem.where for problem in run("territory", tree.host()).problems]


def test_an_ordinary_machine_lacks_nothing(windows_tree: WindowsTree) -> None:
    usual = {"AppData": r"%USERPROFILE%\AppData\Roaming", "Local AppData": r"C:\Users\ada\AppData\Local"}
    windows_tree.key(rf"HKU\{WindowsTree.ADA}\{SHELL}", usual)
    windows_tree.key(MOUNTED, {r"\DosDevices\C:": bytes(12), r"\DosDevices\E:": utf16(r"\??\IDE#CdRomX")})
    assert wheres(windows_tree) == []


@pytest.mark.parametrize("value", [bytes(12), b"DMIO:ID:" + bytes(16)])
def test_a_fixed_disk_that_is_not_in_the_root(windows_tree: WindowsTree, value: Value) -> None:
    windows_tree.key(MOUNTED, {r"\DosDevices\D:": value})
    (problem,) = run("territory", windows_tree.host()).problems
    assert (problem.where, problem.cause, problem.hides) == ("D:\\", "missing", True)
    assert "all volumes" in problem.remedy


@pytest.mark.parametrize("folder", ["Program Files", "Program Files (x86)", "ProgramData"])
def test_a_folder_for_programs_that_is_not_there(windows_tree: WindowsTree, folder: str) -> None:
    windows_tree.key(
        r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion", {"ProgramFilesDir (x86)": r"C:\Program Files (x86)"}
    )
    shutil.rmtree(windows_tree.root / folder)
    assert wheres(windows_tree) == [rf"C:\{folder}"]


@pytest.mark.parametrize("target", [r"C:\Moved\ada", r"D:\ada", r"\\server\homes\ada"])
def test_moved_folders_of_a_user_are_named(windows_tree: WindowsTree, target: str) -> None:
    windows_tree.folder(r"C:\Moved\ada")
    windows_tree.key(rf"HKU\{WindowsTree.ADA}\{SHELL}", {"AppData": target})
    assert wheres(windows_tree) == [target]


@pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links")
def test_a_junction_to_the_moved_folder_is_enough(windows_tree: WindowsTree) -> None:
    windows_tree.folder(r"C:\Moved\ada")
    os.symlink("/Moved/ada", windows_tree.folder(r"C:\Users\ada\AppData") / "Roaming")
    windows_tree.key(rf"HKU\{WindowsTree.ADA}\{SHELL}", {"AppData": r"C:\Moved\ada"})
    assert wheres(windows_tree) == []


@pytest.mark.parametrize(
    ("source", "key", "values"),
    [
        ("uninstall", r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\A", {"InstallLocation": r"D:\A"}),
        ("services", r"HKLM\SYSTEM\CurrentControlSet\Services\A", {"ImagePath": r"D:\A\a.exe", "Type": 16}),
        ("autostart", r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run", {"A": r"D:\A\a.exe"}),
    ],
)
def test_whatever_leads_to_an_absent_drive_says_so(
    windows_tree: WindowsTree, source: str, key: str, values: dict[str, Value]
) -> None:
    windows_tree.key(key, values)
    assert ("D:\\", "missing") in {(one.where, one.cause) for one in run(source, windows_tree.host()).problems}


@pytest.mark.parametrize("name", ["Desktop", "Personal", "{374DE290-123F-4565-9164-39C4925E467B}"])
def test_folders_of_a_user_on_a_server_are_named(windows_tree: WindowsTree, name: str) -> None:
    windows_tree.key(rf"HKU\{WindowsTree.ADA}\{SHELL}", {name: r"\\server\homes\ada\x"})
    (problem,) = run("territory", windows_tree.host()).problems
    assert (problem.where, problem.cause, problem.hides) == (r"\\server\homes\ada\x", "mount", False)
    windows_tree.key(rf"HKU\{WindowsTree.ADA}\{SHELL}", {name: r"C:\Users\ada\OneDrive\x"})
    assert wheres(windows_tree) == []
