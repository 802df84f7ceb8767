"""Chocolatey's folder of packages."""

from pathlib import Path

from tests.support.harness import run
from tests.support.trees import WindowsTree

LIB = r"C:\ProgramData\chocolatey\lib"
NUSPEC = """<?xml version="1.0"?>
<package xmlns="http://schemas.microsoft.com/packaging/2010/07/nuspec.xsd"><metadata>
<id>kvrt</id><version>20.0.13.0</version><title>Kaspersky Virus Removal Tool</title>
<authors>Kaspersky Lab</authors><owners>somebody else</owners><projectUrl>https://www.kaspersky.com</projectUrl>
</metadata></package>"""


def test_a_whole_entry(windows_tree: WindowsTree) -> None:
    windows_tree.write(rf"{LIB}\kvrt\kvrt.nuspec", NUSPEC)
    windows_tree.write(rf"{LIB}\kvrt\a.nuspec", "another one")
    (item,) = run("chocolatey", windows_tree.host()).items
    assert (item.kind, item.name, item.vendor, item.version, item.state) == (
        "package",
        "kvrt",
        "Kaspersky Lab",
        "20.0.13.0",
        "installed",
    )
    assert item.path == rf"{LIB}\kvrt"
    assert item.ids == {"purl": "pkg:chocolatey/kvrt@20.0.13.0"}
    assert item.details["title"] == "Kaspersky Virus Removal Tool"
    assert item.details["packaged_by"] == "somebody else"
    assert item.evidence[0].where == rf"{LIB}\kvrt\kvrt.nuspec"


def test_what_is_missing_or_damaged_does_not_hide_a_package(windows_tree: WindowsTree) -> None:
    windows_tree.folder(rf"{LIB}\empty")
    windows_tree.write(rf"{LIB}\broken\broken.nuspec", NUSPEC[:100])
    windows_tree.write(rf"{LIB}\nameless\x.NUSPEC", "<package><metadata><version>1</version></metadata></package>")
    windows_tree.write(rf"{LIB}\file.txt")
    windows_tree.write(r"C:\ProgramData\chocolatey\lib-bad\kvrt\kvrt.nuspec", NUSPEC)
    result = run("chocolatey", windows_tree.host())
    assert [(item.name, item.version, item.state) for item in result.items] == [
        ("broken", "", "installed"),
        ("empty", "", "installed"),
        ("kvrt", "20.0.13.0", "leftover"),
        ("nameless", "1", "installed"),
    ]
    assert [problem.where for problem in result.problems] == [rf"{LIB}\broken\broken.nuspec"]
    assert result.run.left_out == {"not a package": 1}


def test_real_packages(windows_tree: WindowsTree, corpora: Path) -> None:
    folder = corpora / "packages/osv-scalibr/extractor/filesystem/os/chocolatey/testdata"
    for file in folder.glob("*.nuspec"):
        windows_tree.write(rf"{LIB}\{file.stem}\{file.name}", file.read_bytes())
    result = run("chocolatey", windows_tree.host())
    assert [(item.name, item.version, item.vendor.partition(",")[0]) for item in result.items] == [
        ("atom", "", "GitHub Inc."),
        ("atom", "1.60.0", "GitHub Inc."),
        ("atom.install", "1.60.0", "GitHub Inc."),
        ("atom_withoutid", "1.60.0", "GitHub Inc."),
        ("cmake", "4.1.1", "Andy Cedilnik"),
        ("invalid", "", ""),
    ]
    assert len(result.problems) == 1
