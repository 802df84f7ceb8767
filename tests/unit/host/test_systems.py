"""Folders that hold a system elsewhere than at their top, or several."""

import shutil
from pathlib import Path

import pytest
from phaseout.host import NotAHostError
from phaseout.host.opening import offline_host

from tests.support.harness import run
from tests.support.trees import KESL, MacTree, Tree

SUM = "0" * 64


def windows(folder: Path) -> None:
    config = folder / "Windows/System32/config"
    config.mkdir(parents=True)
    (config / "SOFTWARE").touch()


def linux(folder: Path) -> Tree:
    folder.mkdir(parents=True)
    return Tree(folder)


def beside(root: Path, **options: str) -> list[str]:
    host = offline_host(str(root), **options)  # type: ignore[arg-type]
    return [problem.where for problem in host.files.problems if "another system" in problem.why]


def deployment(top: Path, number: int = 0, checksum: str = SUM) -> Tree:
    return linux(top / f"ostree/deploy/fedora/deploy/{checksum}.{number}")


def test_the_disk_of_ostree(tmp_path: Path) -> None:
    """What users and containers have lies in a `/var` beside the deployment."""
    tree = deployment(tmp_path)
    shutil.rmtree(tree.root / "home")
    shutil.rmtree(tree.root / "var")
    tree.folder("/var")
    tree.link("/home", "var/home")
    var = Tree(tmp_path / "ostree/deploy/fedora/var")
    var.folder("/home/ada")
    var.write("/lib/dpkg/status", KESL)
    host = offline_host(str(tmp_path))
    assert host.info.root == str(tree.root)
    assert host.info.notes == (f"the system is in {tree.root}",)
    assert run("dpkg", host).names() == ["kesl"]
    assert host.files.problems == []


def test_of_several_deployments_that_which_starts(tmp_path: Path) -> None:
    new, old = deployment(tmp_path, checksum="a" * 64), deployment(tmp_path, checksum="b" * 64)
    with pytest.raises(NotAHostError, match=str(old.root)):
        offline_host(str(tmp_path))
    for number, tree in ((2, new), (1, old)):
        link = tmp_path / f"ostree/boot.1/fedora/{number}/0"
        link.parent.mkdir(parents=True)
        link.symlink_to(f"../../../deploy/fedora/deploy/{tree.root.name}")
        entry = tmp_path / f"boot/loader/entries/ostree-{number}.conf"
        entry.parent.mkdir(parents=True, exist_ok=True)
        entry.write_text(f"title x\nversion {number}\noptions root=UUID=1 ostree=/ostree/boot.1/fedora/{number}/0 rw\n")
    assert offline_host(str(tmp_path)).info.root == str(new.root)


@pytest.mark.parametrize(("root", "home"), [("@", "@home"), ("root", "home")])
def test_subvolumes_of_btrfs(tmp_path: Path, root: str, home: str) -> None:
    tree = linux(tmp_path / root)
    (tree.root / "home/ada").rmdir()
    tree.write("/etc/fstab", f"UUID=1 / btrfs subvol={root} 0 0\nUUID=1 /home btrfs defaults,subvol=/{home} 0 0\n")
    (tmp_path / home / "ada").mkdir(parents=True)
    (tmp_path / home / "eve").mkdir(parents=True)
    host = offline_host(str(tmp_path))
    assert host.info.root == str(tree.root)
    assert {"/home/ada", "/home/eve"} < set(host.homes)
    assert host.files.problems == []


def test_a_subvolume_lies_within_the_disk(tmp_path: Path) -> None:
    top = tmp_path / "disk"
    tree = linux(top / "@")
    tree.write("/etc/fstab", "UUID=1 /home btrfs subvol=../outside 0 0\nUUID=1 /srv btrfs subvol=link 0 0\n")
    (tmp_path / "outside/eve").mkdir(parents=True)
    (top / "link").symlink_to(tmp_path / "outside")
    host = offline_host(str(top))
    assert "/home/eve" not in host.homes
    assert host.files.list("/srv") == ()


def test_the_states_of_snapper(tmp_path: Path) -> None:
    tree = linux(tmp_path / "@/.snapshots/1/snapshot")
    tree.write("/etc/fstab", "UUID=1 /home btrfs subvol=/@/home 0 0\n")
    (tmp_path / "@/home/ada").mkdir(parents=True)
    (tmp_path / "@/home/eve").mkdir(parents=True)
    assert "/home/eve" in offline_host(str(tmp_path)).homes
    linux(tmp_path / "@/.snapshots/2/snapshot")
    with pytest.raises(NotAHostError, match="several systems"):
        offline_host(str(tmp_path))


def test_several_systems_in_a_folder(tmp_path: Path) -> None:
    linux(tmp_path / "debian")
    assert offline_host(str(tmp_path)).info.platform == "linux"
    windows(tmp_path / "Windows")
    with pytest.raises(NotAHostError) as refused:
        offline_host(str(tmp_path))
    assert str(tmp_path / "debian") in str(refused.value)
    assert str(tmp_path / "Windows") in str(refused.value)


def test_systems_beside_the_one_that_was_asked_for(tmp_path: Path) -> None:
    tree = linux(tmp_path / "root")
    assert beside(tree.root) == []
    windows(tree.root)
    assert beside(tree.root) == [f"{tree.root} (--os linux)"]
    assert beside(tree.root, platform="linux") == [f"{tree.root} (--os windows)"]
    linux(tree.root / "old")
    assert beside(tree.root) == [f"{tree.root} (--os linux)", str(tree.root / "old")]


def test_drives_of_one_windows_are_no_others(tmp_path: Path) -> None:
    windows(tmp_path / "C")
    (tmp_path / "D").mkdir()
    assert beside(tmp_path) == []


def test_the_two_volumes_of_a_mac(tmp_path: Path) -> None:
    system, data = tmp_path / "Macintosh HD", tmp_path / "Macintosh HD - Data"
    system.mkdir()
    tree = MacTree(system)
    data.mkdir()
    (system / "private").rename(data / "private")
    (system / "Users").rename(data / "Users")
    tree.folder("/private")
    tree.folder("/System/Volumes/Data")
    host = offline_host(str(tmp_path))
    assert (host.info.platform, host.info.os_version) == ("macos", "14.5")
    assert "/Users/ada" in host.homes
    assert host.files.is_dir("/System/Volumes/Data/Users/ada")
    assert host.files.problems == []


@pytest.mark.parametrize("mark", ["/usr/lib/os-release", "/nix/var/nix/profiles/system", "/usr/bin/env"])
def test_a_system_whose_etc_is_not_here(tmp_path: Path, mark: str) -> None:
    (tmp_path / mark[1:]).parent.mkdir(parents=True)
    (tmp_path / mark[1:]).touch()
    host = offline_host(str(tmp_path))
    assert host.info.platform == "linux"
    assert [problem.where for problem in host.files.problems] == ["/etc/passwd"]


def test_a_link_to_a_system_is_none(tmp_path: Path) -> None:
    linux(tmp_path / "x/debian")
    (tmp_path / "link").symlink_to("x/debian")
    with pytest.raises(NotAHostError, match="no operating system"):
        offline_host(str(tmp_path))


def test_other_deployments_are_where_the_running_system_has_the_disk(tmp_path: Path) -> None:
    for number in (0, 1):
        Tree(tmp_path / f"ostree/deploy/fedora/deploy/abc.{number}")
    (tmp_path / "ostree/deploy/fedora/deploy/abc.1/usr/share/marked").mkdir(parents=True)
    entry = tmp_path / "loader/entries/ostree-1.conf"
    entry.parent.mkdir(parents=True)
    (tmp_path / "ostree/boot.1").mkdir(parents=True)
    (tmp_path / "ostree/boot.1/0").symlink_to("../deploy/fedora/deploy/abc.0")
    (tmp_path / "ostree/deploy/fedora/deploy/abc.0/sysroot").mkdir()
    entry.write_text("title x\nversion 1\noptions ostree=/ostree/boot.1/0 rw\n")
    host = offline_host(str(tmp_path))
    assert host.info.root.endswith("abc.0")
    assert host.files.is_dir("/sysroot/ostree/deploy/fedora/deploy/abc.1/usr/share/marked")
