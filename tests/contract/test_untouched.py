"""The run of the tests fails if it changed the machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.namespaces import can_unshare
from tests.support.places import ROOT
from tests.support.untouched import MOUNTS, differences, fingerprint

CONFTEST = """\
from tests.support import untouched
from tests.support.untouched import pytest_sessionfinish, pytest_sessionstart, pytest_terminal_summary
untouched.PLACES = ({place!r},)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    (folder / "systemd").mkdir(parents=True)
    (folder / "systemd" / "a.service").write_text("[Unit]\n")
    (folder / "link").symlink_to("nowhere")
    return folder


def run(folder: Path, place: Path, test: str, *around: str) -> tuple[int, str]:
    """Runs one test with the check around it; gives the exit status and the output."""
    (folder / "conftest.py").write_text(CONFTEST.format(place=str(place)))
    (folder / "test_it.py").write_text(f"import os, pathlib\nplace = pathlib.Path({str(place)!r})\n{test}\n")
    command = [*around, sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={folder}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, str(folder / "test_it.py")], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        ("(place / 'new').touch()", "new: {place}/new"),
        ("(place / 'systemd' / 'a.service').write_text('other')", "changed: {place}/systemd/a.service"),
        ("(place / 'systemd' / 'a.service').chmod(0o600)", "changed: {place}/systemd/a.service"),
        ("(place / 'link').unlink()", "gone: {place}/link"),
        ("f = place / 'systemd' / 'x'; f.touch(); f.unlink()", "changed: {place}/systemd"),
    ],
)
@pytest.mark.slow
def test_a_test_that_changes_something_fails_the_run(deed: str, words: str, place: Path, tmp_path: Path) -> None:
    status, output = run(tmp_path, place, f"def test_it():\n    {deed}")
    assert "1 passed" in output, output
    assert words.format(place=place) in output
    assert status == 1


@pytest.mark.slow
def test_a_run_that_changes_nothing_passes(place: Path, tmp_path: Path) -> None:
    status, output = run(tmp_path, place, "def test_it():\n    assert list(place.iterdir())")
    assert (status, "was changed" in output) == (0, False), output


@pytest.mark.slow
def test_a_mount_that_is_left_fails_the_run(place: Path, tmp_path: Path) -> None:
    if not can_unshare("-m"):
        pytest.skip("no private mount namespace can be made here")
    deed = "def test_it():\n    assert os.system(f'mount -t tmpfs none {place}/systemd') == 0"
    status, output = run(tmp_path, place, deed, "unshare", "-m")
    assert "1 passed" in output, output
    assert "new: mount " in output
    assert status == 1


@pytest.mark.skipif(not MOUNTS.exists(), reason="this system has no mount table in /proc")
def test_mounts_are_part_of_the_fingerprint() -> None:
    found = fingerprint(("/proc",), depth=0)
    assert any(" /proc " in name for name in found)
    assert differences(found, {}) == sorted(f"gone: {name}" for name in found)
