"""Homebrew: kegs, casks, and the version that an application has by now."""

import json
from pathlib import Path

import pytest

from tests.support.harness import run
from tests.support.trees import MacTree, Tree

RECEIPT = {
    "homebrew_version": "4.3.5",
    "installed_on_request": True,
    "time": 1714566600,
    "source": {"tap": "homebrew/core", "versions": {"stable": "1.67.0"}},
    "arch": "arm64",
}


@pytest.mark.parametrize("prefix", ["/opt/homebrew", "/usr/local", "/home/linuxbrew/.linuxbrew"])
def test_formulae(mac_tree: MacTree, prefix: str) -> None:
    mac_tree.write(f"{prefix}/Cellar/rclone/1.67.0/INSTALL_RECEIPT.json", json.dumps(RECEIPT))
    mac_tree.folder(f"{prefix}/Cellar/rclone/1.66.0")
    mac_tree.link(f"{prefix}/opt/rclone", "../Cellar/rclone/1.67.0")
    older, newer = run("homebrew", mac_tree.host()).items
    assert (newer.kind, newer.name, newer.version, newer.ids) == (
        "package",
        "rclone",
        "1.67.0",
        {"purl": "pkg:brew/rclone@1.67.0"},
    )
    assert newer.details == {
        "tap": "homebrew/core",
        "arch": "arm64",
        "installed": "2024-05-01T12:30:00Z",
        "requested": "yes",
        "linked": "yes",
    }
    assert (older.version, older.details) == ("1.66.0", {"linked": "no", "note": "without a receipt"})


def test_on_linux(tree: Tree) -> None:
    tree.write("/home/linuxbrew/.linuxbrew/Cellar/jq/1.7/INSTALL_RECEIPT.json", json.dumps(RECEIPT))
    tree.folder("/home/linuxbrew")
    tree.write("/home/ada/.linuxbrew/Cellar/jq/1.6/INSTALL_RECEIPT.json", json.dumps(RECEIPT))
    result = run("homebrew", tree.host())
    assert [(item.version, item.user) for item in result.items] == [("1.6", "ada"), ("1.7", "")]


def test_cask_that_updates_itself(mac_tree: MacTree) -> None:
    room = "/opt/homebrew/Caskroom/wechat"
    mac_tree.folder(f"{room}/4.0.1")
    receipt = {"source": {"version": "4.0.1", "tap": "homebrew/cask"}, "uninstall_artifacts": [{"app": ["WeChat.app"]}]}
    mac_tree.write(f"{room}/.metadata/INSTALL_RECEIPT.json", json.dumps(receipt))
    mac_tree.app(
        "/Applications/WeChat.app", CFBundleIdentifier="com.tencent.xinWeChat", CFBundleShortVersionString="4.1.10"
    )
    (item,) = run("homebrew", mac_tree.host()).items
    assert (item.name, item.version, item.state, item.path) == (
        "wechat",
        "4.1.10",
        "installed",
        "/Applications/WeChat.app",
    )
    assert item.details["cask_version"] == "4.0.1"
    assert item.ids == {"purl": "pkg:brew/wechat@4.0.1", "bundle_id": "com.tencent.xinWeChat"}


def test_cask_of_no_version(mac_tree: MacTree) -> None:
    room = "/usr/local/Caskroom"
    mac_tree.folder(f"{room}/qq/latest")
    definition = {"name": ["QQ", "腾讯QQ"], "homepage": "https://im.qq.com/", "artifacts": [{"app": ["QQ.app"]}]}
    mac_tree.write(f"{room}/qq/.metadata/latest/20240501.123/Casks/qq.json", json.dumps(definition))
    mac_tree.app("/Users/ada/Applications/QQ.app", CFBundleShortVersionString="6.9")
    (item,) = run("homebrew", mac_tree.host()).items
    assert (item.version, item.details["cask_version"], item.details["names"]) == ("6.9", "latest", "QQ; 腾讯QQ")


def test_cask_whose_application_is_gone(mac_tree: MacTree) -> None:
    mac_tree.link("/opt/homebrew/Caskroom/acme/1.0/Acme.app", "/Applications/Acme.app")
    mac_tree.folder("/opt/homebrew/Caskroom/tool/2.0")
    mac_tree.folder("/opt/homebrew/Caskroom/empty")
    result = run("homebrew", mac_tree.host())
    assert [(item.name, item.state, item.version) for item in result.items] == [
        ("acme", "leftover", "1.0"),
        ("tool", "installed", "2.0"),
    ]
    assert result.run.left_out == {"not a package": 1}


def test_renamed_application(mac_tree: MacTree) -> None:
    receipt = {
        "uninstall_artifacts": [{"app": ["Lark.app", {"target": "Feishu.app"}]}, {"zap": [{}]}, "odd", {"app": 1}]
    }
    mac_tree.write("/opt/homebrew/Caskroom/feishu/.metadata/INSTALL_RECEIPT.json", json.dumps(receipt))
    mac_tree.folder("/opt/homebrew/Caskroom/feishu/7.71.12")
    mac_tree.app("/Applications/Feishu.app", CFBundleShortVersionString="7.71")
    (item,) = run("homebrew", mac_tree.host()).items
    assert (item.path, item.version) == ("/Applications/Feishu.app", "7.71")


def test_damage(mac_tree: MacTree) -> None:
    receipt = "/opt/homebrew/Cellar/a/1/INSTALL_RECEIPT.json"
    mac_tree.write(receipt, b'{"source": ')
    mac_tree.write("/opt/homebrew/Cellar/b/1/INSTALL_RECEIPT.json", b'{"source": [], "time": {}, "arch": 7}')
    mac_tree.write("/opt/homebrew/Caskroom/c/.metadata/INSTALL_RECEIPT.json", b"[1]")
    mac_tree.folder("/opt/homebrew/Caskroom/c/1")
    result = run("homebrew", mac_tree.host())
    assert result.names() == ["a", "b", "c"]
    assert [item.notes for item in result.items] == [("its receipt is damaged",), (), ("its receipt is damaged",)]
    assert result.run.status == "ok"


def test_real_files(corpora: Path, mac_tree: MacTree) -> None:
    real = corpora / "packages/osv-scalibr/extractor/filesystem/os/homebrew/testdata"
    for file in real.rglob("*"):
        if file.is_file():
            mac_tree.copy(f"/opt/homebrew/{file.relative_to(real)}", file)
    result = run("homebrew", mac_tree.host())
    assert [(item.name, item.version, item.state) for item in result.items] == [
        ("android-platform-tools", "35.0.2", "installed"),
        ("firefox", "130.0.1", "leftover"),
        ("rclone", "1.67.0", "installed"),
        ("somefolder", "", "installed"),
        ("testapp", "1.1.1", "leftover"),
    ]
    assert result.one("rclone").details["installed"] == "2024-08-07T00:47:59Z"


@pytest.mark.parametrize(
    ("prefix", "file", "content"),
    [
        ("/opt/brew", "", ""),
        ("/usr/local/homebrew", "", ""),
        ("/Users/ada/.homebrew", "", ""),
        ("/private/var/b/brew", "/Users/ada/.zprofile", 'eval "$(/private/var/b/brew/bin/brew shellenv)"'),
        ("/Users/ada/a/b/brew", "/Users/ada/.zshrc", "export PATH=~/a/b/brew/bin:$PATH"),
        ("/private/var/b/brew", "/etc/paths.d/brew", "/private/var/b/brew/bin"),
    ],
)
def test_another_prefix_of_a_mac(mac_tree: MacTree, prefix: str, file: str, content: str) -> None:
    mac_tree.write(f"{prefix}/Cellar/kit/1.0/INSTALL_RECEIPT.json", "{}")
    if file:
        mac_tree.write(file, content)
    (item,) = run("homebrew", mac_tree.host()).items
    assert (item.name, item.path) == ("kit", f"{prefix}/Cellar/kit/1.0")
