"""What the tests of the scripts share: a bundle, and programs that stand where the scripts look for phaseout."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle for machines like this one, really made; skipped where no packages can be had."""
    folder = tmp_path_factory.mktemp("bundle")
    command = [sys.executable, str(ROOT / "scripts/make_bundle.py"), str(folder)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
    if result.returncode:
        pytest.skip(f"no packages can be had here: {result.stderr[-200:]}")
    return folder


def stand_in(folder: Path, text: str) -> Path:
    """An executable shell script."""
    file = folder / "phaseout"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file
