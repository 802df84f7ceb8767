"""Folders of vendors in `Application Support`."""

from tests.support.harness import run
from tests.support.trees import MacTree


def test_folders(mac_tree: MacTree) -> None:
    top = "/Library/Application Support"
    mac_tree.folder(f"{top}/Kaspersky Lab/KAV/Binaries")
    mac_tree.folder(f"{top}/com.apple.TCC")
    mac_tree.folder(f"{top}/Apple")
    mac_tree.write(f"{top}/file")
    mac_tree.folder(f"/Users/ada{top}/Tencent/Inner")
    mac_tree.folder(f"/Users/ada{top}/AddressBook")
    result = run("support_folders", mac_tree.host())
    assert [(item.name, item.path, item.user) for item in result.items] == [
        ("KAV", f"{top}/Kaspersky Lab/KAV", ""),
        ("Kaspersky Lab", f"{top}/Kaspersky Lab", ""),
        ("Tencent", f"/Users/ada{top}/Tencent", "ada"),
    ]
    assert {(item.kind, item.state) for item in result.items} == {("file", "leftover")}
    assert result.run.left_out == {"part of the operating system": 3}


def test_folders_of_data(mac_tree: MacTree) -> None:
    for number in range(1001):
        mac_tree.folder(f"/Library/Application Support/Acme/{number}")
    result = run("support_folders", mac_tree.host())
    assert len(result.items) == 1001
    (problem,) = result.problems
    assert (problem.where, problem.cause) == ("/Library/Application Support/Acme", "limit")
