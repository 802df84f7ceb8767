"""Native messaging hosts: folders, keys, what is gone, damage."""

import json

from phaseout.model.nouns import Evidence

from tests.support.harness import run
from tests.support.trees import MacTree, Tree, WindowsTree

NAME = "com.kaspersky.ahkjpbeeocnddjkakilopmfdlnjdpcdm.host"
CHROME = "/home/ada/.config/google-chrome/NativeMessagingHosts"


def manifest(path: str, name: str = NAME, **more: object) -> str:
    return json.dumps({"name": name, "description": "A host", "path": path, "type": "stdio", **more})


def test_a_whole_host(tree: Tree) -> None:
    tree.write("/opt/k/host", "#!/bin/sh\n")
    tree.write(f"{CHROME}/{NAME}.json", manifest("/opt/k/host", allowed_origins=["chrome-extension://abc/"]))
    tree.write(f"{CHROME}/README", "x")
    result = run("native_messaging", tree.host())
    (item,) = result.items
    assert (item.kind, item.name, item.path, item.user, item.state) == (
        "extension",
        NAME,
        "/opt/k/host",
        "ada",
        "installed",
    )
    assert item.details == {
        "browser": "Chrome",
        "type": "native messaging host",
        "description": "A host",
        "allowed": "abc",
    }
    assert item.evidence == (Evidence(f"{CHROME}/{NAME}.json", "/opt/k/host"),)
    assert result.run.left_out == {"not an extension": 1}


def test_what_is_gone_and_what_is_damaged(tree: Tree) -> None:
    tree.write(f"{CHROME}/gone.json", manifest("/opt/gone", "gone"))
    tree.link(f"{CHROME}/nowhere.json", "/opt/nowhere.json")
    tree.write(f"{CHROME}/damaged.json", "{")
    tree.write(f"{CHROME}/bare.json", "{}")
    tree.fifo(f"{CHROME}/fifo.json")
    result = run("native_messaging", tree.host())
    assert {item.name: item.state for item in result.items} == {
        "gone": "leftover",
        "nowhere": "leftover",
        "damaged": "installed",
        "bare": "installed",
    }
    assert {problem.where for problem in result.problems} == {f"{CHROME}/damaged.json", f"{CHROME}/fifo.json"}


def test_every_folder_of_linux(tree: Tree) -> None:
    for folder in (
        "/etc/opt/chrome/native-messaging-hosts",
        "/usr/lib/mozilla/native-messaging-hosts",
        "/home/ada/.mozilla/native-messaging-hosts",
        "/root/.config/BraveSoftware/Brave-Browser/NativeMessagingHosts",
    ):
        tree.write(f"{folder}/{NAME}.json", manifest("/opt/gone", allowed_extensions=["a@b"]))
    assert [(item.user, item.details["browser"]) for item in run("native_messaging", tree.host()).items] == [
        ("", "Chrome"),
        ("", "Firefox"),
        ("ada", "Firefox"),
        ("root", "Brave"),
    ]


def test_macos(mac_tree: MacTree) -> None:
    mac_tree.write(f"/Library/Google/Chrome/NativeMessagingHosts/{NAME}.json", manifest("/Applications/K.app/x"))
    mac_tree.write(
        f"/Users/ada/Library/Application Support/Mozilla/NativeMessagingHosts/{NAME}.json", manifest("/Users/ada/x")
    )
    assert [
        (item.user, item.details["browser"], item.state) for item in run("native_messaging", mac_tree.host()).items
    ] == [
        ("", "Chrome", "leftover"),
        ("ada", "Firefox", "leftover"),
    ]


def test_windows(windows_tree: WindowsTree) -> None:
    key = r"Google\Chrome\NativeMessagingHosts"
    user = rf"HKU\{WindowsTree.ADA}\Software"
    windows_tree.key(rf"HKLM\SOFTWARE\WOW6432Node\{key}\{NAME}", {"": r"%ProgramFiles%\K\host.json"})
    windows_tree.write(r"C:\Program Files\K\host.json", manifest("host.exe"))
    windows_tree.write(r"C:\Program Files\K\host.exe", b"MZ")
    windows_tree.key(rf"{user}\Mozilla\NativeMessagingHosts\mine", {"": r"%LOCALAPPDATA%\mine.json"})
    windows_tree.write(r"C:\Users\ada\AppData\Local\mine.json", manifest(r"C:\gone\mine.exe", "mine"))
    windows_tree.key(rf"HKLM\SOFTWARE\{key}\nowhere", {"": r"C:\nowhere.json"})
    windows_tree.key(rf"HKLM\SOFTWARE\{key}\nothing")
    windows_tree.key(rf"HKLM\SOFTWARE\{key}\odd", {"": "relative.json"})
    result = run("native_messaging", windows_tree.host())
    assert [(item.name, item.state, item.user, item.path) for item in result.items] == [
        (NAME, "installed", "", r"C:\Program Files\K\host.exe"),
        ("mine", "leftover", "ada", r"C:\gone\mine.exe"),
        ("nothing", "installed", "", ""),
        ("nowhere", "leftover", "", r"C:\nowhere.json"),
        ("odd", "installed", "", ""),
    ]
    assert result.run.status == "ok"
