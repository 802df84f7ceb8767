"""Programs that the dynamic loader runs as its argument."""

import os
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.host.processes.loader import has_loader, run_by_loader

MAPPED = frozenset(("/opt/vendor/agent", "/usr/lib/libc.so.6"))


@pytest.mark.parametrize("form", ["=QQ", "=II"])
def test_auxiliary_vectors_of_both_sizes(form: str) -> None:
    def vector(base: int) -> bytes:
        return b"".join(struct.pack(form, *pair) for pair in ((6, 4096), (7, base), (0, 0)))

    assert has_loader(vector(0x7F000000))
    assert not has_loader(vector(0))


@given(st.binary(max_size=200))
def test_any_vector(data: bytes) -> None:
    assert has_loader(data) in (True, False)


@pytest.mark.parametrize(
    ("command", "program"),
    [
        (("ld.so", "/opt/vendor/agent", "--flag"), "/opt/vendor/agent"),
        (("ld.so", "./agent"), "/opt/vendor/agent"),
        (("ld.so", "--library-path", "/usr/lib", "--inhibit-cache", "../vendor/agent"), "/opt/vendor/agent"),
        (("ld.so", "--preload", "/usr/lib/libc.so.6", "/opt/vendor/agent"), "/opt/vendor/agent"),
        (("written", "over"), "/opt/vendor/agent"),  # the only file that is not a library
    ],
)
def test_the_program_of_a_command(command: tuple[str, ...], program: str) -> None:
    assert run_by_loader(command, "/opt/vendor", MAPPED) == program


def test_a_program_that_is_not_known() -> None:
    assert run_by_loader(("ld.so", "x"), "/", {"/a", "/b", "/c.so"}) == ""
    assert run_by_loader(("ld.so", "x"), "/", {"/c.so"}) == ""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_a_real_process(tmp_path: Path) -> None:
    """Under a copy of the loader with another name, too: its name does not matter."""
    from phaseout.host.processes.linux import process

    sleep, loaders = shutil.which("sleep"), sorted(Path("/lib64").glob("ld-linux-*.so.2"))
    if sleep is None or not loaders:
        pytest.skip("no GNU loader here")
    program = tmp_path / "agent"
    shutil.copy(os.path.realpath(sleep), program)
    shutil.copy(os.path.realpath(loaders[0]), tmp_path / "other")
    for loader in (str(loaders[0]), str(tmp_path / "other")):
        child = subprocess.Popen([loader, str(program), "30"])
        try:
            end = time.monotonic() + 10
            while (found := process(child.pid, {})) is None or found.exe != str(program):
                assert time.monotonic() < end, found
                time.sleep(0.01)
        finally:
            child.kill()
            child.wait()
