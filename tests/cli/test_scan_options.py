"""The options that say how closely is looked: `--deep` and `--modules`."""

import msgspec
import pytest
from phaseout.model.nouns import Inventory

from tests.cli.test_scan import phaseout
from tests.support.pe_writer import ENGLISH, executable
from tests.support.trees import WindowsTree


def test_modules_are_listed_when_asked_for() -> None:
    def kinds(*arguments: str) -> set[str]:
        result = phaseout("inventory", "--source", "processes", "-f", "json", *arguments)
        return {item.kind for item in msgspec.json.decode(result.stdout, type=Inventory).items}

    assert kinds() == {"process"}
    assert kinds("--modules") == {"process", "library"}


@pytest.mark.parametrize("deep", [False, True])
def test_deep_reaches_the_sources(windows_tree: WindowsTree, *, deep: bool) -> None:
    folder = r"C:\Program Files\Tools"
    for name in ("a", "b", "c", "d", "e"):
        texts = {"ProductName": f"Tool {name}"}
        windows_tree.write(rf"{folder}\{name}.exe", executable({ENGLISH: texts}))
    options = ("--root", str(windows_tree.root), "--source", "portable_programs", "-f", "json")
    result = phaseout("inventory", *options, *(["--deep"] if deep else []))
    assert len(msgspec.json.decode(result.stdout, type=Inventory).items) == (5 if deep else 3)


def test_an_offline_root_has_no_modules(windows_tree: WindowsTree) -> None:
    result = phaseout("inventory", "--root", str(windows_tree.root), "--modules", "-f", "json")
    runs = {run.source: run for run in msgspec.json.decode(result.stdout, type=Inventory).runs}
    assert runs["processes"].reason == "an offline root has no running processes"
