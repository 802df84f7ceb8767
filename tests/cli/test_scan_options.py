"""The options that say how closely is looked: `--deep` and `--modules`."""

import msgspec
import pytest
from phaseout.model.nouns import Inventory

from tests.support.command import phaseout
from tests.support.trees import WindowsTree


@pytest.mark.slow
def test_modules_are_listed_when_asked_for() -> None:
    def kinds(*arguments: str) -> set[str]:
        result = phaseout("inventory", "--source", "processes", "-f", "json", *arguments)
        return {item.kind for item in msgspec.json.decode(result.stdout, type=Inventory).items}

    assert kinds() == {"process"}
    assert kinds("--modules") == {"process", "library"}


def test_an_offline_root_has_no_modules(windows_tree: WindowsTree) -> None:
    result = phaseout("inventory", "--root", str(windows_tree.root), "--modules", "-f", "json")
    runs = {run.source: run for run in msgspec.json.decode(result.stdout, type=Inventory).runs}
    assert runs["processes"].reason == "an offline root has no running processes"
