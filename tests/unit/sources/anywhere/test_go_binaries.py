"""Programs written in Go."""

import pytest

from tests.support.harness import run
from tests.support.trees import Tree, WindowsTree
from tests.unit.parsers.languages.test_go_buildinfo import MODULES, blob, elf


def test_a_program(tree: Tree) -> None:
    tree.write("/home/ada/go/bin/tool", elf(blob()))
    (item,) = run("go_binaries", tree.host()).items
    assert (item.kind, item.name, item.version, item.user) == ("library", "example.org/ada/tool", "v1.2.3", "ada")
    assert item.path == "/home/ada/go/bin/tool"
    assert item.ids == {"purl": "pkg:golang/example.org/ada/tool@v1.2.3"}
    assert item.details["package"] == "example.org/ada/tool/cmd/tool"


def test_everything_else_is_counted(tree: Tree) -> None:
    tree.write("/usr/local/bin/script", "#!/bin/sh\n")
    tree.write("/usr/local/bin/empty")
    tree.write("/usr/local/bin/c", elf(b"x" * 64, b".data"))
    tree.link("/usr/local/bin/link", "c")
    tree.write("/usr/local/bin/short", elf(blob())[:100])
    result = run("go_binaries", tree.host())
    assert result.items == ()
    assert result.run.left_out == {"not a Go program": 4}
    assert result.run.status == "ok"


@pytest.mark.parametrize(
    ("modules", "flags", "name", "version"),
    [
        (MODULES.replace("v1.2.3", "(devel)"), 2, "example.org/ada/tool", ""),
        ("path\tcommand-line-arguments\n", 2, "command-line-arguments", ""),
        ("", 2, "tool", ""),
        (MODULES, 0, "tool", ""),
    ],
)
def test_names(tree: Tree, modules: str, flags: int, name: str, version: str) -> None:
    tree.write("/usr/local/go/bin/tool", elf(blob(modules, flags)))
    (item,) = run("go_binaries", tree.host()).items
    assert (item.name, item.version) == (name, version)


def test_windows(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\Users\ada\go\bin\tool.exe", elf(blob()))
    assert run("go_binaries", windows_tree.host()).names() == ["example.org/ada/tool"]


def test_what_cannot_be_read_is_a_problem(tree: Tree) -> None:
    tree.write("/usr/local/bin/tool", elf(blob())).chmod(0)
    tree.fifo("/usr/local/bin/pipe")
    result = run("go_binaries", tree.host())
    assert result.run.rows == 1
