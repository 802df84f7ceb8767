"""A 32-bit program on 64-bit Windows: here there is none, so what Windows would answer is put in."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from scanner.host.wow64 import NOTE, TROUBLE

LIVE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import scanner.host.windows as windows
from scanner.host.wow64 import redirected
from scanner.host.target import live_host
usual = live_host()
told = [redirected(), usual.info.notes]
for agrees in (True, False):
    windows.redirected, windows.see_everything = lambda: True, lambda: agrees
    host = live_host()
    told += [host.info.notes, [problem.why for problem in host.registry.problems]]
print("@@" + json.dumps(told))
"""


def test_it_is_said_and_what_fails_is_a_problem(tmp_path: Path) -> None:
    wine = Path(os.environ.get("PHASEOUT_WINE", ""))
    if not (wine / "run").is_file():
        pytest.skip("no Windows Python: scripts/wine_python FOLDER makes one, and PHASEOUT_WINE names it")
    script = tmp_path / "live.py"
    script.write_text(LIVE)
    run = subprocess.run(
        [wine / "run", f"Z:{script}", f"Z:{Path(__file__).parents[2]}"], capture_output=True, check=False, timeout=120
    )
    output = run.stdout.decode("utf-8", "replace")
    assert "@@" in output, output
    is_redirected, usual, agreed, no_trouble, refused, trouble = json.loads(output.split("@@")[1])
    assert (is_redirected, usual) == (False, [])
    assert agreed == refused == [NOTE]
    assert TROUBLE not in no_trouble
    assert TROUBLE in trouble
