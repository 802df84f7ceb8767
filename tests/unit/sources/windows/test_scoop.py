"""Scoop's folders, of users and of the machine."""

import json

import pytest

from tests.support.harness import run
from tests.support.trees import WindowsTree

ADA = r"C:\Users\ada\scoop\apps"
MACHINE = r"C:\ProgramData\scoop\apps"


def app(tree: WindowsTree, base: str, name: str, *versions: str, current: str = "") -> None:
    for version in versions:
        tree.write(
            rf"{base}\{name}\{version}\manifest.json",
            json.dumps({"version": version, "description": "An app.", "homepage": "https://example.org"}),
        )
        tree.write(rf"{base}\{name}\{version}\install.json", '{"bucket": "extras", "architecture": "64bit"}')
    if current:
        folder = tree.folder(rf"{base}\{name}")
        (folder / "current").symlink_to(current)


@pytest.mark.parametrize("link", ["2.0", r"C:\Users\ada\scoop\apps\kvrt\2.0", "/Users/ada/scoop/apps/kvrt/2.0"])
def test_the_current_version_is_installed_and_others_are_left(windows_tree: WindowsTree, link: str) -> None:
    app(windows_tree, ADA, "kvrt", "1.0", "2.0", current=link)
    old, new = run("scoop", windows_tree.host()).items
    assert (new.kind, new.name, new.version, new.state, new.user) == ("package", "kvrt", "2.0", "installed", "ada")
    assert new.path == rf"{ADA}\kvrt\2.0"
    assert new.ids == {"purl": "pkg:scoop/kvrt@2.0"}
    assert new.details == {
        "description": "An app.",
        "url": "https://example.org",
        "bucket": "extras",
        "arch": "64bit",
    }
    assert (old.version, old.state) == ("1.0", "leftover")


def test_without_the_link(windows_tree: WindowsTree) -> None:
    """A copy of a disk may have lost it, and Scoop can be told to make a folder instead."""
    app(windows_tree, ADA, "one", "1.0")
    app(windows_tree, ADA, "several", "1.0", "2.0")
    app(windows_tree, MACHINE, "plain", "current")
    windows_tree.write(rf"{MACHINE}\plain\current\manifest.json", '{"version": "3.0"}')
    result = run("scoop", windows_tree.host())
    assert [(item.name, item.version, item.state, item.user) for item in result.items] == [
        ("one", "1.0", "installed", "ada"),
        ("plain", "3.0", "installed", ""),
        ("several", "1.0", "installed", "ada"),
        ("several", "2.0", "installed", "ada"),
    ]


def test_damage_costs_what_it_hides(windows_tree: WindowsTree) -> None:
    windows_tree.write(rf"{ADA}\broken\1.2\manifest.json", "{")
    windows_tree.write(rf"{ADA}\list\1.3\manifest.json", "[1]")
    windows_tree.write(rf"{ADA}\numbers\1.4\manifest.json", '{"version": 5, "homepage": null}')
    windows_tree.folder(rf"{ADA}\bare\1.5")
    windows_tree.folder(rf"{ADA}\empty")
    windows_tree.write(rf"{ADA}\file")
    result = run("scoop", windows_tree.host())
    assert [(item.name, item.version) for item in result.items] == [
        ("bare", "1.5"),
        ("broken", "1.2"),
        ("list", "1.3"),
        ("numbers", "1.4"),
    ]
    assert [problem.where for problem in result.problems] == [rf"{ADA}\broken\1.2\manifest.json"]
    assert result.run.left_out == {"damaged": 1, "an empty entry": 1, "not a package": 1}
