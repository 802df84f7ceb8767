"""Installers in the caches of deployment tools."""

from tests.support.harness import run
from tests.support.pe_writer import ENGLISH, executable
from tests.support.trees import WindowsTree

BUNDLE = r"C:\ProgramData\Package Cache\{1}v12\setup_kes.exe"


def test_each_cache(windows_tree: WindowsTree) -> None:
    windows_tree.write(BUNDLE, executable({ENGLISH: {"CompanyName": "AO Kaspersky Lab", "ProductVersion": "12.1"}}))
    windows_tree.write(r"C:\ProgramData\Package Cache\{1}v12\state.rsm")
    windows_tree.write(r"C:\Windows\ccmcache\1a\files\kes_win.msi")
    windows_tree.write(r"C:\Windows\IMECache\{2}_1\tool.exe", "no program")
    windows_tree.write(r"C:\ProgramData\KasperskyLab\adminkit\1103\$FTClTmp\agent.exe")
    windows_tree.write(r"C:\Users\ada\AppData\Local\Package Cache\{3}\own.exe")
    result = run("cached_installers", windows_tree.host())
    assert result.names() == ["agent.exe", "kes_win.msi", "own.exe", "setup_kes.exe", "tool.exe"]
    assert {item.state for item in result.items} == {"leftover"}
    bundle, own = result.one("setup_kes.exe"), result.one("own.exe")
    assert (bundle.vendor, bundle.version, bundle.path) == ("AO Kaspersky Lab", "12.1", BUNDLE)
    assert "delete it once the product is gone" in bundle.details["effect"]
    assert (own.user, result.run.left_out) == ("ada", {"not a program": 1})


def test_a_cache_that_a_policy_moved(windows_tree: WindowsTree) -> None:
    windows_tree.key(r"HKLM\SOFTWARE\Policies\WiX\Burn", {"PackageCache": r"%SystemDrive%\moved"})
    windows_tree.write(r"C:\moved\{1}\a.msi")
    assert run("cached_installers", windows_tree.host()).names() == ["a.msi"]
