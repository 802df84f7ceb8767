"""Programs that keys and shortcuts of Windows name, in folders that no source would look into."""

import struct
from collections.abc import Callable

import pytest

from tests.support.harness import run
from tests.support.pe_writer import ENGLISH, executable
from tests.support.trees import WindowsTree
from tests.unit.parsers.windows.test_shell_link import header, info, string

FOLDER = r"C:\Data\deep\er\than\any\search\goes\in\it"
PROGRAM, LIBRARY = rf"{FOLDER}\kit.exe", rf"{FOLDER}\kit.dll"
MADE = executable({ENGLISH: {"CompanyName": "AO Kaspersky Lab", "ProductName": "Kit"}}, [("AO Kaspersky Lab", "K")])
VERSION = r"Microsoft\Windows\CurrentVersion"
CLASS = r"CLSID\{11111111-2222-3333-4444-555555555555}"
ADA = WindowsTree.ADA
FIREWALL = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules"


def shortcut(target: str, arguments: str = "") -> bytes:
    flags = 2 | 0x80 | (32 if arguments else 0)
    return header(flags) + info(target) + (string(arguments) if arguments else b"") + struct.pack("<I", 0)


def key(path: str, value: str, name: str = "") -> Callable[[WindowsTree], str]:
    def write(tree: WindowsTree) -> str:
        tree.key(path, {name: value})
        return f"{path}\\{name}" if name else path

    return write


def link(path: str) -> Callable[[WindowsTree], str]:
    def write(tree: WindowsTree) -> str:
        tree.write(path, shortcut(PROGRAM))
        return path

    return write


def moved_desktop(tree: WindowsTree) -> str:
    shell = r"Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders"
    tree.key(rf"HKU\{ADA}\{shell}", {"Desktop": r"C:\Data\ada"})
    tree.write(r"C:\Data\ada\Kit.lnk", shortcut(PROGRAM))
    return r"C:\Data\ada\Kit.lnk"


NAMING = {
    "App Paths": key(rf"HKLM\SOFTWARE\{VERSION}\App Paths\kit.exe", PROGRAM),
    "App Paths, 32 bits": key(rf"HKLM\SOFTWARE\WOW6432Node\{VERSION}\App Paths\kit.exe", f'"{PROGRAM}"'),
    "App Paths of a user": key(rf"HKU\{ADA}\Software\{VERSION}\App Paths\kit.exe", PROGRAM),
    "Uninstall": key(rf"HKLM\SOFTWARE\{VERSION}\Uninstall\Kit", f"{PROGRAM},0", "DisplayIcon"),
    "a debugger": key(
        r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options\a.exe",
        f"{PROGRAM} -attach",
        "Debugger",
    ),
    "a client": key(r"HKLM\SOFTWARE\Clients\Mail\Kit\shell\open\command", f'"{PROGRAM}" -mail'),
    "a server of COM": key(rf"HKLM\SOFTWARE\Classes\{CLASS}\LocalServer32", f'"{PROGRAM}" -automation'),
    "a user's server of COM": key(rf"HKU\{ADA}_Classes\{CLASS}\LocalServer32", PROGRAM),
    "a kind of file": key(r"HKLM\SOFTWARE\Classes\Kit.File\shell\edit\command", f'"{PROGRAM}" "%1"'),
    "an application": key(rf"HKU\{ADA}_Classes\Applications\kit.exe\shell\open\command", f'"{PROGRAM}" "%1"'),
    "a launcher": key(
        r"HKLM\SOFTWARE\Classes\Kit.File\shell\open\command", rf"%SystemRoot%\system32\cmd.exe /c {PROGRAM} %1"
    ),
    "the firewall": key(FIREWALL, rf"v2.30|Action=Allow|Dir=In|App={PROGRAM}|Name=Kit|", "{1}"),
    "the start menu": link(r"C:\ProgramData\Microsoft\Windows\Start Menu\Programs\Kit\Kit.lnk"),
    "a desktop": link(r"C:\Users\ada\Desktop\Kit.lnk"),
    "a desktop elsewhere": moved_desktop,
    "the task bar": link(
        r"C:\Users\ada\AppData\Roaming\Microsoft\Internet Explorer\Quick Launch\User Pinned\TaskBar\Kit.lnk"
    ),
}
FOLDERS = {
    "App Paths": key(rf"HKLM\SOFTWARE\{VERSION}\App Paths\kit.exe", FOLDER, "Path"),
    "Uninstall": key(rf"HKLM\SOFTWARE\{VERSION}\Uninstall\Kit", FOLDER + "\\", "InstallLocation"),
    "the installer": key(rf"HKLM\SOFTWARE\{VERSION}\Installer\Folders", "", FOLDER + "\\"),
    "the search path": key(
        r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment", rf"%SystemRoot%;{FOLDER}", "Path"
    ),
    "a user's search path": key(rf"HKU\{ADA}\Environment", FOLDER, "Path"),
}


@pytest.mark.parametrize("name", NAMING)
def test_a_program_is_read_where_something_names_it(name: str, windows_tree: WindowsTree) -> None:
    windows_tree.write(PROGRAM, MADE)
    assert run("portable_programs", windows_tree.host()).items == ()
    where = NAMING[name](windows_tree)
    (item,) = run("portable_programs", windows_tree.host()).items
    assert (item.path, item.signer, item.details["named_by"]) == (PROGRAM, "AO Kaspersky Lab", where)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_read_where_something_names_it(name: str, windows_tree: WindowsTree) -> None:
    windows_tree.write(PROGRAM, MADE)
    FOLDERS[name](windows_tree)
    assert [item.path for item in run("portable_programs", windows_tree.host()).items] == [PROGRAM]


@pytest.mark.parametrize("top", [r"HKLM\SOFTWARE\Classes", r"HKLM\SOFTWARE\Classes\WOW6432Node", rf"HKU\{ADA}_Classes"])
def test_a_library_counts_where_no_program_beside_it_is_of_its_product(top: str, windows_tree: WindowsTree) -> None:
    windows_tree.write(LIBRARY, MADE)
    windows_tree.key(rf"{top}\{CLASS}\InprocServer32", {"": LIBRARY})
    assert [item.path for item in run("portable_programs", windows_tree.host()).items] == [LIBRARY]
    windows_tree.write(PROGRAM, MADE)
    result = run("portable_programs", windows_tree.host())
    assert [item.path for item in result.items] == [PROGRAM]
    assert result.run.left_out == {"part of another item": 1}


def test_what_is_of_windows_or_named_again_is_counted(windows_tree: WindowsTree) -> None:
    windows_tree.write(PROGRAM, MADE)
    windows_tree.key(rf"HKLM\SOFTWARE\{VERSION}\App Paths\kit.exe", {"": PROGRAM})
    windows_tree.key(rf"HKLM\SOFTWARE\{VERSION}\App Paths\again.exe", {"": PROGRAM.upper()})
    windows_tree.key(rf"HKLM\SOFTWARE\{VERSION}\App Paths\server.exe", {"": r"\\server\share\x.exe"})
    windows_tree.key(rf"HKLM\SOFTWARE\Classes\{CLASS}\InprocServer32", {"": r"%SystemRoot%\System32\ole32.dll"})
    windows_tree.key(r"HKLM\SOFTWARE\Classes\CLSID\{0}\InprocServer32", {"": "mscoree.dll"})
    windows_tree.key(r"HKLM\SOFTWARE\Classes\CLSID\{1}\InprocServer32", {"": r"C:\gone\x.dll"})
    result = run("portable_programs", windows_tree.host())
    assert [item.path for item in result.items] == [PROGRAM]
    assert result.run.left_out == {"listed as another item": 1, "names nothing that is there": 1}
    assert [(problem.where, problem.cause) for problem in result.problems] == [(r"\\server\share\x.exe", "mount")]


def test_a_drive_that_is_not_there_hides_what_a_key_names(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"HKLM\SOFTWARE\Classes\{CLASS}\InprocServer32", {"": r"E:\kit\kit.dll"})
    (problem,) = run("portable_programs", windows_tree.host()).problems
    assert (problem.where, problem.cause, problem.hides) == ("E:\\", "missing", True)


def test_a_damaged_shortcut_is_named(windows_tree: WindowsTree) -> None:
    path = r"C:\Users\ada\Desktop\Kit.lnk"
    windows_tree.write(path, b"no shortcut")
    assert [problem.where for problem in run("portable_programs", windows_tree.host()).problems] == [path]


def test_a_desktop_may_hold_whole_disks(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\Users\ada\Desktop\a\b\c\d\e\f\g\h\i\j\readme.txt", b"x")
    windows_tree.write(r"C:\Users\ada\Desktop\Tools\Kit.lnk", shortcut(PROGRAM))
    windows_tree.write(PROGRAM, MADE)
    result = run("portable_programs", windows_tree.host())
    assert [item.path for item in result.items] == [PROGRAM]
    assert not result.problems


@pytest.mark.parametrize("drive", ["C", "D"])
def test_folders_that_a_user_moved_are_read(drive: str, windows_tree: WindowsTree) -> None:
    shell = r"Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders"
    folder = rf"{drive}:\kept\by\ada\Downloads"
    windows_tree.key(rf"HKU\{ADA}\{shell}", {"{374DE290-123F-4565-9164-39C4925E467B}": folder})
    windows_tree.write(r"C:\kept\by\ada\Downloads\kit.exe", MADE)
    result = run("portable_programs", windows_tree.host())
    if drive == "C":
        assert ("ada", rf"{folder}\kit.exe") in [(item.user, item.path) for item in result.items]
    else:
        assert [problem.where for problem in result.problems] == ["D:\\"]
