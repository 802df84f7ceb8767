"""Modules and scripts of PowerShell: made by hand, and a real capture."""

import os
from pathlib import Path

import pytest

from tests.support.harness import run
from tests.support.trees import Tree, WindowsTree

MODULES = "/usr/local/share/powershell/Modules"
MANIFEST = (
    "@{ ModuleVersion = '1.2.3'; CompanyName = 'AO Kaspersky Lab'; PrivateData = @{ PSData = @{ Prerelease = 'b1' } } }"
)


def test_modules_and_scripts(tree: Tree) -> None:
    tree.write(f"{MODULES}/KeslTools/1.2.3/KeslTools.psd1", MANIFEST)
    tree.write(f"{MODULES}/KeslTools/0.9/KeslTools.psd1", "@{ Author = 'Ada' }")
    tree.write(f"{MODULES}/Copied/copied.PSD1", "@{ ModuleVersion = '7' }")
    tree.write(f"{MODULES}/Bare/Bare.psm1", "function x {}")
    tree.folder(f"{MODULES}/Empty")
    script = "<#PSScriptInfo\n.VERSION 2.0\n.COMPANYNAME Acme\n#>\n"
    tree.write("/home/ada/.local/share/powershell/Scripts/Do-It.ps1", script)
    result = run("powershell_modules", tree.host())
    assert [(item.name, item.version, item.vendor, item.user) for item in result.items] == [
        ("Bare", "", "", ""),
        ("Copied", "7", "", ""),
        ("Do-It", "2.0", "Acme", "ada"),
        ("KeslTools", "0.9", "Ada", ""),
        ("KeslTools", "1.2.3-b1", "AO Kaspersky Lab", ""),
    ]
    assert result.run.status == "ok"


def test_damage_costs_what_the_manifest_says(tree: Tree) -> None:
    tree.write(f"{MODULES}/KeslTools/1.2.3/KeslTools.psd1", "@{ ModuleVersion = ")
    result = run("powershell_modules", tree.host())
    assert [(item.name, item.version) for item in result.items] == [("KeslTools", "1.2.3")]
    assert result.run.status == "partial"


def test_windows(windows_tree: WindowsTree) -> None:
    windows_tree.write(
        r"C:\Users\ada\Documents\WindowsPowerShell\Modules\KeslTools\1.2.3\KeslTools.psd1", MANIFEST.encode("utf-16")
    )
    windows_tree.write(r"C:\Program Files\PowerShell\Modules\Other\Other.psd1", "@{ ModuleVersion = '1' }")
    result = run("powershell_modules", windows_tree.host())
    assert [(item.name, item.user) for item in result.items] == [("KeslTools", "ada"), ("Other", "")]


CAPTURE = Path(os.environ.get("PHASEOUT_CORPORA", "/none")) / "captures/dotnet-10/root"


@pytest.mark.skipif(not CAPTURE.is_dir(), reason="no capture of PowerShell here")
def test_capture(tree: Tree) -> None:
    for file in CAPTURE.rglob("*.psd1"):
        tree.copy(f"/{file.relative_to(CAPTURE)}".replace("/home/dev/", "/home/ada/"), file)
    items = run("powershell_modules", tree.host()).items
    assert {(item.name, item.version, item.vendor) for item in items} == {
        ("KeslTools", "1.2.3-beta1", "AO Kaspersky Lab")
    }
    assert {item.user for item in items} == {"", "ada"}
