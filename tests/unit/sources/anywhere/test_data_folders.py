"""Folders in places that all software shares: what a removal leaves behind is listed wherever it is."""

import pytest

from tests.support.harness import Result, run
from tests.support.trees import MacTree, Tree, WindowsTree


def states(result: Result) -> dict[str, str]:
    return {item.path: item.state for item in result.items}


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/kaspersky", "/var/cache/kaspersky", "/var/lib/kaspersky", "/var/log/kaspersky", "/var/spool/kaspersky"),
        *("/usr/lib/kaspersky", "/usr/lib64/kaspersky", "/usr/libexec/kaspersky", "/usr/share/kaspersky"),
        *("/home/ada/.config/kaspersky", "/home/ada/.cache/kaspersky", "/home/ada/.local/share/kaspersky"),
    ],
)
def test_places_of_linux(tree: Tree, path: str) -> None:
    tree.write("/etc/passwd", "ada:x:1000:1000::/home/ada:/bin/sh\n")
    tree.folder(path)
    (item,) = (item for item in run("data_folders", tree.host()).items if item.path == path)
    assert (item.kind, item.name, item.state) == ("file", "kaspersky", "leftover")
    assert item.user == ("ada" if "/ada/" in path else "")


def test_what_may_be_a_program_is_not_gone(tree: Tree) -> None:
    tree.write("/usr/lib/a/bin/tool")
    tree.write("/usr/lib/b/readme.txt")
    tree.write("/var/log/c/tool")  # programs do not belong there
    for number in range(70):
        tree.folder(f"/usr/share/d/{number}")  # too much to search
    tree.write("/usr/share/file")
    tree.link("/usr/share/dead", "/nowhere")
    tree.folder("/usr/share/doc")
    result = run("data_folders", tree.host())
    assert states(result) == {
        "/usr/lib/a": "installed",
        "/usr/lib/b": "leftover",
        "/var/log/c": "leftover",
        "/usr/share/d": "installed",
        "/usr/share/dead": "leftover",
    }
    (noted,) = {item.notes for item in result.items if item.state == "installed"}
    assert noted == ("whether a program in it is in use was not checked",)
    assert result.run.left_out["part of the operating system"] == 1


def test_a_place_that_is_a_link_is_listed_once(tree: Tree) -> None:
    tree.folder("/usr/lib/kaspersky")
    tree.link("/usr/lib64", "lib")
    assert list(states(run("data_folders", tree.host()))) == ["/usr/lib/kaspersky"]


def test_places_of_windows(windows_tree: WindowsTree) -> None:
    home = r"C:\Users\ada"
    windows_tree.folder(r"C:\Program Files\Kaspersky Lab\KES\logs")
    windows_tree.write(r"C:\Program Files (x86)\Kaspersky Lab\KES\avp.exe")
    windows_tree.folder(r"C:\Program Files\Common Files\Kaspersky Lab")
    windows_tree.folder(r"C:\ProgramData\Kaspersky Lab\AVP21.3")
    windows_tree.folder(r"C:\ProgramData\Microsoft\Windows")
    windows_tree.folder(rf"{home}\AppData\Roaming\Kaspersky Lab\inner")
    result = run("data_folders", windows_tree.host())
    found = states(result)
    assert found[r"C:\Program Files\Kaspersky Lab"] == "leftover"
    assert found[r"C:\Program Files\Kaspersky Lab\KES"] == "leftover"
    assert found[r"C:\Program Files (x86)\Kaspersky Lab\KES"] == "installed"
    assert found[r"C:\Program Files\Common Files\Kaspersky Lab"] == "leftover"
    assert found[r"C:\ProgramData\Kaspersky Lab\AVP21.3"] == "leftover"
    assert found[rf"{home}\AppData\Roaming\Kaspersky Lab"] == "leftover"
    assert not any("Microsoft" in path or "inner" in path for path in found)


def test_places_of_macos(mac_tree: MacTree) -> None:
    mac_tree.folder("/Library/Logs/Kaspersky Lab")
    mac_tree.folder("/Library/Caches/com.apple.x")
    mac_tree.write("/Library/Preferences/com.kaspersky.kav.plist")
    mac_tree.write("/Library/Preferences/com.apple.x.plist")
    mac_tree.folder("/Users/ada/Library/Group Containers/2Y8XE5CQ94.kaspersky")
    result = run("data_folders", mac_tree.host())
    assert [(item.name, item.user, item.state) for item in result.items] == [
        ("2Y8XE5CQ94.kaspersky", "ada", "leftover"),
        ("Kaspersky Lab", "", "leftover"),
        ("com.kaspersky.kav", "", "leftover"),
    ]
    assert result.run.left_out["part of the operating system"] == 2


def test_hidden_folders_of_a_home(tree: Tree) -> None:
    tree.folder("/home/ada/.kaspersky")
    tree.folder("/home/ada/.ssh")
    tree.folder("/home/ada/letters")
    (item,) = [item for item in run("data_folders", tree.host()).items if item.user == "ada"]
    assert (item.path, item.state) == ("/home/ada/.kaspersky", "leftover")
