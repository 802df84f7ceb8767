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
    if pattern.startswith("/Users/*/"):  # the home of ada, as an image
        return pattern.replace("*", "ada")
    return pattern.replace("~", home, 1).replace("*", "x")


@pytest.mark.slow
@pytest.mark.parametrize("pattern", patterns("linux"))
def test_every_place_on_linux_is_named(tree: Tree, pattern: str) -> None:
    tree.write(concrete(pattern, "/home/ada"))
    tree.write("/var/lib/x")
    tree.write("/usr/bin/env")
    (problem,) = run("territory", tree.host()).problems
    assert problem.cause == "unsupported"
    assert problem.remedy
    assert problem.where == concrete(pattern, "/home/ada")


def test_a_volume_of_fstab_that_is_not_there(tree: Tree) -> None:
    """Who mounts only the system's own volume sees no homes: that is not the same as no software in them."""
    tree.write("/etc/fstab", "/dev/sda2 /home ext4 defaults 0 0\n/dev/sda3 /opt xfs defaults 0 0\n/dev/sda4 /boot x\n")
    tree.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    (tree.root / "home/ada").rmdir()
    tree.write("/opt/example/bin/x")
    (problem,) = run("territory", tree.host()).problems
    assert (problem.where, problem.why) == ("/home", "empty, though a volume is mounted there when the system runs")
    assert problem.remedy


@pytest.mark.slow
@pytest.mark.parametrize("pattern", patterns("macos"))
def test_every_place_on_macos_is_named(mac_tree: MacTree, pattern: str) -> None:
    mac_tree.write(concrete(pattern, "/Users/ada"))
    (problem,) = run("territory", mac_tree.host()).problems
    assert problem.where == concrete(pattern, "/Users/ada")


@pytest.mark.slow
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


def test_a_home_of_systemd_homed_that_is_a_folder_is_read(tree: Tree) -> None:
    tree.write("/home/quin.homedir/.identity")
    assert run("territory", tree.host()).run.status == "ok"


def test_a_home_of_systemd_homed_on_another_disk(tree: Tree) -> None:
    tree.write("/var/lib/systemd/home/quin.identity", "{}")
    (problem,) = run("territory", tree.host()).problems
    assert problem.where == "/var/lib/systemd/home/quin.identity"
    tree.write("/home/quin/.identity")
    assert run("territory", tree.host()).run.status == "ok"


def test_a_home_of_ecryptfs(tree: Tree) -> None:
    """While it is locked, its folder holds a few links; while it is open, the encrypted files are still beside it."""
    tree.folder("/home/.ecryptfs/ada/.Private")
    tree.link("/home/ada/.Private", "/home/.ecryptfs/ada/.Private")
    assert [problem.where for problem in run("territory", tree.host()).problems] == ["/home/.ecryptfs/ada/.Private"]
    tree.write("/home/ada/.profile")
    assert run("territory", tree.host()).run.status == "ok"


def test_a_home_of_gocryptfs_beside_its_folder(tree: Tree) -> None:
    tree.write("/home/ada.cipher/gocryptfs.conf")
    assert [problem.where for problem in run("territory", tree.host()).problems] == ["/home/ada.cipher/gocryptfs.conf"]
    tree.write("/home/ada/.profile")
    assert run("territory", tree.host()).run.status == "ok"


@pytest.mark.parametrize(
    "name", ["ABWT4TYPcdIpMm8NLkHhKQAAAAAw2uHxQmLXzWkqDrZDzSe1", "ECRYPTFS_FNEK_ENCRYPTED.FWaS0F5cJ3lmz"]
)
def test_a_home_in_which_all_names_are_encrypted(tree: Tree, name: str) -> None:
    tree.write(f"/home/ada/{name}")
    (problem,) = run("territory", tree.host()).problems
    assert problem.where == "/home/ada"
    tree.write("/home/ada/.profile")
    assert run("territory", tree.host()).run.status == "ok"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/systemd/system/srv-data.mount", "[Mount]\nWhat=/dev/sdb1\nWhere=/srv/data\n"),
        ("/etc/zfs/zfs-list.cache/tank", "tank\t/\ton\ntank/data\t/srv/data\ton\toff\n"),
        ("/etc/security/pam_mount.conf.xml", '<volume user="*" path="/dev/sdb1" mountpoint="/srv/data/%(USER)" />'),
    ],
)
def test_other_lists_of_volumes(tree: Tree, path: str, text: str) -> None:
    tree.write(path, text)
    assert [problem.where for problem in run("territory", tree.host()).problems] == ["/srv/data"]
    tree.write("/srv/data/x")
    assert run("territory", tree.host()).run.status == "ok"


@pytest.mark.parametrize("folder", ["/usr", "/var"])
def test_a_system_without_a_folder_that_every_system_fills(tree: Tree, folder: str) -> None:
    shutil.rmtree(tree.root / folder[1:])
    assert [problem.where for problem in run("territory", tree.host()).problems] == [folder]
    tree.folder(folder)
    assert [problem.where for problem in run("territory", tree.host()).problems] == [folder]


@pytest.mark.slow
def test_a_boot_entry_of_a_windows_that_was_wiped(tree: Tree) -> None:
    """No partition on this machine can hold it: it is no other system. A copy does not know the partitions."""
    tree.write("/boot/efi/EFI/Microsoft/Boot/BCD")
    assert run("territory", tree.host()).problems
    tree.write("/run/udev/data/b259:1", "S:disk/by-id/x\nE:ID_FS_TYPE=ext4\nE:ID_PART_ENTRY_NUMBER=1\n")
    tree.write("/run/udev/data/c1:3", "G:seat\n")
    assert run("territory", tree.host()).run.status == "ok"
    for kind in ("ntfs", "BitLocker"):
        tree.write("/run/udev/data/b259:2", f"E:ID_FS_TYPE={kind}\n")
        assert run("territory", tree.host()).problems


def test_a_disk_image_in_a_home_is_no_home(mac_tree: MacTree) -> None:
    mac_tree.write("/Users/ada/backup.sparsebundle/token")
    assert run("territory", mac_tree.host()).run.status == "ok"
    mac_tree.write("/Users/ada/ada.sparsebundle/token")
    (problem,) = run("territory", mac_tree.host()).problems
    assert problem.where == "/Users/ada/ada.sparsebundle"


def test_a_whole_linux_has_no_territory(tree: Tree) -> None:
    assert run("territory", tree.host()).run.status == "ok"


def test_a_whole_mac_has_no_territory(mac_tree: MacTree) -> None:
    assert run("territory", mac_tree.host()).run.status == "ok"


@pytest.mark.parametrize("path", ["/opt", "/usr", "/home", "/var/lib"])
def test_a_standard_folder_behind_a_dead_link(tree: Tree, path: str) -> None:
    """The volume that it leads to is not there: nobody knows what it holds."""
    before = run("territory", tree.host()).problems
    target = f"/data{path}"
    if (tree.root / path[1:]).exists():
        (tree.root / path[1:]).rename(tree.root / "moved")
    tree.link(path, target)
    found = set(run("territory", tree.host()).problems) - set(before)
    (problem,) = (one for one in found if one.where == path)  # beside it, the homes that lay below are missing
    assert problem.cause == "missing"
    assert target in problem.why
    tree.folder(f"{target}/ada")
    assert not set(run("territory", tree.host()).problems) - set(before)


@pytest.mark.parametrize("path", ["/Applications", "/Library", "/Users", "/private/var/db/dslocal"])
def test_what_every_mac_has(mac_tree: MacTree, path: str) -> None:
    assert run("territory", mac_tree.host()).problems == ()
    shutil.rmtree(mac_tree.root / path[1:])
    mac_tree.folder(path)
    (problem,) = (one for one in run("territory", mac_tree.host()).problems if one.where == path)
    assert problem.cause == "missing"


def test_a_volume_that_the_system_needs_is_not_there(tree: Tree) -> None:
    tree.write("/usr/bin/true")
    lines = (
        *("UUID=1 / ext4 defaults 0 1", "UUID=2 /data ext4 defaults 0 2", "UUID=3 none swap sw 0 0"),
        *("UUID=4 /boot/efi vfat d 0 1", "UUID=5 /media/usb vfat noauto,user 0 0", "UUID=6 /backup ext4 nofail 0 2"),
        "tmpfs /scratch tmpfs d 0 0",
    )
    tree.write("/etc/fstab", "\n".join(lines))
    tree.folder("/data")
    before = [one.where for one in run("territory", tree.host()).problems]
    assert "/data" in before
    assert not {"/boot/efi", "/media/usb", "/backup", "/scratch"} & set(before)
    tree.write("/data/x")
    assert "/data" not in [one.where for one in run("territory", tree.host()).problems]


def test_an_encrypted_volume_that_nothing_mounts(tree: Tree) -> None:
    """One below the root, perhaps with LVM on it, and one for swap are ordinary."""
    tree.write("/etc/fstab", "/dev/mapper/vg-root / ext4 d 0 1\n/dev/mapper/work /work ext4 noauto 0 2\n")
    tree.write("/work/x")
    ordinary = "sda3_crypt UUID=1 none luks,discard\nswap /dev/sda4 /dev/urandom swap\nwork UUID=2 none luks\n"
    tree.write("/etc/crypttab", ordinary)
    assert not [one for one in run("territory", tree.host()).problems if "crypttab" in one.where]
    (tree.root / "work/x").unlink()
    tree.write("/etc/crypttab", f"{ordinary}vault UUID=3 none luks,noauto\n")
    found = [one.where for one in run("territory", tree.host()).problems if "crypttab" in one.where]
    assert found == ["/etc/crypttab: work", "/etc/crypttab: vault"]


def test_a_mount_unit_whose_volume_is_not_there(tree: Tree) -> None:
    tree.write("/etc/systemd/system/data.mount", "[Mount]\nWhat=/dev/disk/by-uuid/1\nWhere=/data\nType=ext4\n")
    tree.write("/etc/systemd/system/share.mount", "[Mount]\nWhat=nas:/share\nWhere=/share\nType=nfs\n")
    tree.write("/etc/systemd/system/share.automount", "[Automount]\nWhere=/share\n")
    tree.write("/etc/systemd/system/media-usb.mount", "[Mount]\nWhat=/dev/sdb1\nWhere=/media/usb\n")
    found = [one.where for one in run("territory", tree.host()).problems]
    assert "/data" in found
    assert not {"/share", "/media/usb"} & set(found)


@pytest.mark.parametrize(
    "mark",
    ["System/Library/CoreServices/SystemVersion.plist", "usr/lib/os-release", "WINDOWS/system32/config/software"],
)
@pytest.mark.parametrize("at", ["/mnt", "/media/ada/disk", "/run/media/ada/disk", "/media/disk"])
def test_a_system_on_a_volume(tree: Tree, mark: str, at: str) -> None:
    tree.write(f"{at}/{mark}", "x")
    assert [one.cause for one in run("territory", tree.host()).problems if one.where.startswith(at)] == ["unsupported"]


@pytest.mark.parametrize("path", [".config", ".local/share", ".config/google-chrome", ".mozilla"])
def test_settings_of_a_user_behind_a_link_that_leads_nowhere(tree: Tree, path: str) -> None:
    tree.link(f"/home/ada/{path}", "/mnt/big/settings")
    tree.link("/home/ada/.vimrc", "/mnt/big/vimrc")
    assert [(one.where, one.cause) for one in run("territory", tree.host()).problems] == [
        (f"/home/ada/{path}", "missing")
    ]
    tree.folder("/mnt/big/settings")
    assert run("territory", tree.host()).problems == ()
