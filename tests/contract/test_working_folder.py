"""What lies in the folder in which phaseout is started does not count."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.places import CODE
from tests.support.trees import Tree

PLANTED = ("click", "json", "logging", "msgspec", "platform", "psutil", "tomllib")


@pytest.mark.slow
def test_planted_modules_policy_and_rules(tmp_path: Path, tree: Tree) -> None:
    tree.write("/home/ada/.config/google-chrome/Default/Preferences", "{}")
    for name in PLANTED:
        (tmp_path / f"{name}.py").write_text("open('ran', 'w')\n")
    (tmp_path / "phaseout.toml").write_text('roles = ["nobody"]\n')
    for kind in ("vendors", "measures"):
        (tmp_path / "rules" / kind).mkdir(parents=True)
        (tmp_path / "rules" / kind / "own.toml").write_text("broken")
    environment = {**os.environ, "PYTHONPATH": str(CODE)}
    environment.pop("PYTHONSAFEPATH", None)
    done = subprocess.run(
        [sys.executable, "-m", "phaseout", "scan", "--root", str(tree.root), "-f", "line"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode in {0, 3}, done.stderr
    assert not (tmp_path / "ran").exists()
