"""Distributions in WSL: both versions, what cannot be seen, and what is gone."""

from phaseout.model.nouns import Problem

from tests.support.harness import run
from tests.support.trees import WindowsTree

LXSS = rf"HKU\{WindowsTree.ADA}\Software\Microsoft\Windows\CurrentVersion\Lxss"
UBUNTU = "{0c3c9b5e-3f5a-4c3e-9b1e-0b5d5e5f5a5b}"
FOLDER = r"C:\Users\ada\AppData\Local\Packages\CanonicalGroupLimited.Ubuntu_79rhkp1fndgsc\LocalState"
STATUS = "Package: kesl\nStatus: install ok installed\nMaintainer: Kaspersky Lab <a@b>\nVersion: 12.1\n"


def distribution(tree: WindowsTree, version: int, folder: str = FOLDER, key: str = UBUNTU) -> None:
    tree.key(LXSS, {"DefaultDistribution": UBUNTU})
    tree.key(
        rf"{LXSS}\{key}",
        {
            "DistributionName": "Ubuntu",
            "BasePath": rf"\\?\{folder}",
            "Version": version,
            "State": 1,
            "Flavor": "ubuntu",
            "OsVersion": "24.04",
            "PackageFamilyName": "CanonicalGroupLimited.Ubuntu_79rhkp1fndgsc",
        },
    )


def test_version_2_is_named_and_not_seen(windows_tree: WindowsTree) -> None:
    distribution(windows_tree, 2)
    windows_tree.write(rf"{FOLDER}\ext4.vhdx", b"vhdxfile")
    result = run("wsl", windows_tree.host())
    (item,) = result.items
    assert (item.kind, item.name, item.version, item.user, item.state) == ("app", "Ubuntu", "24.04", "ada", "installed")
    assert item.path == FOLDER
    assert item.ids == {"package_family": "CanonicalGroupLimited.Ubuntu_79rhkp1fndgsc", "registry_key": UBUNTU}
    assert item.details == {"flavor": "ubuntu", "state": "installed", "wsl": "2"}
    assert result.problems == (
        Problem(
            rf"{FOLDER}\ext4.vhdx", "a disk image, which is not scanned: scan within the distribution", "unsupported"
        ),
    )
    assert result.run.status == "partial"


def test_the_name_of_the_disk_is_taken_from_the_registry(windows_tree: WindowsTree) -> None:
    distribution(windows_tree, 2)
    windows_tree.key(rf"{LXSS}\{UBUNTU}", {"VhdFileName": "disk.vhdx"})
    windows_tree.folder(FOLDER)
    assert run("wsl", windows_tree.host()).problems[0].where == rf"{FOLDER}\disk.vhdx"


def test_version_1_is_looked_into(windows_tree: WindowsTree) -> None:
    distribution(windows_tree, 1)
    windows_tree.write(rf"{FOLDER}\rootfs\var\lib\dpkg\status", STATUS)
    windows_tree.write(rf"{FOLDER}\rootfs\etc\passwd", "eve:x:1000:1000::/home/eve:/bin/sh\n")
    site = r"home\eve\.local\lib\python3.12\site-packages"
    windows_tree.write(rf"{FOLDER}\rootfs\{site}\opentip-1.2.dist-info\METADATA", "Name: opentip\nVersion: 1.2\n")
    result = run("wsl", windows_tree.host())
    assert result.run.status == "ok"
    assert [(item.kind, item.name, item.user) for item in result.items] == [
        ("app", "Ubuntu", "ada"),
        ("library", "opentip", "eve"),
        ("package", "kesl", "ada"),
    ]
    assert result.one("kesl").evidence[0].where == "WSL Ubuntu: /var/lib/dpkg/status"


def test_a_folder_that_is_gone(windows_tree: WindowsTree) -> None:
    distribution(windows_tree, 2, r"C:\wsl\old")
    result = run("wsl", windows_tree.host())
    assert [item.state for item in result.items] == ["leftover"]
    assert result.run.status == "ok"


def test_odd_entries(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"{LXSS}\{{1}}", {"BasePath": 5, "Version": "x", "State": b"\0"})
    windows_tree.key(rf"{LXSS}\Settings", {"x": 1})
    windows_tree.key(rf"{LXSS}\{{2}}")
    distribution(windows_tree, 2, r"\\server\share\wsl", "{3}")
    result = run("wsl", windows_tree.host())
    assert result.names() == ["Ubuntu", "{1}", "{2}"]
    assert result.run.left_out == {"a setting": 1}
