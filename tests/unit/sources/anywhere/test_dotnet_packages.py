"""Tools and packages for .NET: made by hand, and a real capture."""

import os
from pathlib import Path

import pytest

from tests.support.harness import run
from tests.support.trees import Tree, WindowsTree

NUSPEC = (
    '\ufeff<?xml version="1.0" encoding="utf-8"?>\n'
    '<package xmlns="http://schemas.microsoft.com/packaging/2012/06/nuspec.xsd"><metadata><id>Acme.Tool</id>'
    "<version>1.2.0</version><authors>Acme</authors><projectUrl>https://example.org</projectUrl></metadata></package>"
)
STORE = "/home/ada/.dotnet/tools/.store"


def test_tools_and_packages(tree: Tree) -> None:
    tree.write(f"{STORE}/acme.tool/1.2.0/acme.tool/1.2.0/Acme.Tool.nuspec", NUSPEC)
    tree.folder(f"{STORE}/.stage/x")
    tree.write("/home/ada/.nuget/packages/acme.tool/1.2.0/acme.tool.nuspec", NUSPEC)
    tree.folder("/home/ada/.nuget/packages/bare/3.0.0")
    result = run("dotnet_packages", tree.host())
    tool, kept, bare = sorted(result.items, key=lambda item: item.path)
    assert (tool.name, tool.version, tool.vendor, tool.user, tool.ids) == (
        "Acme.Tool",
        "1.2.0",
        "Acme",
        "ada",
        {"purl": "pkg:nuget/Acme.Tool@1.2.0"},
    )
    assert (tool.notes, kept.notes) == ((), ("kept for projects, which use it from there",))
    assert (bare.name, bare.version) == ("bare", "3.0.0")
    assert result.run.status == "ok"


def test_damage(tree: Tree) -> None:
    tree.write(f"{STORE}/acme.tool/1.2.0/acme.tool/1.2.0/Acme.Tool.nuspec", "<package>")
    result = run("dotnet_packages", tree.host())
    assert [(item.name, item.version) for item in result.items] == [("acme.tool", "1.2.0")]
    assert result.run.status == "partial"


def test_windows(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\Users\ada\.dotnet\tools\.store\acme.tool\1.2.0\acme.tool\1.2.0\acme.tool.nuspec", NUSPEC)
    windows_tree.write(r"C:\Program Files (x86)\Microsoft SDKs\NuGetPackages\acme.tool\1.2.0\acme.tool.nuspec", NUSPEC)
    assert run("dotnet_packages", windows_tree.host()).names() == ["Acme.Tool", "Acme.Tool"]


CAPTURE = Path(os.environ.get("PHASEOUT_CORPORA", "/none")) / "captures/dotnet-10"


@pytest.mark.skipif(not CAPTURE.is_dir(), reason="no capture of .NET here")
def test_what_dotnet_tool_list_says(tree: Tree) -> None:
    for file in (CAPTURE / "root/home/dev").rglob("*.nuspec"):
        tree.copy(f"/home/ada/{file.relative_to(CAPTURE / 'root/home/dev')}", file)
    lines = (CAPTURE / "tool-list.txt").read_text().splitlines()[2:]
    said = {tuple(line.split()[:2]) for line in lines}
    found = {(item.name.lower(), item.version) for item in run("dotnet_packages", tree.host()).items if not item.notes}
    assert found == said
