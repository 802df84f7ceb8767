"""Restarts that the system waits for."""

from pathlib import Path

from tests.support.harness import run
from tests.support.trees import Tree, WindowsTree

MANAGER = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager"
SERVICING = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing"


def test_files_and_components(windows_tree: WindowsTree) -> None:
    renames = (r"\??\C:\Windows\System32\drivers\klif.sys", "", r"\??\C:\a.tmp", r"!\??\C:\a.dll", r"\??\C:\b")
    windows_tree.key(MANAGER, {"PendingFileRenameOperations": renames})
    windows_tree.key(rf"{SERVICING}\RebootPending")
    (item,) = run("pending_restart", windows_tree.host()).items
    assert item.details["note"] == "components of Windows, 3 files to be deleted or replaced"
    assert [one.what for one in item.evidence[1:]] == [
        r"C:\Windows\System32\drivers\klif.sys is deleted",
        r"C:\a.tmp becomes C:\a.dll",
        r"C:\b is deleted",
    ]


def test_nothing_waits(windows_tree: WindowsTree) -> None:
    windows_tree.key(MANAGER, {"PendingFileRenameOperations": ()})
    windows_tree.key(r"HKLM\SOFTWARE\Microsoft\Updates", {"UpdateExeVolatile": 0})
    windows_tree.key(SERVICING)
    assert run("pending_restart", windows_tree.host()).items == ()


def test_a_real_layout(windows_tree: WindowsTree, corpora: Path) -> None:
    windows_tree.export((corpora / "residues" / "windows" / "protection.reg").read_bytes())
    (item,) = run("pending_restart", windows_tree.host()).items
    assert "klif.sys is deleted" in item.evidence[0].what


def test_linux(tree: Tree) -> None:
    assert run("pending_restart", tree.host()).items == ()
    tree.write("/run/reboot-required", "*** System restart required ***\n")
    (item,) = run("pending_restart", tree.host()).items
    assert (item.name, item.details["note"]) == ("pending restart", "packages")
