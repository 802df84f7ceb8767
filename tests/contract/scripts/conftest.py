"""What the tests of the scripts share: a bundle, and programs that stand where the scripts look for phaseout."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ARCHIVES = ROOT / "../shared/peers/powershell"


def unpacked(name: str, variable: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a PowerShell 7 with Pester; skipped where there is none."""
    if folder := os.environ.get(variable):
        return Path(folder)
    archive = ARCHIVES / f"{name}.tar.xz"
    if sys.platform != "linux" or not archive.is_file():
        pytest.skip(f"{variable} names no unpacked {name} with Pester")
    made = tmp_path_factory.mktemp("powershell")
    with tarfile.open(archive) as opened:
        opened.extractall(made, filter="data")
    return made / name


@pytest.fixture(scope="session")
def powershell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PowerShell for Linux."""
    return unpacked("powershell-linux-x64", "PHASEOUT_POWERSHELL", tmp_path_factory) / "pwsh"


@pytest.fixture(scope="session")
def powershell_windows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PowerShell for Windows, and what starts it under Wine."""
    return unpacked("powershell-win-x64", "PHASEOUT_POWERSHELL_WINDOWS", tmp_path_factory) / "pwsh_wine"


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
