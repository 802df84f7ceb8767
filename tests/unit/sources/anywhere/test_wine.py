"""Windows programs in prefixes of Wine."""

import pytest

from tests.support.harness import run
from tests.support.pe_writer import executable
from tests.support.trees import MacTree, Tree

HEAD = "WINE REGISTRY Version 2\n;; All keys relative to \\\\Machine\n\n#arch=win64\n\n"
UNINSTALL = "Software\\\\Microsoft\\\\Windows\\\\CurrentVersion\\\\Uninstall"
MACHINE = f"""{HEAD}[Software\\\\Microsoft\\\\Windows NT\\\\CurrentVersion] 1
"ProductName"="Microsoft Windows 10"

[Software\\\\Wow6432Node\\\\{UNINSTALL.removeprefix("Software" + chr(92) * 2)}\\\\KPM] 1
"DisplayName"="Kaspersky Password Manager"
"DisplayVersion"="9.1"
"Publisher"="AO Kaspersky Lab"
"UninstallString"="C:\\\\Program Files\\\\KPM\\\\unins000.exe"
"""
OWN = f"""{HEAD}[{UNINSTALL}\\\\Chat] 1
"DisplayName"="Chat"
"""


def prefix(tree: Tree, path: str) -> None:
    tree.write(f"{path}/system.reg", MACHINE)
    tree.write(f"{path}/user.reg", OWN)
    tree.folder(f"{path}/drive_c/users/steamuser")
    tree.folder(f"{path}/drive_c/windows/system32")
    texts = {0x0409: {"CompanyName": "Acme", "ProductName": "Tool", "ProductVersion": "1.0"}}
    tree.write(f"{path}/drive_c/Program Files/Acme/tool.exe", executable(texts, ()))


@pytest.mark.parametrize(
    "path",
    [
        "/home/ada/.wine",
        "/home/ada/Games/battle",
        "/home/ada/.local/share/bottles/bottles/Office",
        "/home/ada/.local/share/Steam/steamapps/compatdata/123/pfx",
    ],
)
def test_programs_of_a_prefix(tree: Tree, path: str) -> None:
    prefix(tree, path)
    result = run("wine", tree.host())
    assert [(item.name, item.version, item.vendor, item.state) for item in result.items] == [
        ("Chat", "", "", "installed"),
        ("Kaspersky Password Manager", "9.1", "AO Kaspersky Lab", "leftover"),
        ("Tool", "1.0", "Acme", "installed"),
    ]
    assert {item.user for item in result.items} == {"ada"}
    assert {item.details["inside"] for item in result.items} == {f"prefix of Wine {path}"}
    assert result.run.status == "ok"


def test_a_bottle_of_a_mac(mac_tree: MacTree) -> None:
    prefix(mac_tree, "/Users/ada/Library/Application Support/CrossOver/Bottles/x")
    assert run("wine", mac_tree.host()).names() == ["Chat", "Kaspersky Password Manager", "Tool"]


def test_a_prefix_with_two_names_is_one(tree: Tree) -> None:
    prefix(tree, "/home/ada/.local/share/Steam/steamapps/compatdata/1/pfx")
    tree.link("/home/ada/.steam/steam", "../.local/share/Steam")
    assert len(run("wine", tree.host()).items) == 3


@pytest.mark.parametrize("name", ["system.reg", "user.reg"])
def test_a_prefix_without_its_registry(tree: Tree, name: str) -> None:
    prefix(tree, "/home/ada/.wine")
    (tree.root / f"home/ada/.wine/{name}").unlink()
    result = run("wine", tree.host())
    assert f"/home/ada/.wine/{name}" in [problem.where for problem in result.problems]
    assert "Tool" in result.names()


def test_a_damaged_registry(tree: Tree) -> None:
    prefix(tree, "/home/ada/.wine")
    tree.write("/home/ada/.wine/system.reg", "")
    result = run("wine", tree.host())
    assert result.run.status == "partial"
    assert "Chat" in result.names()


def test_no_prefix(tree: Tree) -> None:
    tree.folder("/home/ada/Games/native")
    assert run("wine", tree.host()).run.status == "ok"
