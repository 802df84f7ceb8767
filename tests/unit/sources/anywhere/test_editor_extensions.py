"""Extensions of editors: lists, folders, what is gone or marked, profiles, damage."""

import json
from pathlib import Path

from phaseout.model.nouns import Evidence

from tests.support.harness import run
from tests.support.trees import MacTree, Tree, WindowsTree

CODE = "/home/ada/.vscode/extensions"


def entry(name: str = "ms-python.python", version: str = "1.0", **more: object) -> dict[str, object]:
    return {"identifier": {"id": name}, "version": version, "relativeLocation": f"{name}-{version}", **more}


def package(publisher: str = "ms-python", name: str = "python", version: str = "1.0", **more: object) -> str:
    return json.dumps({"publisher": publisher, "name": name, "version": version, **more})


def test_a_whole_extension(tree: Tree) -> None:
    metadata = {"publisherDisplayName": "Microsoft", "installedTimestamp": 1741259706874, "source": "gallery"}
    tree.write(f"{CODE}/extensions.json", json.dumps([entry(metadata=metadata)]))
    folder = f"{CODE}/ms-python.python-1.0"
    tree.write(f"{folder}/package.json", package(displayName="%title%"))
    tree.write(f"{folder}/package.nls.json", json.dumps({"title": "Python"}))
    for number in range(100):
        tree.write(f"{folder}/node_modules/{number}/package.json", "{")
    result = run("editor_extensions", tree.host())
    (item,) = result.items
    assert (item.name, item.vendor, item.version, item.state) == ("Python", "Microsoft", "1.0", "installed")
    assert (item.path, item.user, item.ids) == (folder, "ada", {"extension_id": "ms-python.python"})
    assert item.details == {
        "editor": "VS Code",
        "publisher": "ms-python",
        "installed": "2025-03-06T11:15:06Z",
        "store": "gallery",
    }
    assert item.evidence == (Evidence(f"{folder}/package.json", "ms-python.python 1.0"),)
    assert result.run.status == "ok"


def test_leftovers(tree: Tree) -> None:
    tree.write(f"{CODE}/extensions.json", json.dumps([entry("a.listed"), entry("a.gone"), entry("a.marked")]))
    tree.write(f"{CODE}/.obsolete", json.dumps({"a.Marked-1.0": True, "a.listed-1.0": False}))
    for name in ("listed", "marked", "unlisted", "in-profile"):
        tree.write(f"{CODE}/a.{name}-1.0/package.json", package("a", name))
    tree.write("/home/ada/.config/Code/User/profiles/x1/extensions.json", json.dumps([entry("a.in-profile")]))
    found = {
        item.name: (item.state, item.details.get("status", "")) for item in run("editor_extensions", tree.host()).items
    }
    assert found == {
        "a.listed": ("installed", ""),
        "a.in-profile": ("installed", ""),
        "a.gone": ("leftover", "its files are gone"),
        "a.marked": ("leftover", "marked for removal"),
        "a.unlisted": ("leftover", "not in the list of the editor"),
    }


def test_without_a_list_what_is_there_counts_as_installed(tree: Tree) -> None:
    tree.write(f"{CODE}/a.b-1.0/package.json", package("a", "b", author="x"))
    tree.folder(f"{CODE}/empty")
    result = run("editor_extensions", tree.host())
    assert [(item.name, item.vendor, item.state) for item in result.items] == [("a.b", "a", "installed")]
    assert result.run.left_out == {"not an extension": 1}


def test_every_editor_and_server(tree: Tree) -> None:
    for folder in (".cursor", ".windsurf", ".vscode-oss", ".vscode-server", ".var/app/com.vscodium.codium/data/codium"):
        tree.write(f"/home/ada/{folder}/extensions/a.b-1.0/package.json", package("a", "b"))
        tree.write(f"/home/ada/{folder}/extensions/extensions.json", "[]")
    tree.write("/home/ada/.vscode-server/data/User/profiles/p/extensions.json", json.dumps([entry("a.b")]))
    tree.write(
        "/home/ada/.var/app/com.vscodium.codium/config/VSCodium/User/profiles/p/extensions.json",
        json.dumps([entry("a.b")]),
    )
    found = {
        (item.details["editor"], item.path[10:20]): item.state for item in run("editor_extensions", tree.host()).items
    }
    assert found == {
        ("Cursor", ".cursor/ex"): "leftover",
        ("Windsurf", ".windsurf/"): "leftover",
        ("VSCodium", ".vscode-os"): "leftover",
        ("VS Code Server", ".vscode-se"): "installed",
        ("VSCodium", ".var/app/c"): "installed",
    }


def test_macos(mac_tree: MacTree) -> None:
    mac_tree.write("/Users/ada/.vscode/extensions/a.b-1.0/package.json", package("a", "b"))
    mac_tree.write("/Users/ada/.vscode/extensions/extensions.json", "[]")
    profiles = "/Users/ada/Library/Application Support/Code/User/profiles"
    mac_tree.write(f"{profiles}/p/extensions.json", json.dumps([entry("a.b")]))
    assert [(item.name, item.state) for item in run("editor_extensions", mac_tree.host()).items] == [
        ("a.b", "installed")
    ]


def test_windows(windows_tree: WindowsTree) -> None:
    top = r"C:\Users\ada\.vscode\extensions"
    away = {"identifier": {"id": "a.away"}, "location": {"path": "/c:/Users/ada/away", "scheme": "file"}}
    windows_tree.write(rf"{top}\extensions.json", json.dumps([entry("a.b"), away]))
    windows_tree.write(rf"{top}\A.B-1.0\package.json", package("a", "b", displayName="B"))
    windows_tree.write(rf"{top}\a.c-1.0\package.json", package("a", "c"))
    windows_tree.write(r"C:\Users\ada\AppData\Roaming\Code\User\profiles\p\extensions.json", json.dumps([entry("a.c")]))
    windows_tree.folder(r"C:\Users\ada\away")
    found = [(item.name, item.state, item.path) for item in run("editor_extensions", windows_tree.host()).items]
    assert found == [
        ("B", "installed", rf"{top}\A.B-1.0"),
        ("a.away", "installed", r"C:\Users\ada\away"),
        ("a.c", "installed", rf"{top}\a.c-1.0"),
    ]


def test_damage_costs_one_problem_each(tree: Tree) -> None:
    tree.write(f"{CODE}/extensions.json", json.dumps([entry("a.b"), 5, {"identifier": 5}]))
    tree.write(f"{CODE}/a.b-1.0/package.json", "{")
    tree.write(f"{CODE}/a.c-1.0/package.json", package("a", "c"))
    tree.write(f"{CODE}/.obsolete", "[]")
    tree.write("/home/ada/.cursor/extensions/extensions.json", '{"something": "else"}')
    result = run("editor_extensions", tree.host())
    assert {item.name: item.state for item in result.items} == {"a.b": "installed", "a.c": "installed"}
    assert result.run.left_out == {"damaged": 2}
    assert {problem.where for problem in result.problems} == {
        f"{CODE}/extensions.json",
        f"{CODE}/a.b-1.0/package.json",
        f"{CODE}/.obsolete",
        "/home/ada/.cursor/extensions/extensions.json",
    }


def test_real_lists(tree: Tree, corpora: Path) -> None:
    top = corpora / "packages/osv-scalibr/extractor/filesystem/misc/vscodeextensions/testdata"
    tree.copy(f"{CODE}/extensions.json", top / "extensions.json")
    names = json.loads((top / "extensions.json").read_bytes())
    for one in names[1:]:
        publisher, name = one["identifier"]["id"].split(".")
        tree.write(f"{CODE}/{one['relativeLocation']}/package.json", package(publisher, name, one["version"]))
    result = run("editor_extensions", tree.host())
    assert sorted((item.ids["extension_id"], item.version) for item in result.items) == sorted(
        (one["identifier"]["id"], one["version"]) for one in names
    )
    assert [item.name for item in result.items if item.state == "leftover"] == ["ms-vscode.cpptools"]
    assert result.one("golang.go").vendor == "Go Team at Google"
