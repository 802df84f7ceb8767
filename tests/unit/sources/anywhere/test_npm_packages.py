"""Packages for Node.js: places, scopes, damage, and npm's own answer."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from phaseout.host import Host
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.model.nouns import HostInfo, Item
from phaseout.scan.worker import run_source
from phaseout.sources.anywhere import npm_packages

from tests.support.harness import run
from tests.support.trees import Tree, WindowsTree

GLOBAL = "/usr/local/lib/node_modules"
HEXA_UI = json.dumps(
    {
        "name": "@kaspersky/hexa-ui",
        "version": "6.198.2",
        "author": "AO Kaspersky Lab",
        "homepage": "https://github.com/KasperskyLab/uif#readme",
    }
)


def test_a_scoped_package(tree: Tree) -> None:
    tree.write(f"{GLOBAL}/@kaspersky/hexa-ui/package.json", HEXA_UI)
    tree.write(f"{GLOBAL}/@kaspersky/hexa-ui/node_modules/left-pad/package.json", '{"name": "left-pad"}')
    (item,) = run("npm_packages", tree.host()).items
    assert (item.kind, item.name, item.version, item.vendor) == (
        "library",
        "@kaspersky/hexa-ui",
        "6.198.2",
        "AO Kaspersky Lab",
    )
    assert item.ids == {"purl": "pkg:npm/%40kaspersky/hexa-ui@6.198.2"}
    assert item.path == f"{GLOBAL}/@kaspersky/hexa-ui"
    assert item.evidence[0].where == f"{item.path}/package.json"


@pytest.mark.parametrize(
    ("root", "user"),
    [
        ("/usr/lib/node_modules", ""),
        ("/usr/share/nodejs", ""),
        ("/opt/homebrew/lib/node_modules", ""),
        ("/home/ada/.nvm/versions/node/v20.1.0/lib/node_modules", "ada"),
        ("/home/ada/.npm-global/lib/node_modules", "ada"),
        ("/home/ada/.local/share/fnm/node-versions/v20/installation/lib/node_modules", "ada"),
        ("/home/ada/.volta/tools/image/packages/tool/lib/node_modules", "ada"),
        ("/home/ada/.volta/tools/image/packages/@scope/tool/lib/node_modules", "ada"),
        ("/home/ada/.local/share/pnpm/global/5/node_modules", "ada"),
        ("/home/ada/.config/yarn/global/node_modules", "ada"),
        ("/home/ada/.bun/install/global/node_modules", "ada"),
    ],
)
def test_places(tree: Tree, root: str, user: str) -> None:
    tree.write(f"{root}/x/package.json", '{"name": "x", "version": "1.0.0"}')
    tree.write(f"{root}/.package-lock.json", "{}")
    tree.write(f"{root}/.bin/x")
    (item,) = run("npm_packages", tree.host()).items
    assert (item.name, item.version, item.user) == ("x", "1.0.0", user)


@pytest.mark.parametrize(
    ("root", "user"),
    [
        (r"C:\Program Files\nodejs\node_modules", ""),
        (r"C:\Users\ada\AppData\Roaming\npm\node_modules", "ada"),
        (r"C:\Users\ada\AppData\Roaming\nvm\v20.1.0\node_modules", "ada"),
    ],
)
def test_places_of_windows(windows_tree: WindowsTree, root: str, user: str) -> None:
    windows_tree.write(rf"{root}\@kaspersky\hexa-ui\package.json", HEXA_UI)
    (item,) = run("npm_packages", windows_tree.host()).items
    assert (item.name, item.user, item.path) == ("@kaspersky/hexa-ui", user, rf"{root}\@kaspersky\hexa-ui")


def test_damage_does_not_hide_a_package(tree: Tree) -> None:
    tree.write(f"{GLOBAL}/bad/package.json", '{"name": "b')
    tree.write(f"{GLOBAL}/list/package.json", "[]")
    tree.write(f"{GLOBAL}/nameless/package.json", "{}")
    tree.fifo(f"{GLOBAL}/pipe/package.json")
    tree.folder(f"{GLOBAL}/no-package")
    tree.folder(f"{GLOBAL}/@empty")
    tree.write(f"{GLOBAL}/a-file")
    result = run("npm_packages", tree.host())
    assert result.names() == ["bad", "list", "nameless", "pipe"]
    assert [problem.where for problem in result.problems] == [
        f"{GLOBAL}/{name}/package.json" for name in ("bad", "list", "pipe")
    ]


def test_a_linked_package(tree: Tree) -> None:
    tree.write("/home/ada/work/tool/package.json", '{"name": "tool", "version": "2.0.0"}')
    tree.link(f"{GLOBAL}/tool", "../../../../home/ada/work/tool")
    files = tree.host()
    items: list[Item] = []
    run_source(npm_packages.SOURCE, files, items.append)
    assert [(item.name, item.version) for item in items] == [("tool", "2.0.0")]


@pytest.mark.slow
def test_as_npm_lists(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm here")
    root = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, check=True, cwd=tmp_path).stdout.strip()
    answer = subprocess.run([npm, "ls", "-g", "--json", "--depth=0"], capture_output=True, check=False, cwd=tmp_path)
    told = {(name, one["version"]) for name, one in json.loads(answer.stdout).get("dependencies", {}).items()}
    items: list[Item] = []
    run_source(npm_packages.SOURCE, Host(HostInfo(name="here", platform="linux"), PosixFiles("/")), items.append)
    found = {(item.name, item.version) for item in items if item.path.startswith(root + "/")}
    if not told or not found:
        pytest.skip("npm keeps nothing in a place of the system here")
    assert found == told


def test_pnpm_11_has_installed_what_its_links_lead_to(tree: Tree) -> None:
    top = "/home/ada/.local/share/pnpm/global/v11"
    store = "/home/ada/.local/share/pnpm/store/v11/links/@/"
    for name, folder in (("kesl-tool", "1-a"), ("removed", "2-b")):
        tree.write(
            f"{store}{name}/1.0.0/h/node_modules/{name}/package.json", f'{{"name": "{name}", "version": "1.0.0"}}'
        )
        tree.link(f"{top}/{folder}/node_modules/{name}", f"{store}{name}/1.0.0/h/node_modules/{name}")
    tree.link(f"{top}/{'5' * 64}", "1-a")
    result = run("npm_packages", tree.host())
    assert [(item.name, item.version, item.user) for item in result.items] == [("kesl-tool", "1.0.0", "ada")]
    assert result.run.left_out == {"known but not installed": 1}
