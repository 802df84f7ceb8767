"""Places that no source reads are named as soon as they exist."""

import shutil
from pathlib import Path

import pytest
from phaseout.host.opening import offline_host
from phaseout.model.nouns import Platform
from phaseout.sources.territory import TERRITORIES

from tests.support.harness import run
from tests.support.trees import MacTree, Tree, WindowsTree


def patterns(platform: Platform, *others: Platform) -> list[str]:
    return [
        pattern
        for territory in TERRITORIES
        if platform in territory.platforms and not set(others) & set(territory.platforms)
        for pattern in territory.patterns
        if not pattern.startswith("~/Library") or platform == "macos"
    ]


def concrete(pattern: str, home: str) -> str:
    return pattern.replace("~", home, 1).replace("*", "x")


@pytest.mark.parametrize("pattern", patterns("linux"))
def test_every_place_on_linux_is_named(tree: Tree, pattern: str) -> None:
    tree.write(concrete(pattern, "/home/ada"))
    (problem,) = run("territory", tree.host()).problems
    assert problem.cause == "unsupported"
    assert problem.remedy
    assert problem.where == concrete(pattern, "/home/ada")


def test_a_volume_of_fstab_that_is_not_there(tree: Tree) -> None:
    """Who mounts only the system's own volume sees no homes: that is not the same as no software in them."""
    tree.write("/etc/fstab", "/dev/sda2 /home ext4 defaults 0 0\n/dev/sda3 /opt xfs defaults 0 0\n/dev/sda4 /boot x\n")
    tree.folder("/home")
    tree.write("/opt/example/bin/x")
    (problem,) = run("territory", tree.host()).problems
    assert (problem.where, problem.why) == ("/home", "empty, though /etc/fstab mounts a volume there")
    assert problem.remedy


@pytest.mark.parametrize("pattern", patterns("macos"))
def test_every_place_on_macos_is_named(mac_tree: MacTree, pattern: str) -> None:
    mac_tree.write(concrete(pattern, "/Users/ada"))
    (problem,) = run("territory", mac_tree.host()).problems
    assert problem.where == concrete(pattern, "/Users/ada")


@pytest.mark.parametrize("pattern", [one for one in patterns("windows") if one.startswith(("~", "C:"))])
def test_every_place_on_windows_is_named(windows_tree: WindowsTree, pattern: str) -> None:
    windows_tree.write(concrete(pattern, r"C:\Users\ada"))
    problems = run("territory", windows_tree.host()).problems
    assert problems[0].remedy


def test_another_windows_on_another_drive_is_named(tmp_path: Path) -> None:
    for drive in "CD":
        config = tmp_path / drive / "Windows" / "System32" / "config"
        config.mkdir(parents=True)
        (config / "SOFTWARE").touch()
    problems = run("territory", offline_host(str(tmp_path))).problems
    named = [problem.where for problem in problems if problem.cause == "unsupported"]
    assert named == [r"D:\Windows\System32\config\SOFTWARE"]


def test_several_places_of_a_kind_are_one_line(tree: Tree) -> None:
    tree.write("/var/lib/libvirt/images/a.qcow2")
    tree.write("/home/ada/VirtualBox VMs/b/b.vdi")
    (problem,) = run("territory", tree.host()).problems
    assert problem.where.endswith("(and 1 more)")


def test_a_home_of_systemd_homed_that_is_open_is_seen(tree: Tree) -> None:
    tree.write("/home/quin.home")
    assert run("territory", tree.host()).problems
    tree.write("/home/quin/.profile")
    assert run("territory", tree.host()).run.status == "ok"


def test_an_empty_host_has_no_territory(tree: Tree, mac_tree: MacTree) -> None:
    assert run("territory", tree.host()).run.status == "ok"
    assert run("territory", mac_tree.host()).run.status == "ok"


@pytest.mark.parametrize("path", ["/opt", "/usr", "/home", "/var/lib"])
def test_a_standard_folder_behind_a_dead_link(tree: Tree, path: str) -> None:
    """The volume that it leads to is not there: nobody knows what it holds."""
    before = run("territory", tree.host()).problems
    target = f"/data{path}"
    if (tree.root / path[1:]).exists():
        (tree.root / path[1:]).rename(tree.root / "moved")
    tree.link(path, target)
    (problem,) = set(run("territory", tree.host()).problems) - set(before)
    assert (problem.where, problem.cause) == (path, "missing")
    assert target in problem.why
    tree.folder(target)
    assert not set(run("territory", tree.host()).problems) - set(before)


@pytest.mark.parametrize("path", ["/Applications", "/Library", "/Users", "/private/var/db/dslocal"])
def test_what_every_mac_has(mac_tree: MacTree, path: str) -> None:
    assert run("territory", mac_tree.host()).problems == ()
    shutil.rmtree(mac_tree.root / path[1:])
    mac_tree.folder(path)
    (problem,) = run("territory", mac_tree.host()).problems
    assert (problem.where, problem.cause) == (path, "missing")
