"""The tables of places, and what of them is there."""

import pytest
from phaseout.host import Host
from phaseout.sources.kit.user_data import CHROMIUM, MOZILLA, Table, UserData, present, reads

from tests.support.trees import MacTree, Tree, WindowsTree


@pytest.mark.parametrize("table", [CHROMIUM, MOZILLA])
def test_every_system_has_places_without_ends_and_doubles(table: Table) -> None:
    assert set(table) == {"linux", "macos", "windows"}
    for bases in table.values():
        places = [f"{base}/{path}".strip("/") for base, paths in bases.items() for path in paths]
        assert len(places) == len(set(places))
        assert not [place for place in places if place != place.strip("/") or "\\" in place or "~" in place]


def found(host: Host, table: Table = CHROMIUM) -> list[UserData]:
    return list(present(host, table))


def test_linux(tree: Tree) -> None:
    tree.folder("/home/ada/.config/google-chrome")
    tree.folder("/home/ada/.config/BraveSoftware/Brave-Browser")
    tree.folder("/home/ada/snap/chromium/common/chromium")
    tree.folder("/home/ada/.var/app/com.microsoft.Edge/config/microsoft-edge")
    tree.write("/home/ada/.config/vivaldi", "a file")
    tree.folder("/root/.mozilla/firefox")
    assert found(tree.host()) == [
        UserData("Chrome", "ada", "/home/ada/.config/google-chrome"),
        UserData("Brave", "ada", "/home/ada/.config/BraveSoftware/Brave-Browser"),
        UserData("Edge", "ada", "/home/ada/.var/app/com.microsoft.Edge/config/microsoft-edge"),
        UserData("Chromium", "ada", "/home/ada/snap/chromium/common/chromium"),
    ]
    assert found(tree.host(), MOZILLA) == [UserData("Firefox", "root", "/root/.mozilla/firefox")]


def test_a_place_with_two_names_is_one(tree: Tree) -> None:
    tree.folder("/home/ada/.mozilla/firefox")
    tree.link("/home/ada/.config/mozilla", "../.mozilla")
    assert found(tree.host(), MOZILLA) == [UserData("Firefox", "ada", "/home/ada/.mozilla/firefox")]


def test_a_home_that_users_share_is_looked_at_once(tree: Tree) -> None:
    tree.write("/etc/passwd", "ada:x:1:1::/home/ada:/bin/sh\nbob:x:2:2::/home/ada:/bin/sh\nnone:x:3:3::/gone:/bin/sh\n")
    tree.folder("/home/ada/.config/chromium")
    assert found(tree.host()) == [UserData("Chromium", "ada", "/home/ada/.config/chromium")]


def test_macos(mac_tree: MacTree) -> None:
    mac_tree.folder("/Users/ada/Library/Application Support/Arc/User Data")
    mac_tree.folder("/Users/ada/Library/Thunderbird")
    host = mac_tree.host()
    assert found(host) == [UserData("Arc", "ada", "/Users/ada/Library/Application Support/Arc/User Data")]
    assert found(host, MOZILLA) == [UserData("Thunderbird", "ada", "/Users/ada/Library/Thunderbird")]


def test_windows(windows_tree: WindowsTree) -> None:
    windows_tree.folder(r"C:\Users\ada\AppData\Local\Google\Chrome SxS\User Data")
    windows_tree.folder(r"C:\Users\ada\AppData\Roaming\Opera Software\Opera GX Stable")
    windows_tree.folder(r"C:\Users\ada\AppData\Roaming\Mozilla\Firefox")
    host = windows_tree.host()
    assert found(host) == [
        UserData("Chrome Canary", "ada", r"C:\Users\ada\AppData\Local\Google\Chrome SxS\User Data"),
        UserData("Opera GX", "ada", r"C:\Users\ada\AppData\Roaming\Opera Software\Opera GX Stable"),
    ]
    assert found(host, MOZILLA) == [UserData("Firefox", "ada", r"C:\Users\ada\AppData\Roaming\Mozilla\Firefox")]


def test_patterns_have_the_separators_of_their_system() -> None:
    patterns = reads({"linux": {"": {".x": "X"}}, "macos": {}, "windows": {"AppData/Local": {"X/Y": "X"}}}, "a/b", "c")
    assert patterns == ("~/.x/a/b", "~/.x/c", r"~\AppData\Local\X\Y\a\b", r"~\AppData\Local\X\Y\c")


def test_a_link_to_what_another_user_has_hides_nothing(tree: Tree) -> None:
    tree.write("/etc/passwd", "bob:x:1:1::/home/bob:/bin/sh\neve:x:2:2::/home/eve:/bin/sh\n")
    tree.folder("/home/bob/.config/google-chrome")
    tree.link("/home/eve/.config/chromium", "/home/bob/.config/google-chrome")
    assert sorted(found(tree.host())) == [
        UserData("Chrome", "bob", "/home/bob/.config/google-chrome"),
        UserData("Chromium", "eve", "/home/eve/.config/chromium"),
    ]
