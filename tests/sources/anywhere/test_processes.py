"""Processes really running here."""

import os
import shutil
import subprocess
from pathlib import Path

import psutil
import pytest

from scanner.host.processes import processes
from scanner.host.target import live_host
from tests.conftest import run


def test_equals_what_the_kernel_lists() -> None:
    before = set(psutil.pids())
    result = run("processes", live_host())
    after = set(psutil.pids())
    seen = {int(item.details["pid"]) for item in result.items}
    assert before & after <= seen
    assert os.getpid() in seen


def test_attributes_of_a_real_process(tmp_path: Path) -> None:
    program = shutil.copy(shutil.which("sleep") or "/bin/sleep", tmp_path / "kesl")
    with subprocess.Popen([str(program), "60"]) as child:
        try:
            (item,) = (one for one in run("processes", live_host()).items if one.details["pid"] == str(child.pid))
            assert (item.name, item.path, item.command) == ("kesl", str(program), f"{program} 60")
            assert item.state == "running"
            assert "deleted" not in item.details
            Path(program).unlink()
            (item,) = (one for one in run("processes", live_host()).items if one.details["pid"] == str(child.pid))
            assert item.path == str(program)
            assert item.details["deleted"]
        finally:
            child.kill()


def test_unreadable_attributes_do_not_lose_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: psutil.Process) -> str:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "create_time", refuse)
    monkeypatch.setattr(psutil.Process, "name", refuse)
    mine = next(process for process in processes({}) if process.pid == os.getpid())
    assert mine.unreadable == ("name", "started")
    assert mine.command
    assert mine.name == mine.exe.rpartition("/")[2]
