"""How a Mac is recognised, how names are found on it, and what is skipped there."""

import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from phaseout.host.filesystem.folder import Folder
from phaseout.host.filesystem.macos import MacFiles
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.host.macos.opening import live_macos, macos_users
from phaseout.host.opening import offline_host
from phaseout.host.users import User
from phaseout.model.nouns import Problem

from tests.support.trees import MacTree


def test_content_decides(mac_tree: MacTree) -> None:
    names = {"System": {"System": {"ComputerName": "Ada’s MacBook"}}}
    mac_tree.plist("/Library/Preferences/SystemConfiguration/preferences.plist", names, binary=True)
    host = mac_tree.host()
    assert (host.info.platform, host.info.name, host.info.os, host.info.os_version) == (
        "macos",
        "Ada’s MacBook",
        "macOS",
        "14.5",
    )
    assert isinstance(host.files, MacFiles)
    assert not host.live
    assert host.files.problems == []


def test_users_of_the_directory_and_of_the_folder(mac_tree: MacTree) -> None:
    folder = "/private/var/db/dslocal/nodes/Default/users"
    mac_tree.plist(f"{folder}/_windowserver.plist", {"name": ["_windowserver"], "home": ["/var/empty"]})
    mac_tree.plist(f"{folder}/nobody.plist", {"name": ["nobody"], "uid": ["-2"], "home": ["/var/empty"]})
    mac_tree.plist(f"{folder}/eve.plist", {"name": ["eve", "e"], "uid": ["502"], "home": ["/Volumes/Big/eve"]})
    mac_tree.write(f"{folder}/broken.plist", b"bplist00")
    mac_tree.folder("/Users/of-the-network")
    assert set(mac_tree.host().users) == {
        User("ada", 501, "/Users/ada"),
        User("nobody", -2, ""),
        User("eve", 502, "/Volumes/Big/eve"),
        User("broken", -1, ""),
        User("of-the-network", -1, "/Users/of-the-network"),
        User("root", 0, "/var/root"),
    }


def test_users_of_real_records(corpora: Path, mac_tree: MacTree) -> None:
    for name in ("user", "nobody"):
        mac_tree.copy(
            f"/private/var/db/dslocal/nodes/Default/users/{name}.plist", corpora / f"plaso/test_data/plist/{name}.plist"
        )
    users = mac_tree.host().users
    assert User("user", 501, "/Users/user") in users
    assert User("nobody", -2, "") in users


def test_homes_that_the_directory_promises(mac_tree: MacTree) -> None:
    """On a volume that is not here, or of an account that keeps its home on a server; services have none."""
    folder = "/private/var/db/dslocal/nodes/Default/users"
    for name, uid, home in (
        ("bob", "502", "/Volumes/Extra/bob"),
        ("carl", "503", "/Network/Servers/x/carl"),
        ("guest", "201", "/Users/Guest"),
        ("daemon", "1", "/var/root"),
        ("off", "504", "/var/empty"),
    ):
        mac_tree.plist(f"{folder}/{name}.plist", {"name": [name], "uid": [uid], "home": [home]})
    host = mac_tree.host()
    assert [problem.where for problem in host.files.problems] == ["/Volumes/Extra/bob", "/Network/Servers/x/carl"]
    assert all(problem.remedy for problem in host.files.problems)
    mac_tree.folder("/Volumes/Extra/bob")
    host = mac_tree.host()
    assert host.homes["/Volumes/Extra/bob"] == "bob"
    assert [problem.where for problem in host.files.problems] == ["/Network/Servers/x/carl"]


def test_links_in_users(mac_tree: MacTree) -> None:
    mac_tree.folder("/Volumes/Extra/eve")
    mac_tree.link("/Users/eve", "/Volumes/Extra/eve")
    mac_tree.link("/Users/Ada Old", "ada")
    mac_tree.link("/Users/finn", "/Volumes/Gone/finn")
    host = mac_tree.host()
    assert sorted(host.homes) == ["/Users/ada", "/Users/eve", "/var/root"]
    assert [problem.where for problem in host.files.problems] == ["/Users/finn"]


def test_homes_of_guests_new_and_deleted_users(mac_tree: MacTree) -> None:
    for folder in ("Users/Guest", "Users/Deleted Users/bob", "Library/User Template/English.lproj"):
        mac_tree.folder(f"/{folder}/Library")
    mac_tree.write("/Users/.localized")
    assert set(mac_tree.host().homes) >= {
        *("/Users/Guest", "/Users/Deleted Users/bob", "/Library/User Template/English.lproj"),
    }


def test_a_system_volume_without_its_data_volume(mac_tree: MacTree) -> None:
    shutil.rmtree(mac_tree.root / "private/var/db")
    (problem,) = mac_tree.host().files.problems
    assert "/System/Volumes/Data" in problem.remedy


def test_names_are_found_in_any_case_and_composition(mac_tree: MacTree) -> None:
    mac_tree.write("/Library/Application Support/Käse/Read Me.TXT", "x")  # composed
    files = mac_tree.host().files
    for path in (
        "/library/application support/käse/read me.txt",
        "/LIBRARY/Application Support/KÄSE/READ ME.TXT",
        "/Library/Application Support/Ka\u0308se/Read Me.TXT",
    ):
        assert files.text(path) == "x", path
        assert files.real(path) == "/Library/Application Support/Käse/Read Me.TXT"
    assert files.gone("/Library/Application Support/Kase")
    assert files.problems == []


def test_exact_name_goes_before_a_folded_one(mac_tree: MacTree) -> None:
    mac_tree.write("/Library/a", "small")
    mac_tree.write("/Library/A", "large")
    files = mac_tree.host().files
    assert (files.text("/Library/a"), files.text("/Library/A")) == ("small", "large")


def test_links_stay_within(mac_tree: MacTree) -> None:
    mac_tree.write("/private/etc/hosts", "in")
    mac_tree.link("/Library/out", "/../../../../PRIVATE/etc")
    mac_tree.link("/Library/loop", "loop")
    files = mac_tree.host().files
    assert files.text("/Library/out/hosts") == "in"
    assert files.link("/library/OUT") == "/../../../../PRIVATE/etc"
    assert files.link("/Library") is None
    assert not files.exists("/Library/loop")
    assert files.problems == [Problem("/Library/loop", "too many symbolic links", "limit")]


def test_firmlinks_of_the_data_volume(mac_tree: MacTree) -> None:
    data = "/System/Volumes/Data"
    mac_tree.folder("/Applications")  # on the system volume it is only a place for the link
    mac_tree.write(f"{data}/Applications/Acme.app/Contents/Info.plist", "acme")
    mac_tree.write(f"{data}/usr/local/bin/acme", "tool")
    mac_tree.write("/usr/bin/login", "of the system")
    mac_tree.write(f"{data}/usr/bin/login", "not seen")
    mac_tree.folder(f"{data}/Users/eve")
    host = mac_tree.host()
    files = host.files
    assert files.text("/applications/ACME.app/Contents/Info.plist") == "acme"
    assert files.text("/usr/local/bin/acme") == "tool"
    assert files.text("/usr/bin/login") == "of the system"
    assert files.real(f"{data}/Applications/Acme.app") == "/Applications/Acme.app"
    assert [entry.name for entry in files.list("/Applications")] == ["Acme.app"]
    assert "eve" in {user.name for user in host.users}


def test_data_volume_alone(tmp_path: Path) -> None:
    tree = MacTree.__new__(MacTree)
    tree.root = tmp_path
    tree.plist("/private/var/db/dslocal/nodes/Default/users/ada.plist", {"name": ["ada"], "home": ["/Users/ada"]})
    tree.write("/private/etc/hosts", "x")
    host = offline_host(str(tmp_path))
    assert (host.info.platform, host.info.os_version) == ("macos", "")
    assert host.files.text("/etc/hosts") == "x"
    assert User("ada", -1, "/Users/ada") in host.users


def test_mounted_data_volume_is_part_of_the_root(mac_tree: MacTree) -> None:
    from phaseout.host.macos.opening import offline_macos

    mac_tree.write("/System/Volumes/Data/Applications/a", "x")
    mac_tree.folder("/Volumes/Share")
    host = offline_macos(Folder("mac", str(mac_tree.root)), {"/System/Volumes/Data": "fuse", "/Volumes/Share": "nfs"})
    assert host.files.text("/Applications/a") == "x"
    assert host.info.skipped_mounts == ("/Volumes/Share (nfs)",)
    assert not host.files.list("/Volumes/Share")
    assert host.files.problems == [Problem("/Volumes/Share", "nfs mount, skipped", "mount")]


def live_files(root: Path, *, guarded: bool) -> MacFiles:
    """Files of a live Mac, of which the disk is a folder: only what guards it is the same."""
    return MacFiles(str(root), guarded=guarded, live=True)


@pytest.fixture
def live(mac_tree: MacTree) -> MacFiles:
    for folder in (
        "Desktop",
        "Documents",
        "Downloads",
        "Library/Containers/com.acme",
        "Library/Group Containers",
        ".Trash",
    ):
        mac_tree.write(f"/Users/ada/{folder}/x", "x")
    mac_tree.write("/Users/ada/Library/CloudStorage/OneDrive/x", "x")
    mac_tree.write("/Users/ada/Library/Preferences/x", "x")
    return live_files(mac_tree.root, guarded=True)


def test_guarded_folders_are_not_opened(live: MacFiles, mac_tree: MacTree) -> None:
    mac_tree.link("/System/Volumes/Data/Users", "../../../Users")
    mac_tree.link("/users", "Users")
    mac_tree.link("/Users/ADA", "ada")
    mac_tree.link("/Users/ada/desktop", "Desktop")
    mac_tree.link("/Users/ada/documents", "Documents")
    for path in (
        "/Users/ada/Desktop",
        "/Users/ada/documents",
        "/Users/ada/Downloads/x",
        "/Users/ada/Library/Containers/com.acme",
        "/Users/ada/Library/Group Containers",
        "/Users/ada/.Trash",
        "/users/ADA/desktop",
        "/System/Volumes/Data/Users/ada/Desktop",
    ):
        live.problems.clear()
        assert not live.list(path)
        assert not live.gone(path)
        assert [problem.why for problem in live.problems] == ["guarded by macOS: not opened"]
    live.problems.clear()
    assert live.text("/Users/ada/Library/Preferences/x") == "x"
    assert live.problems == []


@pytest.mark.usefixtures("live")
def test_with_full_disk_access_they_are(mac_tree: MacTree) -> None:
    trusted = live_files(mac_tree.root, guarded=False)
    assert trusted.text("/Users/ada/Downloads/x") == "x"
    assert trusted.text("/Users/ada/Library/Containers/com.acme/x") == "x"
    assert not trusted.list("/Users/ada/Library/CloudStorage")
    assert trusted.problems == [Problem("/Users/ada/Library/CloudStorage", "kept in the cloud: skipped", "cloud")]


@pytest.mark.usefixtures("live")
def test_offline_nothing_is_guarded(mac_tree: MacTree) -> None:
    files = mac_tree.host().files
    assert files.text("/Users/ada/Downloads/x") == "x", files.problems
    assert files.text("/Users/ada/Library/CloudStorage/OneDrive/x") == "x"


def test_dataless_files_are_not_fetched(mac_tree: MacTree, monkeypatch: pytest.MonkeyPatch) -> None:
    mac_tree.write("/Users/ada/cloudy/file", "would be fetched")
    files = mac_tree.host().files
    really = os.stat

    def cloudy(path: str, **options: Any) -> object:
        found = really(path, **options)
        if not str(path).endswith("cloudy"):
            return found
        known = {name: getattr(found, name) for name in dir(found) if name.startswith("st_")}
        return SimpleNamespace(**known | {"st_flags": 0x40000000})  # no other system has this flag

    monkeypatch.setattr("phaseout.host.filesystem.disk.os.stat", cloudy)
    monkeypatch.setattr("phaseout.host.filesystem.disk._IS_MACOS", True)
    assert files.text("/Users/ada/cloudy/file") is None
    assert files.list("/Users/ada/cloudy") == ()
    assert files.problems == [Problem("/Users/ada/cloudy", "kept in the cloud: skipped", "cloud")]


def test_refusals_of_macos_name_their_cause(mac_tree: MacTree, monkeypatch: pytest.MonkeyPatch) -> None:
    files = live_files(mac_tree.root, guarded=False)
    for number, where in ((errno.EPERM, "/Users/ada"), (errno.EACCES, "/Library")):

        def refuse(*_: object, number: int = number, **__: object) -> None:
            raise PermissionError(number, "refused")

        with monkeypatch.context() as patched:
            patched.setattr("phaseout.host.filesystem.disk.os.stat", refuse)
            assert files.list(where) == ()
    assert files.problems == [
        Problem("/Users/ada", "guarded by macOS: not opened", "guarded"),
        Problem("/Library", "permission denied", "permission"),
    ]


def test_live_host_opens() -> None:
    host = live_macos(lambda _: iter(()))
    assert host.live
    assert host.info.platform == "macos"
    assert host.processes is not None
    assert list(host.processes()) == []
    assert User("root", 0, "/var/root") in host.users


def test_users_of_a_live_mac_have_the_numbers_of_their_folders(mac_tree: MacTree) -> None:
    mac_tree.folder("/Users/eve")
    users = macos_users(PosixFiles(str(mac_tree.root)), live=True)
    assert User("eve", (mac_tree.root / "Users/eve").stat().st_uid, "/Users/eve") in users
